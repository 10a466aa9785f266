package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePEM reads PEM text (RFC 7468): one or several public keys ("PUBLIC KEY",
// "RSA PUBLIC KEY") or certificates ("CERTIFICATE", whose public key is taken; nothing else of
// a certificate is looked at). The keys have no ids. A private key is refused, since it means
// that the wrong half was put into the configuration. So is a text with a block that cannot be read,
// and with more than 100 keys; a key that can be read and not used is left out, as by [NewSet].
func ParsePEM(text []byte) (*Set, error) {
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, errors.New("not PEM text: no -----BEGIN line")
	}
	var keys []Key
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	// pem.Decode passes over a block that it cannot decode, which would lose a key silently.
	if len(keys) != bytes.Count(text, []byte("-----BEGIN")) {
		return nil, errors.New("a PEM block that cannot be decoded: is it whole, with its line breaks?")
	}
	return newSet(keys, nil)
}

func parseBlock(block *pem.Block) (Key, error) {
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return Key{}, fmt.Errorf("a %.64s where a public key belongs: give the public half only, and replace this key, for it has now been in a configuration", block.Type)
	case block.Type == "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return Key{}, fmt.Errorf("a PUBLIC KEY block that cannot be read: %w", err)
		}
		return Key{Public: public}, nil
	case block.Type == "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return Key{}, fmt.Errorf("an RSA PUBLIC KEY block that cannot be read: %w", err)
		}
		return Key{Public: public}, nil
	case block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return Key{}, fmt.Errorf("a CERTIFICATE block that cannot be read: %w", err)
		}
		return Key{Public: certificate.PublicKey}, nil
	}
	return Key{}, fmt.Errorf("a PEM block %.64q; PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE are read", block.Type)
}
