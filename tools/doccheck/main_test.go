package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// well is a package that is in order.
var well = map[string]string{
	"core/doc.go":  "// Package core is an example.\npackage core\n",
	"core/core.go": "package core\n\n// T is a type.\ntype T struct {\n\tA int // is a field\n\tb int\n}\n\n// New makes one.\nfunc New() T { return T{} }\n",
	"core/example_test.go": "package core_test\n\nimport \"core\"\n\nfunc ExampleNew() {\n\tuse()\n\t// Output:\n}\n\n" +
		"func use() { core.New() }\n",
	"core/internal/x/x.go": "package x\n\nfunc Exported() {}\n",
	"core/cmd/main.go":     "package main\n\nfunc Exported() {}\n",
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string // one more, or another
		exceptions map[string]string
		want       []string
	}{
		"nothing":                     {},
		"a package's overview":        {file: "core/doc.go", text: "package core\n", want: []string{"core/core.go:1: package core has no doc comment"}},
		"a function's comment":        {file: "core/x.go", text: "package core\n\nfunc (T) Do() {}\n", want: []string{"core/x.go:3: T.Do has no doc comment"}},
		"a pointer's method's":        {file: "core/x.go", text: "package core\n\nfunc (*T) Do() {}\n", want: []string{"core/x.go:3: T.Do has no doc comment"}},
		"not that of a hidden type's": {file: "core/x.go", text: "package core\n\ntype hidden struct{ A int }\n\nfunc (hidden) Do() {}\n"},
		"a field's":                   {file: "core/x.go", text: "package core\n\n// U is a type.\ntype U struct {\n\tA struct {\n\t\tB int\n\t} // is a field\n\tT\n}\n", want: []string{"core/x.go:6: U.A.B has no doc comment"}},
		"an interface's method's":     {file: "core/x.go", text: "package core\n\n// I is one.\ntype I interface {\n\tDo()\n}\n", want: []string{"core/x.go:5: I.Do has no doc comment"}},
		"a constant's in a group":     {file: "core/x.go", text: "package core\n\n// The constants.\nconst (\n\tA = 1 // one\n\tB = 2\n)\n", want: []string{"core/x.go:6: B has no doc comment"}},
		"not that of a lone constant": {file: "core/x.go", text: "package core\n\n// A is one.\nconst A = 1\n"},
		"a directive is no comment":   {file: "core/x.go", text: "package core\n\n//nolint:unused\nconst A = 1\n", want: []string{"core/x.go:4: A has no doc comment"}},
		"an Example":                  {file: "core/example_test.go", text: "package core_test\n", want: []string{`core/core.go:10: no Example shows New: write one in core, or put "core.New" among the exceptions of tools/doccheck, with a reason`}},
		"a test shows nothing":        {file: "core/example_test.go", text: "package core_test\n\nfunc ExampleT() {}\n\nfunc TestNew() { core.New() }\n", exceptions: map[string]string{"core.New": "is plain"}},
		"a whole folder is excepted":  {file: "core/example_test.go", text: "package core_test\n", exceptions: map[string]string{"core": "is plain"}},
		"an exception in vain":        {exceptions: map[string]string{"core.New": "is plain"}, want: []string{"tools/doccheck: the exception core.New is not needed: there is nothing of that name, or Examples show it"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range well {
				write(t, filepath.Join(root, file), text)
			}
			if test.file != "" {
				write(t, filepath.Join(root, test.file), test.text)
			}
			got, err := check(root, []string{"core"}, test.exceptions)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("faults\n%q, want\n%q", got, test.want)
			}
		})
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
