package sso_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// counted is an authenticator and a count of the tokens that it verified.
func counted(t *testing.T, change ...func(*sso.Config)) (*sso.Authenticator, func() int) {
	t.Helper()
	var seen events
	a := newAuth(t, append([]func(*sso.Config){func(c *sso.Config) { c.Observe = seen.Observe }}, change...)...)
	return a, func() int { return seen.count(sso.EventAuthenticated) }
}

func must(t *testing.T) func(context.Context, error) context.Context {
	t.Helper()
	return func(ctx context.Context, err error) context.Context {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return ctx
	}
}

func subject(ctx context.Context) string {
	p, _ := sso.FromContext(ctx)
	return p.Subject()
}

func TestAuthenticate_OncePerRequest(t *testing.T) {
	a, verified := counted(t)
	r := bearer(token())
	ctx := must(t)(a.Authenticate(t.Context(), r))
	ctx = must(t)(a.Authenticate(ctx, r))
	ctx = must(t)(a.Authorize(ctx, r, granting))
	ctx = must(t)(a.Authorize(ctx, r, granting))
	ctx = must(t)(a.AuthenticateOptional(ctx, r))
	if subject(ctx) != "ada" || verified() != 1 {
		t.Errorf("%q was verified %d times", subject(ctx), verified())
	}
	must(t)(a.Authenticate(t.Context(), r))
	if verified() != 2 {
		t.Errorf("for another request: %d times in all, want 2", verified())
	}
}

func TestAuthenticate_OnceWithoutCache(t *testing.T) {
	var seen events
	a := newAuth(t, func(c *sso.Config) { c.TokenCache, c.Observe = -1, seen.Observe })
	ctx := must(t)(a.Authenticate(t.Context(), bearer(token())))
	must(t)(a.Authorize(ctx, bearer(token()), granting))
	if n := seen.count(sso.EventAuthenticated); n != 1 {
		t.Errorf("verified %d times", n)
	}
	if n := seen.count(sso.EventGranted); n != 1 {
		t.Errorf("%d grants were observed", n)
	}
}

func TestAuthenticate_OtherTokenInContext(t *testing.T) {
	a, verified := counted(t)
	ctx := must(t)(a.Authenticate(t.Context(), bearer(token())))
	ctx = must(t)(a.Authorize(ctx, bearer(token("sub", `"bob"`)), granting))
	if subject(ctx) != "bob" || verified() != 2 {
		t.Errorf("%q after %d verifications", subject(ctx), verified())
	}
	for name, r := range map[string]request{
		"an invalid token": bearer(token("exp", "1")), "no token": {}, "two headers": {"Bearer " + token(), "Bearer " + token()},
		"a token cut short": bearer(token()[:40]),
	} {
		for what, call := range map[string]func(context.Context, sso.Request) (context.Context, error){
			"Authenticate": a.Authenticate,
			"Authorize": func(ctx context.Context, r sso.Request) (context.Context, error) {
				return a.Authorize(ctx, r, granting)
			},
		} {
			if _, err := call(ctx, r); err == nil {
				t.Errorf("%s with %s accepted because of the context", what, name)
			}
		}
	}
}

func TestAuthenticate_OtherAuthenticator(t *testing.T) {
	staff, staffVerified := counted(t)
	partners, partnersVerified := counted(t, func(c *sso.Config) { c.Audience = []string{"partners"} })
	twin, twinVerified := counted(t)
	r := bearer(token())
	ctx := must(t)(staff.Authenticate(t.Context(), r))
	for name, call := range map[string]func() (context.Context, error){
		"Authenticate":         func() (context.Context, error) { return partners.Authenticate(ctx, r) },
		"AuthenticateOptional": func() (context.Context, error) { return partners.AuthenticateOptional(ctx, r) },
		"Authorize":            func() (context.Context, error) { return partners.Authorize(ctx, r, granting) },
	} {
		if _, err := call(); reasonIn(err) != sso.ReasonWrongAudience {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("another one of the same configuration", func(t *testing.T) {
		ctx := must(t)(twin.Authenticate(ctx, r))
		if twinVerified() != 1 {
			t.Errorf("verified %d times", twinVerified())
		}
		must(t)(staff.Authorize(ctx, r, granting))
		if staffVerified() != 2 {
			t.Errorf("after the other authenticator: verified %d times in all, want 2", staffVerified())
		}
	})
	t.Run("each finds its own principal", func(t *testing.T) {
		both := bearer(token("aud", `["api","partners"]`, "permissions", `{"a":"*"}`))
		open := newAuth(t, func(c *sso.Config) { c.Wildcard = true })
		closed := newAuth(t, func(c *sso.Config) { c.PermissionsClaim = "sub" })
		ctx := must(t)(open.Authenticate(t.Context(), both))
		_, err := closed.Authorize(ctx, both, permit(func(_ context.Context, access sso.Access) sso.Decision {
			if access.WildcardGrants() || access.Principal().Permissions().String() != "ada" {
				return sso.Deny("leaked", "keep authenticators apart")
			}
			return sso.Grant()
		}))
		if err != nil {
			t.Error(err)
		}
	})
	if partnersVerified() != 0 {
		t.Errorf("the other verified %d tokens", partnersVerified())
	}
}

func TestAuthenticateOptional_Anonymous(t *testing.T) {
	a := newAuth(t)
	t.Run("clears an earlier principal", func(t *testing.T) {
		ctx := must(t)(a.Authenticate(t.Context(), bearer(token())))
		for name, auth := range map[string]*sso.Authenticator{"its own": a, "another's": newAuth(t)} {
			ctx := must(t)(auth.AuthenticateOptional(ctx, request{}))
			if p, ok := sso.FromContext(ctx); ok || p != nil {
				t.Errorf("%s: the context still holds %v", name, p)
			}
		}
	})
	t.Run("is not authenticated for later guards", func(t *testing.T) {
		ctx := must(t)(a.AuthenticateOptional(t.Context(), request{}))
		if _, err := a.Authorize(ctx, request{}, granting); class(err) != "no token" {
			t.Errorf("Authorize: %v", err)
		}
		if _, err := a.Authenticate(ctx, request{}); class(err) != "no token" {
			t.Errorf("Authenticate: %v", err)
		}
	})
	t.Run("a valid token", func(t *testing.T) {
		if ctx := must(t)(a.AuthenticateOptional(t.Context(), bearer(token()))); subject(ctx) != "ada" {
			t.Error("no principal")
		}
	})
}

func TestAuthenticate_RefusalKeepsContext(t *testing.T) {
	type key struct{}
	a := newAuth(t)
	given := context.WithValue(t.Context(), key{}, "here")
	for name, call := range map[string]func() (context.Context, error){
		"Authenticate": func() (context.Context, error) { return a.Authenticate(given, request{}) },
		"Optional":     func() (context.Context, error) { return a.AuthenticateOptional(given, request{"x"}) },
		"Authorize":    func() (context.Context, error) { return a.Authorize(given, bearer(token()), denying) },
		"a panic": func() (context.Context, error) {
			return a.Authorize(given, bearer(token()), permit(func(context.Context, sso.Access) sso.Decision { panic("no") }))
		},
		"no request":       func() (context.Context, error) { return a.Authenticate(given, nil) },
		"no authenticator": func() (context.Context, error) { return (*sso.Authenticator)(nil).Authenticate(given, request{}) },
	} {
		if ctx, err := call(); err == nil || ctx != given {
			t.Errorf("%s: %v, %v", name, ctx, err)
		}
	}
}

func TestAccess_Request(t *testing.T) {
	type key struct{}
	a := newAuth(t, func(c *sso.Config) { c.Wildcard = true })
	calls := 0
	ctx := context.WithValue(t.Context(), key{}, "here")
	must(t)(a.Authorize(ctx, bearer(token()), permit(func(ctx context.Context, access sso.Access) sso.Decision {
		calls++
		p, ok := sso.FromContext(ctx)
		header, n := access.Header("authorization")
		if ctx.Value(key{}) != "here" || !ok || p != access.Principal() || p.Subject() != "ada" || access.Method() != "GET" ||
			access.Pattern() != "/orders/{id}" || access.PathValue("id") != "7" || n != 1 || header == "" || !access.WildcardGrants() {
			return sso.Deny("wrong", fmt.Sprintf("%v %+v", p, access))
		}
		return sso.Grant()
	})))
	if calls != 1 {
		t.Errorf("called %d times", calls)
	}
	t.Run("nil without a principal", func(t *testing.T) {
		access := sso.NewAccess(nil, nil)
		if header, n := access.Header("Authorization"); header != "" || n != 0 || access.Method() != "" || access.Pattern() != "" || access.PathValue("id") != "" || access.WildcardGrants() || access.Principal() != nil {
			t.Errorf("%+v", access)
		}
	})
}

func TestFromContext_NoPrincipal(t *testing.T) {
	var none context.Context
	for name, ctx := range map[string]context.Context{"nil": none, "an empty one": t.Context(), "one with other values": context.WithValue(t.Context(), "sso", "x")} { //nolint:revive,staticcheck // a key that others may use
		if p, ok := sso.FromContext(ctx); ok || p != nil {
			t.Errorf("%s: %v, %t", name, p, ok)
		}
	}
}

func TestAuthenticator_Concurrent(t *testing.T) {
	issuer, a, now := newProvider(t)
	valid := []string{issuer.MustToken(), token("iss", `"x"`)}
	issuer.Rotate()
	valid[1] = issuer.MustToken()
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for n := range 20 {
				r := bearer(valid[(i+n)%2])
				ctx, err := a.Authorize(context.Background(), r, granting)
				if err != nil || subject(ctx) != "ada" {
					t.Errorf("%q, %v", subject(ctx), err)
				}
				if _, err := a.Authorize(ctx, r, denying); class(err) != "access denied" {
					t.Error(err)
				}
				if _, err := a.Authenticate(ctx, bearer("x.y.z")); class(err) != "invalid token" {
					t.Error(err)
				}
				_, _ = a.Status(), a.Ready(context.Background())
				if i == 0 {
					now.Advance(1)
				}
			}
		})
	}
	group.Wait()
}

// A second check within a request notices that the token has expired.
func TestAuthenticate_ContextRechecked(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *devissuer.Issuer, *sso.Authenticator, *clock){
		"the token expires": func(_ *testing.T, _ *devissuer.Issuer, _ *sso.Authenticator, now *clock) { now.Advance(2 * time.Hour) },
		"the authenticator is closed": func(t *testing.T, _ *devissuer.Issuer, a *sso.Authenticator, _ *clock) {
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"its key is retired": func(t *testing.T, issuer *devissuer.Issuer, a *sso.Authenticator, now *clock) {
			issuer.Rotate()
			issuer.Retire()
			now.Advance(10 * time.Minute)
			if err := a.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, size := range []int{0, -1} {
			t.Run(fmt.Sprintf("%s, TokenCache %d", name, size), func(t *testing.T) {
				issuer, a, now := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) { c.TokenCache = size })
				r := bearer(issuer.MustToken(devissuer.ValidFor(time.Hour)))
				ctx := must(t)(a.Authenticate(t.Context(), r))
				must(t)(a.Authorize(ctx, r, granting))
				end(t, issuer, a, now)
				for what, call := range map[string]func(context.Context, sso.Request) (context.Context, error){
					"Authenticate": a.Authenticate, "AuthenticateOptional": a.AuthenticateOptional,
					"Authorize": func(ctx context.Context, r sso.Request) (context.Context, error) {
						return a.Authorize(ctx, r, granting)
					},
				} {
					if _, err := call(ctx, r); err == nil {
						t.Errorf("%s still passes", what)
					}
				}
			})
		}
	}
}
