package permission_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// raceEnabled reports whether the race detector runs, which allocates.
var raceEnabled bool

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

var signingKey = ed25519.NewKeyFromSeed([]byte("permission tests, 32 bytes long."))

// authenticators are made once for each setting: with the wildcard, and without.
var authenticators = func() (made [2]func() *sso.Authenticator) {
	for i, wildcard := range []bool{true, false} {
		made[i] = sync.OnceValue(func() *sso.Authenticator {
			source, err := keys.Static(keys.Key{Public: signingKey.Public()})
			if err != nil {
				panic(err)
			}
			a, err := sso.New(sso.Config{
				Keys: source, Audience: []string{"api"}, Issuer: "https://issuer.example", Algorithms: []string{"EdDSA"},
				Wildcard: wildcard, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				panic(err)
			}
			return a
		})
	}
	return made
}()

// principal returns the principal of a verified token with these claims besides the usual ones.
func principal(t testing.TB, claims string) *sso.Principal {
	t.Helper()
	return verified(t, authenticators[0](), claims)
}

func withoutWildcard(t testing.TB, claims string) *sso.Principal {
	t.Helper()
	return verified(t, authenticators[1](), claims)
}

func verified(t testing.TB, a *sso.Authenticator, claims string) *sso.Principal {
	t.Helper()
	payload := fmt.Sprintf(`{"exp":%d,"iss":"https://issuer.example","aud":"api","sub":"ada"`, now.Add(time.Hour).Unix())
	if inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(claims), "{"), "}"); inner != "" {
		payload += "," + inner
	}
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(`{"alg":"EdDSA"}`)) + "." + b64([]byte(payload+"}"))
	p, err := a.ValidateToken(t.Context(), signed+"."+b64(ed25519.Sign(signingKey, []byte(signed))))
	if err != nil {
		t.Fatalf("the claims %s: %v", claims, err)
	}
	return p
}

// check checks a permission.
func check(t testing.TB, p sso.Permission, who *sso.Principal) sso.Decision {
	t.Helper()
	return sso.Check(t.Context(), p, sso.NewAccess(who, nil))
}

// outcome is a decision's value in three-valued logic.
type outcome string

const (
	granted outcome = "granted"
	denied  outcome = "denied"
	failed  outcome = "failed"
)

func outcomeOf(d sso.Decision) outcome {
	switch {
	case d.Granted() && d.Err() != nil:
		panic("granted and failed at once")
	case d.Granted():
		return granted
	case d.Err() != nil:
		return failed
	}
	return denied
}

// answer is a permission of another type with a fixed decision.
type answer sso.Decision

func (a answer) Check(context.Context, sso.Access) sso.Decision { return sso.Decision(a) }

func (a answer) String() string { return string(outcomeOf(sso.Decision(a))) }

// panicking is a permission of another type that panics.
type panicking struct{}

func (panicking) Check(context.Context, sso.Access) sso.Decision { panic("at the disco") }

var (
	errTest = errors.New("the database is down")
	yes     = answer(sso.Grant())
	no      = answer(sso.Deny("no", "say please"))
	broken  = answer(sso.Fail(errTest))
)

// panicOf returns the message that a function panics with; empty if it does not panic.
func panicOf(f func()) (message string) {
	defer func() {
		if v := recover(); v != nil {
			message = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}

// request is a request without headers.
type request struct {
	values map[string]string // of the path
}

func (request) Host() string                   { return "api.example" }
func (request) RequestURI() string             { return "/" }
func (request) Method() string                 { return "GET" }
func (request) Pattern() string                { return "/orders/{id}" }
func (request) Header(string) (string, int)    { return "", 0 }
func (r request) PathValue(name string) string { return r.values[name] }

// checkRequest checks a permission on a request.
func checkRequest(t testing.TB, p sso.Permission, who *sso.Principal, r sso.Request) sso.Decision {
	t.Helper()
	return sso.Check(t.Context(), p, sso.NewAccess(who, r))
}
