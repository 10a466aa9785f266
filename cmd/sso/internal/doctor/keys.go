package doctor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
)

// Key is what is known of a key that the provider publishes.
type Key struct {
	ID        string `json:"id,omitempty"` // empty if it has none
	Algorithm string `json:"algorithm"`    // that it is for, or that it fits
	Size      string `json:"size"`
	Age       string `json:"age"`
	Usable    bool   `json:"usable"`
	Why       string `json:"why,omitempty"` // it is not usable
}

// A published key is one as the set has it, for people: whether it is good only the library says.
type published struct {
	ID           string   `json:"kid"`
	Type         string   `json:"kty"`
	Algorithm    string   `json:"alg"`
	Use          string   `json:"use"`
	Curve        string   `json:"crv"`
	Modulus      string   `json:"n"`
	Certificates []string `json:"x5c"`
	IssuedAt     int64    `json:"iat"`
}

// texts are what a source's keys were read from.
type texts struct {
	body     []byte
	modified time.Time
}

// material finds the text that the keys were read from: the last answer, a file, or the setting
// itself.
func material(source keys.Source, uri string, exchanges []*exchange) texts {
	if len(exchanges) > 0 {
		last := exchanges[len(exchanges)-1]
		return texts{last.body.Bytes(), last.modified}
	}
	path, isFile := strings.CutPrefix(source.String(), "file:")
	if !isFile {
		return texts{body: []byte(strings.ReplaceAll(uri, `\n`, "\n"))}
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // a pipe would be waited for
		return texts{}
	}
	f, err := os.Open(path)
	if err != nil {
		return texts{}
	}
	defer f.Close() //nolint:errcheck // only read from
	body, _ := io.ReadAll(io.LimitReader(f, maxBody))
	t := texts{body: body}
	if info, err := f.Stat(); err == nil {
		t.modified = info.ModTime()
	}
	return t
}

// keys reports each key, and whether there is one for the accepted algorithms.
func (e *examination) keys(set *keys.Set, t texts) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	_ = json.Unmarshal(t.body, &document) // PEM is none
	usable, skipped := slices.Clone(set.Keys), slices.Clone(set.Skipped)
	seen := map[string]int{}
	for _, raw := range document.Keys {
		var p published
		_ = json.Unmarshal(raw, &p) // as far as it goes
		seen[p.ID]++
		if i := slices.IndexFunc(usable, func(k keys.Key) bool { return k.ID == p.ID && k.Algorithm == p.Algorithm }); i >= 0 {
			e.usable(usable[i], p, t)
			usable = slices.Delete(usable, i, i+1)
		} else if i := slices.IndexFunc(skipped, func(s keys.Skipped) bool { return s.ID == p.ID }); i >= 0 {
			e.unusable(skipped[i], p, t)
			skipped = slices.Delete(skipped, i, i+1)
		}
	}
	for _, k := range usable { // of PEM, and of sources that have no text
		e.usable(k, published{ID: k.ID, Algorithm: k.Algorithm}, t)
	}
	for _, s := range skipped {
		e.unusable(s, published{ID: s.ID}, t)
	}
	for _, id := range sortedKeys(seen) {
		if seen[id] > 1 && id != "" && !slices.ContainsFunc(set.Keys, func(k keys.Key) bool { return k.ID == id }) {
			e.add(Red, "keys", "tell whoever runs the provider: each key needs an id of its own", "%d keys have the id %q: no token can say which it means, so all that name it are refused", seen[id], id)
		}
	}
	e.forAlgorithms(set)
}

func sortedKeys(m map[string]int) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

func (e *examination) usable(k keys.Key, p published, t texts) {
	key := Key{ID: k.ID, Algorithm: strings.Join(fitting(k), ", "), Size: size(k.Public), Age: e.age(p, t), Usable: true}
	if !slices.ContainsFunc(e.algorithms(), k.Fits) {
		key.Usable = false
		key.Why = fmt.Sprintf("it is for none of the accepted algorithms, %s", strings.Join(e.algorithms(), ", "))
	}
	e.Keys = append(e.Keys, key)
}

// unusable reports a key that the library left out. It is a fault of the provider's, unless the
// key was never meant for tokens such as these.
func (e *examination) unusable(s keys.Skipped, p published, t texts) {
	e.Keys = append(e.Keys, Key{ID: s.ID, Algorithm: orDefault(p.Algorithm, orDefault(p.Type, "unknown")), Size: p.size(), Age: e.age(p, t), Why: s.Reason})
	known := slices.Contains([]string{"RSA", "EC", "OKP", ""}, p.Type)
	if p.Use != "" && p.Use != "sig" || !known || p.Algorithm != "" && !slices.Contains(e.algorithms(), p.Algorithm) {
		return
	}
	e.add(Red, "keys", "tell whoever runs the provider to replace the key; if no token is signed by it any more, have it taken out", "the key %q is not used: %s. Tokens that are signed by it are refused", s.ID, s.Reason)
}

// forAlgorithms reports whether tokens of the accepted algorithms can be verified at all.
func (e *examination) forAlgorithms(set *keys.Set) {
	var offered, lacking []string
	for _, k := range set.Keys {
		offered = append(offered, fitting(k)...)
	}
	good := 0
	for _, algorithm := range e.algorithms() {
		n := 0
		for _, k := range set.Keys {
			if k.Fits(algorithm) {
				n++
			}
		}
		if n == 0 {
			lacking = append(lacking, algorithm)
		}
		good += n
	}
	accepted := strings.Join(e.algorithms(), ", ")
	switch {
	case len(set.Keys) == 0:
		e.add(Red, "keys", "see the reasons beside the keys; tell whoever runs the provider", "of the %d keys at %s not one can be used: every token is refused", len(set.Skipped), e.Source)
	case good == 0:
		e.add(Red, "algorithms", "if the provider signs with "+sorted(offered)+", set SSO_ALGORITHMS to the one that its tokens name", "no key is for %s: every token is refused", accepted)
	case len(lacking) > 0:
		e.add(Yellow, "algorithms", "take them out of SSO_ALGORITHMS unless keys for them are to come", "no key is for %s", strings.Join(lacking, ", "))
	default:
		e.add(Green, "algorithms", "", "accepted are %s, and there are keys for each (%d in all)", accepted, good)
	}
}

// fitting are the algorithms that a key may verify.
func fitting(k keys.Key) []string {
	var list []string
	for _, algorithm := range keys.Algorithms() {
		if k.Fits(algorithm) {
			list = append(list, algorithm)
		}
	}
	return list
}

func size(public any) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("%d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}

// size is that of a key that the library did not read.
func (p published) size() string {
	if n, err := base64.RawURLEncoding.DecodeString(p.Modulus); err == nil && len(n) > 0 {
		return fmt.Sprintf("%d bits", new(big.Int).SetBytes(n).BitLen())
	}
	return orDefault(p.Curve, "unknown")
}

// age is how long ago the key was made, as far as anything tells.
func (e *examination) age(p published, t texts) string {
	since := func(at time.Time) string {
		if ago := e.now().Sub(at); ago >= 24*time.Hour {
			return fmt.Sprintf("%d days", int(ago.Hours()/24))
		}
		return "less than a day"
	}
	if p.IssuedAt > 0 {
		return since(time.Unix(p.IssuedAt, 0)) + " (iat)"
	}
	if len(p.Certificates) > 0 {
		if der, err := base64.StdEncoding.DecodeString(p.Certificates[0]); err == nil {
			if certificate, err := x509.ParseCertificate(der); err == nil {
				return since(certificate.NotBefore) + " (its certificate)"
			}
		}
	}
	if block, _ := pem.Decode(bytes.TrimSpace(t.body)); block != nil && block.Type == "CERTIFICATE" {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			return since(certificate.NotBefore) + " (its certificate)"
		}
	}
	if !t.modified.IsZero() {
		return "unchanged for " + since(t.modified)
	}
	return "not told"
}
