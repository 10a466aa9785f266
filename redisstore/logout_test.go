package redisstore_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// instance is a service with a store of its own, which receives logouts.
type instance struct {
	store  store
	auth   *sso.Authenticator
	logout *logout.Receiver
}

func newInstance(t *testing.T, provider *ssotest.Issuer, s store) instance {
	t.Helper()
	cfg := provider.Config("api")
	cfg.Sessions, cfg.MaxTokenAge = s, time.Hour
	auth := provider.Authenticator(cfg)
	receiver, err := logout.New(auth, s.Revoker(), "web")
	do(t, err)
	return instance{s, auth, receiver}
}

// denying makes an instance with a denylist that ends sessions by sid and by sub.
func denying(t *testing.T, provider *ssotest.Issuer, server *redistest.Server, changes ...change) instance {
	t.Helper()
	return newInstance(t, provider, openDenylist(t, append([]change{
		at(server.Address), rules(redisstore.BySession, redisstore.ByIssuedAt), issuedBy(provider),
	}, changes...)...))
}

func issuedBy(provider *ssotest.Issuer) change {
	return func(c *config) { c.sessions.Issuer, c.denylist.Issuer = provider.URL(), provider.URL() }
}

func (i instance) begin(t *testing.T) {
	t.Helper()
	do(t, i.store.(*redisstore.Denylist).Begin(t.Context())) //nolint:errcheck // see denying
}

func tokenOf(provider *ssotest.Issuer, sid string, issued time.Time) string {
	return provider.MustToken(devissuer.Claim("sid", sid), devissuer.IssuedAt(issued), devissuer.ValidFor(30*time.Minute))
}

func logoutOf(provider *ssotest.Issuer, opts ...devissuer.TokenOption) string {
	return provider.MustToken(append([]devissuer.TokenOption{
		devissuer.Header("typ", "logout+jwt"), devissuer.Audience("web"), devissuer.ValidFor(2 * time.Minute),
		devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}),
	}, opts...)...)
}

func sid(id string) devissuer.TokenOption { return devissuer.Claim("sid", id) }
func jti(id string) devissuer.TokenOption { return devissuer.Claim("jti", id) }

// admits checks the status with which an instance answers to a token.
func (i instance) admits(t *testing.T, token string, want int) {
	t.Helper()
	status := http.StatusOK
	if _, err := i.auth.ValidateToken(t.Context(), token); err != nil {
		status = sso.DenialOf(err).Status
	}
	if status != want {
		t.Errorf("a token: status %d, want %d", status, want)
	}
}

// receives checks the status with which an instance answers to a logout token.
func (i instance) receives(t *testing.T, token string, want int) {
	t.Helper()
	status := http.StatusOK
	err := i.logout.Receive(t.Context(), token)
	if err != nil {
		status = sso.DenialOf(err).Status
	}
	if status != want {
		t.Errorf("a logout: status %d, want %d: %v", status, want, err)
	}
}

func TestDenylist_LogoutBySID(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	one, other := denying(t, provider, server), denying(t, provider, server)
	one.begin(t)
	earlier := time.Now().Add(-time.Minute)
	old, newer := tokenOf(provider, "s1", earlier), tokenOf(provider, "s2", earlier)
	other.admits(t, old, http.StatusOK)

	ended := logoutOf(provider, sid("s1"), devissuer.Claim("jti", "l{1}"))
	one.receives(t, ended, http.StatusOK)
	other.admits(t, old, http.StatusUnauthorized)
	other.admits(t, newer, http.StatusOK)
	other.receives(t, ended, http.StatusBadRequest) // a replay
	other.receives(t, logoutOf(provider, sid("s1")), http.StatusOK)

	key := server.Do("KEYS", "moresso:logout:*:"+strconv.Itoa(len(provider.URL()))+":"+provider.URL()+":4:l{1}")
	keptFor(t, server, key, 2*time.Minute+time.Minute+time.Minute)
}

// keptFor checks for how long Redis keeps a key.
func keptFor(t *testing.T, server *redistest.Server, key string, want time.Duration) {
	t.Helper()
	left, err := strconv.Atoi(server.Do("PTTL", key))
	if d := time.Duration(left) * time.Millisecond; err != nil || d > want || d < want-30*time.Second {
		t.Errorf("%s is kept for %v, want %v: %v", key, d, want, err)
	}
}

// The services that share a store can have different values of MaxTokenAge.
func TestDenylist_LogoutRetention(t *testing.T) {
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, test := range map[string]struct{ store, want time.Duration }{
		"the service's hour":     {30 * time.Minute, time.Hour},
		"two hours of the store": {2 * time.Hour, 2*time.Hour + time.Minute}, // clocks can be ahead
		"the same hour of both":  {time.Hour, time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			denying(t, provider, server, func(c *config) { c.denylist.MaxTokenAge = test.store }).receives(t, logoutOf(provider, sid("s1")), http.StatusOK)
			keptFor(t, server, server.Do("KEYS", "moresso:denied:*:session:*:2:s1"), test.want+time.Minute+time.Minute)
		})
	}
}

func TestDenylist_LogoutWithoutSession(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	i := denying(t, provider, server)
	if err := i.store.Revoker().RevokeSession(t.Context(), logout.Revocation{Issuer: provider.URL(), Subject: "ada"}); err == nil {
		t.Error("no error")
	}
	if keys := server.Do("KEYS", "*"); keys != "" {
		t.Errorf("%s was written", keys)
	}
}

func TestDenylist_LogoutBySub(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	one, other := denying(t, provider, server), denying(t, provider, server)
	one.begin(t)
	now := time.Now()
	one.receives(t, logoutOf(provider, devissuer.IssuedAt(now)), http.StatusOK)
	other.admits(t, tokenOf(provider, "s1", now.Add(-time.Minute)), http.StatusUnauthorized)
	other.admits(t, tokenOf(provider, "s2", now), http.StatusUnauthorized)
	other.admits(t, tokenOf(provider, "s3", now.Add(time.Second)), http.StatusOK)
	// The provider's clock can be ahead by the leeway.
	one.receives(t, logoutOf(provider, devissuer.Subject("bob"), devissuer.IssuedAt(now.Add(time.Minute))), http.StatusOK)
	other.admits(t, provider.MustToken(sid("s4"), devissuer.Subject("bob"), devissuer.IssuedAt(now.Add(-time.Minute)), devissuer.ValidFor(30*time.Minute)), http.StatusUnauthorized)
}

func TestRevoker_Unsupported(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	denying(t, provider, server, rules(redisstore.BySession)).receives(t, logoutOf(provider), http.StatusBadRequest)
	what := logout.Revocation{Issuer: provider.URL(), Audience: "web", SessionID: "s1", Subject: "ada", User: "ada"}
	for name, err := range map[string]error{
		"a session without its rule": openDenylist(t, at(server.Address), issuedBy(provider), rules(redisstore.ByIssuedAt)).Revoker().RevokeSession(t.Context(), what),
		"a subject without its rule": openDenylist(t, at(server.Address), issuedBy(provider), rules(redisstore.BySession)).Revoker().RevokeSubject(t.Context(), what),
		"another audience":           openSessions(t, at(server.Address), issuedBy(provider)).Revoker().RevokeSession(t.Context(), what),
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSessions_Logout(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, change := range map[string]change{"one": unchanged, "several": several, "keys of more-sso-auth": compatible} {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			sessions := openSessions(t, at(server.Address), issuedBy(provider), change)
			i := newInstance(t, provider, sessions)
			login := func(session string) {
				t.Helper()
				do(t, sessions.Login(t.Context(), "ada", session, time.Hour))
			}
			first, second := tokenOf(provider, "s1", time.Now()), tokenOf(provider, "s2", time.Now())
			login("s1")
			i.admits(t, first, http.StatusOK)
			i.receives(t, logoutOf(provider, sid("s1")), http.StatusOK)
			i.admits(t, first, http.StatusUnauthorized)
			login("s2")
			i.receives(t, logoutOf(provider, sid("s1")), http.StatusOK)
			i.admits(t, second, http.StatusOK)
			// The user is required, and the store does not know which sessions are older.
			i.receives(t, logoutOf(provider, sid("s2"), devissuer.WithoutClaim("sub")), http.StatusBadRequest)
			i.receives(t, logoutOf(provider), http.StatusBadRequest)
			i.admits(t, second, http.StatusOK)
		})
	}
}

func TestDenylist_LogoutDuringOutage(t *testing.T) {
	server := redistest.Start(t, redistest.Durable()...)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	i := denying(t, provider, server)
	i.begin(t)
	ended, token := logoutOf(provider, sid("s1")), tokenOf(provider, "s1", time.Now())
	i.admits(t, token, http.StatusOK)
	server.Kill()
	i.receives(t, ended, http.StatusServiceUnavailable)
	server.Restart()
	redistest.Wait(t, 20*time.Second, "the logout succeeds", func() bool { return i.logout.Receive(t.Context(), ended) == nil })
	i.admits(t, token, http.StatusUnauthorized)
}

func TestSessions_LogoutOfOtherIssuer(t *testing.T) {
	a := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithIssuer("https://a.example"))
	b := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithIssuer("https://b.example"))
	storeOf := func(p *ssotest.Issuer) *redisstore.Sessions {
		return openSessions(t, at(redistest.Start(t).Address), issuedBy(p))
	}
	storeA, storeB := storeOf(a), storeOf(b)
	part := func(p *ssotest.Issuer, store *redisstore.Sessions) *sso.Authenticator {
		cfg := p.Config("api")
		cfg.Sessions, cfg.MaxTokenAge = store, time.Hour
		return p.Authenticator(cfg)
	}
	joined, err := sso.Join(part(a, storeA), part(b, storeB))
	do(t, err)
	do(t, storeA.Login(t.Context(), "ada", "s1", time.Hour))
	do(t, storeB.Login(t.Context(), "ada", "s1", time.Hour))
	logoutA, err := logout.New(joined, storeA.Revoker(), "web")
	do(t, err)
	logoutB, err := logout.New(joined, storeB.Revoker(), "web")
	do(t, err)
	i, ofA, ofB := instance{storeA, joined, logoutA}, tokenOf(a, "s1", time.Now()), tokenOf(b, "s1", time.Now())
	byB := logoutOf(b, sid("s1"))
	i.receives(t, byB, http.StatusBadRequest)
	i.admits(t, ofA, http.StatusOK)
	i.admits(t, ofB, http.StatusOK)
	do(t, logoutB.Receive(t.Context(), byB))
	i.admits(t, ofA, http.StatusOK)
	i.admits(t, ofB, http.StatusUnauthorized)
	// The revoker itself refuses it too.
	what := logout.Revocation{Issuer: b.URL(), Audience: "api", SessionID: "s1", Subject: "ada", User: "ada"}
	if err := storeA.Revoker().RevokeSession(t.Context(), what); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	// The store rejects tokens of another issuer.
	wants(t, storeA, sso.Session{Issuer: b.URL(), Audience: "api", User: "ada", ID: "s1"}, "ended")
	wants(t, storeA, sso.Session{Issuer: a.URL(), Audience: "api", User: "ada", ID: "s1"}, "lives")
}

func TestSessions_LogoutWithoutIssuer(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	store := openSessions(t, at(server.Address))
	cfg := provider.Config("api")
	cfg.Sessions, cfg.MaxTokenAge = store, time.Hour
	if _, err := logout.New(provider.Authenticator(cfg), store.Revoker(), "web"); err == nil {
		t.Error("no error")
	}
	do(t, store.Login(t.Context(), "ada", "s1", time.Hour))
	what := logout.Revocation{Issuer: provider.URL(), Audience: "api", SessionID: "s1", Subject: "ada", User: "ada"}
	if err := store.Revoker().RevokeSession(t.Context(), what); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	wants(t, store, session("ada", "s1"), "lives")
}

// The provider sends one logout token to all services. Each ends its own sessions.
func TestRevoker_OneTokenManyServices(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	of := func(name string, s store) instance {
		cfg := provider.Config(name)
		cfg.Sessions, cfg.MaxTokenAge = s, time.Hour
		auth := provider.Authenticator(cfg)
		receiver, err := logout.New(auth, s.Revoker(), "web")
		do(t, err)
		return instance{s, auth, receiver}
	}
	services := map[string]instance{}
	for _, name := range []string{"api", "shop", "shop:1"} {
		sessions := openSessions(t, at(server.Address), issuedBy(provider), audience(name))
		do(t, sessions.Login(t.Context(), "ada", "s1", time.Hour))
		services[name] = of(name, sessions)
	}
	for name, change := range map[string]change{
		"by sid": rules(redisstore.BySession), "by sub": rules(redisstore.ByIssuedAt), "both": rules(redisstore.BySession, redisstore.ByIssuedAt),
		"another age": func(c *config) {
			c.denylist.Rules, c.denylist.MaxTokenAge = []redisstore.Rule{redisstore.BySession}, 2*time.Hour
		},
	} {
		list := openDenylist(t, at(server.Address), issuedBy(provider), change)
		do(t, list.Begin(t.Context()))
		services[name] = of(name, list)
	}
	ended := logoutOf(provider, sid("s1"), jti("l1"))
	issued := time.Now().Add(-time.Second)
	tokens := map[string]string{}
	for name, service := range services {
		tokens[name] = provider.MustToken(sid("s1"), devissuer.Audience(name), devissuer.IssuedAt(issued), devissuer.ValidFor(30*time.Minute))
		service.admits(t, tokens[name], http.StatusOK)
	}
	for name, service := range services {
		t.Run(name, func(t *testing.T) {
			service.receives(t, ended, http.StatusOK)
			service.admits(t, tokens[name], http.StatusUnauthorized)
			service.receives(t, ended, http.StatusBadRequest) // a replay
		})
	}
}

// A revoker that can end nothing is refused at start-up, even if the service looks up sid and sub.
func TestRevoker_EndsNothing(t *testing.T) {
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	address := at("127.0.0.1:1")
	claims := func(user, session string) change {
		return func(c *config) { c.sessions.UserClaim, c.sessions.SessionClaim = user, session }
	}
	otherClaim := func(c *config) { c.denylist.SessionClaim = "session_id" }
	cfg := provider.Config("api")
	cfg.Sessions, cfg.MaxTokenAge = openDenylist(t, address, issuedBy(provider), rules(redisstore.BySession, redisstore.ByIssuedAt)), time.Hour
	auth := provider.Authenticator(cfg)
	for name, test := range map[string]struct {
		store store
		ends  bool
	}{
		"token ids alone":           {openDenylist(t, address, issuedBy(provider), rules(redisstore.ByTokenID)), false},
		"sessions of another claim": {openDenylist(t, address, issuedBy(provider), otherClaim, rules(redisstore.ByTokenID, redisstore.BySession)), false},
		"the same, and users":       {openDenylist(t, address, issuedBy(provider), otherClaim, rules(redisstore.BySession, redisstore.ByIssuedAt)), true},
		"sessions by sid":           {openDenylist(t, address, issuedBy(provider), rules(redisstore.BySession)), true},
		"users":                     {openDenylist(t, address, issuedBy(provider), rules(redisstore.ByIssuedAt)), true},
		"current sessions":          {openSessions(t, address, issuedBy(provider)), true},
		"of another session claim":  {openSessions(t, address, issuedBy(provider), claims("", "session_id")), false},
		"of another user claim":     {openSessions(t, address, issuedBy(provider), claims("user_id", "")), false},
		"of more-sso-auth":          {openSessions(t, address, issuedBy(provider), claims("user_id", "session_id")), false},
		"without an issuer":         {openSessions(t, address), false},
	} {
		revoker := test.store.Revoker()
		_, err := logout.New(auth, revoker, "web")
		if (err == nil) != test.ends || err != nil && !strings.Contains(err.Error(), "revoker") || revoker.RevokesFor(provider.URL()) != test.ends {
			t.Errorf("%s: %v", name, err)
		}
		what := logout.Revocation{Issuer: provider.URL(), Audience: "api", SessionID: "s1", Subject: "ada", User: "ada"}
		if err := revoker.RevokeSession(t.Context(), what); !test.ends && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
