package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun_Findings(t *testing.T) {
	const config = `{"config":{"protocol_version":"v1.0.0"}}`
	finding := func(osv, module, function string) string {
		return fmt.Sprintf(`{"finding":{"osv":%q,"fixed_version":"v2.0.0","trace":[{"module":%q,"version":"v1.0.0","package":"p","function":%q},{"package":"ours"}]}}`,
			osv, module, function)
	}
	for name, test := range map[string]struct{ printed, want string }{
		"no finding":                      {config, ""},
		"a called function":               {config + finding("GO-1", "m", "F"), "m@v1.0.0 has GO-1: ours calls p.F"},
		"an imported package with a fix":  {config + finding("GO-1", "m", ""), "m@v1.0.0 has GO-1"},
		"a called function of Go":         {config + finding("GO-1", "stdlib", "F"), ""},
		"an accepted vulnerability":       {config + finding("GO-2026-6872", "github.com/labstack/echo/v4", "F"), ""},
		"accepted, but of another module": {config + finding("GO-2026-6872", "m", "F"), "m@v1.0.0 has GO-2026-6872"},
		"nothing printed":                 {"", "did not run"},
		"half a message":                  {config + `{"finding":`, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			govulncheck := filepath.Join(t.TempDir(), "govulncheck")
			if err := os.WriteFile(govulncheck, []byte("#!/bin/sh\ncat <<'END'\n"+test.printed+"\nEND\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			err := run("https://vuln.example.com", govulncheck, []string{t.TempDir()})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestIndex(t *testing.T) {
	reports := t.TempDir()
	if _, err := index(reports); err == nil {
		t.Error("no error for a folder without reports")
	}
	const report = `{"id":"GO-1","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"name":"m"}},{"package":{"name":"m"}},{"package":{"name":"n"}}]}`
	if err := os.WriteFile(filepath.Join(reports, "GO-1.json"), []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	modules, err := index(reports)
	if err != nil || len(modules) != 2 || modules[0].Path != "m" || len(modules[0].Vulns) != 1 || modules[0].Vulns[0].ID != "GO-1" {
		t.Errorf("%+v, %v", modules, err)
	}
}
