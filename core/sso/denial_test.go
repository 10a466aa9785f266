package sso_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// refusal returns the complete response for a status and a code.
func refusal(status int, code, challenge string, more ...string) sso.Denial {
	d := sso.Denial{
		Status: status, Code: code,
		Header: http.Header{"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}},
		Body:   fmt.Appendf(nil, `{"type":"about:blank","title":"%s","status":%d,"code":"%s"}`, http.StatusText(status), status, code),
	}
	if challenge != "" {
		d.Header["Www-Authenticate"] = []string{challenge}
	}
	for i := 0; i < len(more); i += 2 {
		d.Header[more[i]] = []string{more[i+1]}
	}
	return d
}

var (
	missingToken      = refusal(401, "missing_token", `Bearer`)
	invalidRequest    = refusal(400, "invalid_request", `Bearer error="invalid_request"`)
	invalidToken      = refusal(401, "invalid_token", `Bearer error="invalid_token"`)
	insufficientScope = refusal(403, "insufficient_scope", `Bearer error="insufficient_scope"`)
	unavailable       = refusal(503, "unavailable", "", "Retry-After", "1")
	internal          = refusal(500, "internal", "")
)

func compare(t *testing.T, got, want sso.Denial) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %d %s %v %s\nwant %d %s %v %s", got.Status, got.Code, got.Header, got.Body, want.Status, want.Code, want.Header, want.Body)
	}
}

// evil is an error of other code whose methods match every class or panic.
type evil struct{ is, as, unwrap, text bool }

func (e *evil) Error() string {
	if e.text {
		panic("Error")
	}
	return "evil"
}

func (e *evil) Is(error) bool {
	if e.is {
		panic("Is")
	}
	return false
}

func (e *evil) As(any) bool {
	if e.as {
		panic("As")
	}
	return false
}

func (e *evil) Unwrap() error {
	if e.unwrap {
		panic("Unwrap")
	}
	return nil
}

func TestDenialOf_Classes(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want sso.Denial
	}{
		{"nothing", nil, internal},
		{"an unknown error", errors.New("the database password is hunter2"), internal},
		{"a context that ended", context.Canceled, internal},
		{"no token", sso.ErrNoToken, missingToken},
		{"no token, wrapped", fmt.Errorf("a: %w", fmt.Errorf("b: %w", sso.ErrNoToken)), missingToken},
		{"a malformed header", sso.ErrInvalidRequest, invalidRequest},
		{"a malformed header, wrapped", fmt.Errorf("a: %w", sso.ErrInvalidRequest), invalidRequest},
		{"an invalid token", sso.ErrInvalidToken, invalidToken},
		{"an invalid token with its reason", &sso.TokenError{Reason: sso.ReasonExpired, Err: errors.New("hunter2")}, invalidToken},
		{"an invalid token, wrapped", fmt.Errorf("a: %w", &sso.TokenError{}), invalidToken},
		{"access denied", sso.ErrAccessDenied, insufficientScope},
		{"access denied with its decision", &sso.AccessDeniedError{Decision: sso.Deny("hunter2", "hunter2").With(sso.Details{Scopes: []string{"orders:write"}})}, insufficientScope},
		{"unavailable", sso.ErrUnavailable, unavailable},
		{"unavailable, with a time", &sso.UnavailableError{RetryAfter: 7 * time.Second}, refusal(503, "unavailable", "", "Retry-After", "7")},
		{"unavailable, with a fraction of a second", &sso.UnavailableError{RetryAfter: 1100 * time.Millisecond}, refusal(503, "unavailable", "", "Retry-After", "2")},
		{"unavailable, for a nanosecond", &sso.UnavailableError{RetryAfter: 1}, unavailable},
		{"unavailable, with a negative time", &sso.UnavailableError{RetryAfter: -time.Hour}, unavailable},
		{"unavailable because of an invalid token elsewhere", &sso.UnavailableError{Err: sso.ErrInvalidToken}, unavailable},
		{"two errors joined, of which one has a class", errors.Join(errors.New("hunter2"), sso.ErrInvalidToken), invalidToken},
		{"a nil TokenError", (*sso.TokenError)(nil), invalidToken},
		{"a nil AccessDeniedError", (*sso.AccessDeniedError)(nil), insufficientScope},
		{"a nil UnavailableError", (*sso.UnavailableError)(nil), unavailable},
		{"an error whose Error panics", &evil{text: true}, internal},
		{"an error whose Is panics", &evil{is: true}, internal},
		{"an error whose As panics", &evil{as: true}, internal},
		{"an error whose Unwrap panics", &evil{unwrap: true}, internal},
		{"a nil error of another type", (*evil)(nil), internal},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := sso.DenialOf(test.err)
			if strings.HasPrefix(test.name, "a nil ") { // any refusal is correct, without a panic
				if got.Status != test.want.Status && got.Status != 500 {
					t.Errorf("got %d", got.Status)
				}
				return
			}
			compare(t, got, test.want)
			if text := fmt.Sprintf("%v %s", got.Header, got.Body); strings.Contains(text, "hunter2") {
				t.Errorf("the response contains the cause: %s", text)
			}
		})
	}
}

func TestDenialOf_Authenticator(t *testing.T) {
	down := func(c *sso.Config) { c.Keys = fails{errors.New("hunter2")} }
	failing := permit(func(context.Context, sso.Access) sso.Decision { return sso.Fail(errors.New("hunter2")) })
	for _, test := range []struct {
		name       string
		request    sso.Request
		permission sso.Permission
		change     func(*sso.Config)
		want       sso.Denial
		class      string
	}{
		{"no token", request{}, granting, nil, missingToken, "no token"},
		{"another scheme", request{"Basic YQ=="}, granting, nil, missingToken, "no token"},
		{"a raw token", request{token()}, granting, nil, missingToken, "no token"},
		{"two tokens", request{"Bearer a", "Bearer b"}, granting, nil, invalidRequest, "invalid request"},
		{"a malformed header", request{"Bearer"}, granting, nil, invalidRequest, "invalid request"},
		{"an invalid token", bearer("x"), granting, nil, invalidToken, "invalid token"},
		{"no permission", bearer(token()), denying, nil, insufficientScope, "access denied"},
		{"no keys", bearer(token()), granting, down, unavailable, "unavailable"},
		{"a permission that fails", bearer(token()), failing, nil, internal, "internal"},
		{"no permission at all", bearer(token()), nil, nil, internal, "internal"},
		{"no request", nil, granting, nil, internal, "internal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) {
				if test.change != nil {
					test.change(c)
				}
			})
			_, err := a.Authorize(t.Context(), test.request, test.permission)
			if class(err) != test.class {
				t.Fatalf("%s, want %s (%v)", class(err), test.class, err)
			}
			for _, err := range []error{err, fmt.Errorf("wrapped: %w", err)} {
				got := sso.DenialOf(err)
				if got.Header.Get("Retry-After") == "2" { // the cache spreads its second a little
					got.Header.Set("Retry-After", "1")
				}
				compare(t, got, test.want)
			}
		})
	}
	for name, a := range map[string]*sso.Authenticator{"a nil": nil, "a zero": {}} {
		t.Run(name+" authenticator", func(t *testing.T) {
			calls := map[string]func() error{
				"Authenticate": func() error { _, err := a.Authenticate(t.Context(), bearer(token())); return err },
				"Optional":     func() error { _, err := a.AuthenticateOptional(t.Context(), request{}); return err },
				"Authorize":    func() error { _, err := a.Authorize(t.Context(), bearer(token()), granting); return err },
				"ValidateToken": func() error {
					p, err := a.ValidateToken(t.Context(), token())
					if p != nil {
						t.Error("a principal")
					}
					return err
				},
				"Ready": func() error { return a.Ready(t.Context()) },
			}
			for what, call := range calls {
				err := call()
				if err == nil || class(err) != "internal" {
					t.Errorf("%s: %v", what, err)
				}
				compare(t, sso.DenialOf(err), internal)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if a.Status() != nil {
				t.Errorf("%+v", a.Status())
			}
		})
	}
}

func TestDenialOf_PermissionError(t *testing.T) {
	_, other := newAuth(t).ValidateToken(t.Context(), "x")
	for _, cause := range []error{
		errors.New("away"), sso.ErrNoToken, sso.ErrInvalidRequest, sso.ErrInvalidToken, sso.ErrAccessDenied, sso.ErrUnavailable,
		&sso.TokenError{Reason: sso.ReasonExpired}, &sso.AccessDeniedError{Decision: sso.Grant()}, &sso.UnavailableError{RetryAfter: time.Hour}, other,
		errors.Join(sso.ErrNoToken, other), context.DeadlineExceeded,
	} {
		t.Run(cause.Error(), func(t *testing.T) {
			var seen events
			var log lines
			a := newAuth(t, func(c *sso.Config) { c.Observe, c.Logger = seen.Observe, log.logger(slog.LevelDebug) })
			_, err := a.Authorize(t.Context(), bearer(token()), permit(func(context.Context, sso.Access) sso.Decision {
				return sso.Fail(fmt.Errorf("owner: %w", cause))
			}))
			compare(t, sso.DenialOf(err), internal)
			if !errors.Is(err, cause) {
				t.Errorf("%v does not hold its cause", err)
			}
			if last := seen.list[len(seen.list)-1]; last.Kind != sso.EventRefused || last.Code != sso.CodeInternal || last.Reason != sso.ReasonInternal {
				t.Errorf("observed %+v", last)
			}
			entries := slices.DeleteFunc(log.entries(t), func(e map[string]any) bool { return e["msg"] != "sso: refused" })
			entry := entries[len(entries)-1]
			if len(entries) != 1 || entry["level"] != "ERROR" || entry["reason"] != "internal" || !strings.Contains(fmt.Sprint(entry["decision"]), "failed: owner") {
				t.Errorf("logged %v", entries)
			}
		})
	}
}

func TestDenialOf_TellScopes(t *testing.T) {
	scopes := func(names ...string) sso.Permission {
		return permit(func(context.Context, sso.Access) sso.Decision {
			return sso.Deny("c", "r").With(sso.Details{Scopes: names})
		})
	}
	for _, test := range []struct {
		name string
		p    sso.Permission
		want string // of scope
	}{
		{"one", scopes("orders:write"), "orders:write"},
		{"two", scopes("orders:write", "orders:read"), "orders:write orders:read"},
		{"none", denying, ""},
		{"every character that a scope may have", scopes("!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"},
		{"one with a quote", scopes(`a", error="invalid_token`), ""},
		{"one with a backslash", scopes(`a\`), ""},
		{"one with a line break", scopes("a\r\nSet-Cookie: b=c"), ""},
		{"one with a NUL", scopes("a\x00"), ""},
		{"one with DEL", scopes("a\x7f"), ""},
		{"one beyond ASCII", scopes("é"), ""},
		{"one with a space", scopes("a b"), ""},
		{"an empty one", scopes(""), ""},
		{"valid ones among invalid ones", scopes("a", "b\"", "c"), "a c"},
		{"those of children, each once", permit(func(context.Context, sso.Access) sso.Decision {
			scopes := func(d sso.Decision, names ...string) sso.Decision { return d.With(sso.Details{Scopes: names}) }
			a, b := scopes(sso.Deny("c", "r"), "a", "b"), scopes(sso.Deny("c", "r"), "b", `"`, "c")
			return each(a, scopes(sso.Grant(), "granted"), each(b))
		}), "a b c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for enabled, scope := range map[bool]string{true: test.want, false: ""} {
				a := newAuth(t, func(c *sso.Config) { c.TellScopes = enabled })
				_, err := a.Authorize(t.Context(), bearer(token()), test.p)
				want := insufficientScope
				if scope != "" {
					want = refusal(403, "insufficient_scope", `Bearer error="insufficient_scope", scope="`+scope+`"`)
				}
				compare(t, sso.DenialOf(err), want)
			}
		})
	}
}

func TestConfig_Renderer(t *testing.T) {
	custom := sso.Denial{Status: 401, Code: "mine", Header: http.Header{"X-Mine": {"1"}}, Body: []byte("mine")}
	with := func(change func(*sso.Denial)) func(sso.Request, sso.Denial) sso.Denial {
		return func(sso.Request, sso.Denial) sso.Denial {
			d := custom
			d.Header = custom.Header.Clone()
			change(&d)
			return d
		}
	}
	drawn := func(status int, code, challenge string) sso.Denial {
		d := sso.Denial{Status: status, Code: code, Header: http.Header{"X-Mine": {"1"}, "Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("mine")}
		if challenge != "" {
			d.Header.Set("WWW-Authenticate", challenge)
		}
		return d
	}
	for _, test := range []struct {
		name     string
		renderer func(sso.Request, sso.Denial) sso.Denial
		request  request
		want     sso.Denial
		logs     bool
	}{
		{"none", nil, bearer("x"), invalidToken, false},
		{"one that returns what it is given", func(_ sso.Request, d sso.Denial) sso.Denial { return d }, bearer("x"), invalidToken, false},
		{"a body of its own", func(_ sso.Request, d sso.Denial) sso.Denial { d.Body = []byte("mine"); return d }, request{}, func() sso.Denial {
			d := missingToken
			d.Body = []byte("mine")
			return d
		}(), false},
		{"a challenge that was dropped comes back", with(func(*sso.Denial) {}), bearer("x"), drawn(401, "invalid_token", `Bearer error="invalid_token"`), false},
		{"a challenge of its own stays", with(func(d *sso.Denial) { d.Header.Set("WWW-Authenticate", "Mine") }), bearer("x"), drawn(401, "invalid_token", "Mine"), false},
		{"no header at all", with(func(d *sso.Denial) { d.Header = nil }), request{}, sso.Denial{
			Status: 401, Code: "missing_token", Header: http.Header{"Www-Authenticate": {"Bearer"}, "Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("mine"),
		}, false},
		{"fields that servers would send differently", with(func(d *sso.Denial) {
			d.Header["Evil: 1\r\nSet-Cookie"] = []string{"a"}
			d.Header["X-Split"] = []string{"1\r\nSet-Cookie: a"}
			d.Header["content-length"] = []string{"3"}
		}), bearer("x"), drawn(401, "invalid_token", `Bearer error="invalid_token"`), false},
		{"another status", with(func(d *sso.Denial) { d.Status = 403 }), bearer("x"), drawn(403, "invalid_token", ""), false},
		{"a redirect", with(func(d *sso.Denial) { d.Status = 302 }), bearer("x"), drawn(302, "invalid_token", ""), false},
		{"the smallest valid status", with(func(d *sso.Denial) { d.Status = 300 }), bearer("x"), drawn(300, "invalid_token", ""), false},
		{"the greatest", with(func(d *sso.Denial) { d.Status = 599 }), bearer("x"), drawn(599, "invalid_token", ""), false},
		{"no body, which needs no type", with(func(d *sso.Denial) { d.Status, d.Body = 302, nil }), bearer("x"), sso.Denial{Status: 302, Code: "invalid_token", Header: http.Header{"X-Mine": {"1"}}}, false},
		{"many fields that no server sends", with(func(d *sso.Denial) {
			for i := range 500 {
				d.Header[fmt.Sprintf("X-\x7f%d", i)] = []string{"1"}
			}
		}), bearer("x"), drawn(401, "invalid_token", `Bearer error="invalid_token"`), false},
		{"a 403 turned into 401 has a challenge", with(func(*sso.Denial) {}), bearer(token()), drawn(401, "insufficient_scope", `Bearer error="insufficient_scope"`), false},
		{"200", with(func(d *sso.Denial) { d.Status = 200 }), bearer("x"), invalidToken, true},
		{"204", with(func(d *sso.Denial) { d.Status = 204 }), bearer("x"), invalidToken, true},
		{"101", with(func(d *sso.Denial) { d.Status = 101 }), bearer("x"), invalidToken, true},
		{"299", with(func(d *sso.Denial) { d.Status = 299 }), bearer("x"), invalidToken, true},
		{"0, which servers take for 200", with(func(d *sso.Denial) { d.Status = 0 }), bearer("x"), invalidToken, true},
		{"a negative status", with(func(d *sso.Denial) { d.Status = -1 }), bearer("x"), invalidToken, true},
		{"600", with(func(d *sso.Denial) { d.Status = 600 }), bearer("x"), invalidToken, true},
		{"the zero Denial", func(sso.Request, sso.Denial) sso.Denial { return sso.Denial{} }, request{}, missingToken, true},
		{"a panic", func(sso.Request, sso.Denial) sso.Denial { panic("at the disco") }, request{"a", "b"}, invalidRequest, true},
		{"a panic after it changed what it was given", func(_ sso.Request, d sso.Denial) sso.Denial {
			clear(d.Header)
			clear(d.Body)
			panic("at the disco")
		}, bearer("x"), invalidToken, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log lines
			a := newAuth(t, func(c *sso.Config) { c.Renderer, c.Logger = test.renderer, log.logger(slog.LevelError) })
			_, err := a.Authorize(t.Context(), test.request, denying)
			compare(t, sso.DenialOf(err), test.want)
			if entries := log.entries(t); len(entries) > 1 || (len(entries) == 1) != test.logs || test.logs && !strings.Contains(strings.ToLower(log.String()), "renderer") {
				t.Errorf("the log is %q", log.String())
			}
		})
	}
	t.Run("a 503 turned into 401 has a challenge", func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) {
			c.Keys, c.Renderer = fails{errors.New("away")}, with(func(*sso.Denial) {})
		})
		_, err := a.Authenticate(t.Context(), bearer(token()))
		compare(t, sso.DenialOf(err), drawn(401, "unavailable", `Bearer`))
	})
	t.Run("arguments are the request and the default denial", func(t *testing.T) {
		calls := 0
		a := newAuth(t, func(c *sso.Config) {
			c.Renderer = func(r sso.Request, d sso.Denial) sso.Denial {
				calls++
				if r.Pattern() != "/orders/{id}" {
					t.Errorf("the pattern is %q", r.Pattern())
				}
				compare(t, d, missingToken)
				return d
			}
		})
		for _, call := range []func(context.Context, sso.Request) (context.Context, error){
			a.Authenticate, func(ctx context.Context, r sso.Request) (context.Context, error) {
				return a.Authorize(ctx, r, granting)
			},
		} {
			if _, err := call(t.Context(), request{}); err == nil {
				t.Error("accepted")
			}
		}
		if calls != 2 {
			t.Errorf("called %d times", calls)
		}
	})
	t.Run("what it returns may be shared between requests", func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) { c.Renderer = func(sso.Request, sso.Denial) sso.Denial { return custom } })
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 50 {
					_, err := a.Authenticate(context.Background(), bearer("x"))
					sso.DenialOf(err).Header.Set("X-Other", "2")
				}
			})
		}
		group.Wait()
		if len(custom.Header) != 1 || string(custom.Body) != "mine" {
			t.Errorf("the shared denial was changed: %v", custom)
		}
	})
}

func TestDenialOf_Copy(t *testing.T) {
	_, err := newAuth(t).Authenticate(t.Context(), bearer("x"))
	d := sso.DenialOf(err)
	clear(d.Body)
	d.Header.Set("WWW-Authenticate", "changed")
	compare(t, sso.DenialOf(err), invalidToken)
	compare(t, sso.DenialOf(sso.ErrInvalidToken), invalidToken)

	_, err = newAuth(t).Authenticate(t.Context(), request{}) // has its response in the error
	d = sso.DenialOf(err)
	clear(d.Body)
	d.Header.Set("WWW-Authenticate", "changed")
	compare(t, sso.DenialOf(err), missingToken)
}

func TestDenial_Write(t *testing.T) {
	w := httptest.NewRecorder()
	sso.DenialOf(sso.ErrNoToken).Write(w)
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" || w.Header().Get("Content-Type") != "application/problem+json" || w.Body.String() != string(missingToken.Body) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
