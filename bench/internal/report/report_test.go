package report_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/report"
)

func TestPublish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	text := report.Table{{"a", "b"}, {"1", "2"}}.String()
	t.Run("fails without the page", func(t *testing.T) {
		if err := report.Publish(path, text); err == nil {
			t.Error("no error")
		}
	})
	t.Run("replaces the generated part only", func(t *testing.T) {
		page := "before\n<!-- generated: begin -->\nSTALE\n<!-- generated: end -->\nafter\n"
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := report.Publish(path, text); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "before\n<!-- generated: begin -->\n| a | b |\n| --- | --- |\n| 1 | 2 |\n<!-- generated: end -->\nafter\n"
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("fails without the marks", func(t *testing.T) {
		if err := os.WriteFile(path, []byte("by hand\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := report.Publish(path, text); err == nil {
			t.Error("no error")
		}
	})
}
