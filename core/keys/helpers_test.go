package keys_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
)

const alg = "ES256"

// newIssuer returns a provider in memory with a key that is fast to make.
func newIssuer(t testing.TB) *devissuer.Issuer {
	t.Helper()
	issuer, err := devissuer.New(devissuer.WithAlgorithm(alg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	return issuer
}

// site is a provider of fixed documents, by address; anything else is 404. It records the
// requests.
type site struct {
	mu    sync.Mutex
	pages map[string]string
	asked []string
}

func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.String())
	body, ok := s.pages[r.URL.String()]
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (s *site) client() *http.Client { return &http.Client{Transport: s} }

// jwk is a JSON Web Key that a test can spoil.
type jwk map[string]any

// with returns a copy with another member; nil leaves it out.
func (k jwk) with(name string, value any) jwk {
	k = maps.Clone(k)
	if k[name] = value; value == nil {
		delete(k, name)
	}
	return k
}

func (k jwk) String() string {
	text, err := json.Marshal(map[string]any(k))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// jwks is the text of a set of keys, each a jwk or a text.
func jwks(list ...any) string {
	texts := make([]string, len(list))
	for i, k := range list {
		texts[i] = fmt.Sprint(k)
	}
	return `{"keys":[` + strings.Join(texts, ",") + `]}`
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func ecPublic(curve elliptic.Curve) *ecdsa.PublicKey {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return &private.PublicKey
}

func ecJWK(kid string, curve elliptic.Curve) jwk {
	point, err := ecPublic(curve).Bytes()
	if err != nil {
		panic(err)
	}
	x, y := point[1:1+len(point)/2], point[1+len(point)/2:]
	return jwk{"kty": "EC", "kid": kid, "crv": curve.Params().Name, "x": b64(x), "y": b64(y)}
}

// rsaPublic returns a random modulus of this length, without known factors.
func rsaPublic(bits int) *rsa.PublicKey {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1)))
	if err != nil {
		panic(err)
	}
	return &rsa.PublicKey{N: n.SetBit(n, bits-1, 1).SetBit(n, 0, 1), E: 65537}
}

func rsaJWK(kid string, bits int) jwk {
	return jwk{"kty": "RSA", "kid": kid, "n": b64(rsaPublic(bits).N.Bytes()), "e": "AQAB"}
}

func edJWK(kid string) jwk {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return jwk{"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": b64(public)}
}

func ecKey(kid string) keys.Key { return keys.Key{ID: kid, Public: ecPublic(elliptic.P256())} }

// ids are the ids of the keys of a set.
func ids(set *keys.Set) []string {
	var list []string
	for _, k := range set.Keys {
		list = append(list, k.ID)
	}
	return list
}

// everywhere is a web in which every address but the first holds the same keys.
type everywhere struct {
	first, document, rest string
	hosts                 []string
}

func (e *everywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	e.hosts = append(e.hosts, r.URL.Scheme+"://"+r.URL.Host)
	body := e.rest
	if r.URL.String() == e.first && len(e.hosts) == 1 {
		body = e.document
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (e *everywhere) client() *http.Client { return &http.Client{Transport: e} }

// alone says that no goroutine but the test's own is left in its bubble.
func alone(t testing.TB) {
	t.Helper()
	synctest.Wait()
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	if n := strings.Count(string(all), "synctest bubble"); n > 3 { // synctest itself has two
		t.Fatalf("%d goroutines are left\n%s", n-3, all)
	}
}
