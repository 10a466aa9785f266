package docs

import (
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The arrows in CONTRIBUTING.md's drawing are the imports between the packages that it names.
func TestContributing_Drawing(t *testing.T) {
	_, drawing, _ := strings.Cut(read(t, filepath.Join(root, "CONTRIBUTING.md")), "```mermaid\n")
	drawing, _, _ = strings.Cut(drawing, "```")
	drawn, named := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(drawing) {
		from, to, arrow := strings.Cut(line, " --> ")
		for _, name := range words.FindAllString(from+" "+to, -1) {
			named[name] = true
		}
		for _, importer := range words.FindAllString(from, -1) {
			for _, imported := range words.FindAllString(to, -1) {
				drawn[importer+" --> "+imported] = arrow
			}
		}
	}
	for file := range walk(t, ".go") {
		name := path.Base(path.Dir(file))
		ours := strings.HasPrefix(file, root+"/core/") || path.Dir(path.Dir(file)) == root
		if !ours || !named[name] || strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range source.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			arrow := name + " --> " + path.Base(imported)
			if !strings.Contains(imported, "moresso-go/") || !named[path.Base(imported)] {
				continue
			}
			if _, ok := drawn[arrow]; !ok {
				t.Errorf("the drawing lacks %s", arrow)
			}
			drawn[arrow] = false
		}
	}
	if len(drawn) < 20 {
		t.Errorf("only %d arrows found", len(drawn))
	}
	for _, arrow := range slices.Sorted(maps.Keys(drawn)) {
		if drawn[arrow] {
			t.Errorf("%s is drawn, and is not an import", arrow)
		}
	}
}

var words = regexp.MustCompile(`[a-z]+`)
