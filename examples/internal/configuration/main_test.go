package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const root = "../../../"

func TestTheReferenceIsWhatTheCommentsSay(t *testing.T) {
	want, err := page(root + "core/sso")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(want), "## Audience\n") {
		t.Error("no section about Audience")
	}
	got, err := os.ReadFile(root + "docs/CONFIGURATION.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/CONFIGURATION.md is stale: run make docs")
	}
}

func TestProse(t *testing.T) {
	for comment, want := range map[string]string{
		"One\nline. Nil means [log/slog.Default].\n": "One line. Nil means `slog.Default`.",
		"[Value.Lookup] has it; [](int) is kept.\n":  "`Value.Lookup` has it; [](int) is kept.",
		"One.\n\nTwo.\n": "One.\n\nTwo.",
	} {
		if got := prose(comment); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAFolderWithoutTheSource(t *testing.T) {
	if _, err := page(t.TempDir()); err == nil || !strings.Contains(err.Error(), "config.go") {
		t.Error(err)
	}
}
