package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestADatabaseIsLaidOutAsGovulncheckReadsIt(t *testing.T) {
	reports, dir := t.TempDir(), t.TempDir()
	put(t, filepath.Join(reports, "GO-2026-0002.json"), `{"id":"GO-2026-0002","modified":"2026-02-02T00:00:00Z","affected":[
		{"package":{"name":"example.com/a"},"ranges":[]},{"package":{"name":"example.com/a"},"ranges":[]},{"package":{"name":"example.com/b"}}]}`)
	put(t, filepath.Join(reports, "GO-2026-0001.json"), `{"id":"GO-2026-0001","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"name":"example.com/b"}}]}`)
	if err := build(reports, dir, time.Unix(0, 0).UTC()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"index/db.json": `{"modified":"1970-01-01T00:00:00Z"}`,
		"index/modules.json": `[{"path":"example.com/a","vulns":[{"id":"GO-2026-0002","modified":"2026-02-02T00:00:00Z"}]},` +
			`{"path":"example.com/b","vulns":[{"id":"GO-2026-0001","modified":"2026-01-01T00:00:00Z"},{"id":"GO-2026-0002","modified":"2026-02-02T00:00:00Z"}]}]`,
		"ID/GO-2026-0001.json": `{"id":"GO-2026-0001","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"name":"example.com/b"}}]}`,
	} {
		if got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v\nwant %s", name, got, err, want)
		}
	}
}

func TestABadDatabaseIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"without a report":                 {"README.md", "", "no report"},
		"with a report that is no JSON":    {"GO-2026-0001.json", "{", "GO-2026-0001.json: unexpected end"},
		"with a report under another name": {"GO-2026-0001.json", `{"id":"../../evil"}`, `calls itself "../../evil"`},
	} {
		t.Run(name, func(t *testing.T) {
			reports := t.TempDir()
			put(t, filepath.Join(reports, c.file), c.text)
			if err := build(reports, t.TempDir(), time.Time{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestADatabaseOfAnotherSumIsRefused(t *testing.T) {
	other := pinned
	other.sum = "h1:another"
	if _, err := other.prepare(t.Context(), t.TempDir()); err == nil {
		t.Error("it was taken")
	} else if !strings.Contains(err.Error(), pinned.sum) && !strings.Contains(err.Error(), "module proxy") {
		t.Errorf("the error does not name the sum that was got: %v", err)
	}
}

// A stream as govulncheck prints it: of each vulnerability the module, then the package, then the call.
const stream = `{"config":{"protocol_version":"v1.0.0"}}
{"osv":{"id":"GO-1"}}
{"finding":{"osv":"GO-1","fixed_version":"v1.1.0","trace":[{"module":"example.com/a","version":"v1.0.0"}]}}
{"finding":{"osv":"GO-1","fixed_version":"v1.1.0","trace":[{"module":"example.com/a","version":"v1.0.0","package":"example.com/a/p"}]}}
{"finding":{"osv":"GO-1","fixed_version":"v1.1.0","trace":[{"module":"example.com/a","version":"v1.0.0","package":"example.com/a/p","function":"Do","receiver":"*T"},{"module":"ours","package":"ours/x","function":"Run"}]}}
{"finding":{"osv":"GO-2","fixed_version":"v1.1.0","trace":[{"module":"example.com/a","version":"v1.0.0","package":"example.com/a/q"}]}}
{"finding":{"osv":"GO-3","trace":[{"module":"example.com/b","version":"v1.0.0","package":"example.com/b"}]}}
{"finding":{"osv":"GO-4","fixed_version":"v2.0.0","trace":[{"module":"example.com/c","version":"v1.0.0"}]}}
{"finding":{"osv":"GO-5","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http","function":"Get"},{"module":"ours","package":"ours/x","function":"Run"}]}}
{"finding":{"osv":"GO-6","fixed_version":"v1.26.10","trace":[{"module":"stdlib","version":"v1.26.8","package":"net/http"}]}}
`

func TestVulnerabilitiesAreJudgedByWhatCanReachThem(t *testing.T) {
	found, err := read(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		released   bool
		exceptions []exception
		want       string
		faults     string
	}{
		"a released module answers for what it imports": {true, nil, "FAILED: 2 vulnerable, 1 of the standard library, 3 beyond reach", "GO-1 GO-2"},
		"another only for what it calls":                {false, nil, "FAILED: 1 vulnerable, 1 of the standard library, 4 beyond reach", "GO-1"},
		"what is accepted fails nothing": {
			true,
			[]exception{{"GO-1", "example.com/a", called}, {"GO-2", "example.com/a", imported}},
			"ok, 2 accepted, 1 of the standard library, 3 beyond reach", "",
		},
		"what is accepted as an import is not when it is called": {false, []exception{{"GO-1", "example.com/a", imported}}, "FAILED: 1 vulnerable, 1 of the standard library, 4 beyond reach", "GO-1"},
		"what is accepted of another module does not count":      {false, []exception{{"GO-1", "example.com/b", called}}, "FAILED: 1 vulnerable, 1 of the standard library, 4 beyond reach", "GO-1"},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(found, c.released, c.exceptions)
			var faults []string
			for _, f := range v.faults {
				faults = append(faults, f.OSV)
			}
			if got := strings.Join(faults, " "); v.String() != c.want || got != c.faults {
				t.Errorf("%s (%s), want %s (%s)", v, got, c.want, c.faults)
			}
		})
	}
}

func TestAFaultSaysWhoCallsWhatAndWhatToDo(t *testing.T) {
	found, err := read(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"GO-1": "example.com/a@v1.0.0 has GO-1, and ours/x.Run calls T.Do; in the module's folder run GOWORK=off go get example.com/a@v1.1.0",
		"GO-2": "example.com/a@v1.0.0 has GO-2, in the package example.com/a/q that is imported; in the module's folder run GOWORK=off go get example.com/a@v1.1.0",
		"GO-3": "example.com/b@v1.0.0 has GO-3, in the package example.com/b that is imported; there is no fix yet: do without, and see https://pkg.go.dev/vuln/GO-3",
	} {
		for _, f := range found {
			if f.OSV == id && f.advice() != want {
				t.Errorf("%s\nwant %s", f.advice(), want)
			}
		}
	}
}

func TestTheNewestFixOfTheStandardLibraryIsTheOneToTake(t *testing.T) {
	ids, upgrade := summary(map[string]finding{"GO-2": {FixedVersion: "v1.26.10"}, "GO-1": {FixedVersion: "v1.26.9"}, "GO-3": {}})
	if strings.Join(ids, " ") != "GO-1 GO-2 GO-3" || upgrade != "Go 1.26.10" {
		t.Errorf("%v, upgrade to %s", ids, upgrade)
	}
}

func TestAnAnswerThatIsNoneIsNotTakenForAGoodOne(t *testing.T) {
	for name, text := range map[string]string{
		"nothing at all":          "",
		"half a message":          `{"config":{}}{"finding":`,
		"a finding without place": `{"config":{}}{"finding":{"osv":"GO-1"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if found, err := read(strings.NewReader(text)); err == nil {
				t.Errorf("no error, and %v", found)
			}
		})
	}
}

func TestWhatIsKeptIsReadBack(t *testing.T) {
	found, err := read(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	var again []finding
	if err := json.Unmarshal(text, &again); err != nil || judge(again, true, nil).String() != judge(found, true, nil).String() {
		t.Errorf("%v, %v", again, err)
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
