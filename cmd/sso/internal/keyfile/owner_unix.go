//go:build unix

package keyfile

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// owned returns an error if a file belongs to somebody else than whoever runs this: who owns a file
// can read and replace it, whatever its mode says.
func owned(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && int64(stat.Uid) != int64(me) {
		return fmt.Errorf("%s belongs to another user (%d, and not %d), who can read and replace it: name a file of your own by --keys-file", path, stat.Uid, me)
	}
	return nil
}
