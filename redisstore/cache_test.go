package redisstore

import (
	"errors"
	"testing"
	"time"
	"unsafe"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// The first question is given up while its answer is on its way; the second is what that answer
// is then taken for.
func TestAnAnswerThatComesLateIsNoYoungerForTheNextQuestion(t *testing.T) {
	server := redistest.Start(t)
	server.Do("SET", "api:u", "s")
	g := newGate(t, server.Address)
	s := connected(t, Options{Addresses: []string{g.address}, Audience: "api", Cache: true})
	g.hold(true)
	begun := time.Now()
	_ = s.Check(t.Context(), someSession("s"))
	server.Do("DEL", "api:u")
	<-time.After(1600*time.Millisecond - time.Since(begun)) // real time: the answer comes from a Redis
	_ = s.Check(t.Context(), someSession("s"))
	g.let(len("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:-1\r\n$1\r\ns\r\n"))
	for time.Since(begun) < 4*time.Second {
		at := time.Since(begun)
		if s.Check(t.Context(), someSession("s")) == nil && at > DefaultMaxStale {
			t.Fatalf("let pass %v after the question, and after the revocation", at)
		}
		<-time.After(5 * time.Millisecond) // real time: between two looks
	}
}

func TestWhoJoinsAQuestionGetsNoAnswerThatIsTooOld(t *testing.T) {
	server := redistest.Start(t)
	server.Do("SET", "api:u", "s")
	g := newGate(t, server.Address)
	s := connected(t, Options{Addresses: []string{g.address}, Audience: "api", Cache: true, MaxStale: 200 * time.Millisecond})
	g.hold(true)
	begun := time.Now()
	_ = s.Check(t.Context(), someSession("s"))
	server.Do("DEL", "api:u")
	<-time.After(800*time.Millisecond - time.Since(begun)) // real time: the answer comes from a Redis
	time.AfterFunc(30*time.Millisecond, func() { g.hold(false) })
	if err := s.Check(t.Context(), someSession("s")); !errors.Is(err, sso.ErrSessionEnded) {
		t.Errorf("%v after the question: %v", time.Since(begun), err)
	}
}

func TestAQuestionThatWasNeverSentDoesNotSpoilTheNextForLong(t *testing.T) {
	c := newTracked(newCache(time.Second, 10))
	begun := monotonic()
	c.Flight("k", getText, time.Second, begun)
	c.Cancel("k", getText, errTooLate)
	<-time.After(time.Millisecond) // real time: the monotonic clock has no other
	c.Flight("other", getText, time.Second, monotonic())
	c.Cancel("k", getText, errTooLate) // says nothing
	if got := c.open[question{"k", getText}]; len(got) != 1 {
		t.Fatalf("%d questions are open, want the one that may be answered yet", len(got))
	}
	c.settle(monotonic()) // what Update does once the other is answered
	if len(c.open[question{"k", getText}]) != 0 || len(c.orphans) != 0 {
		t.Error("a question that cannot be answered any more is kept")
	}
}

func TestACacheGoesByTheSoonerOfBothClocks(t *testing.T) {
	now := time.Now()
	until := now.Add(time.Minute)
	for name, moment := range map[string]time.Time{
		"after an hour of sleep":                  timeOfDay(now, time.Hour),
		"an hour later, the time of day set back": timeOfDay(now.Add(time.Hour), -time.Hour),
		"an hour later":                           now.Add(time.Hour),
		"at its end":                              until,
	} {
		if before(moment, until) {
			t.Errorf("good %s", name)
		}
	}
	if !before(now, until) || !before(until.Add(-1), until) {
		t.Error("not good for a minute")
	}
}

// timeOfDay is a moment at which the time of day is ahead, by the monotonic clock's count of nanoseconds, which is
// the second word of a time.
func timeOfDay(moment time.Time, ahead time.Duration) time.Time {
	later := moment.Add(ahead)
	*(*int64)(unsafe.Add(unsafe.Pointer(&later), 8)) -= int64(ahead) // only the system sets one clock without the other
	return later
}
