package redisstore_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// A program whose clock is wrong revokes, or returns an error. The services have the right time.
func TestDenylist_Clocks(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	services := begunDenylist(t, at(server.Address))
	ada := session("ada", "s1")
	for name, revoke := range map[string]func(*redisstore.Denylist) error{
		"RevokeToken":                 func(d *redisstore.Denylist) error { return d.RevokeToken(t.Context(), ada.TokenID, ada.ExpiresAt) },
		"RevokeToken, unknown expiry": func(d *redisstore.Denylist) error { return d.RevokeToken(t.Context(), ada.TokenID, time.Time{}) },
		"RevokeSession":               func(d *redisstore.Denylist) error { return d.RevokeSession(t.Context(), ada.ID) },
		"RevokeSubject":               func(d *redisstore.Denylist) error { return d.RevokeSubject(t.Context(), ada.Subject) },
		"RevokeIssuedBefore": func(d *redisstore.Denylist) error {
			return d.RevokeIssuedBefore(t.Context(), ada.Subject, ada.IssuedAt)
		},
		"a logout of the session": func(d *redisstore.Denylist) error { return d.Revoker().RevokeSession(t.Context(), revocation(ada)) },
		"a logout of the user":    func(d *redisstore.Denylist) error { return d.Revoker().RevokeSubject(t.Context(), revocation(ada)) },
	} {
		for _, wrong := range []time.Duration{-10 * 365 * 24 * time.Hour, -2 * time.Hour, -50 * time.Minute, 0, 50 * time.Minute, 2 * time.Hour, 10 * 365 * 24 * time.Hour} {
			for key := range strings.FieldsSeq(server.Do("KEYS", "*")) {
				if !strings.HasSuffix(key, "epoch") {
					server.Do("DEL", key)
				}
			}
			wants(t, services, ada, "lives")
			if err := revoke(openDenylist(t, at(server.Address), stopped(time.Now().Add(wrong)))); err != nil {
				if name != "RevokeIssuedBefore" || wrong >= 0 { // a moment too far ahead
					t.Errorf("%s, %v: %v", name, wrong, err)
				}
				continue
			}
			wants(t, services, ada, "ended")
			for key := range strings.FieldsSeq(server.Do("KEYS", "*")) {
				if left := server.Do("PTTL", key); !strings.HasSuffix(key, "epoch") && milliseconds(t, left) < time.Until(ada.GoodUntil) {
					t.Errorf("%s, %v: %s is kept for %s ms", name, wrong, key, left)
				}
			}
		}
	}
}

// revocation returns the content of a logout token of the session, by the right time.
func revocation(s sso.Session) logout.Revocation {
	return logout.Revocation{
		Issuer: issuer, SessionID: s.ID, Subject: s.Subject,
		IssuedBefore: s.IssuedAt.Add(time.Second), Until: s.IssuedAt.Add(time.Hour),
	}
}

func milliseconds(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text + "ms")
	do(t, err)
	return d
}

// The subject is signed out by Redis's clock, if that of the program is behind.
func TestDenylist_RevokeSubjectByClocks(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	services := begunDenylist(t, at(server.Address))
	now := time.Now().Truncate(time.Second)
	do(t, openDenylist(t, at(server.Address), stopped(now.Add(-time.Hour))).RevokeSubject(t.Context(), "ada"))
	ada := session("ada", "s1")
	for ahead, want := range map[time.Duration]string{-time.Minute: "ended", 0: "ended", time.Minute: "ended", time.Minute + limit: "lives"} {
		ada.IssuedAt, ada.ExpiresAt = now.Add(ahead), now.Add(30*time.Minute)
		ada.GoodUntil = ada.ExpiresAt
		wants(t, services, ada, want)
	}
}

// A revocation is kept for the leeway of the denylist, so a service must not have more.
func TestDenylist_Leeway(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address), leeway(2*time.Minute))
	for leeway, want := range map[time.Duration]string{
		0: "lives", time.Minute: "lives", 2 * time.Minute: "lives",
		2*time.Minute + 1: "unavailable", 5 * time.Minute: "unavailable", -1: "unavailable",
	} {
		ada := session("ada", "s1")
		ada.GoodUntil = ada.ExpiresAt.Add(leeway)
		wants(t, store, ada, want)
	}
	for name, change := range map[string]func(*sso.Session){
		"no leeway": func(s *sso.Session) { s.GoodUntil = time.Time{} },
		"no expiry": func(s *sso.Session) { s.ExpiresAt = time.Time{} },
		"neither":   func(s *sso.Session) { s.ExpiresAt, s.GoodUntil = time.Time{}, time.Time{} },
	} {
		ada := session("ada", "s1")
		change(&ada)
		if err := store.Check(t.Context(), ada); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	provider := ssotest.NewIssuer(t, ssotest.FastKeys())
	for leeway, want := range map[time.Duration]int{time.Minute: http.StatusOK, 5 * time.Minute: http.StatusServiceUnavailable} {
		t.Run(leeway.String(), func(t *testing.T) {
			cfg := provider.Config("api")
			store := openDenylist(t, at(server.Address), issuedBy(provider), ignoringOutages)
			cfg.Sessions, cfg.MaxTokenAge, cfg.Leeway = store, time.Hour, leeway
			do(t, store.Begin(t.Context()))
			instance{store: store, auth: provider.Authenticator(cfg)}.admits(t, provider.MustToken(sid("s1"), jti("j1")), want)
		})
	}
}
