//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package keyfile

import (
	"errors"
	"os"
	"syscall"
)

// flock locks a file for as long as it is open, and does not wait. A lock of a process that was
// killed is gone with it.
func flock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errTaken
	}
	if errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.ENOLCK) {
		return nil // a file system without locks
	}
	return err
}
