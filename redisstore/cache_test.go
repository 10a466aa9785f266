package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// The answer to a read arrives late, when the request has given up and the session has been revoked.
func TestCache_LateAnswer(t *testing.T) {
	for _, after := range []time.Duration{800 * time.Millisecond, 1600 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			const ttl = 500 * time.Millisecond
			server := redistest.Start(t)
			server.Do("SET", userKey, "s")
			g := newGate(t, server.Address)
			s := connected(t, g.address, ttl)
			g.hold(true)
			begun := time.Now()
			_ = s.Check(t.Context(), someSession("s"))
			server.Do("DEL", userKey)
			<-time.After(after - time.Since(begun)) // real time: Redis answers
			time.AfterFunc(30*time.Millisecond, func() { g.hold(false) })
			for time.Since(begun) < after+ttl+500*time.Millisecond {
				if s.Check(t.Context(), someSession("s")) == nil {
					t.Fatalf("accepted %v after the question", time.Since(begun))
				}
				<-time.After(5 * time.Millisecond) // real time: as above
			}
			if err := s.Check(t.Context(), someSession("s")); !errors.Is(err, sso.ErrSessionEnded) {
				t.Error(err)
			}
		})
	}
}

func TestCache_IsBounded(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Address, 30*time.Second)
	s.client.options.CacheSizeEachConn = 10_000
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		session := someSession("s")
		session.User = fmt.Sprint("u", i%100)
		if err := s.Check(t.Context(), session); !errors.Is(err, sso.ErrSessionEnded) {
			t.Fatal(err)
		}
	}
	_, rest, _ := strings.Cut(server.Do("INFO", "commandstats"), "cmdstat_get:calls=")
	number, _, _ := strings.Cut(rest, ",")
	if got, err := strconv.Atoi(number); err != nil || got < 700 {
		t.Errorf("%d GETs: more answers are kept than fit", got)
	}
}
