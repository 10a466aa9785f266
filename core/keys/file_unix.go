//go:build unix

package keys

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// replaceable returns an error if another user could replace a file; see [File]. Links are followed.
func replaceable(path string, links int) error {
	const most = 40 // links, as Linux follows
	if links > most {
		return fmt.Errorf("%s: too many symbolic links", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode&os.ModeSymlink != 0:
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
			return fmt.Errorf("%s is a symbolic link of another user, who could replace the keys", path)
		}
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		if err := replaceable(target, links+1); err != nil {
			return err
		}
	case mode.IsDir() && mode.Perm()&0o002 != 0 && mode&os.ModeSticky == 0:
		return fmt.Errorf("%s is a folder that every user can write to, and so replace the keys", path)
	}
	if parent := filepath.Dir(path); parent != path {
		return replaceable(parent, links)
	}
	return nil
}
