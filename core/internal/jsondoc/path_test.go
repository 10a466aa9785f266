package jsondoc_test

import (
	"slices"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

func TestSplitPath(t *testing.T) {
	for path, want := range map[string][]string{
		"": {""}, "a": {"a"}, "a.b": {"a", "b"}, ".": {"", ""}, "a..b": {"a", "", "b"}, `a\.b`: {"a.b"}, `a\\.b`: {`a\`, "b"}, `a\\\.b`: {`a\.b`},
		`\a`: {`\a`}, `a\`: {`a\`}, `\`: {`\`}, `\\`: {`\`}, `\.`: {"."}, "é.ü": {"é", "ü"},
	} {
		if got := jsondoc.SplitPath(path); !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}
