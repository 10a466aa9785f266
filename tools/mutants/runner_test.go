package main

import "testing"

func TestSlowTestsAreToldFromTheRest(t *testing.T) {
	for name, c := range map[string]struct{ output, want string }{
		"none":                                   {"--- PASS: TestQuick (0.49s)\nPASS\n", ""},
		"some":                                   {"--- PASS: TestSlow (0.50s)\n--- PASS: TestQuick (0.00s)\n--- PASS: TestSlower (12.00s)\nPASS\n", "^(TestSlow|TestSlower)$"},
		"a part of a test is not run by itself":  {"--- PASS: TestQuick (0.10s)\n    --- PASS: TestQuick/part (3.00s)\n", ""},
		"what a test writes is not about a test": {"a line with --- PASS: TestSlow (1.00s)\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := slowTests(c.output); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
