package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	writeLimit = 5 * time.Second // for a write with all its attempts
	writePause = 50 * time.Millisecond
)

// ErrNotReplicated is returned if the primary has done a write and fewer replicas than
// [Conn.WaitReplicas] have confirmed it. A failover can lose it: repeat it.
var ErrNotReplicated = errors.New("redisstore: too few replicas have confirmed")

var (
	errNotKept = errors.New("the write is not in Redis")
	errOthers  = refusal("DenylistOptions", "has other Rules, MaxTokenAge or Leeway than the services, which may not see what was written", "set the same, or call Begin")
)

// write runs a script on keys of one slot until it succeeds and the replicas have confirmed it.
func (s *store) write(ctx context.Context, script string, keys []string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	var last lastError
	return s.do(ctx, func() error { return s.tryWrite(ctx, &last, script, keys, args) }, last.after)
}

func (s *store) tryWrite(ctx context.Context, last *lastError, script string, keys, args []string) error {
	for {
		err := s.writeOnce(ctx, script, keys, args)
		if err == nil && s.cacheTTL > 0 {
			// This instance has the invalidation once the connection of its cache has a later answer.
			_, _ = s.read(ctx, []query{{key: keys[0]}})
		}
		switch {
		case err == nil:
			return nil
		case wrongType(err), errors.Is(err, errOthers):
			return fmt.Errorf("redisstore: %w", explain(err))
		case errors.Is(err, errClosed):
			return err
		}
		last.record(ctx, err)
		select {
		case <-ctx.Done():
			return last.after(ctx.Err())
		case <-time.After(writePause):
		}
	}
}

func (s *store) writeOnce(ctx context.Context, script string, keys, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	client, err := s.client.get()
	if err != nil {
		return err
	}
	command := client.B().Eval().Script(script).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	if s.replicas == 0 {
		return done(client.Do(ctx, command))
	}
	// WAIT is about the writes of its own connection.
	return client.Dedicated(func(c rueidis.DedicatedClient) error {
		wait := c.B().Wait().Numreplicas(int64(s.replicas)).Timeout(workLimit.Milliseconds() / 2).Build()
		results := c.DoMulti(ctx, command, wait)
		if err := done(results[0]); err != nil {
			return err
		}
		confirmed, err := results[1].AsInt64()
		if err == nil && confirmed < int64(s.replicas) {
			err = fmt.Errorf("%w: %d of %d", ErrNotReplicated, confirmed, s.replicas)
		}
		return err
	})
}

// done returns an error if a script has failed, or Redis does not have what the script wrote.
func done(result rueidis.RedisResult) error {
	n, err := result.AsInt64()
	switch {
	case err == nil && n == 2:
		return errOthers
	case err == nil && n != 1:
		return errNotKept
	}
	return err
}

// lastError is the result of the attempts. ErrNotReplicated is final: the
// primary has done the write.
type lastError struct {
	mu  sync.Mutex
	err error
}

// record stores the error of an attempt, unless the attempt has only run out of time.
func (l *lastError) record(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil || ctx.Err() == nil && !errors.Is(l.err, ErrNotReplicated) {
		l.err = err
	}
}

// after returns the error for a context that has ended with err.
func (l *lastError) after(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(l.err, ErrNotReplicated):
		return l.err
	case l.err == nil:
		return unavailable(fmt.Errorf("redisstore: no answer from Redis: %w", err))
	}
	return unavailable(fmt.Errorf("redisstore: %w, and the last attempt failed: %w", err, explain(l.err)))
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
