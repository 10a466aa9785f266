//go:build !race

package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// The limits for the cost of a lookup.
const (
	mostCached = 5 * time.Microsecond // of a cached session
	mostWarm   = 7 * time.Microsecond // of a cached token and its session
)

// measured returns the best of three runs of a benchmark, since the machine may be busy.
func measured(f func(*testing.B)) (each time.Duration, allocations int64) {
	for range 3 {
		r := testing.Benchmark(f)
		if took := r.T / time.Duration(r.N); each == 0 || took < each {
			each, allocations = took, r.AllocsPerOp()
		}
	}
	return each, allocations
}

func TestCostOfALookup(t *testing.T) {
	server := redistest.Start(t)
	server.Do("SET", "api:ada", "s1")
	bare, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Address}, ForceSingleClient: true, DisableCache: true})
	must(t, err)
	defer bare.Close()
	now := time.Now().Truncate(time.Second)
	session := sso.Session{Issuer: "https://login.example.com", Audience: "api", Subject: "ada", User: "ada", ID: "s1", TokenID: "t1", IssuedAt: now, ExpiresAt: now.Add(time.Hour), GoodUntil: now.Add(time.Hour)}
	conn := redisstore.Conn{Addresses: []string{server.Address}, Logger: slog.New(slog.DiscardHandler)}
	sessions := func(cacheTTL time.Duration) *redisstore.Sessions {
		s, err := redisstore.NewSessions(conn, redisstore.SessionsOptions{
			Audience: "api", CacheTTL: cacheTTL, Key: compat.RedisKey,
		})
		must(t, err)
		t.Cleanup(func() { _ = s.Close() })
		must(t, s.Ready(t.Context()))
		return s
	}
	denylist := func(cacheTTL time.Duration, rules ...redisstore.Rule) *redisstore.Denylist {
		d, err := redisstore.NewDenylist(conn, redisstore.DenylistOptions{Rules: rules, Issuer: session.Issuer, MaxTokenAge: time.Hour, CacheTTL: cacheTTL})
		must(t, err)
		t.Cleanup(func() { _ = d.Close() })
		must(t, d.Begin(t.Context()))
		must(t, d.Ready(t.Context()))
		return d
	}
	check := func(s sso.SessionStore) func(*testing.B) {
		must(t, s.Check(t.Context(), session))
		return func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Check(context.Background(), session); err != nil && !errors.Is(err, sso.ErrUnavailable) { // a busy machine
					b.Fatal(err)
				}
			}
		}
	}
	say("%-52s %12s %7s", "cost, one after the other", "each", "allocs")
	row := func(what string, f func(*testing.B)) time.Duration {
		each, allocations := measured(f)
		say("%-52s %12v %7d", what, each, allocations)
		return each
	}
	row("a bare GET by the same client library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := bare.Do(context.Background(), bare.B().Get().Key("api:ada").Build()).Error(); err != nil {
				b.Fatal(err)
			}
		}
	})
	row("a lookup without a cache", check(sessions(0)))
	cached := row("a lookup in the cache", check(sessions(cacheTTL)))

	all := []redisstore.Rule{redisstore.ByTokenID, redisstore.BySession, redisstore.ByIssuedAt}
	row("a denylist of three rules without a cache", check(denylist(0, all...)))
	row("a denylist of three rules in the cache", check(denylist(cacheTTL, all...)))
	row("a denylist of token ids in the cache", check(denylist(cacheTTL, redisstore.ByTokenID)))

	issuer, err := devissuer.Start(devissuer.WithAudience("api"), devissuer.WithLifetime(time.Hour))
	must(t, err)
	defer issuer.Close() //nolint:errcheck // the end of a test server
	store := sessions(cacheTTL)
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(), Issuer: issuer.URL(), Audience: []string{"api"}, Logger: slog.New(slog.DiscardHandler),
		Sessions: store,
	})
	must(t, err)
	defer auth.Close() //nolint:errcheck // the end of the test
	token := issuer.MustToken(devissuer.Subject("ada"), devissuer.Claim("sid", "s1"))
	warm := row("a cached token, and its session in the cache", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := auth.ValidateToken(context.Background(), token); err != nil && !errors.Is(err, sso.ErrUnavailable) {
				b.Fatal(err)
			}
		}
	})
	if cached >= mostCached || warm >= mostWarm {
		t.Errorf("a cached lookup takes %v, at most %v; with its token %v, at most %v", cached, mostCached, warm, mostWarm)
	}
}

// What Redis keeps for each session: 200,000 of them, with ids as UUIDs are.
func TestBytesOfASession(t *testing.T) {
	const many = 200_000
	server := redistest.Start(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Address}, ForceSingleClient: true, DisableCache: true})
	must(t, err)
	defer client.Close()
	id := func(kind, i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, i) }
	fill := func(what string, command func(i int) []rueidis.Completed) {
		server.Do("FLUSHALL")
		before := memory(t, server)
		for begin := 0; begin < many; begin += 1000 {
			batch := make([]rueidis.Completed, 0, 1000)
			for i := begin; i < begin+1000; i++ {
				batch = append(batch, command(i)...)
			}
			for _, r := range client.DoMulti(t.Context(), batch...) {
				must(t, r.Error())
			}
		}
		each := float64(memory(t, server)-before) / many
		say("%-44s %4.0f bytes each: 1 million %5.2f GB, 10 million %5.1f GB, 100 million %5.0f GB", what, each, each/1e3, each/1e2, each/1e1)
		if each < 50 || each > 1000 {
			t.Errorf("%.0f bytes each is implausible", each)
		}
	}
	fill("keys of more-sso-auth, without a TTL", func(i int) []rueidis.Completed {
		return []rueidis.Completed{client.B().Set().Key("orders-api:" + id(1, i)).Value(id(2, i)).Build()}
	})
	fill("keys of more-sso-auth, by Login", func(i int) []rueidis.Completed {
		return []rueidis.Completed{client.B().Set().Key("orders-api:" + id(1, i)).Value(id(2, i)).PxMilliseconds(3_600_000).Build()}
	})
	fill("a session, by Login", func(i int) []rueidis.Completed {
		return []rueidis.Completed{client.B().Set().Key("moresso:session:10:orders-api:{36:" + id(1, i) + "}").Value(id(2, i)).PxMilliseconds(3_600_000).Build()}
	})
	fill("a set of one session, by Login", func(i int) []rueidis.Completed {
		key := "moresso:session:10:orders-api:{36:" + id(1, i) + "}"
		return []rueidis.Completed{client.B().Zadd().Key(key).ScoreMember().ScoreMember(1.8e12, id(2, i)).Build(), client.B().Pexpire().Key(key).Milliseconds(3_600_000).Build()}
	})
	fill("a revocation in a denylist", func(i int) []rueidis.Completed {
		return []rueidis.Completed{client.B().Set().Key("moresso:denied:{63}:token_id:25:https://login.example.com:36:" + id(1, i)).Value("1").PxMilliseconds(3_600_000).Build()}
	})
}

func memory(t *testing.T, server *redistest.Server) int {
	t.Helper()
	_, rest, _ := strings.Cut(server.Do("INFO", "memory"), "used_memory:")
	number, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	must(t, err)
	return n
}
