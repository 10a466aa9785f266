package redisstore

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
)

func TestACachedAnswerIsToItsOwnQuestion(t *testing.T) {
	for name, test := range map[string]struct {
		what string
		q    query
		want bool
	}{
		"a text":                      {"GET", query{"k", get, ""}, true},
		"a text of another key":       {"GET", query{"other", get, ""}, false},
		"a text for a member":         {"GET", query{"k", zscore, ""}, false},
		"a member":                    {"ZSCOREs1", query{"k", zscore, "s1"}, true},
		"another member":              {"ZSCOREs1", query{"k", zscore, "s2"}, false},
		"a member that begins so":     {"ZSCOREs1", query{"k", zscore, "s12"}, false},
		"a member that is its begin":  {"ZSCOREs12", query{"k", zscore, "s1"}, false},
		"a member for a text":         {"ZSCOREs1", query{"k", get, ""}, false},
		"another command of a member": {"ZRANGEs1", query{"k", zscore, "s1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(time.Minute, 10)
			c.put("k", kept{what: test.what, until: monotonic().Add(time.Minute), by: newTracked(c), answer: answer{found: true}})
			if a, ok := c.get(test.q); ok != test.want || a.found != test.want {
				t.Errorf("%+v, %v", a, ok)
			}
		})
	}
}

func TestACachedAnswerIsGoodUntilItsMomentAndWhileItsConnectionLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(time.Minute, 10)
		by := newTracked(c)
		c.put("k", kept{what: getText, until: monotonic().Add(time.Second), by: by})
		has := func() bool { _, ok := c.get(query{key: "k"}); return ok }
		time.Sleep(time.Second - 1)
		if !has() {
			t.Error("gone too early")
		}
		by.Close(errors.New("gone"))
		if has() {
			t.Error("kept though nothing is heard any more")
		}
		c.put("k", kept{what: getText, until: monotonic().Add(time.Second), by: newTracked(c)})
		time.Sleep(time.Second)
		if has() {
			t.Error("kept too long")
		}
	})
}

func TestACacheHoldsNoMoreThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(time.Minute, 3)
		by := newTracked(c)
		held := func() (n int) {
			for _, list := range c.kept {
				n += len(list)
			}
			if n != c.count {
				t.Errorf("%d answers are counted as %d", n, c.count)
			}
			return n
		}
		for i := range 10 {
			c.put(strconv.Itoa(i), kept{what: getText, until: monotonic().Add(time.Minute), by: by})
			if want := min(i+1, 3); held() != want {
				t.Errorf("%d answers after %d, want %d", held(), i+1, want)
			}
			if _, ok := c.get(query{key: strconv.Itoa(i)}); !ok {
				t.Errorf("the answer of this moment made room")
			}
		}
		by.Delete(nil) // Redis tells so of all keys
		for _, member := range []string{"s1", "s2", "s1"} {
			c.put("k", kept{what: zscoreText + member, until: monotonic().Add(time.Second), by: by})
		}
		if held() != 2 {
			t.Errorf("%d answers about two members", held())
		}
		time.Sleep(time.Second)
		c.put("k", kept{what: zscoreText + "s3", until: monotonic().Add(time.Second), by: by})
		if held() != 1 {
			t.Errorf("%d answers, of which one is good", held())
		}
		c.forget("k")
		if held() != 0 {
			t.Errorf("%d answers about a key that is forgotten", held())
		}
	})
}

func TestWhoAsksTheSameAtOnceWaitsForOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := newTracked(newCache(time.Minute, 10))
		asks := func(what string) rueidis.CacheEntry {
			_, entry := track.Flight("k", what, 2*time.Second, monotonic())
			return entry
		}
		if asks("GET") != nil {
			t.Fatal("the first waits for somebody")
		}
		if asks("ZSCOREs1") != nil {
			t.Error("another question waits")
		}
		time.Sleep(lookupLimit - 1)
		entry := asks("GET")
		if entry == nil {
			t.Fatal("the second does not wait")
		}
		time.Sleep(time.Nanosecond)
		if asks("GET") != nil {
			t.Error("one that comes when the first has waited for so long does wait")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := entry.Wait(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone: %v", err)
		}
		track.Close(errors.New("the connection has ended"))
		if _, err := entry.Wait(t.Context()); err == nil || err.Error() != "the connection has ended" {
			t.Errorf("who waits when it ends: %v", err)
		}
		for range 2 {
			if asks("GET") != nil {
				t.Error("somebody waits for a connection that has ended")
			}
		}
	})
}

func TestAQuestionThatRedisRefusesIsOverForAllWhoWait(t *testing.T) {
	for name, refusal := range map[string]error{
		"Redis has answered with an error": &rueidis.RedisError{},
		"it was given up as a whole":       rueidis.ErrDoCacheAborted,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				track := newTracked(newCache(time.Minute, 10))
				track.Cancel("k", "GET", refusal) // which nobody has asked
				track.Flight("k", "GET", time.Second, monotonic())
				_, entry := track.Flight("k", "GET", time.Second, monotonic())
				track.Cancel("k", "GET", refusal)
				if _, err := entry.Wait(t.Context()); !errors.Is(err, refusal) {
					t.Errorf("who waits: %v", err)
				}
				if len(track.open) != 0 || len(track.orphans) != 0 {
					t.Errorf("%d questions are open, %d without anybody who waits", len(track.open), len(track.orphans))
				}
				if _, entry := track.Flight("k", "GET", time.Second, monotonic()); entry != nil {
					t.Error("the next waits for what is over")
				}
			})
		})
	}
}

func TestAQuestionThatNobodyWaitsForStaysOpenUntilALaterOneIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track := newTracked(newCache(time.Minute, 10))
		lost := errors.New("no time left")
		track.Flight("a", "GET", time.Minute, monotonic())
		time.Sleep(time.Millisecond)
		track.Cancel("a", "GET", lost)
		if _, entry := track.Flight("a", "GET", time.Minute, monotonic()); entry != nil {
			t.Error("the next waits for what was given up")
		}
		if n := len(track.open[question{"a", "GET"}]); n != 2 {
			t.Errorf("%d questions about it are open, want both", n)
		}
		time.Sleep(time.Millisecond)
		track.Flight("b", "GET", time.Minute, monotonic())
		track.Update("b", "GET", rueidis.RedisMessage{})
		if n := len(track.open[question{"a", "GET"}]); n != 1 || len(track.orphans) != 0 {
			t.Errorf("%d questions are open, %d of them given up; want the second alone", n, len(track.orphans))
		}
		_, entry := track.Flight("a", "GET", time.Minute, monotonic())
		if entry == nil {
			t.Fatal("the second is not waited for")
		}
		track.Update("a", "GET", rueidis.RedisMessage{})
		if _, err := entry.Wait(t.Context()); err != nil {
			t.Errorf("the answer to the second: %v", err)
		}
		if len(track.open) != 0 {
			t.Errorf("%v is open", track.open)
		}
		if track.Update("a", "GET", rueidis.RedisMessage{}) != 0 {
			t.Error("an answer to nothing is good for some time")
		}
	})
}

func TestAnAnswerThatIsTooOldServesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(time.Minute, 10)
		track := newTracked(c)
		track.Flight("k", "GET", 50*time.Millisecond, monotonic())
		_, entry := track.Flight("k", "GET", 50*time.Millisecond, monotonic())
		time.Sleep(50 * time.Millisecond)
		track.Update("k", "GET", rueidis.RedisMessage{})
		if _, err := entry.Wait(t.Context()); !errors.Is(err, errOutdated) {
			t.Errorf("%v", err)
		}
		if c.count != 0 {
			t.Error("it is kept")
		}
	})
}

func TestWhoComesBackLateForAnAnswerDoesNotGetIt(t *testing.T) {
	refusal := &rueidis.RedisError{}
	for name, test := range map[string]struct {
		late    time.Duration
		refused bool
		want    error
	}{
		"in time":                              {50*time.Millisecond - 1, false, nil},
		"when it is too old":                   {50 * time.Millisecond, false, errOutdated},
		"for a refusal, which does not change": {50 * time.Millisecond, true, refusal},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				track := newTracked(newCache(time.Minute, 10))
				track.Flight("k", "GET", 50*time.Millisecond, monotonic())
				_, entry := track.Flight("k", "GET", 50*time.Millisecond, monotonic())
				if test.refused {
					track.Cancel("k", "GET", refusal)
				} else {
					track.Update("k", "GET", rueidis.RedisMessage{})
				}
				time.Sleep(test.late)
				if _, err := entry.Wait(t.Context()); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
					t.Error(err)
				}
			})
		})
	}
}
