package sso_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// T is the time of every clock of these tests until the test moves it.
var T = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

const issuerID = "https://issuer.example"

// ada signs with an Ed25519 key, which is quick. Her key is the one that [newAuth] trusts.
var ada = ed25519.NewKeyFromSeed([]byte("ada's key for tests: 32 bytes ok"))

// mallory has an untrusted key.
var mallory = ed25519.NewKeyFromSeed([]byte("mallory's key, which none trusts"))

// rsaKey is made once, since that takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

var b64 = base64.RawURLEncoding.EncodeToString

// signed returns a correctly signed token with any header and payload.
func signed(key ed25519.PrivateKey, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(ed25519.Sign(key, []byte(input)))
}

// signedWith signs by one of golang-jwt's methods.
func signedWith(t testing.TB, method jwt.SigningMethod, key any, header, payload string) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	signature, err := method.Sign(input, key)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + b64(signature)
}

// object returns a JSON object. Changes are names and JSON texts in turn, which replace
// members; an empty text removes the member.
func object(members, changes []string) string {
	members = slices.Clone(members)
	for i := 0; i < len(changes); i += 2 {
		at := 0
		for at < len(members) && members[at] != changes[i] {
			at += 2
		}
		if at == len(members) {
			members = append(members, changes[i], "")
		}
		members[at+1] = changes[i+1]
	}
	var parts []string
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", members[i], members[i+1]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// headerWith returns a valid header with changes.
func headerWith(changes ...string) string {
	return object([]string{"alg", `"EdDSA"`, "kid", `"ada"`, "typ", `"JWT"`}, changes)
}

// claimsWith returns valid claims with changes.
func claimsWith(changes ...string) string {
	return object([]string{
		"iss", `"` + issuerID + `"`, "aud", `"api"`, "sub", `"ada"`,
		"iat", fmt.Sprint(T.Unix()), "exp", fmt.Sprint(T.Add(time.Hour).Unix()),
	}, changes)
}

// token returns a valid token of ada with changes to its claims.
func token(changes ...string) string { return signed(ada, headerWith(), claimsWith(changes...)) }

// static is a source of one key.
func static(t testing.TB, id, algorithm string, public crypto.PublicKey) keys.Source {
	t.Helper()
	source, err := keys.Static(keys.Key{ID: id, Algorithm: algorithm, Public: public})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// newAuth returns an authenticator that trusts ada, changed by change.
func newAuth(t testing.TB, change ...func(*sso.Config)) *sso.Authenticator {
	t.Helper()
	cfg := sso.Config{
		Keys: static(t, "ada", "", ada.Public()), Audience: []string{"api"}, Issuer: issuerID, Algorithms: []string{"EdDSA"},
		Now: func() time.Time { return T }, Logger: slog.New(slog.DiscardHandler),
	}
	for _, change := range change {
		change(&cfg)
	}
	a, err := sso.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// request is a request with Authorization fields.
type request []string

func bearer(token string) request { return request{"Bearer " + token} }

func (r request) Method() string          { return "GET" }
func (r request) Pattern() string         { return "/orders/{id}" }
func (r request) PathValue(string) string { return "7" }
func (r request) Host() string            { return "api.example" }
func (r request) RequestURI() string      { return "/orders/7" }
func (r request) Header(name string) (string, int) {
	if !strings.EqualFold(name, "Authorization") || len(r) == 0 {
		return "", 0
	}
	return r[0], len(r)
}

// permit is a permission by a function.
type permit func(context.Context, sso.Access) sso.Decision

func (p permit) Check(ctx context.Context, access sso.Access) sso.Decision { return p(ctx, access) }

var (
	granting = permit(func(context.Context, sso.Access) sso.Decision { return sso.Grant() })
	denying  = permit(func(context.Context, sso.Access) sso.Decision { return sso.Deny("no", "say please") })
)

// reasonIn returns the reason of an invalid token; "none" for other errors.
func reasonIn(err error) sso.Reason {
	var invalid *sso.TokenError
	if !errors.As(err, &invalid) {
		return "none"
	}
	return invalid.Reason
}

// class returns the name of the class of refusals that an error belongs to.
func class(err error) string {
	var names []string
	for name, class := range map[string]error{
		"no token": sso.ErrNoToken, "invalid request": sso.ErrInvalidRequest, "invalid token": sso.ErrInvalidToken,
		"access denied": sso.ErrAccessDenied, "unavailable": sso.ErrUnavailable,
	} {
		if errors.Is(err, class) {
			names = append(names, name)
		}
	}
	switch {
	case err == nil:
		return "accepted"
	case len(names) == 0:
		return "internal"
	}
	slices.Sort(names)
	return strings.Join(names, " and ")
}

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: T} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// events collects the events of an authenticator.
type events struct {
	mu   sync.Mutex
	list []sso.Event
}

func (e *events) Observe(event sso.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event)
}

func (e *events) count(kind sso.EventKind) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, event := range e.list {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

// lines is a log that several goroutines may write to.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// entries are the lines of a JSON log.
func (l *lines) entries(t testing.TB) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(l.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, entry)
	}
	return list
}

func (l *lines) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: level}))
}

func publicPEM(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func privatePEM(t testing.TB, private crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
