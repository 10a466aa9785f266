package ssotest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestConfig_AcceptsTokens(t *testing.T) {
	adaptertest.CheckLeaks(t)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		iss := ssotest.NewIssuer(t, devissuer.WithAlgorithm(algorithm))
		auth := iss.Authenticator(iss.Config("orders-api", "other"))
		for name, token := range map[string]string{"Token": iss.Token(), "MustToken": iss.MustToken(), "another of its audiences": iss.Token(devissuer.Audience("other"))} {
			if _, err := auth.ValidateToken(t.Context(), token); err != nil {
				t.Errorf("%s, %s: %v", algorithm, name, err)
			}
		}
	}
}

func TestToken_Audience(t *testing.T) {
	audience := func(iss *ssotest.Issuer, opts ...devissuer.TokenOption) []string {
		return iss.Principal(opts...).Audience()
	}
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	if got := audience(iss); !slices.Equal(got, []string{"api"}) {
		t.Errorf("before any configuration: %q", got)
	}
	iss.Config("billing-api")
	iss.Config("orders-api", "other")
	if got := audience(iss); !slices.Equal(got, []string{"orders-api"}) {
		t.Errorf("after two configurations: %q", got)
	}
	if got := audience(iss, devissuer.Audience("shop")); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("with an audience of the token's own: %q", got)
	}
	if got := audience(iss, devissuer.WrongAudience()); slices.Contains(got, "orders-api") {
		t.Errorf("for the wrong audience: %q", got)
	}
	given := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithAudience("api"))
	given.Config("orders-api")
	if got := audience(given); !slices.Equal(got, []string{"api"}) {
		t.Errorf("with an audience of the issuer's own: %q", got)
	}
}

func TestAuthenticator_RejectsOthers(t *testing.T) {
	iss, other, elliptic := ssotest.NewIssuer(t), ssotest.NewIssuer(t), ssotest.NewIssuer(t, ssotest.FastKeys())
	change := func(cfg sso.Config, change func(*sso.Config)) sso.Config {
		change(&cfg)
		return cfg
	}
	for name, c := range map[string]struct {
		cfg  sso.Config
		want sso.Reason
	}{
		"another issuer's keys": {other.Config("orders-api"), sso.ReasonUnknownKey},
		"another algorithm":     {elliptic.Config("orders-api"), sso.ReasonAlgorithm},
		"another audience":      {iss.Config("billing-api"), sso.ReasonWrongAudience},
		"another issuer":        {change(iss.Config("orders-api"), func(c *sso.Config) { c.Issuer = "https://login.example.com" }), sso.ReasonWrongIssuer},
		"another client":        {change(iss.Config("orders-api"), func(c *sso.Config) { c.ClientIDs = []string{"web"} }), sso.ReasonWrongClient},
		"another kind of token": {change(iss.Config("orders-api"), func(c *sso.Config) { c.TokenType = sso.StrictAccessToken }), sso.ReasonTokenType},
		"another key":           {change(iss.Config("orders-api"), func(c *sso.Config) { c.PublicKeyURI = string(other.PublicPEM()) }), sso.ReasonBadSignature},
	} {
		_, err := iss.Authenticator(c.cfg).ValidateToken(t.Context(), iss.Token(devissuer.Audience("orders-api")))
		if bad := (*sso.TokenError)(nil); !errors.As(err, &bad) || bad.Reason != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestAuthenticator_RejectsFaults(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	auth := iss.Authenticator(iss.Config("orders-api"))
	for name, opt := range map[string]devissuer.TokenOption{
		"Expired": devissuer.Expired(), "NotYetValid": devissuer.NotYetValid(), "WrongAudience": devissuer.WrongAudience(),
		"IssuedBy": devissuer.IssuedBy("https://other.example"), "without exp": devissuer.WithoutClaim("exp"), "BadSignature": devissuer.BadSignature(),
		"UnknownKey": devissuer.UnknownKey(), "alg none": devissuer.Header("alg", "none"), "Raw header": devissuer.Raw("{}", ""), "Raw payload": devissuer.Raw("", "{}"),
	} {
		if _, err := auth.ValidateToken(t.Context(), iss.Token(opt)); !errors.Is(err, sso.ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestToken_Persona(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys(),
		devissuer.WithPersona("clerk", devissuer.Permission("orders.role", "clerk")),
		devissuer.WithPersona("guest"))
	auth := iss.Authenticator(iss.Config("orders-api"))
	request := bearing(iss.Token(devissuer.Persona("clerk")))
	ctx, err := auth.Authorize(request.Context(), adapterRequest(request), permission.Is("orders.role", "clerk"))
	if p, _ := sso.FromContext(ctx); err != nil || p.Subject() != "clerk" {
		t.Errorf("%v %v", p, err)
	}
	if _, err := auth.ValidateToken(t.Context(), iss.Token(devissuer.Persona("clerk"), devissuer.Expired())); !errors.Is(err, sso.ErrInvalidToken) {
		t.Errorf("expired: %v", err)
	}
	if got := iss.Principal(devissuer.Persona("guest")); got.Subject() != "guest" || got.Permissions().Exists() {
		t.Errorf("%v", got)
	}
	unknown := &failing{TB: t}
	inTest(func() { ssotest.NewIssuer(unknown, devissuer.WithPersona("clerk")).Token(devissuer.Persona("admin")) })
	if !strings.Contains(unknown.fatal, "unknown persona") || !strings.Contains(unknown.fatal, "clerk") {
		t.Errorf("%q", unknown.fatal)
	}
}

func TestIssuer_Failures(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	auth := iss.Authenticator(iss.Config("orders-api"))
	accepts := func(what, token string) {
		t.Helper()
		if _, err := auth.ValidateToken(t.Context(), token); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	before := iss.Token()
	accepts("at first", before)
	iss.Down()
	accepts("with keys that are known", iss.Token())
	iss.Clock().Advance(3 * time.Hour) // longer than keys are kept
	if _, err := auth.ValidateToken(t.Context(), iss.Token()); !errors.Is(err, sso.ErrUnavailable) {
		t.Errorf("in a long outage: %v", err)
	}
	iss.Up()
	iss.Clock().Advance(time.Minute) // until the next attempt
	accepts("after the outage", iss.Token())
	iss.Rotate()
	iss.Clock().Advance(time.Minute)
	accepts("after a rotation", iss.Token())
	if err := auth.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	dead := ssotest.NewIssuer(t, ssotest.FastKeys())
	dead.Fault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
	if err := dead.Authenticator(dead.Config("orders-api")).Ready(t.Context()); !errors.Is(err, sso.ErrUnavailable) {
		t.Errorf("behind a broken gateway: %v", err)
	}
}

func TestIssuer_Slow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss := ssotest.NewIssuer(t, ssotest.FastKeys())
		auth := iss.Authenticator(iss.Config("orders-api"))
		iss.Slow(time.Hour)
		start := time.Now()
		if err := auth.Ready(t.Context()); !errors.Is(err, sso.ErrUnavailable) || time.Since(start) >= time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestIssuer_Clock(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	auth := iss.Authenticator(iss.Config("orders-api"))
	reason := func(token string) sso.Reason {
		_, err := auth.ValidateToken(t.Context(), token)
		bad := &sso.TokenError{}
		errors.As(err, &bad)
		return bad.Reason
	}
	clock := iss.Clock()
	if now := time.Now(); clock.Now().Before(now) || clock.Now().Sub(now) > time.Minute {
		t.Errorf("untouched, the clock says %v", clock.Now())
	}
	old := iss.Token()
	if got := reason(old); got != "" {
		t.Errorf("now: %s", got)
	}
	clock.Advance(time.Hour + time.Second)
	if got := reason(old); got != "" {
		t.Errorf("within the leeway: %s", got)
	}
	clock.Advance(2 * time.Minute)
	if got := reason(old); got != sso.ReasonExpired {
		t.Errorf("after its life: %q", got)
	}
	if got := reason(iss.Token()); got != "" {
		t.Errorf("a new one: %s", got)
	}
	clock.Advance(-24 * time.Hour)
	if got := reason(old); got != sso.ReasonNotYetValid && got != sso.ReasonIssuedInFuture {
		t.Errorf("the day before: %q", got)
	}
	noon := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	clock.Set(noon)
	if got := iss.Principal().IssuedAt(); !got.Equal(noon) {
		t.Errorf("issued at %v", got)
	}
	clock.Advance(time.Second)
	for begun := time.Now(); time.Since(begun) == 0; { // until the real clock has gone on
		runtime.Gosched()
	}
	if got := iss.Now(); !got.Equal(noon.Add(time.Second)) {
		t.Errorf("a clock that was stopped says %v", got)
	}
	if got := iss.Principal(devissuer.Claim("auth_time", noon.Unix())); !permissionGranted(t, permission.FreshLogin(time.Second), got) {
		t.Error("a login is checked by another clock")
	}
}

func permissionGranted(t *testing.T, p sso.Permission, principal *sso.Principal) bool {
	t.Helper()
	return sso.Check(t.Context(), p, ssotest.Access(principal, nil)).Granted()
}

func TestClock_Concurrent(t *testing.T) {
	clock := &ssotest.Clock{}
	clock.Set(time.Unix(1000, 0))
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { clock.Advance(time.Second); clock.Now() })
	}
	all.Wait()
	if got := clock.Now().Unix(); got != 1100 {
		t.Error(got)
	}
	defer func() {
		if recover() == nil {
			t.Error("the zero time was accepted")
		}
	}()
	clock.Set(time.Time{})
}

func TestIssuer_ClockOfItsOwn(t *testing.T) {
	noon := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	f := &failing{TB: t}
	iss := ssotest.NewIssuer(f, ssotest.FastKeys(), devissuer.WithClock(func() time.Time { return noon }))
	if got := iss.Config("orders-api").Now(); !got.Equal(noon) {
		t.Errorf("the configuration uses another clock: %v", got)
	}
	inTest(func() { iss.Clock() })
	if !strings.Contains(f.fatal, "WithClock") {
		t.Errorf("%q", f.fatal)
	}
}

// bearing returns a request with a token.
func bearing(text string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+text)
	return r
}

// adapterRequest returns what an adapter reads of a request.
func adapterRequest(r *http.Request) sso.Request {
	fields := map[string][]string(r.Header)
	return adapter.EventRequest{HTTPMethod: r.Method, MultiFields: fields, Path: r.URL.Path, Query: r.URL.RawQuery}
}

func TestRequest(t *testing.T) {
	clerk := ssotest.NewPrincipal(devissuer.Subject("grace"), devissuer.Permission("orders.role", "clerk"), devissuer.Audience("shop"))
	r := ssotest.Request(clerk, userRequest())
	if got, ok := sso.FromContext(r.Context()); !ok || got != clerk || got.Subject() != "grace" {
		t.Errorf("%v", got)
	}
	if r.Method != http.MethodPost || r.RequestURI != "/users/7?open=1" || r.Pattern != "POST /users/{user}" || r.PathValue("user") != "7" || len(r.Header.Values("x-tenant")) != 2 {
		t.Errorf("%+v", r)
	}
	root := ssotest.Request(nil, nil)
	if _, ok := sso.FromContext(root.Context()); ok || root.Method != http.MethodGet || root.RequestURI != "/" {
		t.Errorf("%t, %+v", ok, root)
	}
	type key struct{}
	ctx := ssotest.Context(context.WithValue(t.Context(), key{}, "kept"), clerk)
	if got, ok := sso.FromContext(ctx); !ok || got != clerk || ctx.Value(key{}) != "kept" {
		t.Errorf("%v, %v", got, ctx.Value(key{}))
	}
	if !clerk.HasAudience("shop") || clerk.IssuedAt().IsZero() {
		t.Errorf("for %v, issued at %v", clerk.Audience(), clerk.IssuedAt())
	}
}

func TestNewPrincipal_Rejected(t *testing.T) {
	for name, opt := range map[string]devissuer.TokenOption{
		"expired": devissuer.Expired(), "no audience": devissuer.WithoutClaim("aud"), "no issuer": devissuer.WithoutClaim("iss"), "a number as subject": devissuer.Claim("sub", 7),
		"an ID token": devissuer.Claim("nonce", "n"), "no claims": devissuer.Raw("", "{}"), "null": devissuer.Raw("", "null"), "an array": devissuer.Raw("", "[]"),
		"a name twice": devissuer.Raw("", `{"sub":"ada","sub":"bob"}`), "another key": devissuer.UnknownKey(),
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "ssotest: NewPrincipal: the token with these claims is rejected: ") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			ssotest.NewPrincipal(opt)
		}()
	}
	f := &failing{TB: t}
	inTest(func() { ssotest.NewIssuer(f, ssotest.FastKeys()).Principal(devissuer.Expired()) })
	if !strings.Contains(f.fatal, "rejected") {
		t.Errorf("%q", f.fatal)
	}
}

func TestIssuer_Principal(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	cfg := iss.Config("orders-api")
	cfg.PermissionsClaim, cfg.RolesClaim = "entitlements", "groups"
	iss.Authenticator(cfg)
	p := iss.Principal(devissuer.Claim("entitlements", map[string]bool{"a": true}), devissuer.Claim("groups", []string{"staff"}))
	if !p.Permissions().Exists() || !permissionGranted(t, permission.Role("staff"), p) {
		t.Errorf("the settings of the service are not used: %v", p.Claims())
	}
}

func TestContext_OtherPrincipal(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	p, err := iss.Authenticator(iss.Config("api")).ValidateToken(t.Context(), iss.Token())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if v := recover(); !strings.Contains(fmt.Sprint(v), "NewPrincipal") {
			t.Errorf("%v", v)
		}
	}()
	ssotest.Context(t.Context(), p)
}

// A principal without a token does not pass an authenticator, however the authenticator was made. A
// valid token in the same request replaces it.
func TestContext_OpensNoRoute(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	made := iss.Authenticator(iss.Config("orders-api"))
	joined, err := sso.Join(iss.Authenticator(iss.Config("orders-api")))
	if err != nil {
		t.Fatal(err)
	}
	anywhere := made.TokenFrom(sso.TokenSource{}, sso.TokenFromCookie("__Host-token"), sso.TokenFromHeader("X-Token"))
	everyone := permission.Authenticated()
	for name, auth := range map[string]*sso.Authenticator{"New": made, "Join": joined, "TokenFrom": anywhere, "nil": nil, "zero": {}} {
		want := sso.ErrNoToken
		if name == "nil" || name == "zero" {
			want = nil // refused as an error of the service
		}
		for what, principal := range map[string]*sso.Principal{"made up": ssotest.NewPrincipal(devissuer.Subject("root")), "of this issuer": iss.Principal(devissuer.Subject("root"))} {
			r := ssotest.Request(principal, nil)
			for entry, call := range map[string]func(context.Context, sso.Request) (context.Context, error){
				"Authenticate": auth.Authenticate,
				"Authorize": func(ctx context.Context, r sso.Request) (context.Context, error) {
					return auth.Authorize(ctx, r, everyone)
				},
			} {
				ctx, err := call(r.Context(), adapterRequest(r))
				if err == nil || want != nil && !errors.Is(err, want) {
					t.Errorf("%s, %s, %s: %v", name, what, entry, err)
				}
				if status := sso.DenialOf(err).Status; want != nil && status != http.StatusUnauthorized || status < 400 {
					t.Errorf("%s, %s, %s: answered with %d", name, what, entry, status)
				}
				_ = ctx
			}
			if ctx, err := auth.AuthenticateOptional(r.Context(), adapterRequest(r)); want != nil {
				if p, ok := sso.FromContext(ctx); err != nil || ok {
					t.Errorf("%s, %s: Optional lets %v in (%v)", name, what, p, err)
				}
			} else if err == nil {
				t.Errorf("%s, %s: Optional accepts the request", name, what)
			}
		}
	}
	r := ssotest.Request(ssotest.NewPrincipal(devissuer.Subject("root"), devissuer.Permission("orders.role", "admin")), bearing(iss.Token()))
	for _, call := range []func(context.Context, sso.Request) (context.Context, error){made.Authenticate, made.AuthenticateOptional} {
		ctx, err := call(r.Context(), adapterRequest(r))
		if p, _ := sso.FromContext(ctx); err != nil || p.Subject() != "ada" {
			t.Errorf("%v (%v)", p, err)
		}
	}
	if _, err := made.Authorize(r.Context(), adapterRequest(r), permission.Is("orders.role", "admin")); !errors.Is(err, sso.ErrAccessDenied) {
		t.Errorf("the permission of a principal without a token counts: %v", err)
	}
}

func TestAccess(t *testing.T) {
	access := ssotest.Access(ssotest.NewPrincipal(devissuer.Subject("7"), devissuer.Permission("orders.role", "clerk")), userRequest())
	if first, n := access.Header("x-tenant"); first != "a" || n != 2 || access.Method() != "POST" || access.Pattern() != "POST /users/{user}" || access.PathValue("user") != "7" {
		t.Errorf("%q %d %q %q %q", first, n, access.Method(), access.Pattern(), access.PathValue("user"))
	}
	p := permission.All(permission.SameAsPath("sub", "user"), permission.Is("orders.role", "clerk"))
	if d := sso.Check(t.Context(), p, access); !d.Granted() {
		t.Error(d.Explain())
	}
	if d := sso.Check(t.Context(), permission.Authenticated(), ssotest.Access(nil, nil)); d.Granted() {
		t.Error("an anonymous request is authenticated")
	}
}

// userRequest returns a request with everything that a permission reads.
func userRequest() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/users/7?open=1", http.NoBody)
	r.Pattern = "POST /users/{user}"
	r.SetPathValue("user", "7")
	r.Header["X-Tenant"] = []string{"a", "b"}
	return r
}

func TestConfig_Logger(t *testing.T) {
	f := &failing{TB: t}
	iss := ssotest.NewIssuer(f, ssotest.FastKeys())
	auth := iss.Authenticator(iss.Config("orders-api"))
	_, _ = auth.ValidateToken(t.Context(), iss.Token(devissuer.Expired()))
	r := bearing(iss.Token(devissuer.Claim("sub", "a\nb")))
	_, _ = auth.Authorize(t.Context(), adapterRequest(r), permission.Has("orders.read"))
	for _, want := range []string{"reason=expired", "reason=access_denied", "orders.read", `a\nb`} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("%s is not in the log:\n%s", want, &f.log)
		}
	}
	if strings.Contains(f.log.String(), "time=") {
		t.Errorf("the log has the time:\n%s", &f.log)
	}
	f.end()
	before := f.log.Len()
	_, _ = auth.ValidateToken(t.Context(), "x")
	if f.log.Len() != before {
		t.Errorf("after the end of the test:\n%s", f.log.String()[before:])
	}
}

func TestConfig_LoggerAfterTest(t *testing.T) {
	var logger *slog.Logger
	done := make(chan struct{})
	t.Run("a test that ends", func(t *testing.T) {
		logger = logTo(t)
		go func() {
			defer close(done)
			for range 10_000 {
				logger.Info("still here")
			}
		}()
	})
	<-done
	logger.Error("after the test") // package testing panics for what is logged now
}

func TestConfig_LoggerIsBounded(t *testing.T) {
	f := &failing{TB: t}
	logger := logTo(f)
	for range 5000 {
		logger.Info("again")
	}
	if got := strings.Count(f.log.String(), "\n"); got != 1001 || !strings.HasSuffix(f.log.String(), "further lines are omitted\n") {
		t.Errorf("%d lines", got)
	}
}

// logTo returns the logger of a configuration.
func logTo(t testing.TB) *slog.Logger {
	return ssotest.NewIssuer(t, ssotest.FastKeys()).Config("orders-api").Logger
}

func BenchmarkConfig_Logger(b *testing.B) {
	for b.Loop() {
		if logTo(b).Enabled(b.Context(), slog.LevelError) {
			b.Fatal("the log would be measured")
		}
	}
}

// Every service's tests import this package, so that it imports no other module directly.
func TestImports(t *testing.T) {
	for name := range goFiles(t, ".", parser.ImportsOnly) {
		for _, spec := range goFiles(t, ".", parser.ImportsOnly)[name].Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") && !strings.HasPrefix(path, "github.com/more-retail/moresso-go/core/") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// goFiles returns the files of a folder that are not tests, by name.
func goFiles(t *testing.T, folder string, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), folder, func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }, mode) //nolint:staticcheck // there are no build tags in these files
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, p := range packages {
		maps.Copy(files, p.Files)
	}
	return files
}

// failing records the failures and the log of a test.
type failing struct {
	testing.TB
	cleanups []func()
	errors   int
	fatal    string
	log      bytes.Buffer
}

func (f *failing) Helper()               {}
func (f *failing) Cleanup(do func())     { f.cleanups = append(f.cleanups, do) }
func (f *failing) Errorf(string, ...any) { f.errors++ }
func (f *failing) Output() io.Writer     { return &f.log }

func (f *failing) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	panic(f)
}

func (f *failing) end() {
	for _, do := range slices.Backward(f.cleanups) {
		do()
	}
}

// inTest runs a function that may call Fatalf of a failing.
func inTest(do func()) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(*failing); !ok {
				panic(v)
			}
		}
	}()
	do()
}
