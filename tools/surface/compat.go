package main

import (
	"errors"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// A broken promise is a name that programs may use and that is no longer what it was.
type broken struct {
	name    string // as the changelog has to call it: sso.Config.Audience
	problem string // removed, changed from … to …
	since   string // the release that promised it
}

// Error says what to write where, to the letter.
func (b broken) Error() string {
	heading := "Changed"
	if b.problem == "removed" {
		heading = "Removed"
	}
	return fmt.Sprintf("%s: %s (compared with %s), and CHANGELOG.md does not announce it\n"+
		"\tKeep the name as it was, or add this line to \"### %s\" under \"## [Unreleased]\" and say in it what to do instead:\n"+
		"- `%s`: %s.", b.name, b.problem, b.since, heading, b.name, b.problem)
}

// compare finds the promises that are broken and not announced, each an error of its own.
func compare(now *surface, then *baseline, changelog string) error {
	all, err := brokenSince(now, then)
	errs := []error{err}
	announced := announcements(changelog, then.version)
	for _, b := range all {
		if !strings.Contains(announced, "`"+b.name+"`") {
			errs = append(errs, b)
		}
	}
	return errors.Join(errs...)
}

// brokenSince finds the promises of a release that are broken.
func brokenSince(now *surface, then *baseline) ([]broken, error) {
	var all []broken
	var errs []error
	for _, file := range slices.Sorted(maps.Keys(then.texts)) {
		found, err := breaks(now, file, then.texts[file])
		errs = append(errs, err)
		for _, b := range found {
			b.since = then.name
			all = append(all, b)
		}
	}
	return all, errors.Join(errs...)
}

// breaks compares one package with its text of old: text with text, so that what a text leaves out, such as
// whether a field is the struct's own or comes from something hidden in it, makes no difference.
func breaks(now *surface, file string, text []byte) ([]broken, error) {
	p := now.packages[file]
	if p == nil {
		return []broken{{name: folderIn(text), problem: "removed"}}, nil
	}
	old, err := read(file, text, p.Path(), now.imports)
	if err != nil {
		return nil, err
	}
	current, err := read(file, []byte(write(p)), p.Path(), now.imports)
	if err != nil {
		return nil, err
	}
	var all []broken
	for _, change := range apidiff.Changes(old, current).Changes {
		if !change.Compatible {
			part, problem, _ := strings.Cut(change.Message, ": ")
			all = append(all, broken{name: current.Name() + "." + identifier(part), problem: problem})
		}
	}
	return append(all, narrowed(old, current)...), nil
}

// folderIn reads a package's folder out of its text.
func folderIn(text []byte) string {
	_, rest, _ := strings.Cut(string(text), `// import "`+repo.Prefix)
	folder, _, _ := strings.Cut(rest, `"`)
	return folder
}

// identifier is the plain name in what apidiff calls a part of a package: (*Guard).Require, Cache[V].Get,
// "Inner.Close, method set of *Outer".
func identifier(part string) string {
	part, set, promoted := strings.Cut(part, ", method set of ")
	if promoted {
		part = set + part[strings.LastIndex(part, "."):]
	}
	part, _, _ = strings.Cut(part, ",") // ", element type"
	if open, end := strings.Index(part, "["), strings.LastIndex(part, "]"); open >= 0 && end > open {
		part = part[:open] + part[end+1:]
	}
	return strings.NewReplacer("(", "", ")", "", "*", "").Replace(part)
}

// narrowed finds what apidiff does not look at: the types that a constraint admits.
func narrowed(old, current *types.Package) []broken {
	var all []broken
	for _, name := range old.Scope().Names() {
		before, after := constraint(old, name), constraint(current, name)
		if before == nil || after == nil || !old.Scope().Lookup(name).Exported() {
			continue
		}
		if before.IsMethodSet() && !after.IsMethodSet() {
			all = append(all, broken{name: current.Name() + "." + name, problem: "changed from an interface to a constraint"})
			continue
		}
		still := terms(after)
		for _, term := range terms(before) {
			if len(still) > 0 && !slices.Contains(still, term) {
				all = append(all, broken{name: current.Name() + "." + name, problem: "no longer admits " + term})
			}
		}
	}
	return all
}

func constraint(p *types.Package, name string) *types.Interface {
	object, ok := p.Scope().Lookup(name).(*types.TypeName)
	if !ok {
		return nil
	}
	i, _ := object.Type().Underlying().(*types.Interface)
	return i
}

// terms are what a constraint admits; empty if it admits whatever has its methods.
func terms(i *types.Interface) []string {
	var all []string
	for e := range i.EmbeddedTypes() {
		union, ok := e.(*types.Union)
		if !ok {
			all = append(all, types.TypeString(e, nil))
			continue
		}
		for term := range union.Terms() {
			all = append(all, term.String())
		}
	}
	return all
}

// announcements are the lists under "### Removed" and "### Changed" of all that is newer than a version,
// whether it is still called Unreleased or has got the number of the release that is being made.
func announcements(changelog, version string) string {
	var text strings.Builder
	wanted := false
	for line := range strings.Lines(changelog) {
		switch {
		case strings.HasPrefix(line, "## ["+strings.TrimPrefix(version, "v")+"]"):
			return text.String()
		case strings.HasPrefix(line, "#"):
			heading := strings.TrimSpace(line)
			wanted = heading == "### Removed" || heading == "### Changed"
		case wanted:
			text.WriteString(line)
		}
	}
	return text.String()
}
