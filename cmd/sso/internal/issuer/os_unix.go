//go:build unix && !aix && !solaris

package issuer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lock locks a file until it is closed or the process ends, and reports whether it was free. On a file
// system without locks it always is.
func lock(f *os.File) (free bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, nil
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		return true, nil
	}
	return true, err
}

// checkOwner returns an error if another user owns the file. The mode does not keep an owner from
// reading or replacing it.
func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && int64(stat.Uid) != int64(me) {
		return fmt.Errorf("%s belongs to another user (%d, not %d), who can read and replace it: name a file of your own by --keys-file", path, stat.Uid, me)
	}
	return nil
}
