package redisstore

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestWhatTheOptionsLeaveOutHasItsDefault(t *testing.T) {
	sessions := Options{Addresses: []string{"localhost:6379"}, Audience: "api", Cache: true}
	denylist := Options{Addresses: []string{"localhost:6379"}, Denylist: []Rule{ByTokenID}, Issuer: "https://issuer.example", MaxTokenAge: time.Hour}
	for _, o := range []*Options{&sessions, &denylist} {
		if err := o.check(); err != nil {
			t.Fatal(err)
		}
	}
	if sessions.MaxStale != 2*time.Second || sessions.CacheEntries != 100_000 || sessions.Prefix != "moresso" || sessions.Layout != LayoutPython {
		t.Errorf("%+v", sessions)
	}
	if denylist.Leeway != sso.DefaultLeeway || denylist.MaxStale != 0 || denylist.CacheEntries != 0 {
		t.Errorf("%+v", denylist)
	}
	if sessions.Logger != slog.Default() || time.Since(sessions.Now()).Abs() > time.Minute {
		t.Error("logger and clock are not the program's")
	}
}

func TestWhatTheOptionsGiveStays(t *testing.T) {
	logger, then := slog.New(slog.DiscardHandler), time.Unix(1, 0)
	o := Options{
		Addresses: []string{"localhost:6379"}, Audience: "api", Layout: LayoutHardened, Prefix: "p", SeveralSessions: true,
		Cache: true, MaxStale: time.Second, CacheEntries: 1, Logger: logger, Now: func() time.Time { return then },
	}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	if o.Prefix != "p" || o.MaxStale != time.Second || o.CacheEntries != 1 || o.Logger != logger || !o.Now().Equal(then) {
		t.Errorf("%+v", o)
	}
}

func TestAMessageShowsNothingThatCouldBeASecret(t *testing.T) {
	for value, want := range map[string]string{
		"redis":                  `"redis"`,
		strings.Repeat("x", 100): `"` + strings.Repeat("x", 100) + `"`,
		strings.Repeat("x", 101): "a text of 101 bytes",
		"secret@redis":           "a text of 12 bytes",
	} {
		if got := shown(value); got != want {
			t.Errorf("%s is shown as %s", value, got)
		}
	}
}
