// Package issuer runs the development issuer of sso serve: package devissuer's, with private keys and
// personas from files.
package issuer

import (
	"errors"
	"fmt"
	"sync"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// DefaultAddress is where sso serve listens and where sso mint expects it.
const DefaultAddress = "127.0.0.1:9000"

// keep is how many keys are published: the one that signs and its predecessors.
const keep = 5

// Issuer is a running issuer whose keys are in a file.
type Issuer struct {
	*devissuer.Issuer

	keys *KeyFile   // nil: keys are not stored
	mu   sync.Mutex // one rotation at a time, so that the file has the latest keys
}

// Start starts an issuer. Its private keys are in keysFile, which is created if it does not exist. If
// keysFile is empty, they are not stored. The caller must close the issuer.
func Start(keysFile string, opts ...devissuer.Option) (*Issuer, error) {
	i := &Issuer{}
	opts = append(opts, devissuer.WithRotate(i.rotate))
	if keysFile != "" {
		var err error
		if i.keys, err = OpenKeyFile(keysFile); err != nil {
			return nil, err
		}
		if i.keys.Keys != nil {
			opts = append(opts, devissuer.WithKeyPEM(i.keys.Keys))
		}
	}
	var err error
	if i.Issuer, err = devissuer.Start(opts...); err == nil && i.keys != nil && i.keys.Keys == nil {
		i.mu.Lock()
		err = i.keys.Save(i.PrivateKeyPEM())
		i.mu.Unlock()
	}
	if err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// rotate signs with a new key, retires the oldest one, and stores the keys.
func (i *Issuer) rotate(served *devissuer.Issuer) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	kid := served.Rotate()
	published := served.KeyIDs()
	for _, old := range published[:max(0, len(published)-keep)] {
		served.Retire(old)
	}
	if i.keys == nil {
		return nil
	}
	if err := i.keys.Save(served.PrivateKeyPEM()); err != nil {
		return fmt.Errorf("the issuer signs with the new key %s, which could not be stored: %w", kid, err)
	}
	return nil
}

// Close ends the issuer and unlocks the file of keys.
func (i *Issuer) Close() error {
	var err error
	if i.Issuer != nil {
		err = i.Issuer.Close()
	}
	if i.keys != nil {
		err = errors.Join(err, i.keys.Close())
	}
	return err
}
