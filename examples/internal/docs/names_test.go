package docs

import (
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/more-retail/moresso-go/core/sso"
)

var (
	variable = regexp.MustCompile(`\bSSO_[A-Z_]+[A-Z]\b`)
	metric   = regexp.MustCompile(`\bsso_[a-z_]+_(?:total|seconds)\b`)
	yamls    = regexp.MustCompile("(?ms)^```ya?ml\n(.*?)^```$") //nolint:gocritic // in multi-line mode ^ may stand anywhere
)

// Every environment variable in the documentation exists.
func TestDocs_Variables(t *testing.T) {
	known := []string{"SSO_TOKEN"} // for cmd/sso
	for _, s := range sso.Settings() {
		known = append(known, s.Variable)
	}
	named := 0
	for path := range walk(t, ".md") {
		for _, name := range variable.FindAllString(read(t, path), -1) {
			named++
			if !slices.Contains(known, name) {
				t.Errorf("%s: %s does not exist", path, name)
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d variables found", named)
	}
}

// Every metric of the alerts is one of the example.
func TestDocs_Metrics(t *testing.T) {
	page := read(t, filepath.Join(root, "docs", "PRODUCTION.md"))
	code := read(t, filepath.Join(root, "examples", "observability", "prometheus.go"))
	names := metric.FindAllString(page, -1)
	if len(names) < 5 {
		t.Errorf("only %q found", names)
	}
	for _, name := range names {
		if !strings.Contains(code, `"`+name+`"`) {
			t.Errorf("%s is not a metric", name)
		}
	}
	reasons := constants(t, filepath.Join(root, "core", "sso", "errors.go"), "Reason")
	for _, match := range regexp.MustCompile(`reason=~?"([a-z_|]+)"`).FindAllStringSubmatch(page, -1) {
		for reason := range strings.SplitSeq(match[1], "|") {
			if !slices.Contains(reasons, reason) {
				t.Errorf("%s is not a reason", reason)
			}
		}
	}
}

// Every YAML text is valid, without duplicate keys.
func TestDocs_YAML(t *testing.T) {
	found := 0
	for path := range walk(t, ".md") {
		for _, match := range yamls.FindAllStringSubmatch(read(t, path), -1) {
			decoder := yaml.NewDecoder(strings.NewReader(match[1]))
			for {
				var document map[string]any
				err := decoder.Decode(&document)
				if errors.Is(err, io.EOF) {
					break
				}
				found++
				if err != nil || len(document) == 0 {
					t.Errorf("%s: %v\n%s", path, err, match[1])
					break
				}
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d documents found", found)
	}
}
