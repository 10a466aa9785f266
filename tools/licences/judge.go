package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// file is one that has to do with a licence.
type file struct{ dir, name string } // of the module; relative to it, with slashes

// called is how licences are called: LICENSE, LICENCE.md, License.txt, MIT-LICENSE, COPYING. NOTICE has none, and nor has
// LICENSE-SUMMARY, by which Amazon's modules say which of their licences is for what.
var called = regexp.MustCompile(`(?i)^((mit|bsd|apache)[-_.])?(un)?(licen[cs]e|copying)([-_.].*)?$`)

func isLicence(name string) bool {
	return called.MatchString(name) && !strings.HasSuffix(name, ".go") && name != "LICENSE-SUMMARY"
}

// licenceFiles are those that hold for a package: in its folder, and in those above it up to the module's own. Code
// that was copied from elsewhere brings one along.
func licenceFiles(dir, module string) ([]file, error) {
	var files []file
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type().IsRegular() && isLicence(e.Name()) {
				name, err := filepath.Rel(module, filepath.Join(dir, e.Name()))
				if err != nil {
					return nil, err
				}
				files = append(files, file{module, filepath.ToSlash(name)})
			}
		}
		if dir == module || filepath.Dir(dir) == dir {
			return files, nil
		}
		dir = filepath.Dir(dir)
	}
}

// judge says of each module what is wrong with its licence.
func judge(list []dependency) (faults []string) {
	for _, d := range list {
		if _, err := d.licences(); err != nil {
			faults = append(faults, fmt.Sprintf("%s %s: %v", d.path, d.version, err))
		}
	}
	return faults
}

// licences are those of a module, if all of them are allowed.
func (d dependency) licences() ([]string, error) {
	if !slices.ContainsFunc(d.files, func(f file) bool { return !strings.Contains(f.name, "/") }) {
		return nil, fmt.Errorf("it has no licence file: nobody may use it")
	}
	ids := map[string]bool{}
	for _, f := range d.files {
		text, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(f.name)))
		if err != nil {
			return nil, err
		}
		found, err := recognise(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for _, id := range found {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids)), nil
}

// recognise returns the licences that a text consists of, and an error if one is not allowed or the text is something
// else. A mere link to a licence gives nothing.
func recognise(text []byte) ([]string, error) {
	coverage := licensecheck.Scan(text)
	var ids []string
	for _, m := range coverage.Match {
		if !m.IsURL && !slices.Contains(ids, m.ID) {
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("it is no licence that is known")
	}
	if coverage.Percent < enough {
		return nil, fmt.Errorf("only %.0f %% of it is known, which is %s: somebody has to read it", coverage.Percent, strings.Join(ids, " and "))
	}
	for _, id := range ids {
		if !allowed[id] {
			return nil, fmt.Errorf("it is %s, which is not allowed", id)
		}
	}
	return ids, nil
}
