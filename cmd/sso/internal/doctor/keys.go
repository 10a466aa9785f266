package doctor

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
)

// Key describes a key that the provider publishes.
type Key struct {
	ID        string `json:"id,omitempty"`
	Algorithm string `json:"algorithm"` // that it is for, or all that it can be used for
	Size      string `json:"size"`
	Age       string `json:"age"`
	Usable    bool   `json:"usable"`
	Why       string `json:"why,omitempty"` // why the key is not usable; empty if it is
}

// jwk is a key as the set has it. Only the library decides whether it is valid.
type jwk struct {
	ID           string   `json:"kid"`
	Type         string   `json:"kty"`
	Algorithm    string   `json:"alg"`
	Use          string   `json:"use"`
	Curve        string   `json:"crv"`
	Modulus      string   `json:"n"`
	Certificates []string `json:"x5c"`
	IssuedAt     int64    `json:"iat"`
}

// material is the text that the keys were read from.
type material struct {
	text     []byte
	modified time.Time
}

// readMaterial returns the last answer, the file, or the setting itself.
func readMaterial(source keys.Source, uri string, exchanges []*exchange) material {
	if len(exchanges) > 0 {
		last := exchanges[len(exchanges)-1]
		return material{last.body.Bytes(), last.time("Last-Modified")}
	}
	path, isFile := strings.CutPrefix(source.String(), "file:")
	if !isFile {
		return material{text: []byte(strings.ReplaceAll(uri, `\n`, "\n"))}
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() { // opening a pipe would block
		return material{}
	}
	text, _ := os.ReadFile(path) // the library has read it before
	return material{text, info.ModTime()}
}

// keys reports each key, and whether there are keys for the accepted algorithms.
func (e *examination) keys(set *keys.Set, m material) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	_ = json.Unmarshal(m.text, &document) // it may be PEM
	most := cmp.Or(e.cfg.MaxRSABits, 4096)
	set.Keys = slices.DeleteFunc(slices.Clone(set.Keys), func(k keys.Key) bool {
		public, ok := k.Public.(*rsa.PublicKey)
		if ok = ok && public.N.BitLen() > most; ok {
			set.Skipped = append(slices.Clone(set.Skipped), keys.Skipped{ID: k.ID, Reason: fmt.Sprintf("it has %d bits, more than SSO_MAX_RSA_BITS: %d", public.N.BitLen(), most)})
		}
		return ok
	})
	usable, skipped := slices.Clone(set.Keys), slices.Clone(set.Skipped)
	for _, raw := range document.Keys {
		var k jwk
		_ = json.Unmarshal(raw, &k) // the members that are valid
		if i := slices.IndexFunc(usable, func(u keys.Key) bool { return u.ID == k.ID && u.Algorithm == k.Algorithm }); i >= 0 {
			e.usable(usable[i], e.age(k, m))
			usable = slices.Delete(usable, i, i+1)
		} else if i := slices.IndexFunc(skipped, func(s keys.Skipped) bool { return s.ID == k.ID }); i >= 0 {
			e.unusable(skipped[i], k, m)
			skipped = slices.Delete(skipped, i, i+1)
		}
	}
	for _, k := range usable { // of PEM, and of sources without a text
		e.usable(k, e.age(jwk{}, m))
	}
	for _, s := range skipped {
		e.unusable(s, jwk{}, m)
	}
	e.forAlgorithms(set)
}

func (e *examination) usable(k keys.Key, age string) {
	key := Key{ID: k.ID, Algorithm: strings.Join(fitting(k), ", "), Size: size(k.Public), Age: age, Usable: slices.ContainsFunc(e.algorithms, k.Fits)}
	if !key.Usable {
		key.Why = "it is for none of the accepted algorithms, " + strings.Join(e.algorithms, ", ")
	}
	e.Keys = append(e.Keys, key)
}

// unusable reports a key that the library skipped. It is the provider's error, unless the key is not
// for such tokens.
func (e *examination) unusable(s keys.Skipped, k jwk, m material) {
	size := cmp.Or(k.Curve, "unknown")
	if n, err := base64.RawURLEncoding.DecodeString(k.Modulus); err == nil && len(n) > 0 {
		size = bits(new(big.Int).SetBytes(n))
	}
	e.Keys = append(e.Keys, Key{ID: s.ID, Algorithm: cmp.Or(k.Algorithm, k.Type, "unknown"), Size: size, Age: e.age(k, m), Why: s.Reason})
	if k.Use != "" && k.Use != "sig" || !slices.Contains([]string{"RSA", "EC", "OKP", ""}, k.Type) || k.Algorithm != "" && !slices.Contains(e.algorithms, k.Algorithm) {
		return
	}
	e.add(Red, "keys", "ask the provider to replace the key, or to remove it if it signs no more tokens", "the key %q is not used: %s. Tokens that it signs are refused", s.ID, s.Reason)
}

// forAlgorithms reports whether there are keys for the accepted algorithms.
func (e *examination) forAlgorithms(set *keys.Set) {
	var offered, lacking []string
	for _, k := range set.Keys {
		offered = append(offered, fitting(k)...)
	}
	for _, algorithm := range e.algorithms {
		if !slices.Contains(offered, algorithm) {
			lacking = append(lacking, algorithm)
		}
	}
	accepted := strings.Join(e.algorithms, ", ")
	switch {
	case len(set.Keys) == 0:
		e.add(Red, "keys", "see the reasons beside the keys, and report them to the provider", "none of the %d keys at %s is usable: every token is refused", len(set.Skipped), e.Source)
	case len(lacking) == len(e.algorithms):
		e.add(Red, "algorithms", "if the provider signs with "+strings.Join(slices.Compact(slices.Sorted(slices.Values(offered))), ", ")+", set SSO_ALGORITHMS to the one that its tokens name", "no key is for %s: every token is refused", accepted)
	case len(lacking) > 0:
		e.add(Yellow, "algorithms", "remove them from SSO_ALGORITHMS, unless the provider is about to publish keys for them", "no key is for %s", strings.Join(lacking, ", "))
	default:
		e.add(Green, "algorithms", "", "%s are accepted, and there is a key for each", accepted)
	}
}

// fitting returns the algorithms that a key may be used for.
func fitting(k keys.Key) []string {
	return slices.DeleteFunc(keys.Algorithms(), func(algorithm string) bool { return !k.Fits(algorithm) })
}

func size(public any) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return bits(k.N)
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}

func bits(modulus *big.Int) string { return fmt.Sprintf("%d bits", modulus.BitLen()) }

// age returns how long ago the key was made, if its set, certificate or file says so.
func (e *examination) age(k jwk, m material) string {
	since := func(at time.Time) string {
		if ago := e.now().Sub(at); ago >= 24*time.Hour {
			return fmt.Sprintf("%d days", int(ago.Hours()/24))
		}
		return "less than a day"
	}
	if k.IssuedAt > 0 {
		return since(time.Unix(k.IssuedAt, 0)) + " (iat)"
	}
	var der []byte
	if len(k.Certificates) > 0 {
		der, _ = base64.StdEncoding.DecodeString(k.Certificates[0])
	} else if block, _ := pem.Decode(bytes.TrimSpace(m.text)); block != nil {
		der = block.Bytes
	}
	if certificate, err := x509.ParseCertificate(der); err == nil {
		return since(certificate.NotBefore) + " (its certificate)"
	}
	if !m.modified.IsZero() {
		return "unchanged for " + since(m.modified)
	}
	return "unknown"
}
