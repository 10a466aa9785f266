package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	lookupLimit = 100 * time.Millisecond // longest wait of a request
	workLimit   = time.Second            // longest read after that, for later requests
)

var errTooLate = fmt.Errorf("no answer from Redis within %v", lookupLimit)

// query reads a string, the score of a member of a sorted set, or an epoch.
type query struct {
	key, member string
	epoch       string // the field; see begin
	fresh       bool   // not from the cache
}

func (q query) command(b rueidis.Builder) rueidis.Cacheable {
	switch {
	case q.member != "":
		return b.Zscore().Key(q.key).Member(q.member).Cache()
	case q.epoch != "":
		return b.Hmget().Key(q.key).Field(q.epoch, "count").Cache()
	}
	return b.Get().Key(q.key).Cache()
}

// answer is the answer to a query.
type answer struct {
	found bool
	text  string
	score float64
	epoch []int64 // when it began, and the number of writes
}

// query reads from Redis or from the cache, within lookupLimit. In a Cluster it sends each pair of
// queries separately, because a pair is in one slot: a node that is down does not open the breaker
// of another.
func (s *store) query(ctx context.Context, queries ...query) ([]answer, error) {
	if !s.cluster || len(queries) <= 2 {
		return s.queryGroup(ctx, queries)
	}
	var rest []answer
	var restErr error
	var others sync.WaitGroup
	others.Go(func() { rest, restErr = s.query(ctx, queries[2:]...) })
	answers, err := s.queryGroup(ctx, queries[:2])
	others.Wait()
	if err := cmp.Or(err, restErr); err != nil {
		return nil, err
	}
	return append(answers, rest...), nil
}

// breaker is that of the first query. The nodes of a Cluster fail separately, each with a range of slots.
func (s *store) breaker(queries []query) *breaker {
	if s.cluster {
		return &s.breakers[slotGroup(queries[0].key)]
	}
	return &s.breakers[0]
}

// lookup is a lookup in progress.
type lookup struct {
	done chan struct{}
	// reported is set by the goroutine that reports the result to the breaker: the lookup itself,
	// or the request that has waited long enough.
	reported atomic.Bool
	// valid after done
	answers []answer
	err     error
}

func (s *store) queryGroup(ctx context.Context, queries []query) ([]answer, error) {
	b, begun := s.breaker(queries), monotonic()
	verdict, err := b.allow(begun)
	if verdict == refuse {
		return nil, unavailable(fmt.Errorf("redisstore: Redis is unavailable: %w", err))
	}
	l := &lookup{done: make(chan struct{})}
	background := context.WithoutCancel(ctx) // other requests may wait for the same answer
	if !s.start(func() { s.run(background, l, b, begun, queries) }) {
		return nil, unavailable(errClosed)
	}
	if verdict == refuseAndProbe {
		return nil, unavailable(fmt.Errorf("redisstore: Redis is unavailable: %w", err))
	}
	timer := time.NewTimer(lookupLimit)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		select {
		case <-l.done: // both are ready
		default:
			if l.reported.CompareAndSwap(false, true) {
				s.failed(background, b, errTooLate)
			}
			return nil, unavailable(fmt.Errorf("redisstore: %w", b.explain(errTooLate)))
		}
	}
	if l.err != nil {
		return nil, unavailable(fmt.Errorf("redisstore: %w", l.err))
	}
	return l.answers, nil
}

// run reads, and reports the result to the breaker. An answer that is too late counts as a failure.
func (s *store) run(ctx context.Context, l *lookup, b *breaker, begun time.Time, queries []query) {
	defer close(l.done)
	defer func() { b.learn(l.err) }()
	if l.answers, l.err = s.readCached(ctx, queries); !l.reported.CompareAndSwap(false, true) {
		return
	}
	switch {
	case l.err != nil && !wrongType(l.err):
		s.failed(ctx, b, l.err)
	case monotonic().Sub(begun) > lookupLimit:
		s.failed(ctx, b, errTooLate)
	case b.succeeded(begun):
		s.logger.InfoContext(ctx, "Redis is available again")
	}
}

func (s *store) failed(ctx context.Context, b *breaker, err error) {
	if b.failed(err) {
		s.logger.WarnContext(ctx, "Redis is unavailable, rejecting lookups", slog.Any("error", err))
	}
}

// wrongType reports whether Redis answered that the key holds another type, which says nothing
// about Redis.
func wrongType(err error) bool {
	var answered *rueidis.RedisError
	return errors.As(err, &answered) && strings.HasPrefix(answered.Error(), "WRONGTYPE ")
}

// readCached reads from the cache of the client, which queries Redis for what it does not have.
//
// The context has no deadline. If a read were canceled, its late answer would be cached for the
// next read of the same key, and expire too late. A read therefore ends only with an answer or with
// its connection; see probeIdle.
func (s *store) readCached(ctx context.Context, queries []query) ([]answer, error) {
	uncached := func() ([]answer, error) {
		ctx, cancel := context.WithTimeout(ctx, workLimit)
		defer cancel()
		return s.read(ctx, queries)
	}
	if s.cacheTTL == 0 || queries[0].fresh {
		return uncached()
	}
	client, err := s.client.get()
	if err != nil {
		return nil, err
	}
	cacheable := make([]rueidis.CacheableTTL, len(queries))
	for i, q := range queries {
		cacheable[i] = rueidis.CT(q.command(client.B()), s.cacheTTL)
	}
	var results []rueidis.RedisResult
	if len(queries) == 1 {
		results = []rueidis.RedisResult{client.DoCache(ctx, cacheable[0].Cmd, cacheable[0].TTL)}
	} else {
		results = client.DoMultiCache(ctx, cacheable...)
	}
	now := monotonic().UnixMilli()
	for _, r := range results {
		// The read that this one waited for began too long ago, or its connection has ended.
		if r.NonRedisError() == nil && r.CachePXAT() <= now || errors.Is(r.NonRedisError(), rueidis.ErrDoCacheAborted) {
			return uncached()
		}
	}
	return parse(queries, results)
}

// read reads from Redis.
func (s *store) read(ctx context.Context, queries []query) ([]answer, error) {
	client, err := s.client.get()
	if err != nil {
		return nil, err
	}
	commands := make([]rueidis.Completed, len(queries))
	for i, q := range queries {
		commands[i] = rueidis.Completed(q.command(client.B()))
	}
	if len(queries) == 1 {
		return parse(queries, []rueidis.RedisResult{client.Do(ctx, commands[0])})
	}
	return parse(queries, client.DoMulti(ctx, commands...))
}

func parse(queries []query, results []rueidis.RedisResult) ([]answer, error) {
	answers := make([]answer, len(queries))
	for i, r := range results {
		var err error
		switch {
		case queries[i].member != "":
			answers[i].score, err = r.AsFloat64()
		case queries[i].epoch != "":
			answers[i].epoch, err = r.AsIntSlice()
		default:
			answers[i].text, err = r.ToString()
		}
		if err != nil && !rueidis.IsRedisNil(err) {
			return nil, explain(err)
		}
		answers[i].found = err == nil
	}
	return answers, nil
}

// outages are the codes with which Redis answers that it cannot serve now.
var outages = []string{"LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"}

// advice says what to fix after an error of Redis, by its code.
var advice = map[string]error{
	"WRONGTYPE": refusal("SessionsOptions.SeveralSessions", "differs from that of the program that wrote the key, or Key does", "set the same"),
	"NOAUTH":    refusal("Conn.Password", "is empty", "set it"),
	"WRONGPASS": refusal("Conn.Password", "or Conn.Username is wrong", "check both, and those of the Sentinels"),
	"NOPERM":    refusal("Conn.Username", "lacks a permission", "docs/SESSIONS.md lists the commands that the user needs"),
	"READONLY":  errReplica,
}

// explain makes an error that is not an outage match [sso.ConfigError]: an answer of Redis, except the
// outages, and a certificate or an alert of TLS.
func explain(err error) error {
	var (
		answered    *rueidis.RedisError
		certificate *tls.CertificateVerificationError
		network     *net.OpError
	)
	switch {
	case isRefusal(err):
	case errors.As(err, &answered):
		code, _, _ := strings.Cut(answered.Error(), " ")
		if reason, ok := advice[code]; ok {
			return fmt.Errorf("%w: %w", reason, err)
		}
		if !slices.Contains(outages, code) {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
	case errors.As(err, &certificate), errors.As(err, &network) && strings.HasSuffix(network.Op, " error"):
		return fmt.Errorf("%w: %w", errTLS, err)
	}
	return err
}
