package main

import (
	"reflect"
	"testing"
	"time"
)

func TestQuickTestsComeFirst(t *testing.T) {
	const quick, medium, slow = "--- PASS: TestQuick (0.01s)\n", "--- PASS: TestMedium (0.49s)\n", "--- PASS: TestSlow (0.50s)\n"
	rest := func(flags ...string) round { return round{flags, 15*time.Second + 8*time.Minute} }
	for name, c := range map[string]struct {
		output string
		want   []round
	}{
		"without tests that passed": {"PASS\n", []round{rest("-test.run=T")}},
		"of each kind": {slow + medium + quick + "--- PASS: TestAsQuick (0.00s)\n", []round{
			{[]string{"-test.run=^(TestQuick|TestAsQuick)$"}, 15 * time.Second},
			{[]string{"-test.run=^(TestMedium)$"}, 15 * time.Second},
			rest("-test.run=T", "-test.skip=^(TestQuick|TestAsQuick|TestMedium)$"),
		}},
		"each as long as its tests take": {medium + "--- PASS: TestOther (0.48s)\n--- PASS: TestThird (0.48s)\n", []round{
			{[]string{"-test.run=^(TestMedium|TestOther|TestThird)$"}, 23 * time.Second},
			rest("-test.run=T", "-test.skip=^(TestMedium|TestOther|TestThird)$"),
		}},
		"a part of a test is not run by itself": {slow + "    --- PASS: TestSlow/part (0.00s)\n", []round{rest("-test.run=T")}},
		"what a test writes is about no test":   {"a line with " + quick, []round{rest("-test.run=T")}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := deal(c.output, "T", time.Minute); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
