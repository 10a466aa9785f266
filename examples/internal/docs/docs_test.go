package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

var (
	fence = regexp.MustCompile("(?ms)^```go\n(.*?)^```$") //nolint:gocritic // in multi-line mode ^ may be anywhere
	shell = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$") //nolint:gocritic // as above
)

// Every Go snippet of the documentation is a sequence of lines of a Go file, except for the indentation. The files
// are compiled, and most are examples that run.
func TestDocs_Snippets(t *testing.T) {
	var files []string
	for path := range walk(t, ".go") {
		files = append(files, squeeze(read(t, path)))
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found", len(files))
	}
	snippets := 0
	for path := range walk(t, ".md") {
		for _, match := range fence.FindAllStringSubmatch(read(t, path), -1) {
			snippets++
			snippet := squeeze(match[1])
			if !slices.ContainsFunc(files, func(file string) bool { return strings.Contains(file, snippet) }) {
				t.Errorf("%s: this snippet is in no Go file:\n%s", path, match[1])
			}
		}
	}
	if snippets < 5 {
		t.Errorf("only %d snippets found", snippets)
	}
}

// An interactive zsh has no comments by default: the words after a # are further arguments, and curl would send the
// token to them as hosts.
func TestDocs_CurlComments(t *testing.T) {
	lines := 0
	for path := range walk(t, ".md") {
		for _, match := range shell.FindAllStringSubmatch(read(t, path), -1) {
			for line := range strings.Lines(strings.ReplaceAll(match[1], "\\\n", " ")) {
				if !strings.Contains(line, "curl ") {
					continue
				}
				lines++
				if commented(line) {
					t.Errorf("%s: move the comment before the command, or into the text:\n%s", path, line)
				}
			}
		}
	}
	if lines < 20 {
		t.Errorf("only %d lines found", lines)
	}
	for line, want := range map[string]bool{
		"curl -i http://localhost:8080/orders # 401": true,
		"curl http://localhost:8080/orders\t#401":    true,
		"curl http://localhost:8080/#orders":         false,
		"# curl http://localhost:8080/orders":        false,
	} {
		if commented(line) != want {
			t.Errorf("commented(%q) is not %v", line, want)
		}
	}
}

func commented(command string) bool {
	command = strings.TrimSpace(command)
	return strings.Contains(command, " #") || strings.Contains(command, "\t#")
}

// squeeze removes indentation, and starts each line with a line break.
func squeeze(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("\n" + strings.TrimSpace(line))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func walk(t *testing.T, suffix string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(path, suffix) {
			found[path] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
