//go:build unix

package keys_test

import (
	"crypto/elliptic"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

// Keys are not read from where another user could replace them.
func TestFile_Replaceable(t *testing.T) {
	const another = 54321
	write := func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(jwks(ecJWK("a", elliptic.P256()))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mkdir := func(t *testing.T, path string, mode os.FileMode) string {
		t.Helper()
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // without the umask
			t.Fatal(err)
		}
		return path
	}
	link := func(t *testing.T, target, path string, owner int) string {
		t.Helper()
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		if owner >= 0 {
			if err := os.Lchown(path, owner, owner); err != nil {
				t.Skip("only root can give a link to another user")
			}
		}
		return path
	}
	for name, c := range map[string]struct {
		path func(t *testing.T, folder string) string
		says string
	}{
		"a file":              {func(t *testing.T, d string) string { write(t, d+"/k"); return d + "/k" }, ""},
		"a link of one's own": {func(t *testing.T, d string) string { write(t, d+"/k"); return link(t, "k", d+"/l", -1) }, ""},
		"a mounted secret": {func(t *testing.T, d string) string {
			v := mkdir(t, d+"/v", 0o777|os.ModeSticky)
			mkdir(t, v+"/1", 0o755)
			write(t, v+"/1/k")
			link(t, "1", v+"/..data", -1)
			return link(t, "..data/k", v+"/k", -1)
		}, ""},
		"a link of another user": {func(t *testing.T, d string) string { write(t, d+"/k"); return link(t, "k", d+"/l", another) }, "link of another user"},
		"a folder by another's link": {func(t *testing.T, d string) string {
			mkdir(t, d+"/v", 0o755)
			write(t, d+"/v/k")
			return link(t, "v", d+"/w", another) + "/k"
		}, "link of another user"},
		"a folder that all can write": {func(t *testing.T, d string) string { v := mkdir(t, d+"/v", 0o777); write(t, v+"/k"); return v + "/k" }, "every user can write"},
		"a folder above that": {func(t *testing.T, d string) string {
			v := mkdir(t, d+"/v", 0o777)
			mkdir(t, v+"/w", 0o755)
			write(t, v+"/w/k")
			return v + "/w/k"
		}, "every user can write"},
		"a link into such a folder": {func(t *testing.T, d string) string {
			v := mkdir(t, d+"/v", 0o777)
			write(t, v+"/k")
			return link(t, "v/k", d+"/l", -1)
		}, "every user can write"},
		"a folder that a group writes": {func(t *testing.T, d string) string { v := mkdir(t, d+"/v", 0o775); write(t, v+"/k"); return v + "/k" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := c.path(t, filepath.Clean(t.TempDir()))
			_, err := keys.File(path)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
