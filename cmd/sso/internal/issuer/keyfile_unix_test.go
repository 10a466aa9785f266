//go:build unix

package issuer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/issuer"
)

func TestLoadKeys_OtherOwner(t *testing.T) {
	path := "/etc/passwd" // which is root's
	if os.Geteuid() == 0 {
		path = filepath.Join(t.TempDir(), "keys.pem")
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 4242, -1); err != nil {
			t.Skip(err)
		}
	}
	if _, err := issuer.LoadKeys(path); err == nil || !strings.Contains(err.Error(), "belongs to another user") || !strings.Contains(err.Error(), "--keys-file") {
		t.Error(err)
	}
}

func TestOpenKeyFile_Pipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := issuer.OpenKeyFile(path)
		answered <- err
	}()
	select {
	case err := <-answered:
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("OpenKeyFile waits for the pipe")
	}
}

func TestOpenKeyFile_SymbolicLink(t *testing.T) {
	for name, exists := range map[string]bool{"to a file": true, "to nothing yet": false} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file, link, second := filepath.Join(folder, "there", "keys.pem"), filepath.Join(folder, "link.pem"), filepath.Join(folder, "second.pem")
			if exists {
				f, err := issuer.OpenKeyFile(file)
				if err = errors.Join(err, f.Save([]byte("old")), f.Close()); err != nil {
					t.Fatal(err)
				}
			}
			for from, to := range map[string]string{link: filepath.Join("there", "keys.pem"), second: link} {
				if err := os.Symlink(to, from); err != nil {
					t.Fatal(err)
				}
			}
			f, err := issuer.OpenKeyFile(second)
			if err != nil || (string(f.Keys) == "old") != exists {
				t.Fatal(f, err)
			}
			if err := f.Save([]byte("new")); err != nil {
				t.Fatal(err)
			}
			if text, err := issuer.LoadKeys(file); err != nil || string(text) != "new" {
				t.Errorf("the file holds %q, %v", text, err)
			}
			for _, path := range []string{link, second} {
				if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
					t.Errorf("%s is not a link any more: %v", path, err)
				}
			}
		})
	}
	t.Run("to itself", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "loop")
		if err := os.Symlink(path, path); err != nil {
			t.Fatal(err)
		}
		if _, err := issuer.OpenKeyFile(path); err == nil || !strings.Contains(err.Error(), "too many links") {
			t.Error(err)
		}
	})
}
