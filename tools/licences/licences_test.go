package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

const (
	isc = `Copyright (c) 2020 Ada

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
`
	zlib = `This software is provided 'as-is', without any express or implied warranty. In no event will the authors be held
liable for any damages arising from the use of this software.

Permission is granted to anyone to use this software for any purpose, including commercial applications, and to alter it
and redistribute it freely, subject to the following restrictions:

1. The origin of this software must not be misrepresented; you must not claim that you wrote the original software. If
you use this software in a product, an acknowledgment in the product documentation would be appreciated but is not
required.
2. Altered source versions must be plainly marked as such, and must not be misrepresented as being the original software.
3. This notice may not be removed or altered from any source distribution.
`
)

func TestATextIsTheLicencesThatItConsistsOf(t *testing.T) {
	own, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"this repository's own":       {string(own), "[MIT] <nil>"},
		"another that is allowed":     {isc, "[ISC] <nil>"},
		"two that are allowed":        {isc + string(own), "[ISC MIT] <nil>"},
		"one that is not allowed":     {zlib, "[] it is Zlib, which is not allowed"},
		"one of two is not allowed":   {isc + zlib, "[] it is Zlib, which is not allowed"},
		"allowed, with a lot beside":  {isc + strings.Repeat("Nobody may sell it. ", 100), "[] only 2"},
		"no licence at all":           {"All rights reserved.", "[] it is no licence that is known"},
		"nothing":                     {"", "[] it is no licence that is known"},
		"a link to one, and no words": {"http://www.apache.org/licenses/LICENSE-2.0", "[] it is no licence that is known"},
	} {
		t.Run(name, func(t *testing.T) {
			ids, err := recognise([]byte(c.text))
			if got := fmt.Sprint(ids, " ", err); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAFaultNamesTheModuleItsVersionAndWhatWasFound(t *testing.T) {
	good, copied, bad, none := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	put(t, good, "LICENSE.md", isc)
	put(t, copied, "LICENSE", isc)
	put(t, copied, "internal/other/COPYING", zlib)
	put(t, copied, "internal/other/deep/deep.go", "package deep")
	put(t, bad, "License.txt", zlib)
	put(t, none, "README.md", isc)
	put(t, none, "part/LICENSE", isc)

	stream := ""
	for _, p := range []struct{ path, dir, sub string }{{"good", good, ""}, {"copied", copied, "internal/other/deep"}, {"bad", bad, ""}, {"none", none, "part"}} {
		stream += fmt.Sprintf(`{"Dir":%q,"Module":{"Path":"example.com/%s","Version":"v1.2.3","Dir":%q}}`, filepath.Join(p.dir, filepath.FromSlash(p.sub)), p.path, p.dir)
	}
	stream += `{"Dir":"/go/src/fmt","Standard":true}{"Dir":"/here","Module":{"Path":"` + repo.Prefix + `core","Dir":"/here"}}`
	found := map[string]*dependency{}
	if err := read(strings.NewReader(stream), found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 {
		t.Errorf("found %d modules, want those of others: 4", len(found))
	}
	for path, want := range map[string]string{
		"good":   "[]",
		"copied": "[example.com/copied v1.2.3: internal/other/COPYING: it is Zlib, which is not allowed]",
		"bad":    "[example.com/bad v1.2.3: License.txt: it is Zlib, which is not allowed]",
		"none":   "[example.com/none v1.2.3: it has no licence file: nobody may use it]",
	} {
		if got := fmt.Sprint(judge([]dependency{*found["example.com/"+path]})); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestAModuleThatIsReplacedIsTheOneThatIsBuilt(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "LICENSE", isc)
	found := map[string]*dependency{}
	stream := fmt.Sprintf(`{"Dir":%[1]q,"Module":{"Path":"example.com/a","Version":"v1.0.0","Dir":%[1]q,"Replace":{"Path":"example.com/fork","Version":"v1.0.1"}}}`, dir)
	if err := read(strings.NewReader(stream), found); err != nil || found["example.com/fork"] == nil || found["example.com/fork"].version != "v1.0.1" {
		t.Errorf("%v, %v", found, err)
	}
}

func TestWhatIsCalledLikeALicenceIsReadAsOne(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENCE": true, "LICENSE.md": true, "license.txt": true, "LICENSE-APACHE": true, "MIT-LICENSE": true,
		"COPYING": true, "COPYING.LESSER": true, "UNLICENSE": true,
		"NOTICE": false, "LICENSE-SUMMARY": false, "license.go": false, "README.md": false, "licensed": false, "relicense.sh": false,
	} {
		if got := isLicence(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestThePageSaysWhatEachModuleBrings(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "LICENSE", isc)
	released := []brought{
		{named("core"), nil},
		{named("ginsso"), []dependency{{"example.com/a", "v1.2.3", []file{{dir, "LICENSE"}}}}},
	}
	text := render(released)
	for _, want := range []string{"\n## core\n\nNothing.\n", "\n## ginsso\n\n| module | version | licence |\n|---|---|---|\n| example.com/a | v1.2.3 | ISC |\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	page := filepath.Join(dir, "page.md")
	if err := fresh(page, text); err == nil {
		t.Error("a page that is not there was taken for one that is up to date")
	}
	put(t, dir, "page.md", string(text))
	if err := fresh(page, text); err != nil {
		t.Error(err)
	}
	released[1].list[0].version = "v1.2.4"
	if err := fresh(page, render(released)); err == nil || !strings.Contains(err.Error(), "make dependencies") {
		t.Errorf("the version changed, and: %v", err)
	}
}

func named(dir string) repo.Module {
	return repo.Module{Dir: dir, File: &modfile.File{Module: &modfile.Module{Mod: module.Version{Path: repo.Prefix + dir}}}}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
