package logout_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/devissuer"
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

var b64 = base64.RawURLEncoding.EncodeToString

// signed returns a correctly signed token with any header and payload.
func signed(key ed25519.PrivateKey, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(ed25519.Sign(key, []byte(input)))
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

// static is a source of one key.
func static(t testing.TB, id, algorithm string, public crypto.PublicKey) keys.Source {
	t.Helper()
	source, err := keys.Static(keys.Key{ID: id, Algorithm: algorithm, Public: public})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// token returns a valid token of ada with changes to its claims.
func token(changes ...string) string { return signed(ada, headerWith(), claimsWith(changes...)) }

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

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func newClock() *clock { return &clock{now: T} }

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

func (l *lines) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: level}))
}

// members reads a JSON object with encoding/json, token by token, independently of the code
// under test. ok is false for other texts, and for a duplicate member.
func members(text []byte) (object map[string]json.RawMessage, ok bool) {
	if !utf8.Valid(text) || json.Unmarshal(text, &object) != nil || object == nil {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	_, _ = d.Token()
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		key, isText := name.(string)
		var value json.RawMessage
		if err != nil || !isText || seen[key] || d.Decode(&value) != nil {
			return nil, false
		}
		seen[key] = true
	}
	return object, true
}

// folded returns a member whose name differs by case, as encoding/json finds it.
func folded(object map[string]json.RawMessage, names ...string) string {
	for member := range object {
		for _, name := range names {
			if member != name && strings.EqualFold(member, name) {
				return member
			}
		}
	}
	return ""
}

// text is a member that is a string.
func text(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

func number(raw json.RawMessage) (*big.Float, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return nil, false
	}
	f, _, err := big.ParseFloat(string(raw), 10, 200, big.ToNearestEven)
	return f, err == nil
}

func spellings(name string) []string {
	list := []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], name[:len(name)-1] + strings.ToUpper(name[len(name)-1:])}
	for letter, other := range map[string]string{"s": "ſ", "k": "\u212a"} { // long s, Kelvin sign
		if strings.Contains(name, letter) {
			list = append(list, strings.Replace(name, letter, other, 1))
		}
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == name })
}

func newProvider(t *testing.T, change ...func(*devissuer.Issuer, *sso.Config)) (*devissuer.Issuer, *sso.Authenticator) {
	t.Helper()
	now := newClock()
	issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithClock(now.Now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { issuer.Close() }) //nolint:errcheck // the end of a test server
	return issuer, newAuth(t, func(c *sso.Config) {
		c.Keys, c.PublicKeyURI, c.Issuer, c.HTTPClient, c.Now = nil, issuer.JWKSURL(), issuer.URL(), issuer.Client(), now.Now
		for _, change := range change {
			change(issuer, c)
		}
	})
}

// newAuth returns an authenticator that trusts ada and checks sessions, changed by change.
func newAuth(t testing.TB, change ...func(*sso.Config)) *sso.Authenticator {
	t.Helper()
	cfg := sso.Config{
		Keys: static(t, "ada", "", ada.Public()), Audience: []string{"api"}, Issuer: issuerID, Algorithms: []string{"EdDSA"},
		Now: func() time.Time { return T }, Logger: slog.New(slog.DiscardHandler), MaxTokenAge: time.Hour, Sessions: newSignedOut(),
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
