package main

import (
	"strings"
	"testing"
)

func TestASleepIsFoundWhereItTakesRealTime(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string // the lines at fault
	}{
		"a sleep":                         {"func TestA(t *testing.T) {\n time.Sleep(1)\n}", "8"},
		"a sleep that is handed on":       {"var f = time.Sleep", "7"},
		"a wait for time.After":           {"func TestA(t *testing.T) {\n <-time.After(1)\n}", "8"},
		"a sleep before the bubble":       {"func TestA(t *testing.T) {\n time.Sleep(1)\n synctest.Test(t, func(t *testing.T) { time.Sleep(1) })\n}", "8"},
		"a sleep in the body of a select": {"func TestA(t *testing.T) {\n select {\n case <-c:\n  time.Sleep(1)\n }\n}", "10"},
		"a reason that is empty":          {"func TestA(t *testing.T) {\n time.Sleep(1) // real time: \n}", "8"},
		"within a bubble":                 {"func TestA(t *testing.T) {\n synctest.Test(t, func(t *testing.T) {\n  for { time.Sleep(1) }\n })\n}", ""},
		"a helper of bubbles":             {"// wait waits. It runs in a bubble.\nfunc wait() { time.Sleep(1) }", ""},
		"with a reason":                   {"func TestA(t *testing.T) {\n time.Sleep(1) // real time: Redis has its own\n}", ""},
		"with a reason above":             {"func TestA(t *testing.T) {\n // real time: Redis has its own\n time.Sleep(1)\n}", ""},
		"a limit of a wait":               {"func TestA(t *testing.T) {\n select {\n case <-c:\n case <-time.After(1):\n }\n}", ""},
		"a method of another Sleep":       {"func TestA(t *testing.T) {\n clock.Sleep(1)\n}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			faults, err := check("a_test.go", []byte("package a\nimport (\n \"testing\"\n \"testing/synctest\"\n \"time\"\n)\n"+c.body))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.want == "" && len(faults) > 0:
				t.Errorf("found %q", faults)
			case c.want != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0], "a_test.go:"+c.want+": ")):
				t.Errorf("found %q, want line %s", faults, c.want)
			}
		})
	}
}

func TestAnotherNameOfThePackageHidesNothing(t *testing.T) {
	faults, err := check("a_test.go", []byte("package a\nimport zeit \"time\"\nfunc f() { zeit.Sleep(1) }"))
	if err != nil || len(faults) != 1 {
		t.Errorf("%q, %v", faults, err)
	}
}
