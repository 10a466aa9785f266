package docs

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
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
	yamls    = regexp.MustCompile("(?ms)^```ya?ml\n(.*?)^```$") //nolint:gocritic // in multi-line mode ^ may be anywhere
)

// Every environment variable in the documentation exists.
func TestDocs_Variables(t *testing.T) {
	known := []string{"SSO_TOKEN"} // for cmd/sso
	for _, s := range sso.Settings() {
		known = append(known, s.Variable)
	}
	named := 0
	for path := range walk(t, ".md") {
		for _, name := range variable.FindAllString(current(t, path), -1) {
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

var (
	code      = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	target    = regexp.MustCompile("(?m)(?:^|`)make (?:-C \\S+ )?([a-z0-9-]+)")
	scripts   = regexp.MustCompile(`\bscripts/[a-z0-9-]+`)
	qualified = regexp.MustCompile(`\b([a-z0-9]+|Config)\.([A-Z]\w*)`)
)

// Every name of our packages in the documentation, such as sso.New and Config.Audience, exists.
func TestDocs_Names(t *testing.T) {
	exported := map[string]map[string]bool{} // by package; those of Config by "Config"
	for path := range walk(t, ".go") {
		if !strings.HasSuffix(path, "_test.go") {
			addNames(t, exported, path)
		}
	}
	checked := 0
	for path := range walk(t, ".md") {
		for _, span := range code.FindAllString(current(t, path), -1) {
			for _, match := range qualified.FindAllStringSubmatch(span, -1) {
				names, ours := exported[match[1]]
				if !ours || strings.HasPrefix(match[2], "Test") || strings.HasPrefix(match[2], "Fuzz") {
					continue
				}
				checked++
				if !names[match[2]] {
					t.Errorf("%s: %s does not exist", path, match[0])
				}
			}
		}
	}
	if checked < 300 {
		t.Errorf("only %d names found", checked)
	}
}

// Every target of make and every script in the documentation exists.
func TestDocs_Commands(t *testing.T) {
	makefile, checked := read(t, filepath.Join(root, "Makefile")), 0
	for path := range walk(t, ".md") {
		for _, span := range code.FindAllString(current(t, path), -1) {
			for _, match := range target.FindAllStringSubmatch(span, -1) {
				checked++
				if !regexp.MustCompile(`(?m)^(?:[a-z-]+ )*` + match[1] + `\b.*:`).MatchString(makefile) {
					t.Errorf("%s: make %s does not exist", path, match[1])
				}
			}
			for _, script := range scripts.FindAllString(span, -1) {
				checked++
				if _, err := os.Stat(filepath.Join(root, script)); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d commands found", checked)
	}
}

// current returns a page without the changelog's old names.
func current(t *testing.T, path string) string {
	t.Helper()
	text, _, _ := strings.Cut(read(t, path), "\n### Changed since the first draft\n")
	return text
}

// addNames adds the exported names of a package that services or tests of them can import.
func addNames(t *testing.T, exported map[string]map[string]bool, path string) {
	t.Helper()
	if strings.Contains(path, "/internal/") || !strings.HasPrefix(path, root+"/core/") && !strings.Contains(path, "sso/") &&
		!strings.Contains(path, "/kmskeys/") && !strings.Contains(path, "/redisstore/") {
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := exported[file.Name.Name]
	if names == nil {
		names = map[string]bool{}
		exported[file.Name.Name] = names
	}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = names[d.Name.Name] || d.Recv == nil
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
					if fields, ok := s.Type.(*ast.StructType); ok && s.Name.Name == "Config" && file.Name.Name == "sso" {
						exported["Config"] = map[string]bool{}
						for _, field := range fields.Fields.List {
							exported["Config"][field.Names[0].Name] = true
						}
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names[name.Name] = true
					}
				}
			}
		}
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
