package main

import (
	"os"
	"strings"
	"testing"
)

const root = "../../../"

func TestPage(t *testing.T) {
	want, err := page(root + "core/sso/config.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"| [`Audience`](#audience) | `SSO_AUDIENCE` | `--audience` |", "\n## Audience\n", "\n## Renderer\n"} {
		if !strings.Contains(want, part) {
			t.Errorf("%q is missing", part)
		}
	}
	got, err := os.ReadFile(root + "docs/CONFIGURATION.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/CONFIGURATION.md is stale: run make docs")
	}
	if _, err := page(t.TempDir() + "/config.go"); err == nil {
		t.Error("no error without the source")
	}
}

func TestProse(t *testing.T) {
	for comment, want := range map[string]string{
		"One\nline. If nil, [log/slog.Default] is used.\n": "One line. If nil, `slog.Default` is used.",
		"[Value.Lookup] has it; [](int) is kept.\n":        "`Value.Lookup` has it; [](int) is kept.",
		"One.\n\nTwo.\n": "One.\n\nTwo.",
	} {
		if got := prose(comment); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
