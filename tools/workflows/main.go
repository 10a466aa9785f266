// Workflows checks the files in .github/workflows, which nothing but GitHub runs: each is YAML and has jobs, and what a
// step runs is a target of the Makefile and nothing else, so that whoever has a clone can run it too.
//
//	cd tools && GOWORK=off go run ./workflows
package main

import (
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
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, fault := range check(filepath.Base(file), text, targets(makefile)) {
			faults = append(faults, ".github/workflows/"+fault)
		}
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

var target = regexp.MustCompile(`(?m)^([a-z0-9-]+):`)

// targets are what make can be asked for.
func targets(makefile []byte) map[string]bool {
	names := map[string]bool{}
	for _, m := range target.FindAllSubmatch(makefile, -1) {
		names[string(m[1])] = true
	}
	return names
}

// workflow is as much of GitHub's syntax as is checked here.
type workflow struct {
	On   yaml.Node `yaml:"on"`
	Jobs map[string]struct {
		Steps []struct {
			Uses string    `yaml:"uses"`
			Run  yaml.Node `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// check says what is wrong with a workflow, as "file:line: what", or "file: what".
func check(name string, text []byte, targets map[string]bool) (faults []string) {
	if ext := filepath.Ext(name); ext != ".yml" && ext != ".yaml" {
		return []string{name + ": GitHub runs only what ends in .yml or .yaml"}
	}
	var w workflow
	if err := yaml.Unmarshal(text, &w); err != nil {
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
			case !s.Run.IsZero():
				if err := onlyMake(s.Run.Value, targets); err != nil {
					faults = append(faults, fmt.Sprintf("%s:%d: %v", name, s.Run.Line, err))
				}
			}
		}
	}
	return faults
}

// assignment is a variable for make, in characters that a shell takes as they are.
var assignment = regexp.MustCompile(`^[A-Z0-9_]+=[A-Za-z0-9_./:-]*$`)

// onlyMake says what a command is besides make, targets and variables.
func onlyMake(command string, targets map[string]bool) error {
	words := strings.Split(strings.TrimSuffix(command, "\n"), " ")
	if words[0] != "make" || len(words) == 1 {
		return fmt.Errorf("%q is not make and a target: put what it does into the Makefile, where everybody can call it", command)
	}
	for _, w := range words[1:] {
		if !targets[w] && !assignment.MatchString(w) {
			return fmt.Errorf("%q: the Makefile has no target %q", command, w)
		}
	}
	return nil
}
