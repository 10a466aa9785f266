package sso_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestDecision(t *testing.T) {
	claims := validated(t, token("x", `"hunter2"`, "null", `null`, "list", `["hunter2"]`))
	found, null, list := claims.Claim("x"), claims.Claim("null"), claims.Claim("list")
	whole := func(d sso.Decision) sso.Decision {
		return d.With(sso.Details{Path: "a.b", Wanted: `"admin"`, Found: found, Scopes: []string{"s"}, Parts: []sso.Decision{sso.Grant(), sso.Deny("inner", "do this")}})
	}
	for _, test := range []struct {
		name    string
		d       sso.Decision
		granted bool
		err     string
		code    string
		explain string
	}{
		{"the zero value", sso.Decision{}, false, "", "", "denied"},
		{"a grant", sso.Grant(), true, "", "", "granted"},
		{"a denial", sso.Deny("c", "do that"), false, "", "c", "denied: c; do that"},
		{"a failure", sso.Fail(fmt.Errorf("away")), false, "away", "failed", "failed: away"},
		{"a failure without error", sso.Fail(nil), false, "sso: the permission failed without an error", "failed", "failed: sso: the permission failed without an error"},
		{"a denial that found nothing", sso.Deny("c", "r").With(sso.Details{Path: "p", Wanted: "w", Found: sso.Value{}}), false, "", "c", "denied: c at p, wanted w, found nothing; r"},
		{"a denial that found null", sso.Deny("c", "r").With(sso.Details{Path: "p", Wanted: "w", Found: null}), false, "", "c", "denied: c at p, wanted w, found null; r"},
		{"a denial that found a list", sso.Deny("c", "r").With(sso.Details{Path: "p", Wanted: "w", Found: list}), false, "", "c", "denied: c at p, wanted w, found an array; r"},
		{"the cheapest of alternatives", oneOf(each(sso.Deny("b", "y"), sso.Deny("b", "z")), sso.Deny("d", "w")), false, "", "c", "denied: c; r\n  denied: d; w\n  (1 alternative needs more)"},
		{"the cheapest of many alternatives, one of which has alternatives", oneOf(
			each(sso.Deny("b", "y"), sso.Deny("b", "z")), sso.Fail(fmt.Errorf("away")), oneOf(sso.Deny("e", "v"), sso.Deny("f", "u")),
		), false, "", "c", "denied: c; r\n  denied: c; r\n    denied: e; v\n    denied: f; u\n  (2 alternatives need more)"},
		{"alternatives of which one needs no more than the other", oneOf(each(sso.Grant(), sso.Deny("b", "y")), sso.Deny("d", "w")), false, "", "c", "denied: c; r\n  denied: c; r\n    granted\n    denied: b; y\n  denied: d; w"},
		{"the zero value with everything", whole(sso.Decision{}), false, "", "", "denied at a.b, wanted \"admin\", found another string\n  granted\n  denied: inner; do this"},
		{"a grant with everything", whole(sso.Grant()), true, "", "", "granted at a.b, wanted \"admin\", found another string\n  granted\n  denied: inner; do this"},
		{"a denial with everything", whole(sso.Deny("c", "do that")), false, "", "c", "denied: c at a.b, wanted \"admin\", found another string; do that\n  granted\n  denied: inner; do this"},
		{"a failure with everything", whole(sso.Fail(fmt.Errorf("away"))), false, "away", "failed", "failed: away at a.b, wanted \"admin\", found another string\n  granted\n  denied: inner; do this"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := ""
			if err := test.d.Err(); err != nil {
				text = err.Error()
			}
			if test.d.Granted() != test.granted || text != test.err || test.d.Code() != test.code {
				t.Errorf("granted %t, error %q, code %q", test.d.Granted(), text, test.d.Code())
			}
			if got := test.d.Explain(); got != test.explain {
				t.Errorf("explained as\n%s\nwant\n%s", got, test.explain)
			}
		})
	}
	t.Run("With and Details copy", func(t *testing.T) {
		d := sso.Deny("c", "r")
		parts, scopes, values := []sso.Decision{sso.Deny("x", "y")}, []string{"a"}, []string{"gold"}
		with := d.With(sso.Details{Path: "p", Wanted: "w", Found: found, Scopes: scopes, ACRValues: values, Parts: parts})
		for range 2 { // changes to the argument, then to the result
			parts[0], scopes[0], values[0] = sso.Grant(), "b", "tin"
			got := with.Details()
			if got.Path != "p" || got.Wanted != "w" || got.Parts[0].Code() != "x" || got.Scopes[0] != "a" || got.ACRValues[0] != "gold" || with.Remedy() != "r" {
				t.Errorf("%+v", got)
			}
			if text, _ := got.Found.Text(); text != "hunter2" {
				t.Errorf("found %q", text)
			}
			parts, scopes, values = got.Parts, got.Scopes, got.ACRValues
		}
		if got := d.Details(); got.Path != "" || got.Parts != nil {
			t.Errorf("With changed the original: %+v", got)
		}
	})
}

// each returns a denial that needs every part, and oneOf one that needs one of them.
func each(parts ...sso.Decision) sso.Decision {
	return sso.Deny("c", "r").With(sso.Details{Parts: parts})
}

func oneOf(parts ...sso.Decision) sso.Decision {
	return sso.Deny("c", "r").With(sso.Details{Parts: parts, OneSuffices: true})
}

// answering is a permission with a fixed decision.
func answering(d sso.Decision) sso.Permission {
	return permit(func(context.Context, sso.Access) sso.Decision { return d })
}

func TestDecision_StepUp(t *testing.T) {
	login := func(maxAge time.Duration, values ...string) sso.Decision {
		return sso.Deny("login", "sign in").With(sso.Details{ACRValues: values, MaxAge: maxAge})
	}
	plain := sso.Deny("c", "r").With(sso.Details{Scopes: []string{"s"}})
	const challenge = `Bearer error="insufficient_user_authentication"`
	for _, test := range []struct {
		name     string
		decision sso.Decision
		want     string // empty: 403
	}{
		{"a fresh one", login(5 * time.Minute), challenge + `, max_age="300"`},
		{"parts of seconds, rounded down", login(1999 * time.Millisecond), challenge + `, max_age="1"`},
		{"a strong one", login(0, "gold", "silver"), challenge + `, acr_values="gold silver"`},
		{"one that is both", login(time.Minute, "gold"), challenge + `, acr_values="gold", max_age="60"`},
		{"values that would break the challenge are left out", login(0, `a"b`, "a b", "é", "a\r\nb", "gold"), challenge + `, acr_values="gold"`},
		{"an empty requirement", login(0), ""},
		{"several are made one", each(login(time.Hour, "a", "b"), login(time.Minute, "b", "c")), challenge + `, acr_values="b", max_age="60"`},
		{"of two ages the lesser counts", each(login(time.Minute), login(time.Hour)), challenge + `, max_age="60"`},
		{"an age and a strength, of one each", each(login(time.Hour), login(0, "gold")), challenge + `, acr_values="gold", max_age="3600"`},
		{"a strength and an age, of one each", each(login(0, "gold"), login(time.Hour)), challenge + `, acr_values="gold", max_age="3600"`},
		{"beside what is granted", each(sso.Grant(), login(time.Hour)), challenge + `, max_age="3600"`},
		{"no login has two strengths", each(login(0, "gold"), login(0, "silver")), ""},
		{"no login has two strengths, however fresh", each(login(time.Hour, "gold"), login(time.Hour, "silver"), login(time.Minute)), ""},
		{"what else is missing makes it 403", each(login(time.Hour), plain), ""},
		{"a failure beside makes it 403", each(login(time.Hour), sso.Fail(errors.New("x"))), ""},
		{"an alternative is enough", oneOf(plain, login(time.Hour)), challenge + `, max_age="3600"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log lines
			var seen events
			a := newAuth(t, func(c *sso.Config) {
				c.TellScopes, c.Logger, c.Observe = true, log.logger(slog.LevelInfo), seen.Observe
			})
			_, err := a.Authorize(t.Context(), bearer(token()), answering(test.decision))
			if !errors.Is(err, sso.ErrAccessDenied) {
				t.Fatal(err)
			}
			d := sso.DenialOf(err)
			if test.want == "" {
				if d.Status != 403 || d.Code != sso.CodeInsufficientScope {
					t.Errorf("%d %s", d.Status, d.Code)
				}
				return
			}
			compare(t, d, refusal(401, "insufficient_user_authentication", test.want))
			entry := log.entries(t)[1] // after the line about the keys
			if entry["reason"] != string(sso.ReasonWeakLogin) || entry["code"] != sso.CodeInsufficientUserAuthentication {
				t.Errorf("logged %v", entry)
			}
		})
	}
}

func TestDecision_StepUpOnlyForDenials(t *testing.T) {
	wanted := sso.Details{MaxAge: time.Hour}
	for name, test := range map[string]struct {
		d    sso.Decision
		want int
	}{
		"a failure":                    {sso.Fail(errors.New("away")).With(wanted), 403},
		"the zero Decision":            {sso.Decision{}, 403},
		"the zero Decision with login": {sso.Decision{}.With(wanted), 401},
	} {
		if got := sso.DenialOf(&sso.AccessDeniedError{Decision: test.d}).Status; got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	d := sso.Deny("c", "r").With(sso.Details{ACRValues: []string{`a"b`, "gold"}})
	for range 2 { // drawing a denial does not change the decision
		if got := sso.DenialOf(&sso.AccessDeniedError{Decision: d}).Header.Get("WWW-Authenticate"); !strings.HasSuffix(got, `acr_values="gold"`) {
			t.Error(got)
		}
	}
	if got := d.Details().ACRValues; len(got) != 2 || got[0] != `a"b` {
		t.Errorf("%q", got)
	}
}

func TestDecision_ScopesOfOneAlternative(t *testing.T) {
	scopes := func(names ...string) sso.Decision { return sso.Deny("c", "r").With(sso.Details{Scopes: names}) }
	for want, d := range map[string]sso.Decision{
		"a":   oneOf(scopes("a"), scopes("b")),
		"b":   oneOf(each(scopes("a"), scopes("x")), scopes("b")),
		"c":   oneOf(sso.Deny("c", "r"), scopes("c")),
		"d e": each(oneOf(scopes("d"), scopes("x")), scopes("e")),
	} {
		_, err := newAuth(t, func(c *sso.Config) { c.TellScopes = true }).Authorize(t.Context(), bearer(token()), answering(d))
		if got := sso.DenialOf(err).Header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_scope", scope="`+want+`"` {
			t.Errorf("%s, want the scope %s", got, want)
		}
	}
}
