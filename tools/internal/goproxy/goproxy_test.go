package goproxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"

	"github.com/more-retail/moresso-go/tools/internal/goproxy"
)

func TestAModuleLiesWhereTheGoCommandLooks(t *testing.T) {
	folder := t.TempDir()
	v := module.Version{Path: "example.com/Orders", Version: "v0.1.0"}
	file, err := goproxy.Add(folder, v, time.Unix(0, 0), []byte("module example.com/Orders\n"), []byte("zip"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(folder, "example.com", "!orders", "@v") // a capital letter is escaped
	if want := filepath.Join(dir, "v0.1.0.zip"); file != want {
		t.Errorf("the zip is %s, want %s", file, want)
	}
	for name, want := range map[string]string{
		"list": "v0.1.0\n", "v0.1.0.mod": "module example.com/Orders\n", "v0.1.0.zip": "zip", "v0.1.0.info": `{"Time":"1970-01-01T00:00:00Z","Version":"v0.1.0"}`,
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestTheFolderIsAskedFirst(t *testing.T) {
	folder := t.TempDir()
	chain, err := goproxy.Chain(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if first, _, more := strings.Cut(chain, ","); first != "file://"+filepath.ToSlash(folder) || !more {
		t.Errorf("%s, want the folder and others behind it", chain)
	}
}
