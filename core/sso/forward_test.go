package sso_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

func held(ctx context.Context) string {
	token, _ := sso.TokenFromContext(ctx)
	return token
}

type otherKey struct{}

func TestTokenFromContext(t *testing.T) {
	plain := newAuth(t)
	keeping := plain.TokenInContext()
	other := newAuth(t, func(c *sso.Config) { c.Audience = []string{"web"} })
	both, another := token("aud", `["api","web"]`), token("aud", `["api","web"]`, "sub", `"bob"`)
	must := must(t)
	kept := must(keeping.Authenticate(t.Context(), bearer(both)))
	for name, test := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"by default":                     {must(plain.Authenticate(t.Context(), bearer(both))), ""},
		"kept":                           {kept, both},
		"kept, cached":                   {must(keeping.Authenticate(t.Context(), bearer(both))), both},
		"kept, authorized":               {must(keeping.Authorize(t.Context(), bearer(both), granting)), both},
		"kept, optional":                 {must(keeping.AuthenticateOptional(t.Context(), bearer(both))), both},
		"anonymous":                      {must(keeping.AuthenticateOptional(t.Context(), request{})), ""},
		"anonymous inside":               {must(keeping.AuthenticateOptional(kept, request{})), ""},
		"kept by the outer guard":        {must(plain.Authorize(kept, bearer(both), granting)), both},
		"kept by the inner guard":        {must(keeping.Authorize(must(plain.Authenticate(t.Context(), bearer(both))), bearer(both), granting)), both},
		"kept by both":                   {must(keeping.Authorize(kept, bearer(both), granting)), both},
		"another authenticator inside":   {must(other.Authenticate(kept, bearer(both))), both},
		"another token inside":           {must(other.Authenticate(kept, bearer(another))), ""},
		"another token inside, kept":     {must(keeping.Authenticate(kept, bearer(another))), another},
		"from another source":            {must(keeping.TokenFrom(sso.TokenFromHeader("X-Token")).Authenticate(t.Context(), adapter.EventRequest{Fields: map[string]string{"X-Token": both}})), both},
		"from another source, kept last": {must(plain.TokenFrom(sso.TokenFromHeader("X-Token")).TokenInContext().Authenticate(t.Context(), adapter.EventRequest{Fields: map[string]string{"X-Token": both}})), both},
		"in a derived context":           {context.WithValue(kept, otherKey{}, 1), both},
		"without a guard":                {t.Context(), ""},
		"without a context":              {nil, ""},
	} {
		got, ok := sso.TokenFromContext(test.ctx)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%s: %q %t", name, got, ok)
		}
	}
	t.Run("not of a refused request", func(t *testing.T) {
		for _, r := range []request{bearer(token("exp", "1")), {}, bearer("x")} {
			if ctx, err := keeping.Authenticate(t.Context(), r); err == nil || held(ctx) != "" {
				t.Errorf("%q %v", held(ctx), err)
			}
		}
		if ctx, err := keeping.Authorize(t.Context(), bearer(both), denying); err == nil || held(ctx) != "" {
			t.Errorf("%q %v", held(ctx), err)
		}
	})
	t.Run("of an authenticator that was not created", func(t *testing.T) {
		if ctx, err := new(sso.Authenticator).TokenInContext().Authenticate(t.Context(), bearer(both)); err == nil || held(ctx) != "" {
			t.Error(err)
		}
	})
}

// The copy survives a framework that reuses its memory.
func TestTokenFromContext_Copies(t *testing.T) {
	a := newAuth(t).TokenInContext()
	memory := []byte("Bearer " + token())
	for range 2 { // new, and cached
		ctx, err := a.Authenticate(t.Context(), bearerIn(memory))
		if err != nil {
			t.Fatal(err)
		}
		copied := string(memory)
		clear(memory)
		if got := held(ctx); "Bearer "+got != copied {
			t.Errorf("the token became %q", got)
		}
		copy(memory, copied)
	}
}

// bearerIn is a request whose Authorization field is in memory that changes.
type bearerIn []byte

func (bearerIn) Method() string          { return "GET" }
func (bearerIn) Pattern() string         { return "" }
func (bearerIn) PathValue(string) string { return "" }
func (bearerIn) Host() string            { return "" }
func (bearerIn) RequestURI() string      { return "/" }
func (r bearerIn) Header(name string) (string, int) {
	if name != "Authorization" {
		return "", 0
	}
	return string(r), 1
}

func (r bearerIn) HeaderView(name string) (string, int) {
	if name != "Authorization" {
		return "", 0
	}
	return unsafe.String(&r[0], len(r)), 1
}

func TestTokenFromContext_NotCached(t *testing.T) {
	a := newAuth(t).TokenInContext()
	var kept []weak.Pointer[byte]
	for range 3 {
		ctx, err := a.Authorize(t.Context(), bearer(token()), granting)
		if err != nil || held(ctx) == "" {
			t.Fatal(err)
		}
		kept = append(kept, weak.Make(unsafe.StringData(held(ctx))))
	}
	runtime.GC()
	runtime.GC()
	for i, p := range kept {
		if p.Value() != nil {
			t.Errorf("the token of request %d is still in memory", i)
		}
	}
	runtime.KeepAlive(a)
}

func TestTokenFromContext_NotPrinted(t *testing.T) {
	var output lines
	logger := output.logger(slog.LevelDebug)
	a := newAuth(t, func(c *sso.Config) { c.Logger = logger }).TokenInContext()
	both := token("name", `"Ada Lovelace"`)
	show := func(ctx context.Context) {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		p, _ := sso.FromContext(ctx)
		for _, v := range []any{ctx, derived, context.WithValue(ctx, otherKey{}, 1), struct{ context.Context }{ctx}, []context.Context{ctx}, p, a} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				_, _ = fmt.Fprintf(&output, verb+"\n", v)
			}
			logger.InfoContext(ctx, "context", "value", v)
			slog.New(slog.NewTextHandler(&output, nil)).InfoContext(ctx, "context", "value", v)
		}
	}
	inside := permit(func(ctx context.Context, _ sso.Access) sso.Decision {
		show(ctx)
		panic("no")
	})
	ctx, err := a.Authenticate(t.Context(), bearer(both))
	if err != nil || held(ctx) != both {
		t.Fatal(err)
	}
	show(ctx)
	for _, p := range []sso.Permission{inside, denying, nil} {
		if _, err := a.Authorize(ctx, bearer(both), p); err == nil {
			t.Error("granted")
		}
	}
	text := output.String()
	if part := leak(text, both); part != "" || len(text) < 1000 {
		t.Errorf("%q is in the output", part)
	}
	if hexadecimal := fmt.Sprintf("%x", both); strings.Contains(text, hexadecimal[:40]) {
		t.Error("the token is in the output, in hexadecimal")
	}
}

// Keeping the token causes no further call of the session store.
func TestTokenFromContext_Session(t *testing.T) {
	clock, store := newClock(), &calls{}
	a := newAuth(t, func(c *sso.Config) { c.Sessions, c.Now = store, clock.Now })
	r := bearer(token("sid", `"s1"`))
	must := must(t)
	ctx := must(a.Authenticate(t.Context(), r))
	ctx = must(a.TokenInContext().Authenticate(ctx, r))
	ctx = must(a.Authenticate(ctx, r))
	if store.n != 1 || held(ctx) == "" {
		t.Errorf("%d calls, token %q", store.n, held(ctx))
	}
	clock.Advance(2 * time.Second)
	must(a.TokenInContext().Authenticate(ctx, r))
	if store.n != 2 {
		t.Errorf("%d calls", store.n)
	}
}

type calls struct{ n int }

func (c *calls) Check(context.Context, sso.Session) error { c.n++; return nil }
