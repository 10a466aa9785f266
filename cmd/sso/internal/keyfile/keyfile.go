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
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file: name one that holds keys, or none for a new one", path)
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

// Save replaces the file as a whole: whoever reads it finds the old keys or the new.
func Save(path string, text []byte) error {
	temporary, err := write(path, text)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
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
