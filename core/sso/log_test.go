package sso_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// leak returns a part of the token that text contains, or "". A part is a whole segment, or 29
// consecutive characters of the payload or signature.
func leak(text, token string) string {
	for i, segment := range strings.Split(token, ".") {
		if len(segment) >= 8 && strings.Contains(text, segment) {
			return segment
		}
		if i == 0 {
			continue
		}
		for at := 0; at+20 <= min(len(segment), 2000); at += 10 {
			if strings.Contains(text, segment[at:at+20]) {
				return segment[at : at+20]
			}
		}
	}
	return ""
}

func TestLog_NoToken(t *testing.T) {
	tokens := map[string]string{"not a token": "swordfish-swordfish"}
	for _, invalid := range invalidTokens() {
		tokens[invalid.name] = invalid.token
	}
	for _, valid := range validTokens() { // refused without the permission, or without keys
		tokens[valid.name] = valid.token
	}
	for name, token := range tokens {
		t.Run(name, func(t *testing.T) {
			var json, text lines
			var output strings.Builder
			observe := func(e sso.Event) { fmt.Fprintf(&output, "%+v\n", e) }
			hear := func(err error) {
				if err == nil {
					return
				}
				fmt.Fprintf(&output, "%v %+v %#v\n", err, err, err)
				for e := err; e != nil; e = errors.Unwrap(e) {
					fmt.Fprintf(&output, "%v %+v %q\n", e, e, e)
				}
				d := sso.DenialOf(err)
				fmt.Fprintf(&output, "%v %s\n", d, d.Body)
				if denied, ok := errors.AsType[*sso.AccessDeniedError](err); ok {
					fmt.Fprintln(&output, denied.Decision.Explain())
				}
			}
			for _, change := range []func(*sso.Config){
				func(c *sso.Config) { c.Logger = json.logger(slog.LevelDebug - 4) },
				func(c *sso.Config) {
					c.Logger = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
					c.Keys = fails{errors.New("away")}
				},
			} {
				a := newAuth(t, change, func(c *sso.Config) { c.Observe, c.TellScopes = observe, true })
				_, err := a.ValidateToken(t.Context(), token)
				hear(err)
				for _, r := range []request{bearer(token), {"Bearer\t" + token}, {token}, {"Basic " + token}, {"Bearer " + token, "Bearer " + token}, {"Bearer=" + token}} {
					_, err := a.Authenticate(t.Context(), r)
					hear(err)
					_, err = a.AuthenticateOptional(t.Context(), r)
					hear(err)
					for _, p := range []sso.Permission{denying, nil, permit(func(context.Context, sso.Access) sso.Decision { panic("no") })} {
						_, err = a.Authorize(t.Context(), r, p)
						hear(err)
					}
				}
			}
			if json.String() == "" || text.String() == "" || output.String() == "" {
				t.Fatal("no output")
			}
			for where, text := range map[string]string{"the JSON log": json.String(), "the text log": text.String(), "an error, event or answer": output.String()} {
				if part := leak(text, token); part != "" {
					t.Errorf("%s holds %q", where, part)
				}
				if strings.Contains(text, "Bearer=") || strings.Contains(strings.ToLower(text), "bearer ey") {
					t.Errorf("%s holds the header:\n%s", where, text)
				}
			}
		})
	}
}

func TestLog_Reason(t *testing.T) {
	for _, test := range []struct {
		name         string
		request      request
		permission   sso.Permission
		change       func(*sso.Config)
		level        string
		code, reason string
		status       int
		also         map[string]string // attributes and what is in them
	}{
		{"no token", request{}, granting, nil, "INFO", "missing_token", "missing_token", 401, nil},
		{"two headers", request{"a", "b"}, granting, nil, "INFO", "invalid_request", "bad_credentials", 400, map[string]string{"error": "2 values of Authorization"}},
		{"an expired token", bearer(token("exp", seconds(-time.Hour))), granting, nil, "INFO", "invalid_token", "expired", 401, map[string]string{"error": "2030-01-02T02:04:05Z, 1h0m0s ago"}},
		{"another audience", bearer(token("aud", `"other"`)), granting, nil, "INFO", "invalid_token", "wrong_audience", 401, map[string]string{"error": `aud: got ["other"], want one of ["api"]`}},
		{"another issuer", bearer(token("iss", `"other"`)), granting, nil, "INFO", "invalid_token", "wrong_issuer", 401, map[string]string{"error": `iss: got "other", want "https://issuer.example"`}},
		{"an unknown key", bearer(signed(ada, headerWith("kid", `"eve"`), claimsWith())), granting, nil, "INFO", "invalid_token", "unknown_key", 401, map[string]string{"error": `"eve"`}},
		{"no permission", bearer(token()), denying, nil, "INFO", "insufficient_scope", "access_denied", 403, map[string]string{"principal": "subject:ada", "error": "say please", "decision": "denied: no; say please"}},
		{"no keys", bearer(token()), granting, func(c *sso.Config) { c.Keys = fails{errors.New("away")} }, "WARN", "unavailable", "keys_unavailable", 503, map[string]string{"error": "away"}},
		{"a permission that fails", bearer(token()), permit(func(context.Context, sso.Access) sso.Decision { return sso.Fail(errors.New("no database")) }), nil, "ERROR", "internal", "internal", 500, map[string]string{"error": "no database", "principal": "subject:ada", "decision": "failed: no database"}},
		{"a permission that panics", bearer(token()), permit(func(context.Context, sso.Access) sso.Decision { panic("no luck") }), nil, "ERROR", "internal", "internal", 500, map[string]string{"error": "no luck"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
				var log lines
				var seen events
				a := newAuth(t, func(c *sso.Config) {
					c.Logger, c.Observe = log.logger(level), seen.Observe
					if test.change != nil {
						test.change(c)
					}
				})
				_, err := a.Authorize(t.Context(), test.request, test.permission)
				entries := slices.DeleteFunc(log.entries(t), func(e map[string]any) bool { return e["msg"] != "sso: refused" })
				if len(entries) != 1 {
					t.Fatalf("%d refusals in the log:\n%s", len(entries), log.String())
				}
				entry := entries[0]
				for name, want := range map[string]any{
					"level": test.level, "code": test.code, "reason": test.reason, "status": float64(test.status), "method": "GET", "pattern": "/orders/{id}",
				} {
					if entry[name] != want {
						t.Errorf("%s is %v, want %v", name, entry[name], want)
					}
				}
				for name, want := range test.also {
					if name == "decision" && level > slog.LevelDebug {
						if entry[name] != nil {
							t.Errorf("the decision is logged at %v", level)
						}
						continue
					}
					if got := fmt.Sprint(entry[name]); !strings.Contains(got, want) {
						t.Errorf("%s is %q, which lacks %q", name, got, want)
					}
				}
				event := seen.list[len(seen.list)-1]
				if event.Kind != sso.EventRefused || event.Code != test.code || string(event.Reason) != test.reason || event.Err == nil || !errors.Is(err, event.Err) {
					t.Errorf("observed %+v", event)
				}
			}
		})
	}
}

func TestLog_LineBreaks(t *testing.T) {
	const forged = "\nlevel=ERROR msg=forged"
	for name, token := range map[string]string{
		"in kid":                       signed(ada, headerWith("kid", `"x\nlevel=ERROR msg=forged"`), claimsWith()),
		"in alg":                       signed(ada, headerWith("alg", `"x\nlevel=ERROR msg=forged"`), claimsWith()),
		"in typ":                       signed(ada, headerWith("typ", `"x\nlevel=ERROR msg=forged"`), claimsWith()),
		"in iss":                       token("iss", `"x\nlevel=ERROR msg=forged"`),
		"in aud":                       token("aud", `"x\nlevel=ERROR msg=forged"`),
		"between the elements of aud":  token("aud", "[\"x\",\nlevel=ERROR msg=forged\n\"y\"]"),
		"as white space between aud's": token("aud", "[\"x\",\n\"level=ERROR msg=forged\"]"),
		"in a member's name":           token("x\nlevel=ERROR msg=forged", `1`, "aud", `1`),
	} {
		t.Run(name, func(t *testing.T) {
			var log lines
			a := newAuth(t, func(c *sso.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			_, err := a.ValidateToken(t.Context(), token)
			if err == nil {
				t.Fatal("accepted")
			}
			if text := err.Error(); strings.ContainsAny(text, "\r\n") || strings.Contains(log.String(), forged) {
				t.Errorf("error %q, log %q", text, log.String())
			}
		})
	}
}

func TestTokenError_Texts(t *testing.T) {
	most, more := "https://"+strings.Repeat("x", 192), "https://"+strings.Repeat("x", 193)
	for _, test := range []struct{ name, token, want string }{
		{"no end", token("exp", ""), "missing_expiry: exp: missing"},
		{"an algorithm without a name", signed(ada, headerWith("alg", `""`), claimsWith()), `algorithm: alg: got "", want one of ["EdDSA"]`},
		{"an algorithm that is not a string", signed(ada, headerWith("alg", "1"), claimsWith()), "algorithm: alg: missing, or not a string"},
		{"a key without a name", signed(ada, headerWith("kid", `""`, "alg", `"RS256"`), claimsWith()), `algorithm: alg: got "RS256", want one of ["EdDSA"]`},
		{"an issuer of as many bytes as are logged", token("iss", `"`+most+`"`), `wrong_issuer: iss: got "` + most + `", want "` + issuerID + `"`},
		{"an issuer of more bytes", token("iss", `"`+more+`"`), `wrong_issuer: iss: got "` + most + `…", want "` + issuerID + `"`},
		{"several audiences", token("aud", `["a","b c"]`), `wrong_audience: aud: got ["a" "b c"], want one of ["api"]`},
	} {
		if _, err := newAuth(t).ValidateToken(t.Context(), test.token); err == nil || err.Error() != "sso: invalid token: "+test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, test := range []struct {
		name    string
		request request
		want    string
	}{
		{"the scheme alone", request{"Bearer"}, "sso: malformed credentials: the scheme Bearer without a token"},
		{"another scheme", request{"Basic eA=="}, "sso: no bearer token: credentials of another scheme, or a token without one"},
		{"an empty field", request{""}, "sso: no bearer token"},
		{"a colon after the scheme", request{"Bearer:x"}, "sso: malformed credentials: no space after the scheme Bearer"},
	} {
		if _, err := newAuth(t).Authenticate(t.Context(), test.request); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestLog_Principal(t *testing.T) {
	for token, want := range map[string]bool{token(): true, token("exp", "1"): false} {
		var log lines
		_, _ = newAuth(t, func(c *sso.Config) { c.Logger = log.logger(slog.LevelInfo) }).Authorize(t.Context(), bearer(token), denying)
		if _, ok := entry(t, &log)["principal"]; ok != want {
			t.Errorf("%t: %s", want, log.String())
		}
	}
}

func TestLog_CrossOrigin(t *testing.T) {
	var log lines
	a := newAuth(t, func(c *sso.Config) { c.Logger = log.logger(slog.LevelInfo) }).TokenFrom(sso.TokenFromCookie(hostCookie))
	r := targeted{sent{"POST", http.Header{"Cookie": {hostCookie + "=" + token()}, "Sec-Fetch-Site": {"cross-site"}}}, "h", "/"}
	_, _ = a.Authenticate(t.Context(), r)
	if got := entry(t, &log); got["reason"] != string(sso.ReasonCrossOrigin) || got["code"] != sso.CodeCrossOrigin {
		t.Errorf("%v", got)
	}
}

func TestLog_PermissionNamesBound(t *testing.T) {
	children := make([]sso.Permission, 9)
	for i := range children {
		children[i] = numbered{denying, i}
	}
	var log lines
	a := newAuth(t, func(c *sso.Config) { c.Logger = log.logger(slog.LevelInfo) })
	_, _ = a.Authorize(t.Context(), bearer(token()), permission.All(children...))
	if got := entry(t, &log)["permission"]; got != "own 0, own 1, own 2, own 3, own 4, own 5, own 6, own 7" {
		t.Error(got)
	}
}

// numbered is a permission of the service's own, one of several.
type numbered struct {
	permit
	n int
}

func (n numbered) String() string { return fmt.Sprint("own ", n.n) }

func TestLog_Bound(t *testing.T) {
	long := `"` + strings.Repeat("é", 3000) + `"`
	for name, token := range map[string]string{
		"alg": signed(ada, headerWith("alg", `"`+strings.Repeat("é", 1500)+`"`), claimsWith()), "typ": signed(ada, headerWith("typ", `"`+strings.Repeat("é", 1500)+`"`), claimsWith()),
		"kid": signed(ada, headerWith("kid", `"`+strings.Repeat("é", 128)+`"`), claimsWith()), "iss": token("iss", long), "aud": token("aud", long),
		"aud, in many pieces": token("aud", `["`+strings.Repeat(`é","`, 50)+`"]`), "nbf": token("nbf", "1"+strings.Repeat("0", 5000)),
	} {
		if _, err := newAuth(t).ValidateToken(t.Context(), token); class(err) != "invalid token" || len(err.Error()) > 1200 {
			t.Errorf("%s: %s, %.2000v", name, class(err), err)
		}
	}
	t.Run("iss from discovery", func(t *testing.T) {
		issuer, a, _ := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI, c.Issuer = i.DiscoveryURL(), "" })
		_, err := a.ValidateToken(t.Context(), issuer.MustToken(devissuer.IssuedBy("https://"+strings.Repeat("x", 5000))))
		if reasonIn(err) != sso.ReasonWrongIssuer || len(err.Error()) > 500 {
			t.Errorf("%s, %.1000v", class(err), err)
		}
	})
}

func TestConfig_NoObserver(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	defer slog.SetDefault(before)
	source, err := keys.Static(keys.Key{Public: ada.Public()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := sso.New(sso.Config{Keys: source, Audience: []string{"api"}, Issuer: issuerID, Algorithms: []string{"EdDSA"}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if _, err := a.ValidateToken(t.Context(), token("iat", fmt.Sprint(now.Unix()), "exp", fmt.Sprint(now.Add(time.Minute).Unix()))); err != nil {
		t.Errorf("by the machine's own clock: %v", err)
	}
	if _, err := a.ValidateToken(t.Context(), token("iat", "1", "exp", fmt.Sprint(now.Add(-2*time.Minute).Unix()))); reasonIn(err) != sso.ReasonExpired {
		t.Error(err)
	}
}

// entry is the one refusal in a log.
func entry(t *testing.T, log *lines) map[string]any {
	t.Helper()
	entries := slices.DeleteFunc(log.entries(t), func(e map[string]any) bool { return e["msg"] != "sso: refused" })
	if len(entries) != 1 {
		t.Fatalf("%d refusals in the log:\n%s", len(entries), log.String())
	}
	return entries[0]
}

func TestLog_Hint(t *testing.T) {
	for name, c := range map[string]struct {
		issuer, token string
		hint, err     string // in what is logged; an empty hint: none
	}{
		"another audience":          {issuerID, token("aud", `"other"`), "set Audience (SSO_AUDIENCE)", `want one of ["api"]`},
		"no audience":               {issuerID, token("aud", ""), "SSO_SKIP_AUDIENCE_CHECK", ""},
		"another issuer":            {issuerID, token("iss", `"https://other.example"`), "set Issuer (SSO_ISSUER)", `want "https://issuer.example"`},
		"a slash too many":          {issuerID, token("iss", `"https://issuer.example/"`), "exactly", `they differ by the slash at the end`},
		"a slash too few":           {issuerID + "/", token(), "exactly", `they differ by the slash at the end`},
		"something else is invalid": {issuerID, token("exp", "1"), "", ""},
	} {
		var log lines
		a := newAuth(t, func(cfg *sso.Config) { cfg.Logger, cfg.Issuer = log.logger(slog.LevelInfo), c.issuer })
		_, err := a.ValidateToken(t.Context(), c.token)
		got := entry(t, &log)
		hint, _ := got["hint"].(string)
		if !strings.Contains(hint, c.hint) || c.hint == "" && hint != "" || !strings.Contains(fmt.Sprint(got["error"]), c.err) {
			t.Errorf("%s: %v", name, got)
		}
		if name == "another issuer" && strings.Contains(err.Error(), "slash") {
			t.Errorf("%s: %v", name, err)
		}
	}
	issuer, a, _ := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI, c.Issuer = i.DiscoveryURL(), "" })
	if _, err := a.ValidateToken(t.Context(), issuer.MustToken(devissuer.IssuedBy(issuer.URL()+"/"))); err == nil || !strings.Contains(err.Error(), "they differ by the slash") {
		t.Errorf("with an issuer from discovery: %v", err)
	}
}

func TestLog_PathWithoutQuery(t *testing.T) {
	for name, c := range map[string]struct {
		request adapter.EventRequest
		want    any
	}{
		"without a pattern":    {adapter.EventRequest{HTTPMethod: "GET", Path: "/orders/7", Query: "access_token=s3cret"}, "/orders/7"},
		"with one":             {adapter.EventRequest{HTTPMethod: "GET", Route: "/orders/{id}", Path: "/orders/7"}, "/orders/7"},
		"without either":       {adapter.EventRequest{HTTPMethod: "GET"}, ""},
		"with a very long one": {adapter.EventRequest{HTTPMethod: "GET", Path: "/" + strings.Repeat("x", 5000)}, "/" + strings.Repeat("x", 199) + "…"},
	} {
		var log lines
		a := newAuth(t, func(cfg *sso.Config) { cfg.Logger = log.logger(slog.LevelDebug) })
		_, _ = a.Authenticate(t.Context(), c.request)
		if got := entry(t, &log); got["path"] != c.want || strings.Contains(log.String(), "s3cret") {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A development issuer in production is a warning at start-up.
func TestNew_DevelopmentIssuer(t *testing.T) {
	for issuer, warned := range map[string]bool{
		issuerID: false, "http://adfs.example.com/adfs/services/trust": false, "localhost": false,
		"http://localhost:9000": true, "http://127.0.0.1:9000": true, "https://[::1]:9000/a": true, "http://LOCALHOST": true,
	} {
		var log lines
		newAuth(t, func(c *sso.Config) { c.Issuer, c.Logger = issuer, log.logger(slog.LevelInfo) })
		if text := log.String(); strings.Contains(text, "WARN") != warned || warned && !strings.Contains(text, "can sign tokens") {
			t.Errorf("%s: %s", issuer, text)
		}
	}
}

// An event has the context of its request, for traces.
func TestObserve_Context(t *testing.T) {
	type key struct{}
	var events []sso.Event
	a := newAuth(t, func(cfg *sso.Config) {
		cfg.Observe = func(e sso.Event) {
			if e.Source == "" { // not a fetch of keys
				events = append(events, e)
			}
		}
	})
	ctx := context.WithValue(t.Context(), key{}, "trace")
	request := adapter.EventRequest{Fields: map[string]string{"Authorization": "Bearer " + token()}}
	_, _ = a.Authorize(ctx, request, granting)
	_, _ = a.Authenticate(ctx, adapter.EventRequest{})
	if len(events) < 3 {
		t.Fatalf("%d events", len(events))
	}
	for _, e := range events {
		if e.Context == nil || e.Context.Value(key{}) != "trace" {
			t.Errorf("%s has the context %v", e.Kind, e.Context)
		}
	}
}

// named is a permission with a name.
type named struct{ permit }

func (named) String() string { return "own orders" }

// misnamed is a permission whose String panics.
type misnamed struct{ permit }

func (misnamed) String() string { panic("no name") }

func TestLog_PermissionName(t *testing.T) {
	deny := permit(func(context.Context, sso.Access) sso.Decision { return sso.Deny("not_own", "request your own") })
	fail := permit(func(context.Context, sso.Access) sso.Decision { return sso.Fail(errors.New("no database")) })
	bare := permit(func(context.Context, sso.Access) sso.Decision { return sso.Decision{} })
	for name, c := range map[string]struct {
		permission sso.Permission
		want       any
	}{
		"by its name":                          {named{deny}, "own orders"},
		"by its type":                          {deny, "sso_test.permit"},
		"that fails":                           {named{fail}, "own orders"},
		"that denies without a code":           {bare, "sso_test.permit"},
		"whose name panics":                    {misnamed{deny}, "sso_test.misnamed"},
		"within another":                       {permission.All(permission.Authenticated(), named{deny}), "own orders"},
		"in several":                           {permission.Any(named{deny}, deny, named{deny}), "own orders, sso_test.permit"},
		"beside the usual ones":                {permission.All(permission.Has("a"), named{fail}), "own orders"},
		"only permissions of this module":      {permission.Any(permission.Has("a"), permission.Role("b"), permission.Scope("c")), nil},
		"only a function":                      {permission.Func("office hours", func(context.Context, sso.Access) (bool, error) { return false, nil }), `func("office hours")`},
		"called by another":                    {permit(func(ctx context.Context, a sso.Access) sso.Decision { return sso.Check(ctx, named{deny}, a) }), "own orders"},
		"that calls one of package permission": {named{permit(func(ctx context.Context, a sso.Access) sso.Decision { return sso.Check(ctx, permission.Has("a"), a) })}, "own orders"},
	} {
		var log lines
		a := newAuth(t, func(cfg *sso.Config) { cfg.Logger = log.logger(slog.LevelInfo) })
		_, _ = a.Authorize(t.Context(), bearer(token()), c.permission)
		if got := entry(t, &log); got["permission"] != c.want {
			t.Errorf("%s: %v, want %v", name, got["permission"], c.want)
		}
	}
}

func TestLog_PermissionPanic(t *testing.T) {
	for name, c := range map[string]struct {
		permission sso.Permission
		want       string
	}{
		"a function": {permission.Func("office hours", brokenClock), `sso: permission func("office hours"): panic: no clock`},
		"a type":     {named{permit(func(ctx context.Context, a sso.Access) sso.Decision { _, _ = brokenClock(ctx, a); return sso.Grant() })}, `sso: permission own orders: panic: no clock`},
		"in another": {permission.Any(permission.Has("a"), permission.Func("office hours", brokenClock)), `sso: permission func("office hours"): panic: no clock`},
	} {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
			var log lines
			a := newAuth(t, func(cfg *sso.Config) { cfg.Logger = log.logger(level) })
			_, err := a.Authorize(t.Context(), bearer(token()), c.permission)
			got := entry(t, &log)
			stack, _ := got["stack"].(string)
			if !strings.Contains(fmt.Sprint(got["error"]), c.want) || strings.Contains(stack, "brokenClock") != (level == slog.LevelDebug) || len(stack) > 16<<10 {
				t.Errorf("%s, at %v: %v", name, level, got)
			}
			if d := sso.DenialOf(err); d.Status != 500 || strings.Contains(string(d.Body), "clock") {
				t.Errorf("%s: answered %d %s", name, d.Status, d.Body)
			}
		}
	}
}

func brokenClock(context.Context, sso.Access) (bool, error) { panic("no clock") }
