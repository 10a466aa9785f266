package redisstore_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

func ignoringOutages(c *config) {
	c.sessions.InsecureIgnoreOutage, c.denylist.InsecureIgnoreOutage = true, true
}

// InsecureIgnoreOutage accepts a token if Redis is unavailable, and not if an operator must fix a setting.
func TestStores_IgnoreOutage(t *testing.T) {
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := tokenOf(provider, "s1", time.Now())
	args, client := redistest.Certificates(t)
	with := func(t *tls.Config) change { return func(c *config) { c.TLS = t } }
	_, otherAuthority := redistest.Certificates(t)
	oldest := client.Clone()
	oldest.MaxVersion = tls.VersionTLS12
	for name, test := range map[string]struct {
		args   []string
		begin  func(*testing.T, *redistest.Server)
		change change
		want   int
	}{
		"killed": {nil, func(_ *testing.T, s *redistest.Server) { s.Kill() }, unchanged, http.StatusOK},
		"busy": {[]string{"--busy-reply-threshold", "10"}, func(t *testing.T, s *redistest.Server) {
			ended := make(chan struct{})
			go func() { defer close(ended); _, _ = s.Try("EVAL", "while true do end", "0") }()
			t.Cleanup(func() { s.Do("SCRIPT", "KILL"); <-ended })
			redistest.Wait(t, limit, "Redis is busy", func() bool { out, _ := s.Try("GET", "x"); return strings.HasPrefix(out, "BUSY") })
		}, unchanged, http.StatusOK},
		"another type":     {nil, func(_ *testing.T, s *redistest.Server) { s.Do("SADD", key("ada"), "s1") }, unchanged, http.StatusServiceUnavailable},
		"no password":      {[]string{"--requirepass", "root"}, nil, unchanged, http.StatusServiceUnavailable},
		"a wrong password": {[]string{"--requirepass", "root"}, nil, as("", "wrong"), http.StatusServiceUnavailable},
		"no permission": {nil, func(_ *testing.T, s *redistest.Server) {
			s.Do(append(append([]string{"ACL", "SETUSER", "orders"}, checks...), "-get")...)
		}, as("orders", "secret"), http.StatusServiceUnavailable},
		"no such command":   {[]string{"--rename-command", "GET", "NOGET"}, nil, unchanged, http.StatusServiceUnavailable},
		"a replica":         {[]string{"--replicaof", "127.0.0.1 1"}, nil, unchanged, http.StatusServiceUnavailable},
		"no common version": {append(slices.Clone(args), "--tls-protocols", "TLSv1.3"), nil, with(oldest), http.StatusServiceUnavailable},
		"another authority": {args, nil, with(otherAuthority), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, test.args...)
			if test.begin != nil {
				test.begin(t, server)
			}
			i := newInstance(t, provider, openSessions(t, at(server.Address), issuedBy(provider), ignoringOutages, test.change))
			redistest.Wait(t, limit, "a result", func() bool { // a slow machine has none in time
				err := i.store.Check(t.Context(), session("ada", "s1"))
				return err != nil && !strings.Contains(err.Error(), "no lookup has had a result")
			})
			for range 5 { // with the breaker open, too
				i.admits(t, token, test.want)
			}
		})
	}
}

func TestDenylist_IgnoreOutage(t *testing.T) {
	server := redistest.Start(t)
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	i := denying(t, provider, server, ignoringOutages)
	token := tokenOf(provider, "s1", time.Now())
	i.admits(t, token, http.StatusServiceUnavailable) // Begin was not called
	i.begin(t)
	i.admits(t, token, http.StatusOK)
	do(t, i.store.(*redisstore.Denylist).RevokeSubject(t.Context(), "ada")) //nolint:errcheck // see denying
	server.Do("SET", server.Do("KEYS", "*:issued_at:*"), "soon")
	i.admits(t, token, http.StatusServiceUnavailable)
	server.Do("FLUSHALL")
	i.admits(t, token, http.StatusServiceUnavailable)
	server.Kill()
	redistest.Wait(t, limit, "the outage is noticed", func() bool { _, err := i.auth.ValidateToken(t.Context(), token); return err == nil })
	do(t, i.store.Close())
	i.admits(t, token, http.StatusServiceUnavailable)
}

func TestSessions_OtherAudienceIsNoOutage(t *testing.T) {
	s := session("u1", "s1")
	s.Audience = "web"
	err := openSessions(t, at("127.0.0.1:1")).Check(t.Context(), s)
	var misconfigured *sso.ConfigError
	if outcome(err) != "unavailable" || !errors.As(err, &misconfigured) {
		t.Error(err)
	}
}

// A key must not be the key of another store, even if the user chooses the user's name.
func TestSessions_KeyOfAnotherStore(t *testing.T) {
	server := redistest.Start(t)
	userFirst := func(c *config) { c.sessions.Key = func(audience, user string) string { return user + ":" + audience } }
	joined := func(c *config) { c.sessions.Key = func(audience, user string) string { return audience + user } }
	for name, test := range map[string]struct {
		change   change
		audience string
		user     string
		want     string
	}{
		"an ordinary user":                 {compatible, "api", "ada", "lives"},
		"an audience with a colon":         {compatible, "https://api.example", "ada", "lives"},
		"a user of another audience":       {compatible, "api", "eu:ada", "ended"},
		"one of two other audiences":       {compatible, "api", "eu:west:ada", "ended"},
		"an audience that begins as a URL": {compatible, "https", "//api.example:ada", "ended"},
		"an empty part":                    {compatible, "api", ":ada", "ended"},
		"a key of this package":            {userFirst, "api", "moresso:logout:1:i:1:j", "ended"},
		"a key of this package, joined":    {joined, "more", "sso:session:3:api:{3:ada}", "ended"},
		"a colon that does not collide":    {userFirst, "api", "eu:ada", "lives"},
		"the keys of this package":         {unchanged, "api", "eu:ada", "lives"},
	} {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			store := readySessions(t, at(server.Address), audience(test.audience), test.change)
			s := session(test.user, "s1")
			s.Audience = test.audience
			for call, err := range map[string]error{
				"Login":         store.Login(t.Context(), test.user, "s1", time.Hour),
				"RevokeSession": store.RevokeSession(t.Context(), test.user, "s0"),
			} {
				if (err == nil) != (test.want == "lives") {
					t.Errorf("%s: %v", call, err)
				}
			}
			wants(t, store, s, test.want)
			if err := store.Revoke(t.Context(), test.user); (err == nil) != (test.want == "lives") {
				t.Errorf("Revoke: %v", err)
			}
			if keys := server.Do("KEYS", "*"); keys != "" {
				t.Errorf("%s was written", keys)
			}
		})
	}
}

func TestConn_Format(t *testing.T) {
	c := redisstore.Conn{
		Addresses: []string{"localhost:6379"}, Username: "orders", Password: "hunter2",
		SentinelUsername: "watcher", SentinelPassword: "hunter2",
	}
	within := struct {
		Name string
		Conn redisstore.Conn
	}{"orders", c}
	texts := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%30v"} {
		for name, value := range map[string]any{"": c, "a pointer ": &c, "a list ": []redisstore.Conn{c}, "a field ": within, "a map ": map[string]any{"conn": &c}} {
			texts[name+verb] = fmt.Sprintf(verb, value)
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "conn", c)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "conn", c)
	texts["a log"] = log.String()
	for name, text := range texts {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text := fmt.Sprintf("%+v", c); !strings.Contains(text, "localhost:6379") || !strings.Contains(text, "Password:REDACTED") || !strings.Contains(text, "orders") {
		t.Error(text)
	}
	if text := fmt.Sprintf("%+v", redisstore.Conn{}); strings.Contains(text, "REDACTED") {
		t.Errorf("no password: %s", text)
	}
	if c.Password != "hunter2" {
		t.Error("printing changes the Conn")
	}
}
