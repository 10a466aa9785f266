// Command vulncheck runs govulncheck on modules of the library, each with the versions in its own go.mod.
//
//	vulncheck [-db address] govulncheck folder...
//
// It fails if a module calls a vulnerable function of a dependency. It also fails if a module only imports the
// function's package and there is a fix, since a service may call the function. Exceptions are in accepted.go. A
// vulnerability of the standard library is printed and does not fail the check, since the modules cannot choose the
// version of Go. Without -db, the pinned database is used (database.go).
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("vulncheck: ")
	database := flag.String("db", "", "the `address` of the database; empty for the pinned one")
	flag.Parse()
	if err := run(*database, flag.Arg(0), flag.Args()[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(database, govulncheck string, folders []string) error {
	govulncheck, err := filepath.Abs(govulncheck)
	if err != nil {
		return err
	}
	pinned := database == ""
	if pinned {
		dir, err := os.MkdirTemp("", "vulndb")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		if err := pinnedDatabase(dir); err != nil {
			return err
		}
		database = "file://" + filepath.ToSlash(dir)
	}
	var errs []error
	unused, standard := maps.Clone(accepted), map[string]bool{}
	results := make([]func() ([]finding, error), len(folders))
	limit := make(chan struct{}, 2) // a scan needs a gigabyte
	for i, folder := range folders {
		results[i] = sync.OnceValues(func() ([]finding, error) {
			limit <- struct{}{}
			defer func() { <-limit }()
			return scan(govulncheck, database, folder)
		})
		go func() { _, _ = results[i]() }() // the loop below reads the result
	}
	for i, folder := range folders {
		found, err := results[i]()
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		for _, f := range found {
			switch vulnerable := f.Trace[0]; {
			case vulnerable.Module == "stdlib":
				standard[f.OSV+" (fixed in "+f.FixedVersion+")"] = true
			case accepted[f.OSV] == vulnerable.Module:
				delete(unused, f.OSV)
			default:
				errs = append(errs, fmt.Errorf("%s: %s@%s has %s: %s calls %s.%s; fixed in %q", folder, vulnerable.Module,
					vulnerable.Version, f.OSV, f.Trace[len(f.Trace)-1].Package, vulnerable.Package, vulnerable.Function, f.FixedVersion))
			}
		}
		fmt.Printf("%-24s %d vulnerabilities, accepted and standard library included\n", folder, len(found))
	}
	for _, osv := range slices.Sorted(maps.Keys(unused)) {
		if !pinned { // another database may not have it
			break
		}
		errs = append(errs, fmt.Errorf("%s is accepted and no longer found: remove it from tools/vulncheck/accepted.go", osv))
	}
	if len(standard) > 0 {
		fmt.Printf("UPGRADE GO to build services: code here calls vulnerable functions of %s: %s\n", runtime.Version(),
			strings.Join(slices.Sorted(maps.Keys(standard)), ", "))
	}
	return errors.Join(errs...)
}

// A finding says which vulnerable function is called, with the keys of govulncheck's JSON. The trace begins there.
type finding struct {
	OSV          string `json:"osv"`
	FixedVersion string `json:"fixed_version"`
	Trace        []struct{ Module, Version, Package, Function string }
}

// scan returns one finding for each vulnerability that concerns the module in folder.
func scan(govulncheck, database, folder string) (found []finding, err error) {
	cmd := exec.Command(govulncheck, "-db", database, "-format", "json", "./...") //nolint:noctx // it runs until it ends
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("govulncheck: %w\n%s", err, complaint.String())
	}
	configured, seen := false, map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(text))); ; {
		var message struct{ Config, Finding json.RawMessage }
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("govulncheck: %w", err)
		}
		configured = configured || message.Config != nil
		if message.Finding == nil {
			continue
		}
		var f finding
		if err := json.Unmarshal(message.Finding, &f); err != nil {
			return nil, err
		}
		vulnerable := f.Trace[0]
		imported := vulnerable.Package != "" && f.FixedVersion != "" && vulnerable.Module != "stdlib"
		if key := f.OSV + vulnerable.Module; (vulnerable.Function != "" || imported) && !seen[key] {
			seen[key] = true
			found = append(found, f)
		}
	}
	if !configured {
		return nil, errors.New("govulncheck printed no configuration, so it did not run")
	}
	return found, nil
}
