package idp

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// keyRing holds the published keys of a provider, oldest first. One of them signs: those before it are about to be
// withdrawn, the one after it is the next.
type keyRing struct {
	name    string
	keys    []jose.JSONWebKey
	signing int
	made    int
}

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// add publishes a key. The first one signs, a later one is the next.
func (r *keyRing) add(key *rsa.PrivateKey) error {
	if r.signing < len(r.keys)-1 {
		return errors.New("PublishNext: the next key is published already")
	}
	r.made++
	r.keys = append(r.keys, jose.JSONWebKey{
		Key:       key,
		KeyID:     fmt.Sprintf("%s-key-%d", r.name, r.made),
		Algorithm: string(jose.RS256),
		Use:       "sig",
	})
	return nil
}

// advance signs with the next key.
func (r *keyRing) advance() error {
	if r.signing == len(r.keys)-1 {
		return errors.New("SwitchKey without a next key: call PublishNext first")
	}
	r.signing++
	return nil
}

// retire withdraws the keys before the one that signs.
func (r *keyRing) retire() error {
	if r.signing == 0 {
		return errors.New("RetireOld without an old key: call SwitchKey first")
	}
	r.keys, r.signing = r.keys[r.signing:], 0
	return nil
}

// list returns the published keys, private parts included, the signing one first.
func (r *keyRing) list() []jose.JSONWebKey {
	list := append([]jose.JSONWebKey(nil), r.keys[r.signing:]...)
	return append(list, r.keys[:r.signing]...)
}
