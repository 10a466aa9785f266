package redisstore_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// An instance is a service with a store of its own and the logouts that it receives.
type instance struct {
	store  *redisstore.Store
	auth   *sso.Authenticator
	logout *sso.BackChannelLogout
}

func newInstance(t *testing.T, provider *ssotest.Issuer, policy sso.SessionPolicy, options redisstore.Options) instance {
	t.Helper()
	options.Logger = slog.New(slog.DiscardHandler)
	store, err := redisstore.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	cfg := provider.Config("api")
	cfg.Sessions, cfg.SessionPolicy, cfg.MaxTokenAge = store, policy, time.Hour
	auth := provider.Authenticator(cfg)
	logout, err := sso.NewBackChannelLogout(auth, store.Revoker(), "web")
	if err != nil {
		t.Fatal(err)
	}
	return instance{store, auth, logout}
}

// denying are the options of a denylist that ends sessions by sid and by sub.
func denying(provider *ssotest.Issuer, server *redistest.Server) redisstore.Options {
	return redisstore.Options{
		Addresses: []string{server.Address}, Issuer: provider.URL(), MaxTokenAge: time.Hour,
		Denylist: []redisstore.Rule{redisstore.BySession, redisstore.ByIssuedAt},
	}
}

var bySidAndSub = sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid"}

func tokenOf(provider *ssotest.Issuer, sid string, issued time.Time) string {
	return provider.MustToken(devissuer.Claim("sid", sid), devissuer.IssuedAt(issued), devissuer.ValidFor(30*time.Minute))
}

func logoutOf(provider *ssotest.Issuer, opts ...devissuer.TokenOption) string {
	return provider.MustToken(append([]devissuer.TokenOption{
		devissuer.Type("logout+jwt"), devissuer.Audience("web"), devissuer.ValidFor(2 * time.Minute),
		devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}),
	}, opts...)...)
}

func sid(id string) devissuer.TokenOption { return devissuer.Claim("sid", id) }

// admits holds what an instance makes of a token against what is wanted.
func (i instance) admits(t *testing.T, token string, want int) {
	t.Helper()
	status := http.StatusOK
	if _, err := i.auth.ValidateToken(t.Context(), token); err != nil {
		status = sso.DenialOf(err).Status
	}
	if status != want {
		t.Errorf("a token is answered with %d, want %d", status, want)
	}
}

// receives is what an instance answers to a logout token.
func (i instance) receives(t *testing.T, token string, want int) {
	t.Helper()
	status := http.StatusOK
	err := i.logout.Receive(t.Context(), token)
	if err != nil {
		status = sso.DenialOf(err).Status
	}
	if status != want {
		t.Errorf("a logout is answered with %d, want %d: %v", status, want, err)
	}
}

func TestALogoutThatOneInstanceReceivesEndsTheSessionInAll(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	one, other := newInstance(t, provider, bySidAndSub, denying(provider, server)), newInstance(t, provider, bySidAndSub, denying(provider, server))
	if err := one.store.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	earlier := time.Now().Add(-time.Minute)
	old, newer := tokenOf(provider, "s1", earlier), tokenOf(provider, "s2", earlier)
	other.admits(t, old, http.StatusOK)

	logout := logoutOf(provider, sid("s1"), devissuer.Claim("jti", "l{1}"))
	one.receives(t, logout, http.StatusOK)
	other.admits(t, old, http.StatusUnauthorized)
	other.admits(t, newer, http.StatusOK)
	other.receives(t, logout, http.StatusBadRequest) // the other knows what the one has done
	other.receives(t, logoutOf(provider, sid("s1")), http.StatusOK)

	key := "moresso:logout:" + strconv.Itoa(len(provider.URL())) + ":" + provider.URL() + ":4:l{1}"
	keptFor(t, server, key, 2*time.Minute+sso.DefaultLeeway+time.Minute)
}

// keptFor holds for how long Redis keeps a key against what is wanted.
func keptFor(t *testing.T, server *redistest.Server, key string, want time.Duration) {
	t.Helper()
	left, err := strconv.Atoi(server.Do("PTTL", key))
	if d := time.Duration(left) * time.Millisecond; err != nil || d > want || d < want-30*time.Second {
		t.Errorf("%s is kept for %v, want %v: %v", key, d, want, err)
	}
}

// The services of one store may differ in how long they let tokens live.
func TestASessionThatHasEndedIsRememberedForTheLongestOfItsTokens(t *testing.T) {
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, test := range map[string]struct{ store, want time.Duration }{
		"the service's hour":     {30 * time.Minute, time.Hour},
		"two hours of the store": {2 * time.Hour, 2*time.Hour + sso.DefaultLeeway}, // which knows that clocks can be ahead
		"the same hour of both":  {time.Hour, time.Hour + sso.DefaultLeeway},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			options := denying(provider, server)
			options.MaxTokenAge = test.store
			newInstance(t, provider, bySidAndSub, options).receives(t, logoutOf(provider, sid("s1")), http.StatusOK)
			keptFor(t, server, server.Do("KEYS", "moresso:denied:*:session:*:2:s1"), test.want+sso.DefaultLeeway+time.Minute)
		})
	}
}

func TestALogoutOfNoSessionEndsNone(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	i := newInstance(t, provider, bySidAndSub, denying(provider, server))
	if err := i.store.Revoker().RevokeSession(t.Context(), sso.Revocation{Issuer: provider.URL(), Subject: "ada"}); err == nil {
		t.Error("it was accepted")
	}
	if keys := server.Do("KEYS", "*"); keys != "" {
		t.Errorf("%s was written", keys)
	}
}

func TestALogoutBySubEndsWhatWasIssuedBeforeInAllInstances(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	one, other := newInstance(t, provider, bySidAndSub, denying(provider, server)), newInstance(t, provider, bySidAndSub, denying(provider, server))
	if err := one.store.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	one.receives(t, logoutOf(provider, devissuer.IssuedAt(now)), http.StatusOK)
	other.admits(t, tokenOf(provider, "s1", now.Add(-time.Minute)), http.StatusUnauthorized)
	other.admits(t, tokenOf(provider, "s2", now), http.StatusUnauthorized)
	other.admits(t, tokenOf(provider, "s3", now.Add(time.Second)), http.StatusOK)
	// A provider's clock may be as far ahead as is forgiven.
	one.receives(t, logoutOf(provider, devissuer.Subject("bob"), devissuer.IssuedAt(now.Add(sso.DefaultLeeway))), http.StatusOK)
	other.admits(t, provider.MustToken(sid("s4"), devissuer.Subject("bob"), devissuer.IssuedAt(now.Add(-time.Minute)), devissuer.ValidFor(30*time.Minute)), http.StatusUnauthorized)
}

func TestALogoutNeedsWhatTheStoreLooksAt(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	only := func(rule redisstore.Rule) instance {
		options := denying(provider, server)
		options.Denylist = []redisstore.Rule{rule}
		return newInstance(t, provider, bySidAndSub, options)
	}
	only(redisstore.ByIssuedAt).receives(t, logoutOf(provider, sid("s1")), http.StatusBadRequest)
	only(redisstore.BySession).receives(t, logoutOf(provider), http.StatusBadRequest)
	newInstance(t, provider, bySidAndSub, redisstore.Options{Addresses: []string{server.Address}, Audience: "web", Issuer: provider.URL()}).receives(t, logoutOf(provider, sid("s1")), http.StatusBadRequest)
}

func TestALogoutEndsTheSessionThatIsWrittenDownAndNoNewerOne(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, options := range map[string]redisstore.Options{
		"the Python edition's": {Audience: "api"},
		"hardened":             {Audience: "api", Layout: redisstore.LayoutHardened},
		"several":              {Audience: "api", Layout: redisstore.LayoutHardened, SeveralSessions: true, Prefix: "several"},
	} {
		t.Run(name, func(t *testing.T) {
			options.Addresses, options.Issuer = []string{server.Address}, provider.URL()
			i := newInstance(t, provider, bySidAndSub, options)
			login := func(session string) {
				t.Helper()
				if err := i.store.Login(t.Context(), "ada", session, time.Hour); err != nil {
					t.Fatal(err)
				}
			}
			first, second := tokenOf(provider, "s1", time.Now()), tokenOf(provider, "s2", time.Now())
			login("s1")
			i.admits(t, first, http.StatusOK)
			i.receives(t, logoutOf(provider, sid("s1")), http.StatusOK)
			i.admits(t, first, http.StatusUnauthorized)
			login("s2")
			i.receives(t, logoutOf(provider, sid("s1")), http.StatusOK)
			i.admits(t, second, http.StatusOK)
			// Whose session it is has to be told, and which of a user's are older is not known.
			i.receives(t, logoutOf(provider, sid("s2"), devissuer.WithoutClaim("sub")), http.StatusBadRequest)
			i.receives(t, logoutOf(provider), http.StatusBadRequest)
			i.admits(t, second, http.StatusOK)
		})
	}
}

func TestALogoutDuringAnOutageIs503AndWorksAfterwards(t *testing.T) {
	server := redistest.Start(t, redistest.Durable())
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	i := newInstance(t, provider, bySidAndSub, denying(provider, server))
	if err := i.store.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	logout, token := logoutOf(provider, sid("s1")), tokenOf(provider, "s1", time.Now())
	i.admits(t, token, http.StatusOK)
	server.Kill()
	i.receives(t, logout, http.StatusServiceUnavailable)
	server.Restart()
	redistest.Wait(t, 20*time.Second, "the logout succeeds", func() bool { return i.logout.Receive(t.Context(), logout) == nil })
	i.admits(t, token, http.StatusUnauthorized)
}

func TestALogoutOfAnotherIssuerEndsNoSessionOfThisOne(t *testing.T) {
	a := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithIssuer("https://a.example"))
	b := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithIssuer("https://b.example"))
	storeOf := func(p *ssotest.Issuer) *redisstore.Store {
		return open(t, at(redistest.Start(t).Address), func(o *redisstore.Options) { o.Issuer = p.URL() })
	}
	storeA, storeB := storeOf(a), storeOf(b)
	part := func(p *ssotest.Issuer, store *redisstore.Store) *sso.Authenticator {
		cfg := p.Config("api")
		cfg.Sessions, cfg.SessionPolicy, cfg.MaxTokenAge = store, bySidAndSub, time.Hour
		return p.Authenticator(cfg)
	}
	joined, err := sso.Join(part(a, storeA), part(b, storeB))
	do(t, err)
	do(t, storeA.Login(t.Context(), "ada", "s1", time.Hour))
	do(t, storeB.Login(t.Context(), "ada", "s1", time.Hour))
	logoutA, err := sso.NewBackChannelLogout(joined, storeA.Revoker(), "web")
	do(t, err)
	logoutB, err := sso.NewBackChannelLogout(joined, storeB.Revoker(), "web")
	do(t, err)
	i, ofA, ofB := instance{storeA, joined, logoutA}, tokenOf(a, "s1", time.Now()), tokenOf(b, "s1", time.Now())
	byB := logoutOf(b, sid("s1"))
	i.receives(t, byB, http.StatusBadRequest)
	i.admits(t, ofA, http.StatusOK)
	i.admits(t, ofB, http.StatusOK)
	do(t, logoutB.Receive(t.Context(), byB))
	i.admits(t, ofA, http.StatusOK)
	i.admits(t, ofB, http.StatusUnauthorized)
	// By itself the revoker refuses it too.
	what := sso.Revocation{Issuer: b.URL(), Audience: "api", SessionID: "s1", Subject: "ada", User: "ada"}
	if err := storeA.Revoker().RevokeSession(t.Context(), what); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	// Nor does the store know a token of another issuer.
	wants(t, storeA, sso.Session{Issuer: b.URL(), Audience: "api", User: "ada", ID: "s1"}, "ended")
	wants(t, storeA, sso.Session{Issuer: a.URL(), Audience: "api", User: "ada", ID: "s1"}, "lives")
}

func TestAStoreThatDoesNotKnowItsIssuerReceivesNoLogouts(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	store := open(t, at(server.Address))
	cfg := provider.Config("api")
	cfg.Sessions, cfg.SessionPolicy, cfg.MaxTokenAge = store, bySidAndSub, time.Hour
	if _, err := sso.NewBackChannelLogout(provider.Authenticator(cfg), store.Revoker(), "web"); err == nil {
		t.Error("it was taken")
	}
	do(t, store.Login(t.Context(), "ada", "s1", time.Hour))
	what := sso.Revocation{Issuer: provider.URL(), Audience: "api", SessionID: "s1", Subject: "ada", User: "ada"}
	if err := store.Revoker().RevokeSession(t.Context(), what); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	wants(t, store, session("ada", "s1"), "lives")
}
