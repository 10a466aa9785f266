package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestALinkLeadsSomewhereOrIsSaidWhereItDoesNot(t *testing.T) {
	for name, c := range map[string]struct {
		text string // of docs/PAGE.md
		want string // the fault, or a part of it; empty: none
	}{
		"a file beside":                          {"[x](OTHER.md)", ""},
		"a file above":                           {"[x](../README.md)", ""},
		"a folder":                               {"[x](../core)", ""},
		"a file that is not there":               {"\n[x](NONE.md)", "docs/PAGE.md:2: NONE.md: there is no docs/NONE.md in the repository"},
		"a file by another case":                 {"[x](other.md)", "there is no docs/other.md"},
		"a file that is built":                   {"[x](../bin/sso)", "there is no bin/sso"},
		"a file outside the repository":          {"[x](../../shared/secret.md)", "leads out of the repository"},
		"the folder above the repository":        {"[x](../..)", "leads out of the repository"},
		"a path from the root of the disk":       {"[x](/home/ada/notes.md)", "begins with a slash"},
		"a heading":                              {"[x](OTHER.md#why--how)", ""},
		"a heading of its own":                   {"# Here we are\n[x](#here-we-are)", ""},
		"the second heading of that name":        {"[x](OTHER.md#twice-1)", ""},
		"the third of two headings":              {"[x](OTHER.md#twice-2)", "docs/OTHER.md has no heading #twice-2; it has #"},
		"a heading by another case":              {"[x](OTHER.md#Twice)", "has no heading #Twice"},
		"an anchor in HTML":                      {"[x](OTHER.md#by-hand)", ""},
		"a line of a program":                    {"[x](../core/core.go#L3)", "only a Markdown file has headings"},
		"a picture":                              {"![x](img/a.png)", ""},
		"a picture that is not there":            {"![x](img/b.png)", "there is no docs/img/b.png"},
		"a picture in HTML that is not there":    {"<p>\n<img src=\"img/b.png\">\n</p>", "there is no docs/img/b.png"},
		"a link in HTML that leads nowhere":      {"see <a href='NONE.md'>this</a>", "there is no docs/NONE.md"},
		"a link in a table":                      {"| a |\n|---|\n| [x](NONE.md) |", "docs/PAGE.md:3: NONE.md"},
		"a picture as a link":                    {"[![x](img/a.png)](NONE.md)", "there is no docs/NONE.md"},
		"a reference":                            {"[x][o]\n\n[o]: OTHER.md", ""},
		"a reference that leads nowhere":         {"[x][o]\n\n[o]: NONE.md", "there is no docs/NONE.md"},
		"a reference that is not defined":        {"see [x][o]", "the reference [x][o] is not defined"},
		"a short reference that is not defined":  {"see *or* [x][]", "the reference [x][] is not defined"},
		"brackets in code":                       {"`m[x][o]` and\n\n```\n[x](NONE.md) m[x][o]\n```", ""},
		"an address elsewhere":                   {"[x](https://go.dev/ref/mod#go-mod-file) and https://go.dev", ""},
		"an address of mail":                     {"<ada@example.com>", ""},
		"an address without a lock":              {"[x](http://go.dev)", "begins with https://"},
		"an address of this machine":             {"[x](https://localhost/x)", "no address that every reader can follow"},
		"an address of this machine, in figures": {"[x](https://127.0.0.1/x)", "no address that every reader can follow"},
		"an address of a network of one's own":   {"[x](https://wiki.internal/x)", "no address that every reader can follow"},
		"an address with a port":                 {"[x](https://example.com:8443/x)", "no address that every reader can follow"},
		"a file by its address":                  {"[x](file:///etc/passwd)", "begins with https://"},
		"an address that is none":                {"[x](<https://a b>)", "is no address"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			put(t, root, "README.md", "# Read me")
			put(t, root, "core/core.go", "package core")
			put(t, root, "bin/sso", "")
			put(t, root, "docs/img/a.png", "")
			put(t, root, "docs/OTHER.md", "# Why & *how*?\n\n## Twice\n\n## Twice\n\n<a id=\"by-hand\"></a>\n")
			put(t, root, "docs/PAGE.md", c.text)
			tree, err := readTree(root)
			if err != nil {
				t.Fatal(err)
			}
			faults := tree.check()
			switch {
			case c.want == "" && len(faults) > 0:
				t.Errorf("found %q", faults)
			case c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.want)):
				t.Errorf("found %q, want %s", faults, c.want)
			}
		})
	}
}

func TestHeadingsAreNamedAsGitHubNamesThem(t *testing.T) {
	got := slices.Sorted(maps.Keys(parse([]byte(`
# From clone to a 200 and a 403
## 401, or 503?
## ` + "`Config.Renderer`" + ` and WithDenied
## [A link](x) with_an underscore
## Grüße, Ada!
## Same
## Same
## Same-1
## Same
`)).anchors))
	want := []string{
		"401-or-503", "a-link-with_an-underscore", "configrenderer-and-withdenied", "from-clone-to-a-200-and-a-403",
		"grüße-ada", "same", "same-1", "same-1-1", "same-2",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
