// Package goproxy serves modules from a folder, as "go help goproxy" describes it, to programs that
// require what has not been released.
package goproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// Add puts one version of a module into the folder: its go.mod and its zip, which has what
// [golang.org/x/mod/zip] makes. It gives the name of the zip's file.
func Add(folder string, v module.Version, at time.Time, goMod, zip []byte) (string, error) {
	escaped, err := module.EscapePath(v.Path)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(folder, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	info, err := json.Marshal(map[string]any{"Version": v.Version, "Time": at.UTC()})
	if err != nil {
		return "", err
	}
	for name, content := range map[string][]byte{
		"list": []byte(v.Version + "\n"), v.Version + ".info": info, v.Version + ".mod": goMod, v.Version + ".zip": zip,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, v.Version+".zip"), nil
}

// Chain is a GOPROXY: what the folder has comes from there, and all else from what this machine has
// downloaded already, or else from where it downloads.
func Chain(ctx context.Context, folder string) (string, error) {
	set, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	cache, upstream, _ := strings.Cut(strings.TrimSpace(string(set)), "\n")
	return strings.Join([]string{fileURL(folder), fileURL(filepath.Join(cache, "cache", "download")), upstream}, ","), nil
}

func fileURL(dir string) string { return "file://" + filepath.ToSlash(dir) }
