// Workflows checks the files in .github/workflows, which nothing but GitHub runs: each is YAML and has jobs, and what a
// step runs is a target of the Makefile and nothing else, so that whoever has a clone can run it too.
//
//	cd tools && GOWORK=off go run ./workflows
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "workflows:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no file in .github/workflows")
	}
	var faults []string
	guarded := false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, fault := range check(filepath.Base(file), text, readMakefile(makefile)) {
			faults = append(faults, ".github/workflows/"+fault)
		}
		guarded = guarded || guards(text)
	}
	if !guarded {
		faults = append(faults, "no workflow runs make ci for pull requests, so that nothing holds a change up")
	}
	for _, f := range faults {
		fmt.Println(f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults", len(faults))
	}
	fmt.Printf("%d workflows, each does nothing but call make\n", len(files))
	return nil
}

var (
	target   = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)
	variable = regexp.MustCompile(`(?m)^([A-Z0-9_]+) \?=`)
)

// words are what make can be asked for: targets, and variables that the Makefile lets others set.
type words struct{ targets, variables map[string]bool }

func readMakefile(text []byte) words {
	names := func(pattern *regexp.Regexp) map[string]bool {
		found := map[string]bool{}
		for _, m := range pattern.FindAllSubmatch(text, -1) {
			found[string(m[1])] = true
		}
		return found
	}
	return words{names(target), names(variable)}
}

// workflow is as much of GitHub's syntax as is allowed here: whatever is missing could keep a step from running, or
// its failure from counting.
type workflow struct {
	Name        string    `yaml:"name"`
	On          yaml.Node `yaml:"on"`
	Permissions yaml.Node `yaml:"permissions"`
	Concurrency yaml.Node `yaml:"concurrency"`
	Jobs        map[string]struct {
		RunsOn  string `yaml:"runs-on"`
		Timeout int    `yaml:"timeout-minutes"`
		Steps   []struct {
			Name string            `yaml:"name"`
			Uses string            `yaml:"uses"`
			With map[string]string `yaml:"with"`
			Run  yaml.Node         `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// preparation is what a step may use: it brings the repository and Go, and checks nothing.
var preparation = regexp.MustCompile(`^actions/(checkout|setup-go)@v\d+$`)

// guards reports whether a workflow runs make ci for pull requests.
func guards(text []byte) bool {
	var w workflow
	var on map[string]yaml.Node
	if yaml.Unmarshal(text, &w) != nil || w.On.Decode(&on) != nil {
		return false
	}
	if _, ok := on["pull_request"]; !ok {
		return false
	}
	for _, job := range w.Jobs {
		for _, s := range job.Steps {
			if strings.TrimSpace(s.Run.Value) == "make ci" {
				return true
			}
		}
	}
	return false
}

// check says what is wrong with a workflow, as "file:line: what", or "file: what".
func check(name string, text []byte, known words) (faults []string) {
	if ext := filepath.Ext(name); ext != ".yml" && ext != ".yaml" {
		return []string{name + ": GitHub runs only what ends in .yml or .yaml"}
	}
	var w workflow
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&w); err != nil {
		return []string{fmt.Sprintf("%s: %v", name, err)}
	}
	if w.On.IsZero() {
		faults = append(faults, name+": nothing starts it: it has no on")
	}
	if len(w.Jobs) == 0 {
		faults = append(faults, name+": it has no jobs")
	}
	for job, j := range w.Jobs {
		if len(j.Steps) == 0 {
			faults = append(faults, fmt.Sprintf("%s: the job %s has no steps", name, job))
		}
		for n, s := range j.Steps {
			switch {
			case s.Run.IsZero() && s.Uses == "":
				faults = append(faults, fmt.Sprintf("%s: step %d of the job %s neither runs nor uses anything", name, n+1, job))
			case s.Uses != "" && !preparation.MatchString(s.Uses):
				faults = append(faults, fmt.Sprintf("%s: step %d of the job %s uses %s: do by make what it does", name, n+1, job, s.Uses))
			case !s.Run.IsZero():
				if err := onlyMake(s.Run.Value, known); err != nil {
					faults = append(faults, fmt.Sprintf("%s:%d: %v", name, s.Run.Line, err))
				}
			}
		}
	}
	return faults
}

// assignment is a variable for make, in characters that a shell takes as they are.
var assignment = regexp.MustCompile(`^([A-Z0-9_]+)=[A-Za-z0-9_./:-]*$`)

// onlyMake says what a command is besides make, targets and variables.
func onlyMake(command string, known words) error {
	list := strings.Split(strings.TrimSuffix(command, "\n"), " ")
	if list[0] != "make" || len(list) == 1 {
		return fmt.Errorf("%q is not make and a target: put what it does into the Makefile, where everybody can call it", command)
	}
	for _, w := range list[1:] {
		if known.targets[w] {
			continue
		}
		if m := assignment.FindStringSubmatch(w); len(m) < 2 || !known.variables[m[1]] {
			return fmt.Errorf("%q: the Makefile has no target %q, and no variable of that name that is to be set", command, w)
		}
	}
	return nil
}
