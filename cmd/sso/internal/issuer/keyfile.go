package issuer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// maxFile bounds a file of keys or personas, in bytes. A hundred large keys are smaller.
const maxFile = 1 << 20

// readFile reads a regular file of at most maxFile bytes, after check has passed.
func readFile(path string, check func(fs.FileInfo) error) ([]byte, error) {
	info, err := os.Stat(path) // opening a pipe would block
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: name another one", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	if info, err = f.Stat(); err == nil {
		err = check(info)
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than %d KiB: name another file", path, maxFile>>10)
	}
	return text, err
}

// LoadKeys reads the private keys of an issuer. The error is an [fs.ErrNotExist] without the
// file. A file that another user owns or can read is refused: its reader can sign as the issuer.
func LoadKeys(path string) ([]byte, error) {
	return readFile(path, func(info fs.FileInfo) error {
		if err := checkOwner(path, info); err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // which has no such modes
			return fmt.Errorf("other users can read %s (mode %04o): remove it to have new keys made, or if you trust these users, chmod 600 it", path, info.Mode().Perm())
		}
		return nil
	})
}

// KeyFile is a file of private keys that this process has locked.
type KeyFile struct {
	Keys []byte // as read by OpenKeyFile; nil if the file does not exist
	path string // without symbolic links
	lock *os.File
}

// OpenKeyFile locks a file of private keys and reads it, if it exists. Two processes would overwrite
// each other's keys, so a file that is locked is refused. The lock is on a file beside it, which stays:
// the file itself is replaced.
func OpenKeyFile(path string) (*KeyFile, error) {
	target, err := followLinks(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return nil, err
	}
	locked, err := os.OpenFile(target+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if free, err := lock(locked); err != nil {
		return nil, errors.Join(err, locked.Close())
	} else if !free {
		return nil, errors.Join(fmt.Errorf("another sso serve uses the keys in %s: stop it, or name another file by --keys-file", path), locked.Close())
	}
	f := &KeyFile{path: target, lock: locked}
	if f.Keys, err = LoadKeys(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Save replaces the file in one step. A reader sees the old keys or the new ones.
func (f *KeyFile) Save(text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+"-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}

// Close unlocks the file.
func (f *KeyFile) Close() error { return f.lock.Close() }

// followLinks resolves symbolic links. Unlike [filepath.EvalSymlinks] it accepts a path at which no file
// exists.
func followLinks(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return target, err
	}
	next, err := os.Readlink(path)
	if err != nil {
		return path, nil //nolint:nilerr // it is not a link
	}
	if !filepath.IsAbs(next) {
		next = filepath.Dir(path) + string(filepath.Separator) + next // Join would resolve .. before links
	}
	return followLinks(next)
}
