package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "PAGE.md")
	if err := os.WriteFile(page, []byte("# Why & *how*?\n\n<a id=\"by-hand\"></a>\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for target, ok := range map[string]bool{
		"PAGE.md": true, "PAGE.md#why--how": true, "#why--how": true, "#by-hand": true, "https://example.com/#x": true,
		"NONE.md": false, "#what": false, "PAGE.md#what": false, "../PAGE.md": false,
	} {
		if err := check(page, target); (err == nil) != ok {
			t.Errorf("%s: %v", target, err)
		}
	}
}
