package keyfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/keyfile"
)

func TestAFileIsMadeOnceForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys.pem")
	if _, err := keyfile.Load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var (
		all  sync.WaitGroup
		seen sync.Map
	)
	for n := range 8 {
		all.Go(func() {
			text, err := keyfile.LoadOrCreate(path, func() []byte { return []byte("made by " + strconv.Itoa(n)) })
			if err != nil {
				t.Error(err)
			}
			seen.Store(string(text), true)
		})
	}
	all.Wait()
	texts := 0
	seen.Range(func(any, any) bool { texts++; return true })
	if texts != 1 {
		t.Errorf("%d processes believe to have made it", texts)
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	if err := keyfile.Save(path, []byte("rotated")); err != nil {
		t.Fatal(err)
	}
	if text, err := keyfile.Load(path); err != nil || string(text) != "rotated" {
		t.Errorf("%s %v", text, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files are left over: %v", left)
	}
}

func TestAFileThatOthersCanReadIsRefused(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o644, 0o666} {
		path := filepath.Join(t.TempDir(), "keys.pem")
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		for name, load := range map[string]func() ([]byte, error){
			"Load":         func() ([]byte, error) { return keyfile.Load(path) },
			"LoadOrCreate": func() ([]byte, error) { return keyfile.LoadOrCreate(path, nil) },
		} {
			if _, err := load(); err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s, mode %o: %v", name, mode, err)
			}
		}
	}
}

func TestWhatIsNoFileOfKeysIsRefused(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large")
	if err := os.WriteFile(large, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, large} {
		if _, err := keyfile.LoadOrCreate(path, nil); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
	if err := keyfile.Save(filepath.Join(folder, "nowhere", "keys.pem"), nil); err == nil {
		t.Error("saved in a folder that does not exist")
	}
}
