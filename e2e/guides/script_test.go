// Package guides tests the documentation: it writes the files and runs the commands of a guide in an empty
// directory.
package guides

import (
	"fmt"
	"regexp"
	"strings"
)

// Script makes a bash script of the shell and Go fences of guides, in order. Lines run unchanged, except:
//
//   - "git clone" links the checkout under test ($CHECKOUT).
//   - Two free ports replace 8080 and 9000.
//   - The answer to a line that begins with "curl -i" must have the next status that the text before its fence
//     names. All other curl lines must succeed.
//
// A Go fence is written into the file that the text before it names. Only the lines themselves wait for a
// service.
func Script(text string, service, issuer int) (string, error) {
	ports := strings.NewReplacer("8080", fmt.Sprint(service), "9000", fmt.Sprint(issuer),
		"sso serve", fmt.Sprintf("sso serve --listen 127.0.0.1:%d", issuer),
		"sso mint", fmt.Sprintf("sso mint --issuer http://127.0.0.1:%d", issuer))
	var b strings.Builder
	b.WriteString(prelude)
	tries := 0
	for _, fence := range fences.FindAllStringSubmatch(text, -1) {
		before, language, body := fence[1], fence[2], ports.Replace(fence[3])
		if language == "go" {
			name := fileName.FindStringSubmatch(before)
			if name == nil {
				return "", fmt.Errorf("no file is named before this:\n%s", body)
			}
			_, _ = fmt.Fprintf(&b, "cat > %s <<'END OF FILE'\n%sEND OF FILE\n", name[1], body)
			continue
		}
		promised := status.FindAllString(before, -1)
		if requests := len(request.FindAllString(body, -1)); requests != len(promised) {
			return "", fmt.Errorf("%d requests, but the text before them promises %q:\n%s", requests, promised, body)
		}
		for line := range strings.Lines(body) {
			line = strings.TrimSuffix(line, "\n")
			_, _ = fmt.Fprintf(&b, "echo %s\n", quoted("$ "+line))
			switch {
			case request.MatchString(line):
				line = fmt.Sprintf("try %s %s", promised[0], quoted(line))
				promised = promised[1:]
				tries++
			case strings.HasPrefix(line, "curl "):
				line = strings.Replace(line, "curl ", "curl -fsS ", 1)
			}
			b.WriteString(line + "\n")
		}
	}
	if tries == 0 {
		return "", fmt.Errorf("no request is tried in:\n%s", text)
	}
	return b.String(), nil
}

const prelude = `set -euo pipefail
begun=$PWD
cd() { # not through a link, which a workspace does not like; and back to where the link is
	if [[ $1 == .. ]]; then builtin cd "$begun"; else builtin cd -P "$@"; fi
}
git() { # of which the guides use one form
	[[ $1 == clone && $2 == https://github.com/more-retail/moresso-go && $# == 2 ]] && ln -s "$CHECKOUT" moresso-go
}
try() { # status, command
	local answer
	answer=$(eval "$2" 2>/dev/null)
	echo "$answer"
	[[ $answer == "HTTP/1.1 $1 "* ]] || { echo "FAILED: status $1 was promised"; exit 1; }
}
`

var (
	fences   = regexp.MustCompile("(?m)^(.*)\n\n?```(sh|go)\n((?:[^`].*\n|\n)*)```$")
	fileName = regexp.MustCompile("`([a-z_]+\\.go)`")
	request  = regexp.MustCompile(`(?m)^curl -i .*$`)
	status   = regexp.MustCompile(`\b[2-5]\d\d\b`)
)

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Section is the text under a heading, up to the next of the same level.
func Section(page, heading string) (string, error) {
	_, section, found := strings.Cut(page, "\n## "+heading+"\n")
	if !found {
		return "", fmt.Errorf("section %q is missing", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section, nil
}
