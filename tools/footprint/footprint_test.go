package main

import (
	"bytes"
	"go/format"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func TestCoreThatAddsTooMuchIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		core, gin int64
		same      bool
		want      string // "" for none
	}{
		"as much as it may":            {1000 + limit, 1000, true, ""},
		"one byte more":                {1001 + limit, 1000, true, "core adds 1,500,001 bytes to a small service, 1 more than it may"},
		"an adapter may add what must": {1000, 1000 + 2*limit, true, ""},
		"two builds that differ":       {1000, 1000, false, "two builds of httpsso in different folders differ"},
	} {
		t.Run(name, func(t *testing.T) {
			r := report{same: c.same, programs: map[string]footprint{
				"nethttp": {size: 1000}, "core": {size: c.core}, "httpsso": {size: 1000}, "gin": {size: 1000}, "ginsso": {size: c.gin},
			}}
			found := strings.Join(r.faults(), "\n")
			if (found == "") != (c.want == "") || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
			if differs := strings.Contains(r.document(), "**The two differ.**"); differs == c.same {
				t.Errorf("the document says that they differ: %v", differs)
			}
		})
	}
}

func TestTheTableHasBothServicesAndTheDifference(t *testing.T) {
	r := report{programs: map[string]footprint{"gin": {14_000_000, 300, 19, 40}, "ginsso": {15_200_001, 330, 23, 45}}}
	const want = "| ginsso | Gin | 14,000,000 | 15,200,001 | 1,200,001 | 300 → 330 | 19 → 23 | 40 → 45 |\n"
	if got := r.table(); !strings.Contains(got, want) {
		t.Errorf("no line %q in\n%s", want, got)
	}
}

func TestNumbersAreWrittenInThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1500000: "1,500,000", -999: "-999", -123456: "-123,456"} {
		if got := number(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

// A service that had the module already would show a difference of nothing.
func TestEachServiceIsTheOneWithoutItAndTheModule(t *testing.T) {
	read := func(name string) string {
		source, err := sources.ReadFile("services/" + name + ".go.txt")
		if err != nil {
			t.Fatal(err)
		}
		if formatted, err := format.Source(source); err != nil || !bytes.Equal(formatted, source) {
			t.Errorf("%s is not formatted (%v)", name, err)
		}
		return string(source)
	}
	for _, row := range rows {
		imported := `"` + repo.Prefix + row.module
		if strings.Contains(read(row.without), imported) || !strings.Contains(read(row.with), imported) {
			t.Errorf("%s: only %s must import it, and not %s", row.module, row.with, row.without)
		}
		if beside[row.without] == "" {
			t.Errorf("%s: the table has no name for %s", row.module, row.without)
		}
	}
	if strings.Contains(read(client), repo.Prefix) {
		t.Errorf("%s must do without this library", client)
	}
}

func TestBothServicesHaveTheFrameworkAtTheVersionOfTheAdapter(t *testing.T) {
	parse := func(dir, text string) repo.Module {
		file, err := modfile.Parse("go.mod", []byte("module "+repo.Prefix+dir+"\n"+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return repo.Module{Dir: dir, File: file, Workspace: true}
	}
	w := workshop{version: "v0.1.0", modules: []repo.Module{
		parse("core", ""), parse("echosso", "require example.com/echo v1.4.0\n"),
		parse("ginsso", "require (\nexample.com/gin v1.2.3\nexample.com/below v0.3.0 // indirect\n"+repo.Prefix+"core v0.1.0\n)\n"),
	}}
	const head = "module example.com/orders\n\ngo 1.25.0\n"
	for source, want := range map[string]string{
		`import "example.com/gin"`: head + "require example.com/gin v1.2.3\nrequire example.com/below v0.3.0\n",
		`import ("` + repo.Prefix + `core/sso"; "` + repo.Prefix + `ginsso")`: head + "require " + repo.Prefix + "core v0.1.0\nrequire " + repo.Prefix + "ginsso v0.1.0\n",
	} {
		if got := w.goMod(source, "ginsso"); got != want {
			t.Errorf("%s has\n%s, want\n%s", source, got, want)
		}
	}
}

func TestAServiceOfTheStandardLibraryIsMeasured(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	w, err := open(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := w.measure(t.Context(), "nethttp", "")
	if err != nil {
		t.Fatal(err)
	}
	if f.size < 1_000_000 || f.packages < 100 || f.modules != 0 || f.sums != 0 {
		t.Errorf("%+v, want megabytes, more than a hundred packages and no module", f)
	}
}
