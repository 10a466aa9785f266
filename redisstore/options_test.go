package redisstore

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestStores_Defaults(t *testing.T) {
	conn := Conn{Addresses: []string{"localhost:6379"}}
	s, err := NewSessions(conn, SessionsOptions{Audience: "api"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDenylist(conn, DenylistOptions{Rules: []Rule{ByTokenID}, Issuer: "https://issuer.example", MaxTokenAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.Close(), d.Close() })
	if s.logger != slog.Default() || s.cacheTTL != 0 || len(s.breakers) != 1 || d.options.Leeway != time.Minute {
		t.Errorf("%+v, %+v", s.options, d.options)
	}
}

func TestRedact(t *testing.T) {
	for value, want := range map[string]string{
		"redis":                  `"redis"`,
		strings.Repeat("x", 100): `"` + strings.Repeat("x", 100) + `"`,
		strings.Repeat("x", 101): "a text of 101 bytes",
		"secret@redis":           "a text of 12 bytes",
	} {
		if got := redact(value); got != want {
			t.Errorf("%s is shown as %s", value, got)
		}
	}
}
