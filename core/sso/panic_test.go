package sso_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// panicky is a log handler that panics.
type panicky struct{}

func (panicky) Enabled(context.Context, slog.Level) bool  { return true }
func (panicky) Handle(context.Context, slog.Record) error { panic("the log") }
func (panicky) WithAttrs([]slog.Attr) slog.Handler        { return panicky{} }
func (panicky) WithGroup(string) slog.Handler             { return panicky{} }

// panicking is a request that panics in the method named by question, or in every method.
type panicking struct {
	request
	question string
}

func (u panicking) call(question string) {
	if u.question == question || u.question == "everything" {
		panic(question)
	}
}

func (u panicking) Method() string  { u.call("Method"); return u.request.Method() }
func (u panicking) Pattern() string { u.call("Pattern"); return u.request.Pattern() }
func (u panicking) PathValue(name string) string {
	u.call("PathValue")
	return u.request.PathValue(name)
}

func (u panicking) Header(name string) (string, int) {
	u.call("Header")
	return u.request.Header(name)
}

// pointer is a request or permission whose methods panic for a nil pointer.
type pointer struct {
	request
	d sso.Decision
}

func (p *pointer) Check(context.Context, sso.Access) sso.Decision { return p.d }

// careless is a permission whose nil pointer grants.
type careless struct{}

func (*careless) Check(context.Context, sso.Access) sso.Decision { return sso.Grant() }

type panickySource struct{}

func (panickySource) Fetch(context.Context, *keys.Set) (*keys.Set, error) { panic("the source") }
func (panickySource) String() string                                      { return "a source that panics" }

func TestAuthorize_Panics(t *testing.T) {
	valid := bearer(token())
	panics := permit(func(context.Context, sso.Access) sso.Decision { panic("the permission") })
	everything := func(c *sso.Config) {
		c.Logger = slog.New(panicky{})
		c.Observe = func(sso.Event) { panic("the observer") }
		c.Renderer = func(sso.Request, sso.Denial) sso.Denial { panic("the renderer") }
	}
	for _, test := range []struct {
		name       string
		change     func(*sso.Config)
		request    sso.Request
		permission sso.Permission
		want       int // 200: granted, since nothing that decides went wrong
	}{
		{"a permission", nil, valid, panics, 500},
		{"a permission, with an error", nil, valid, permit(func(context.Context, sso.Access) sso.Decision { panic(sso.ErrNoToken) }), 500},
		{"a permission, with nil", nil, valid, permit(func(context.Context, sso.Access) sso.Decision { panic(nil) }), 500}, //nolint:govet // on purpose
		{"a permission, with an error that panics", nil, valid, permit(func(context.Context, sso.Access) sso.Decision { panic(&evil{text: true}) }), 500},
		{"a permission that fails with an error that panics", nil, valid, permit(func(context.Context, sso.Access) sso.Decision { return sso.Fail(&evil{text: true}) }), 500},
		{"a permission that fails with an error whose Is panics", nil, valid, permit(func(context.Context, sso.Access) sso.Decision {
			return sso.Fail(&evil{is: true, as: true, unwrap: true})
		}), 500},
		{"a permission that fails with a nil error", nil, valid, permit(func(context.Context, sso.Access) sso.Decision { return sso.Fail(nil) }), 500},
		{"a permission that is nil", nil, valid, nil, 500},
		{"a permission that is a nil pointer", nil, valid, (*pointer)(nil), 500},
		{"a permission that is a nil pointer and grants", nil, valid, (*careless)(nil), 500},
		{"a permission that is a nil function", nil, valid, permit(nil), 500},
		{"the observer of a grant", func(c *sso.Config) { c.Observe = func(sso.Event) { panic("no") } }, valid, granting, 200},
		{"the observer of a denial", func(c *sso.Config) { c.Observe = func(sso.Event) { panic("no") } }, valid, denying, 403},
		{"the observer of an invalid token", func(c *sso.Config) { c.Observe = func(sso.Event) { panic("no") } }, bearer("x"), granting, 401},
		{"the logger at a denial", func(c *sso.Config) { c.Logger = slog.New(panicky{}) }, valid, denying, 403},
		{"the logger at an invalid token", func(c *sso.Config) { c.Logger = slog.New(panicky{}) }, bearer("x"), granting, 401},
		{"the logger at no token", func(c *sso.Config) { c.Logger = slog.New(panicky{}) }, request{}, granting, 401},
		{"the logger at an outage", func(c *sso.Config) { c.Keys, c.Logger = fails{errors.New("away")}, slog.New(panicky{}) }, valid, granting, 503},
		{"the logger at a permission that panics", func(c *sso.Config) { c.Logger = slog.New(panicky{}) }, valid, panics, 500},
		{"the renderer", func(c *sso.Config) { c.Renderer = func(sso.Request, sso.Denial) sso.Denial { panic("no") } }, valid, denying, 403},
		{"the clock", func(c *sso.Config) { c.Now = func() time.Time { panic("no") } }, valid, granting, 500},
		{"the key source", func(c *sso.Config) { c.Keys = panickySource{} }, valid, granting, 503},
		{"the request's Header", nil, panicking{valid, "Header"}, granting, 500},
		{"the request's Method at a denial", nil, panicking{valid, "Method"}, denying, 403},
		{"the request's Pattern at a denial", nil, panicking{valid, "Pattern"}, denying, 403},
		{"a request that is a nil pointer", nil, (*pointer)(nil), granting, 500},
		{"no request", nil, nil, granting, 500},
		{"logger, observer and renderer at a grant", everything, valid, granting, 200},
		{"logger, observer and renderer at a denial", everything, valid, denying, 403},
		{"everything but the permission", everything, panicking{valid, "everything"}, granting, 500},
		{"everything", everything, panicking{valid, "everything"}, panics, 500},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) {
				if test.change != nil {
					test.change(c)
				}
			})
			ctx, err := a.Authorize(t.Context(), test.request, test.permission)
			status := 200
			if err != nil {
				status = sso.DenialOf(err).Status
			}
			if status != test.want {
				t.Fatalf("%d, want %d (%v)", status, test.want, err)
			}
			if _, ok := sso.FromContext(ctx); ok != (test.want == 200) {
				t.Errorf("the context holds a principal: %t", ok)
			}
			// The same for the other entry points. A panic in the permission does not matter there.
			wantElse := test.want
			if wantElse == 403 || strings.HasPrefix(test.name, "a permission") || strings.Contains(test.name, "at a permission") {
				wantElse = 200
			}
			for name, call := range map[string]func(context.Context, sso.Request) (context.Context, error){
				"Authenticate": a.Authenticate, "AuthenticateOptional": a.AuthenticateOptional,
			} {
				want := wantElse
				if r, ok := test.request.(request); ok && len(r) == 0 && name == "AuthenticateOptional" {
					want = 200
				}
				status := 200
				if _, err := call(t.Context(), test.request); err != nil {
					status = sso.DenialOf(err).Status
				}
				if status != want {
					t.Errorf("%s: %d, want %d", name, status, want)
				}
			}
			if p, err := a.ValidateToken(t.Context(), "x"); p != nil || err == nil {
				t.Errorf("ValidateToken: %v, %v", p, err)
			}
		})
	}
	t.Run("a context that is nil", func(t *testing.T) {
		var none context.Context
		a := newAuth(t)
		if _, err := a.Authorize(none, valid, granting); err == nil {
			t.Error("granted")
		}
		if p, err := a.ValidateToken(none, "x"); p != nil || err == nil {
			t.Errorf("ValidateToken: %v, %v", p, err)
		}
	})
	t.Run("is logged", func(t *testing.T) {
		var log lines
		a := newAuth(t, func(c *sso.Config) {
			c.Logger = log.logger(slog.LevelInfo)
			c.Observe = func(sso.Event) { panic("the observer") }
			c.Renderer = func(sso.Request, sso.Denial) sso.Denial { panic("the renderer") }
		})
		if _, err := a.Authorize(t.Context(), valid, panics); err == nil {
			t.Fatal("granted")
		}
		for _, part := range []string{"the observer", "the renderer", "the permission"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("the log lacks %s:\n%s", part, log.String())
			}
		}
	})
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		p       sso.Permission
		granted bool
		err     string // a part of it; empty: none
	}{
		"one that grants": {granting, true, ""},
		"one that denies": {denying, false, ""},
		"one that panics": {permit(func(context.Context, sso.Access) sso.Decision { panic("at the disco") }), false, "sso_test.permit: panic: at the disco"},
		"nil":             {nil, false, "the permission is nil"},
		"a nil pointer":   {(*careless)(nil), false, "the permission is nil"},
		"a nil function":  {permit(nil), false, "panic: runtime error"},
		"a pointer that is not nil and so grants": {new(careless), true, ""},
	} {
		d := sso.Check(t.Context(), test.p, sso.Access{})
		if d.Granted() != test.granted || (d.Err() != nil) != (test.err != "") || (d.Err() != nil && !strings.Contains(d.Err().Error(), test.err)) {
			t.Errorf("%s: %s", name, d.Explain())
		}
	}
}

func TestCheck_LateAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	late := permit(func(context.Context, sso.Access) sso.Decision { cancel(); return sso.Grant() })
	if d := sso.Check(ctx, late, sso.Access{}); d.Granted() || !errors.Is(d.Err(), context.Canceled) || !strings.Contains(d.Err().Error(), "sso_test.permit answered too late") {
		t.Error(d.Explain())
	}
}

func TestCheck_Goexit(t *testing.T) {
	a := newAuth(t)
	passed := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := a.Authorize(context.Background(), bearer(token()), permit(func(context.Context, sso.Access) sso.Decision {
			runtime.Goexit()
			return sso.Grant()
		}))
		passed = err == nil
	}()
	<-done
	if passed {
		t.Error("granted")
	}
}

func TestAuthenticate_NilArguments(t *testing.T) {
	a := newAuth(t)
	for name, authenticate := range map[string]func() (context.Context, error){
		"no request": func() (context.Context, error) { return a.Authenticate(t.Context(), nil) },
		"no context": func() (context.Context, error) { return a.Authenticate(nil, bearer(token())) }, //nolint:staticcheck // on purpose
	} {
		if _, err := authenticate(); err == nil || !strings.Contains(err.Error(), "the request or its context is nil") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
