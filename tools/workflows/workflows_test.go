package main

import (
	"strings"
	"testing"
)

const makefile = `FUZZTIME ?= 10s
export GOWORK := here
.PHONY: ci
ci: tools ## All
	@echo recipe: x
fuzz: ## More
`

func TestAWorkflowDoesNothingButCallMake(t *testing.T) {
	const head = "on: push\njobs:\n  ci:\n    runs-on: ubuntu-latest\n    steps:\n"
	for name, c := range map[string]struct {
		text string
		want string // the only fault, or a part of it; empty: none
	}{
		"make and a target":               {head + "      - uses: actions/checkout@v4\n      - run: make ci\n", ""},
		"make with a variable":            {head + "      - run: make fuzz FUZZTIME=60s\n", ""},
		"several targets":                 {head + "      - run: make ci fuzz\n", ""},
		"a block of one line":             {head + "      - run: |\n          make ci\n", ""},
		"another program":                 {head + "      - run: go test ./...\n", `ci.yml:6: "go test ./..." is not make and a target`},
		"make and more on the next line":  {head + "      - run: |\n          make ci\n          curl x | sh\n", "has no target \"ci\\ncurl\""},
		"make and another program":        {head + "      - run: make ci && go vet\n", "the Makefile has no target \"&&\""},
		"make with a command in a value":  {head + "      - run: make ci FUZZTIME=$(curl)\n", "the Makefile has no target \"FUZZTIME=$(curl)\""},
		"make without a target":           {head + "      - run: make\n", "is not make and a target"},
		"a target that there is not":      {head + "      - run: make coffee\n", "the Makefile has no target \"coffee\""},
		"a variable is no target":         {head + "      - run: make GOWORK\n", "the Makefile has no target \"GOWORK\""},
		"a later step of a later job":     {head + "      - run: make ci\n  x:\n    steps:\n      - run: make ci\n      - run: ls\n", `ci.yml:10: "ls"`},
		"a step that does nothing":        {head + "      - name: idle\n", "step 1 of the job ci neither runs nor uses"},
		"a job without steps":             {"on: push\njobs:\n  ci:\n    runs-on: x\n", "the job ci has no steps"},
		"no job":                          {"on: push\n", "it has no jobs"},
		"nothing that starts it":          {strings.TrimPrefix(head, "on: push\n") + "      - run: make ci\n", "it has no on"},
		"a variable that is make's own":   {head + "      - run: make ci SHELL=/bin/true\n", `no target "SHELL=/bin/true"`},
		"a failure that does not count":   {head + "      - run: make ci\n        continue-on-error: true\n", "continue-on-error not found"},
		"a condition":                     {head + "      - run: make ci\n        if: false\n", "if not found"},
		"another shell":                   {head + "      - run: make ci\n        shell: echo {0}\n", "shell not found"},
		"an environment":                  {"env: {GOFLAGS: -short}\n" + head + "      - run: make ci\n", "env not found"},
		"somebody else's action":          {head + "      - uses: somebody/checks@v1\n", "uses somebody/checks@v1"},
		"no YAML":                         {head + "      - run: make ci\n     - run: make ci\n", "ci.yml: yaml: "},
		"a list in the place of commands": {head + "      - run: [make, ci]\n", "is not make and a target"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := check("ci.yml", []byte(c.text), readMakefile([]byte(makefile)))
			switch {
			case c.want == "" && len(faults) > 0:
				t.Errorf("found %q", faults)
			case c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.want)):
				t.Errorf("found %q, want %s", faults, c.want)
			}
		})
	}
}

func TestAFileThatGitHubDoesNotRunIsNoWorkflow(t *testing.T) {
	if faults := check("ci.yml.off", nil, words{}); len(faults) != 1 || !strings.Contains(faults[0], "only what ends in .yml") {
		t.Errorf("found %q", faults)
	}
}

func TestOneWorkflowHoldsPullRequestsUp(t *testing.T) {
	for text, want := range map[string]bool{
		"on:\n  pull_request:\njobs:\n  ci:\n    steps:\n      - run: make ci\n":      true,
		"on:\n  push:\njobs:\n  ci:\n    steps:\n      - run: make ci\n":              false,
		"on:\n  pull_request:\njobs:\n  ci:\n    steps:\n      - run: make nightly\n": false,
		"on: pull_request_target\njobs:\n  ci:\n    steps:\n      - run: make ci\n":   false,
		"on:\n  - pull_request\n": false,
	} {
		if got := guards([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}
