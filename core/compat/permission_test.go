package compat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// principals returns a function for principals with these claims besides the usual ones, in a service that
// is configured as more-sso-auth is.
func principals(t *testing.T) func(claims map[string]json.RawMessage) *sso.Principal {
	t.Helper()
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	cfg := issuer.Config("api")
	cfg.Wildcard = true
	issuer.Authenticator(cfg)
	return func(claims map[string]json.RawMessage) *sso.Principal {
		var opts []devissuer.TokenOption
		for name, value := range claims {
			opts = append(opts, devissuer.Claim(name, value))
		}
		return issuer.Principal(opts...)
	}
}

func check(t *testing.T, p sso.Permission, who *sso.Principal) sso.Decision {
	t.Helper()
	return sso.Check(t.Context(), p, sso.NewAccess(who, nil))
}

// TestVectors compares with what more-sso-auth's default check answered when it was run. A vector
// for which the answers differ says why.
func TestVectors(t *testing.T) {
	principal := principals(t)
	text, err := os.ReadFile("testdata/permission_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID              int
			Claims          map[string]json.RawMessage
			Permission      string // null: empty
			Value           json.RawMessage
			Allowed         *bool  // null: refused when the permission is built
			AllowedByPython bool   `json:"allowed_by_python"`
			DiffersBecause  string `json:"differs_because"`
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 65 {
		t.Fatalf("%d cases, want 65", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(fmt.Sprintf("case %d", c.ID), func(t *testing.T) {
			build := func() sso.Permission { return permission.Has(c.Permission) }
			if c.Value != nil {
				var value any
				decoder := json.NewDecoder(bytes.NewReader(c.Value))
				decoder.UseNumber()
				if err := decoder.Decode(&value); err != nil {
					t.Fatal(err)
				}
				build = func() sso.Permission { return permission.Is(c.Permission, value) }
			}
			if c.Allowed == nil {
				defer func() {
					if recover() == nil {
						t.Errorf("no panic, although %s", c.DiffersBecause)
					}
				}()
				build()
				return
			}
			if *c.Allowed != c.AllowedByPython && c.DiffersBecause == "" {
				t.Error("the vector does not say why the answers differ")
			}
			who := principal(c.Claims)
			p := build()
			if d := check(t, p, who); d.Granted() != *c.Allowed || d.Err() != nil {
				t.Errorf("%v on %s: %s, want allowed %t", p, c.Claims, d.Explain(), *c.Allowed)
			}
			if c.Value == nil {
				if d := check(t, compat.Truthy(c.Permission), who); d.Granted() != c.AllowedByPython {
					t.Errorf("Truthy on %s: %s, more-sso-auth's answer is %t", c.Claims, d.Explain(), c.AllowedByPython)
				}
			}
		})
	}
}

func TestTruthy(t *testing.T) {
	principal := principals(t)
	for _, test := range []struct {
		found string // empty: nothing
		want  bool
	}{
		{``, false},
		{`null`, false},
		{`true`, true},
		{`false`, false},
		{`0`, false},
		{`-0`, false},
		{`0.0e5`, false},
		{`1e-400`, false}, // Python's float is 0.0
		{`1e-99999999999`, false},
		{`1`, true},
		{`0.1`, true},
		{`1e400`, true}, // Python's float is inf
		{`""`, false},
		{`"*"`, true},
		{`"true"`, true},
		{`"false"`, true},
		{`"0"`, true},
		{`[]`, false},
		{`[true]`, false},
		{`["*"]`, false},
		{`{}`, false},
		{`{"a":false}`, true},
	} {
		t.Run("on "+test.found, func(t *testing.T) {
			claims := `{"a":{"p":` + test.found + `}}`
			if test.found == "" {
				claims = `{}`
			}
			who := principal(map[string]json.RawMessage{"permissions": json.RawMessage(claims)})
			d := check(t, compat.Truthy("a.p"), who)
			if d.Granted() != test.want || d.Err() != nil {
				t.Error(d.Explain())
			}
			if check(t, permission.Has("a.p"), who).Granted() && !test.want {
				t.Error("Has grants and Truthy does not")
			}
			if !test.want && (d.Code() == "" || d.Details().Path != "a.p") {
				t.Errorf("code %q at %q", d.Code(), d.Details().Path)
			}
		})
	}
	t.Run("without a principal", func(t *testing.T) {
		for _, empty := range []*sso.Principal{nil, {}} {
			if d := check(t, compat.Truthy("p"), empty); d.Granted() || d.Explain() != "denied: missing at p, wanted true, found nothing; the token's permissions (absent) need true at p" {
				t.Error(d.Explain())
			}
		}
	})
	t.Run("in a route", func(t *testing.T) {
		p := permission.ForRoute(compat.Truthy("a.p"), permission.Not(permission.Has("suspended")))
		if request, clock := permission.Reads(p); request || clock {
			t.Errorf("reads the request %t, the clock %t", request, clock)
		}
		if got := permission.Describe(p); got != `(truthy("a.p") && !has("suspended"))` {
			t.Error(got)
		}
	})
	t.Run("without a path", func(t *testing.T) {
		defer func() {
			if got := recover(); got != "compat: Truthy with an empty path" {
				t.Error(got)
			}
		}()
		compat.Truthy("")
	})
}
