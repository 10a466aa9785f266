package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// finding is what govulncheck says of a vulnerability in a module, with the keys of its JSON.
type finding struct {
	OSV          string  `json:"osv"`
	FixedVersion string  `json:"fixed_version,omitempty"`
	Trace        []frame `json:"trace"` // from what is vulnerable to who calls it
}

type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version,omitempty"`
	Package  string `json:"package,omitempty"`
	Function string `json:"function,omitempty"`
	Receiver string `json:"receiver,omitempty"`
}

// depth says how near the code here comes to the vulnerability.
type depth int

const (
	required depth = iota // the module is in the build list
	imported              // a package that has it is imported
	called                // what has it is called
)

func (f finding) depth() depth {
	switch {
	case f.Trace[0].Function != "":
		return called
	case f.Trace[0].Package != "":
		return imported
	}
	return required
}

func (f finding) standard() bool {
	return f.Trace[0].Module == "stdlib" || f.Trace[0].Module == "toolchain"
}

// advice says what is wrong and what to do.
func (f finding) advice() string {
	what := f.Trace[0]
	text := fmt.Sprintf("%s@%s has %s", what.Module, what.Version, f.OSV)
	if f.depth() == called {
		caller := f.Trace[len(f.Trace)-1]
		text += fmt.Sprintf(", and %s.%s calls %s", caller.Package, dotted(caller), dotted(what))
	} else {
		text += fmt.Sprintf(", in the package %s that is imported", what.Package)
	}
	if f.FixedVersion == "" {
		return text + "; there is no fix yet: do without, and see https://pkg.go.dev/vuln/" + f.OSV
	}
	return text + fmt.Sprintf("; in the module's folder run GOWORK=off go get %s@%s", what.Module, f.FixedVersion)
}

func dotted(f frame) string {
	if f.Receiver == "" {
		return f.Function
	}
	return strings.TrimPrefix(f.Receiver, "*") + "." + f.Function
}

// read takes the findings out of govulncheck's stream, of each vulnerability of a module the one that comes nearest.
func read(stream io.Reader) ([]finding, error) {
	type subject struct{ osv, module string }
	nearest := map[subject]finding{}
	configured := false
	for decoder := json.NewDecoder(stream); ; {
		var message struct {
			Config  *json.RawMessage `json:"config"`
			Finding *finding         `json:"finding"`
		}
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("what govulncheck printed: %w", err)
		}
		configured = configured || message.Config != nil
		f := message.Finding
		if f == nil {
			continue
		}
		if len(f.Trace) == 0 {
			return nil, fmt.Errorf("govulncheck says %s without saying where", f.OSV)
		}
		of := subject{f.OSV, f.Trace[0].Module}
		if known, found := nearest[of]; !found || f.depth() > known.depth() {
			nearest[of] = *f
		}
	}
	if !configured {
		return nil, errors.New("govulncheck printed no message of its own: that it found nothing would be a guess")
	}
	return slices.SortedFunc(maps.Values(nearest), func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.OSV, b.OSV), cmp.Compare(a.Trace[0].Module, b.Trace[0].Module))
	}), nil
}

// verdict is what the findings for a module come to.
type verdict struct {
	faults   []finding // that fail
	accepted []finding // that would fail, if they were not accepted with a reason
	standard []finding // in the standard library, and called
	harmless int       // beyond reach
}

// judge sorts findings. Users of a released module call what it imports, and not only what it calls itself.
func judge(found []finding, released bool, exceptions []exception) verdict {
	var v verdict
	for _, f := range found {
		bad := f.depth() == called || f.depth() == imported && released && f.FixedVersion != ""
		switch {
		case f.standard() && f.depth() == called:
			v.standard = append(v.standard, f)
		case f.standard() || !bad:
			v.harmless++
		case slices.ContainsFunc(exceptions, func(e exception) bool { return e.covers(f) }):
			v.accepted = append(v.accepted, f)
		default:
			v.faults = append(v.faults, f)
		}
	}
	return v
}

func (v verdict) String() string {
	text := "ok"
	if len(v.faults) > 0 {
		text = fmt.Sprintf("FAILED: %d vulnerable", len(v.faults))
	}
	if len(v.accepted) > 0 {
		text += fmt.Sprintf(", %d accepted", len(v.accepted))
	}
	if len(v.standard) > 0 {
		text += fmt.Sprintf(", %d of the standard library", len(v.standard))
	}
	if v.harmless > 0 {
		text += fmt.Sprintf(", %d beyond reach", v.harmless)
	}
	return text
}

// summary lists vulnerabilities of the standard library, and the version of Go that has none of those that are fixed.
func summary(found map[string]finding) (ids []string, upgrade string) {
	for _, id := range slices.Sorted(maps.Keys(found)) {
		ids = append(ids, id)
		if fixed := found[id].FixedVersion; fixed != "" && (upgrade == "" || semver.Compare(fixed, upgrade) > 0) {
			upgrade = fixed
		}
	}
	return ids, strings.Replace(upgrade, "v", "Go ", 1)
}
