package issuer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/issuer"
)

func TestOpenKeyFile_Concurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys.pem")
	if _, err := issuer.LoadKeys(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var (
		all    sync.WaitGroup
		opened atomic.Int32
		first  *issuer.KeyFile
	)
	for range 8 {
		all.Go(func() {
			f, err := issuer.OpenKeyFile(path)
			if err == nil {
				opened.Add(1)
				first = f
			} else if !strings.Contains(err.Error(), "--keys-file") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 || first.Keys != nil {
		t.Fatalf("%d processes opened it: %+v", opened.Load(), first)
	}
	if err := first.Save([]byte("made")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if err := first.Save([]byte("rotated")); err != nil {
		t.Fatal(err)
	}
	if text, err := issuer.LoadKeys(path); err != nil || string(text) != "rotated" {
		t.Errorf("%s %v", text, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 2 { // with the lock
		t.Errorf("files are left over: %v", left)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if err := first.Save(nil); err == nil {
		t.Error("saved in a folder that does not exist")
	}
}

func TestLoadKeys_Mode(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o644, 0o666} {
		path := filepath.Join(t.TempDir(), "keys.pem")
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, loadErr := issuer.LoadKeys(path)
		_, openErr := issuer.OpenKeyFile(path)
		for _, err := range []error{loadErr, openErr} {
			if err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "secret") {
				t.Errorf("mode %o: %v", mode, err)
			}
		}
	}
}

func TestOpenKeyFile_Invalid(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large")
	if err := os.WriteFile(large, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, large} {
		if _, err := issuer.OpenKeyFile(path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}
