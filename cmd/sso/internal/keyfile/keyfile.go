// Package keyfile keeps an issuer's private keys in a file that only its owner can read.
package keyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// mode of the file; that of its folder, if that has to be made, is 0700.
const mode fs.FileMode = 0o600

// maxBytes bounds what is read; a hundred large keys have less.
const maxBytes = 1 << 20

// Load reads the file. Its error is an [fs.ErrNotExist] if there is none. A file that others can
// read is refused: whoever has the keys can sign as the issuer.
func Load(path string) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: a pipe would be waited for
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: name one that holds keys, or none for a new one", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	if info, err = f.Stat(); err == nil {
		err = owned(path, info)
	}
	switch {
	case err != nil:
		return nil, err
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows": // where modes mean nothing
		return nil, fmt.Errorf("%s can be read by others (mode %04o), and may have been: take it away for new keys, or if you trust everybody who could read it, chmod 600 it", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%s has more than %d KiB: it holds something else than keys", path, maxBytes>>10)
	}
	return text, nil
}

// LoadOrCreate reads the file, or makes one of what create returns. Of two processes that make
// it at once, one makes it and both read it.
func LoadOrCreate(path string, create func() []byte) ([]byte, error) {
	text, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if path, err = target(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	temporary, err := write(path, create())
	if err != nil {
		return nil, err
	}
	defer os.Remove(temporary) //nolint:errcheck // the file has its name by then, or an error is returned
	// A link, and not a rename, leaves a file alone that another process made meanwhile.
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
		// Some file systems have no links. They are not those of a race.
		if err := os.Rename(temporary, path); err != nil {
			return nil, err
		}
	}
	return Load(path)
}

// Save replaces the file as a whole: whoever reads it finds the old keys or the new. A symbolic
// link stays one: the file that it leads to is replaced.
func Save(path string, text []byte) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	temporary, err := write(path, text)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// errTaken means that somebody else has the lock.
var errTaken = errors.New("it is locked")

// Lock keeps other processes that ask for it from the file until it is released: each would
// overwrite the keys of the other. It does not wait, and says what to do instead. What it locks is a
// file beside the keys, which is left behind, since that of the keys is replaced.
func Lock(path string) (release func() error, err error) {
	at, err := target(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return nil, err
	}
	name := at + ".lock"
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: take it away", name)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, mode)
	if err != nil {
		return nil, err
	}
	err = flock(f)
	if err == nil {
		return f.Close, nil
	}
	if errors.Is(err, errTaken) {
		err = fmt.Errorf("another sso serve keeps its keys in %s, and each would lose those of the other: end it, or name another file by --keys-file", path)
	}
	return nil, errors.Join(err, f.Close())
}

// target is where a path leads to by symbolic links, whether there is a file or not.
func target(path string) (string, error) {
	for range 40 {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		next, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(next) {
			next = filepath.Dir(path) + string(filepath.Separator) + next // .. is another folder's, if that of the path is a link
		}
		path = next
	}
	return "", fmt.Errorf("%s leads to itself by symbolic links", path)
}

// write makes a file beside the path, which nobody else can read from its first moment on.
func write(path string, text []byte) (temporary string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // of mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
