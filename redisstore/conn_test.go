package redisstore_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
)

func TestNewSessions_AllErrors(t *testing.T) {
	_, err := redisstore.NewSessions(redisstore.Conn{
		Addresses: []string{"redis://u:secret@h:1", "redis.internal:6379"}, TLS: &tls.Config{InsecureSkipVerify: true}, Username: "u",
		WaitReplicas: 11, SentinelPassword: "x",
	}, redisstore.SessionsOptions{CacheTTL: time.Millisecond})
	if _, ok := errors.AsType[*sso.ConfigError](err); !ok {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Conn.Addresses has a text of", "Conn.Addresses has 2 addresses", "Conn.TLS has InsecureSkipVerify", "Conn.Password is empty",
		"SessionsOptions.Audience is \"\"", "Conn.WaitReplicas is 11", "SessionsOptions.CacheTTL is 1ms", "Conn.SentinelPassword is set",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// invalid requires exactly one error, about the setting, or none if setting is empty.
func invalid(t *testing.T, err error, setting string) {
	t.Helper()
	var invalid *sso.ConfigError
	switch {
	case setting == "" && err != nil:
		t.Error(err)
	case setting == "":
	case !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Setting != "redisstore."+setting || invalid.Problems[0].Remedy == "":
		t.Errorf("%s: %v", setting, err)
	}
}

func TestConn_Check(t *testing.T) {
	for _, test := range []struct {
		change func(*redisstore.Conn)
		want   string // the setting of the only error; empty: none
	}{
		{func(*redisstore.Conn) {}, ""},
		{func(c *redisstore.Conn) { c.Addresses = nil }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses, c.Cluster = slices.Repeat(c.Addresses, 17), true }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses, c.Cluster = slices.Repeat(c.Addresses, 16), true }, ""},
		{func(c *redisstore.Conn) { c.Addresses = slices.Repeat(c.Addresses, 2) }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses = []string{"localhost"} }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses = []string{"localhost:0"} }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses = []string{"localhost:65535"} }, ""},
		{func(c *redisstore.Conn) { c.Addresses = []string{"localhost:65536"} }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses = []string{":6379"} }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses = []string{"u@localhost:6379"} }, "Conn.Addresses"},
		{func(c *redisstore.Conn) { c.Addresses = []string{"[::1]:6379"} }, ""},
		{func(c *redisstore.Conn) { c.Addresses = []string{"10.0.0.1:6379"} }, "Conn.TLS"},
		{func(c *redisstore.Conn) { c.Addresses, c.TLS = []string{"10.0.0.1:6379"}, &tls.Config{} }, ""},
		{func(c *redisstore.Conn) { c.Addresses, c.InsecureAllowPlaintext = []string{"10.0.0.1:6379"}, true }, ""},
		{func(c *redisstore.Conn) { c.TLS = &tls.Config{MinVersion: tls.VersionTLS11} }, "Conn.TLS"},
		{func(c *redisstore.Conn) { c.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} }, "Conn.TLS"},
		{func(c *redisstore.Conn) { c.TLS = &tls.Config{MinVersion: tls.VersionTLS12} }, ""},
		{func(c *redisstore.Conn) { c.TLS = &tls.Config{MaxVersion: tls.VersionTLS12} }, ""},
		{func(c *redisstore.Conn) { c.Sentinel, c.Cluster = "m", true }, "Conn.Sentinel"},
		{func(c *redisstore.Conn) { c.Sentinel, c.SentinelUsername, c.SentinelPassword = "m", "u", "p" }, ""},
		{func(c *redisstore.Conn) { c.SentinelUsername = "u" }, "Conn.SentinelPassword"},
		{func(c *redisstore.Conn) { c.SentinelPassword = "p" }, "Conn.SentinelPassword"},
		{func(c *redisstore.Conn) { c.Username = "u" }, "Conn.Password"},
		{func(c *redisstore.Conn) { c.Username, c.Password = "u", "p" }, ""},
		{func(c *redisstore.Conn) { c.WaitReplicas = -1 }, "Conn.WaitReplicas"},
		{func(c *redisstore.Conn) { c.WaitReplicas = 10 }, ""},
	} {
		c := redisstore.Conn{Addresses: []string{"localhost:6379"}}
		test.change(&c)
		s, err := redisstore.NewSessions(c, redisstore.SessionsOptions{Audience: "api"})
		invalid(t, err, test.want)
		if err == nil {
			do(t, s.Close())
		}
	}
}

func TestSessionsOptions_Check(t *testing.T) {
	colon := func(audience, user string) string { return audience + ":" + user }
	for _, test := range []struct {
		o    redisstore.SessionsOptions
		want string
	}{
		{redisstore.SessionsOptions{Audience: "api"}, ""},
		{redisstore.SessionsOptions{Audience: " api"}, "SessionsOptions.Audience"},
		{redisstore.SessionsOptions{Audience: "moresso"}, ""},
		{redisstore.SessionsOptions{Audience: "moresso", Key: colon}, "SessionsOptions.Audience"}, // a key could be that of a logout
		{redisstore.SessionsOptions{Audience: "moresso:logout", Key: colon}, "SessionsOptions.Audience"},
		{redisstore.SessionsOptions{Audience: "moresso-api", Key: colon}, ""},
		{redisstore.SessionsOptions{Audience: "api", CacheTTL: 99 * time.Millisecond}, "SessionsOptions.CacheTTL"},
		{redisstore.SessionsOptions{Audience: "api", CacheTTL: 100 * time.Millisecond}, ""},
		{redisstore.SessionsOptions{Audience: "api", CacheTTL: 30 * time.Second}, ""},
		{redisstore.SessionsOptions{Audience: "api", CacheTTL: 30*time.Second + 1}, "SessionsOptions.CacheTTL"},
	} {
		s, err := redisstore.NewSessions(redisstore.Conn{Addresses: []string{"localhost:6379"}}, test.o)
		invalid(t, err, test.want)
		if err == nil {
			do(t, s.Close())
		}
	}
}

func TestDenylistOptions_Check(t *testing.T) {
	for _, test := range []struct {
		change func(*redisstore.DenylistOptions)
		want   string
	}{
		{func(*redisstore.DenylistOptions) {}, ""},
		{func(o *redisstore.DenylistOptions) { o.Rules = nil }, "DenylistOptions.Rules"},
		{func(o *redisstore.DenylistOptions) { o.Rules = []redisstore.Rule{"jti"} }, "DenylistOptions.Rules"},
		{func(o *redisstore.DenylistOptions) { o.Rules = append(o.Rules, o.Rules...) }, ""},
		{func(o *redisstore.DenylistOptions) { o.Issuer = "" }, "DenylistOptions.Issuer"},
		{func(o *redisstore.DenylistOptions) { o.MaxTokenAge = 0 }, "DenylistOptions.MaxTokenAge"},
		{func(o *redisstore.DenylistOptions) { o.MaxTokenAge = -1 }, "DenylistOptions.MaxTokenAge"},
		{func(o *redisstore.DenylistOptions) { o.MaxTokenAge = 367 * 24 * time.Hour }, "DenylistOptions.MaxTokenAge"},
		{func(o *redisstore.DenylistOptions) { o.MaxTokenAge, o.Leeway = 366*24*time.Hour, 5*time.Minute }, ""},
		{func(o *redisstore.DenylistOptions) { o.Leeway = 6 * time.Minute }, "DenylistOptions.Leeway"},
		{func(o *redisstore.DenylistOptions) { o.Leeway = -1 }, "DenylistOptions.Leeway"},
		{func(o *redisstore.DenylistOptions) { o.CacheTTL = time.Minute }, "DenylistOptions.CacheTTL"},
	} {
		o := redisstore.DenylistOptions{Issuer: issuer, MaxTokenAge: time.Hour, Rules: everyRule}
		test.change(&o)
		d, err := redisstore.NewDenylist(redisstore.Conn{Addresses: []string{"localhost:6379"}}, o)
		invalid(t, err, test.want)
		if err == nil {
			do(t, d.Close())
		}
	}
}
