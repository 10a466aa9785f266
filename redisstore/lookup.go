package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	// lookupLimit bounds what a request waits for.
	lookupLimit = 100 * time.Millisecond
	// workLimit bounds what goes on behind that: connections that take longer to make serve
	// later requests.
	workLimit = time.Second
)

// query is one thing that Redis is asked.
type query struct {
	key     string
	command command
	member  string // with zscore
}

type command uint8

const (
	get command = iota
	zscore
)

// answer is what Redis says to it.
type answer struct {
	found  bool
	text   string  // with get
	number float64 // with zscore
}

var errTooLate = fmt.Errorf("no answer from Redis within %v", lookupLimit)

// ask gets one answer, out of the cache or from Redis.
func (s *Store) ask(ctx context.Context, q query) (answer, error) {
	if s.cache != nil {
		if a, ok := s.cache.get(q); ok {
			return a, nil
		}
	}
	q.member = strings.Clone(q.member) // what goes on behind the request must not hold its memory
	answers, err := s.askAll(ctx, []query{q})
	if err != nil {
		return answer{}, err
	}
	return answers[0], nil
}

// askAll asks Redis. What is on several nodes of a Cluster is asked for by the node, so that one
// that is away is no reason to ask the others less.
func (s *Store) askAll(ctx context.Context, queries []query) ([]answer, error) {
	first := s.together(queries)
	if first == len(queries) {
		return s.askOne(ctx, queries)
	}
	var rest []answer
	var restErr error
	var others sync.WaitGroup
	others.Go(func() { rest, restErr = s.askAll(ctx, queries[first:]) })
	answers, err := s.askOne(ctx, queries[:first:first])
	others.Wait() // within the same limit, since they are asked at the same time
	if err := cmp.Or(err, restErr); err != nil {
		return nil, err
	}
	return append(answers, rest...), nil
}

// together is how many of the first queries share a breaker.
func (s *Store) together(queries []query) int {
	b := s.breaker(queries)
	for i := range queries {
		if s.breaker(queries[i:]) != b {
			return i
		}
	}
	return len(queries)
}

// askOne asks through one breaker.
func (s *Store) askOne(ctx context.Context, queries []query) ([]answer, error) {
	b := s.breaker(queries)
	begun := b.begin()
	v, err := b.judge(begun)
	if v != pass {
		if v == refuseProbe {
			s.begin(ctx, b, begun, queries)
		}
		return nil, unavailable(fmt.Errorf("redisstore: not asked, since it is away: %w", err))
	}
	l, started := s.begin(ctx, b, begun, queries)
	if !started {
		return nil, unavailable(errClosed)
	}
	timer := time.NewTimer(lookupLimit)
	defer timer.Stop()
	var r result
	select {
	case r = <-l.done:
	case <-timer.C:
		select {
		case r = <-l.done: // both were ready: the answer is of more use
		default:
			if l.told.CompareAndSwap(false, true) {
				s.away(ctx, b, errTooLate)
			}
			r.err = errTooLate
		}
	}
	if r.err != nil {
		return nil, unavailable(fmt.Errorf("redisstore: %w", r.err))
	}
	return r.answers, nil
}

// breaker is the one for the first of these queries. In a Cluster nodes fail by themselves, and
// with them neighbouring slots.
func (s *Store) breaker(queries []query) *breaker {
	if s.options.Cluster {
		return &s.breakers[slotGroup(queries[0].key)]
	}
	return &s.breakers[0]
}

// result is what comes of a lookup.
type result struct {
	answers []answer
	err     error
}

// lookup is one on its way.
type lookup struct {
	done chan result
	// told is set by whoever tells the breaker what came of it: the lookup itself, or who has
	// waited long enough. Exactly one of them must.
	told atomic.Bool
}

// begin starts a lookup, which tells the breaker what came of it unless that is told already.
func (s *Store) begin(ctx context.Context, b *breaker, begun time.Time, queries []query) (*lookup, bool) {
	l := &lookup{done: make(chan result, 1)}
	ctx = context.WithoutCancel(ctx) // others may wait for the same answer
	return l, s.start(func() {
		limited, cancel := context.WithTimeout(ctx, workLimit)
		defer cancel()
		answers, err := s.fetch(limited, queries)
		if l.told.CompareAndSwap(false, true) {
			s.tell(ctx, b, begun, err)
		}
		l.done <- result{answers, err}
	})
}

// tell tells the breaker what came of a lookup. An answer that came too late is of no use, and
// counts as none.
func (s *Store) tell(ctx context.Context, b *breaker, begun time.Time, err error) {
	switch {
	case err != nil && !itsOwnFault(err):
		s.away(ctx, b, err)
	case monotonic().Sub(begun) > lookupLimit:
		s.away(ctx, b, errTooLate)
	default:
		if b.succeeded(begun) {
			s.logger.InfoContext(ctx, "redisstore: Redis is back")
		}
	}
}

// away tells the breaker that a lookup failed.
func (s *Store) away(ctx context.Context, b *breaker, err error) {
	if b.failed(err) {
		s.logger.WarnContext(ctx, "redisstore: Redis is away, and lookups are refused until it is back", slog.Any("error", err))
	}
}

// itsOwnFault tells an answer that says something of the key and nothing of Redis, by its code.
func itsOwnFault(err error) bool {
	var answered *rueidis.RedisError
	return errors.As(err, &answered) && strings.HasPrefix(answered.Error(), "WRONGTYPE ")
}

// fetch sends queries to Redis in one go.
func (s *Store) fetch(ctx context.Context, queries []query) ([]answer, error) {
	client, err := s.link.client(ctx)
	if err != nil {
		return nil, err
	}
	results := s.send(ctx, client, queries)
	answers := make([]answer, len(queries))
	for i, r := range results {
		message, err := r.ToMessage()
		if err == nil || rueidis.IsRedisNil(err) {
			answers[i], err = read(queries[i].command, message)
		}
		if err != nil {
			return nil, explained(err)
		}
	}
	return answers, nil
}

func (s *Store) send(ctx context.Context, client rueidis.Client, queries []query) []rueidis.RedisResult {
	cacheable := make([]rueidis.CacheableTTL, len(queries))
	commands := make([]rueidis.Completed, len(queries))
	for i, q := range queries {
		switch {
		case q.command == zscore && s.cache != nil:
			cacheable[i] = rueidis.CT(client.B().Zscore().Key(q.key).Member(q.member).Cache(), s.options.MaxStale)
		case q.command == zscore:
			commands[i] = client.B().Zscore().Key(q.key).Member(q.member).Build()
		case s.cache != nil:
			cacheable[i] = rueidis.CT(client.B().Get().Key(q.key).Cache(), s.options.MaxStale)
		default:
			commands[i] = client.B().Get().Key(q.key).Build()
		}
	}
	switch {
	case s.cache != nil && len(queries) == 1:
		return []rueidis.RedisResult{client.DoCache(ctx, cacheable[0].Cmd, cacheable[0].TTL)}
	case s.cache != nil:
		return client.DoMultiCache(ctx, cacheable...)
	case len(queries) == 1:
		return []rueidis.RedisResult{client.Do(ctx, commands[0])}
	}
	return client.DoMulti(ctx, commands...)
}

// read takes an answer out of a message.
func read(c command, message rueidis.RedisMessage) (a answer, err error) {
	if message.IsNil() {
		return answer{}, nil
	}
	if c == zscore {
		a.number, err = message.AsFloat64()
	} else {
		a.text, err = message.ToString()
	}
	a.found = err == nil
	return a, err
}

// explained adds to errors of Redis what can be done about them.
func explained(err error) error {
	var answered *rueidis.RedisError
	if !errors.As(err, &answered) {
		return err
	}
	code, _, _ := strings.Cut(answered.Error(), " ")
	i := slices.IndexFunc(advice, func(a [2]string) bool { return a[0] == code })
	if i < 0 {
		return err
	}
	return fmt.Errorf("%s: %w", advice[i][1], err)
}

// advice is for the operator, by Redis' error codes.
var advice = [][2]string{
	{"WRONGTYPE", "the key holds something else than a session: Options.Layout or SeveralSessions is not what it was written by"},
	{"NOAUTH", "Redis wants a password: set Options.Password"},
	{"WRONGPASS", "Redis knows no such user and password: see Options.Username and Password"},
	{"NOPERM", "the user may not do this: docs/SESSIONS.md lists what it needs"},
	{"READONLY", "this is a replica: give Options.Sentinel or Cluster, or the primary's address"},
}
