package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// Bounds of the contract of core/keys that several situations share.
const (
	coldWait     = 3 * time.Second
	refreshWait  = time.Second
	unknownEvery = 10 * time.Second
	recovery     = 30 * time.Second
	// longestInterval is the interval of 5 min + 10 %, the limit of a fetch, and what until adds.
	longestInterval = 330*time.Second + coldWait + tick
	maxKeySet       = 256 << 10
)

var situations = []situation{
	// Nothing fetched yet.
	{"cold start, 200 requests at once", "1 fetch", true, coldStart},
	{"cold start, first of 21 callers leaves", "20 served", true, firstLeaves},
	{"cold start, provider hangs 40 s", "waits ≤ 3 s", false, coldHang},
	{"cold start, provider down", "503, or told apart", false, coldAnswer((*devissuer.Issuer).Down)},
	{"cold start, provider answers 500", "503, or told apart", false, coldAnswer(failing)},
	{"cold start, provider up after 1 min", "served ≤ 30 s later", false, coldRecovery},
	// Fair weather and forgers.
	{"1,000 good tokens, fresh keys", "0 fetches", false, fresh},
	{"50 forged tokens, known key id", "0 fetches", false, forgedKnown},
	{"50 forged tokens, unknown key ids", "≤ 1 fetch", false, forgedUnknown},
	{"idle for a minute", "0 goroutines", false, goroutines},
	{"token without key id, one key", "accepted", false, contents(func(*trial) {}, devissuer.NoKeyID())},
	// Rotation.
	{"new key", "accepted, 1 fetch", false, rotation},
	{"new key after 1 forged key id", "refused ≤ 10 s", false, rotationAfterForgery},
	{"new key amid 10 forged ids a second", "refused ≤ 10 s", false, rotationAmidFlood},
	{"key removed, in use", "accepted ≤ 5.5 min", false, removed},
	{"key removed during 2 h without requests", "refused", false, removedWhileIdle},
	// The provider fails for 62 min at the time of a refresh; one good token every 30 s.
	{"outage 62 min: down", "0% refused, waits ≤ 1 s", false, outage((*devissuer.Issuer).Down)},
	{"outage 62 min: answers 500", "0% refused, waits ≤ 1 s", false, outage(failing)},
	{"outage 62 min: answers 429", "0% refused, waits ≤ 1 s", false, faulty(devissuer.TooManyRequests("3600"))},
	{"outage 62 min: HTML", "0% refused, waits ≤ 1 s", false, faulty(devissuer.HTMLFault())},
	{"outage 62 min: truncated JSON", "0% refused, waits ≤ 1 s", false, faulty(devissuer.TruncatedJSON())},
	{"outage 62 min: no keys in the set", "0% refused, waits ≤ 1 s", false, faulty(devissuer.EmptySet())},
	{"outage 62 min: hangs", "0% refused, waits ≤ 1 s", false, faulty(devissuer.Hang())},
	{"outage 62 min: drips 1 byte/s", "0% refused, waits ≤ 1 s", false, faulty(devissuer.Drip(time.Second))},
	{"down for 3 h", "refused by then", false, tooOld},
	{"down for 10 min, then a new key", "accepted ≤ 30 s", false, afterOutage},
	// What a key set may hold.
	{"set with a key of unknown type", "the others serve", false, beside(func(*trial) string {
		return `{"kty":"AKP","kid":"pq","use":"sig","alg":"ML-DSA-65","pub":"AAAA"}`
	})},
	{"set with a malformed key", "the others serve", false, beside(func(*trial) string {
		return `{"kty":"RSA","kid":"bad","use":"sig","alg":"RS256","n":"!","e":"AQAB"}`
	})},
	{"set with a point off its curve", "the others serve", false, beside(func(*trial) string {
		one := strings.Repeat("A", 42) + "E" // 32 bytes that end in 1
		return fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"off","use":"sig","x":%q,"y":%q}`, one, one)
	})},
	{"encryption key under the same id", "the other serves", false, beside(func(t *trial) string {
		key, _ := stranger(map[string]any{"kid": t.issuer.KeyID(), "use": "enc", "alg": nil})
		return key
	})},
	{"token by an encryption key of the set", "refused", false, badKey(nil, map[string]any{"use": "enc", "alg": nil})},
	{"token by a 1,024-bit RSA key of the set", "refused", false, badKey([]devissuer.Option{devissuer.WithRSABits(1024)}, nil)},
	{"good set of 5 MiB", "refused", false, oversized},
	{"gzip bomb of 64 MiB", "reads ≤ 256 KiB", false, bomb},
	{"good set as text/plain", "accepted", false, contents(func(t *trial) { t.issuer.Fault(devissuer.WrongContentType()) })},
	{"redirect to another host", "not followed", false, redirect},
}

// failing answers 500 as APIs do.
func failing(issuer *devissuer.Issuer) {
	issuer.Fault(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"error":"temporarily_unavailable"}`)
	})
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func verdict(accepted bool) string {
	if accepted {
		return "accepted"
	}
	return "refused"
}

// served judges how long a good token was refused.
func served(bound time.Duration, word string, took time.Duration) cell {
	return judge(took <= bound, wrongRefusal, "%s %s", word, short(took))
}

func fetches(n int) string { return plural(n, "fetch", "fetches") }

// gate makes the provider answer nobody before open is called.
func (t *trial) gate() (open func()) {
	opened := make(chan struct{})
	t.issuer.Fault(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-opened:
			devissuer.Healthy(w, r)
		case <-r.Context().Done():
		}
	})
	return sync.OnceFunc(func() { close(opened) })
}

// settle is the real time in which requests that were begun have come to wait.
const settle = 100 * time.Millisecond

func coldStart(t *trial) cell {
	const callers = 200
	open := t.gate()
	token, s := t.good(), t.launch()
	var served atomic.Int32
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			if t.accepts(s, token) {
				served.Add(1)
			}
		})
	}
	time.Sleep(settle)
	open()
	all.Wait()
	if n := served.Load(); n < callers {
		return judge(false, wrongRefusal, "%d refused", callers-n)
	}
	return judge(t.issuer.Stats().Fetches == 1, missed, "%s", fetches(t.issuer.Stats().Fetches))
}

func firstLeaves(t *trial) cell {
	const others = 20
	open := t.gate()
	defer open()
	token, s := t.good(), t.launch()
	ctx, leave := context.WithCancel(t.ctx)
	defer leave()
	var all sync.WaitGroup
	all.Go(func() { _ = s.send(ctx, token) })
	time.Sleep(settle)
	if !s.isUp() {
		return cell{"fetches before it listens", idle}
	}
	var served atomic.Int32
	for range others {
		all.Go(func() {
			if t.accepts(s, token) {
				served.Add(1)
			}
		})
	}
	time.Sleep(settle)
	leave()
	time.Sleep(settle)
	open()
	all.Wait()
	return judge(served.Load() == others, wrongRefusal, "%d served", served.Load())
}

func coldHang(t *trial) cell {
	t.issuer.Slow(40 * time.Second) // some clients stop waiting after exactly 30 s
	s := t.launch()
	wait, err := t.ask(s, t.good())
	switch {
	case errors.Is(err, errNotUp):
		return judge(false, missed, "not up in %s", short(wait))
	case !s.isUp():
		return judge(false, missed, "not up")
	}
	return judge(wait <= coldWait, missed, "waits %s", short(wait))
}

// coldAnswer tells what a service can make of a good token if there never were keys: the status,
// where the library answers itself, else by what its error can be told from that of a forged one.
func coldAnswer(begin func(*devissuer.Issuer)) func(*trial) cell {
	return func(t *trial) cell {
		s, ok := t.warm()
		if !ok {
			return noStart
		}
		_, forged := t.ask(s, t.forged(0))
		begin(t.issuer)
		s = t.launch()
		_, first := t.ask(s, t.good())
		_, second := t.ask(s, t.good())
		var status peers.StatusError
		switch {
		case first == nil:
			return judge(false, wrongAccept, "accepted")
		case !s.isUp():
			return judge(false, missed, "does not come up")
		case errors.As(first, &status):
			return judge(status == http.StatusServiceUnavailable, wrongRefusal, "%d", int(status))
		}
		usual, again := kinds(forged), kinds(second)
		for _, k := range kinds(first) {
			if slices.Contains(again, k) && !slices.Contains(usual, k) {
				return judge(true, missed, "told by %s", k.name)
			}
		}
		return judge(false, missed, "as a forged token")
	}
}

func coldRecovery(t *trial) cell {
	t.issuer.Down()
	s := t.launch()
	t.busy(s, time.Minute, tick)
	t.issuer.Up()
	return served(recovery, "after", t.until(s, true, t.good()))
}

func fresh(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	t.issuer.ResetStats()
	token, refused := t.good(), 0
	for range 1000 {
		if !t.accepts(s, token) {
			refused++
		}
	}
	if refused > 0 {
		return judge(false, wrongRefusal, "%d refused", refused)
	}
	return judge(t.issuer.Stats().Fetches == 0, missed, "%s", fetches(t.issuer.Stats().Fetches))
}

// forge sends 50 forged tokens and counts the fetches.
func forge(most int, token func(t *trial, n int) string) func(*trial) cell {
	return func(t *trial) cell {
		s, ok := t.warm()
		if !ok {
			return noStart
		}
		t.issuer.ResetStats()
		for n := range 50 {
			if t.accepts(s, token(t, n)) {
				return judge(false, wrongAccept, "accepted")
			}
		}
		return judge(t.issuer.Stats().Fetches <= most, missed, "%s", fetches(t.issuer.Stats().Fetches))
	}
}

var (
	forgedKnown = forge(0, func(t *trial, _ int) string {
		return t.issuer.MustToken(devissuer.UnknownKey(), devissuer.Header("kid", t.issuer.KeyID()))
	})
	forgedUnknown = forge(1, (*trial).forged)
)

func goroutines(t *trial) cell {
	before := bubbled()
	if _, ok := t.warm(); !ok {
		return noStart
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	n := bubbled() - before
	return judge(n == 0, missed, "%s", plural(n, "goroutine", "goroutines"))
}

// bubbled counts the goroutines of the bubble, by the mark that the runtime gives them in a trace.
func bubbled() int {
	trace := make([]byte, 1<<20)
	return bytes.Count(trace[:runtime.Stack(trace, true)], []byte(", synctest bubble "))
}

func rotation(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	t.issuer.Rotate()
	t.issuer.ResetStats()
	if took := t.until(s, true, t.good()); took > 0 {
		return judge(false, wrongRefusal, "refused %s", short(took))
	}
	return judge(t.issuer.Stats().Fetches == 1, missed, "accepted, %s", fetches(t.issuer.Stats().Fetches))
}

func rotationAfterForgery(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	t.accepts(s, t.forged(0))
	t.issuer.Rotate()
	return served(unknownEvery, "refused", t.until(s, true, t.good()))
}

// rotationAmidFlood lets somebody forge for a minute, in which the key changes.
func rotationAmidFlood(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	t.issuer.ResetStats()
	began, forged := time.Now(), 0
	flood := func(until time.Duration) {
		for ; time.Since(began) < until; time.Sleep(tick / 10) {
			t.accepts(s, t.forged(forged))
			forged++
		}
	}
	flood(32 * time.Second)
	t.issuer.Rotate()
	token, rotated := t.good(), time.Now()
	took := time.Duration(-1)
	for time.Since(began) < time.Minute {
		if took < 0 && t.accepts(s, token) {
			took = time.Since(rotated)
		}
		flood(time.Since(began) + tick)
	}
	spent := t.issuer.Stats().Fetches
	if took < 0 {
		t.until(s, true, token)
		took = time.Since(rotated)
	}
	if took > unknownEvery {
		return served(unknownEvery, "refused", took)
	}
	const budget = int(time.Minute/unknownEvery) + 1 // and one that brings the key
	return judge(spent <= budget, missed, "refused %s, %s", short(took), fetches(spent))
}

func removed(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	token, old := t.good(), t.issuer.KeyID()
	t.issuer.Rotate()
	t.issuer.Retire(old)
	took := t.until(s, false, token)
	return judge(took <= longestInterval, wrongAccept, "accepted %s", short(took))
}

func removedWhileIdle(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	token, old := t.good(), t.issuer.KeyID()
	t.issuer.Rotate()
	t.issuer.Retire(old)
	time.Sleep(2 * time.Hour)
	accepted := t.accepts(s, token)
	return judge(!accepted, wrongAccept, "%s", verdict(accepted))
}

// outage keeps a service busy with one good token every 30 s while its provider fails.
func outage(begin func(*devissuer.Issuer)) func(*trial) cell {
	return func(t *trial) cell {
		s, ok := t.warm()
		if !ok {
			return noStart
		}
		begin(t.issuer)
		sent, refused, longest := t.busy(s, 62*time.Minute, 30*time.Second)
		text := fmt.Sprintf("%d%% refused", (100*refused+sent-1)/sent)
		if longest > 0 {
			text += ", waits " + short(longest)
		}
		if refused > 0 {
			return judge(false, wrongRefusal, "%s", text)
		}
		return judge(longest <= refreshWait, missed, "%s", text)
	}
}

func faulty(fault devissuer.Fault) func(*trial) cell {
	return outage(func(issuer *devissuer.Issuer) { issuer.Fault(fault) })
}

func tooOld(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	t.issuer.Down()
	t.busy(s, 3*time.Hour, 30*time.Second)
	accepted := t.accepts(s, t.good())
	return judge(!accepted, missed, "%s", verdict(accepted))
}

func afterOutage(t *trial) cell {
	s, ok := t.warm()
	if !ok {
		return noStart
	}
	t.issuer.Down()
	t.busy(s, 10*time.Minute, tick)
	t.issuer.Rotate()
	t.issuer.Up()
	return served(recovery, "after", t.until(s, true, t.good()))
}

// contents starts a service with what prepare made of the key set, and sends it a good token.
func contents(prepare func(*trial), token ...devissuer.TokenOption) func(*trial) cell {
	return func(t *trial) cell {
		prepare(t)
		s := t.launch()
		switch accepted := t.accepts(s, t.issuer.MustToken(token...)); {
		case !s.isUp():
			return judge(false, wrongRefusal, "does not come up")
		default:
			return judge(accepted, wrongRefusal, "%s", verdict(accepted))
		}
	}
}

// beside publishes another key with the good one, whose tokens have to be accepted.
func beside(key func(*trial) string) func(*trial) cell {
	return contents(func(t *trial) { t.issuer.AddRawKey(key(t)) })
}

// badKey publishes a key that must not verify anything; not even a token that it has signed.
func badKey(options []devissuer.Option, changes map[string]any) func(*trial) cell {
	return func(t *trial) cell {
		key, token := stranger(changes, options...)
		t.issuer.AddRawKey(key)
		s := t.launch()
		switch good := t.accepts(s, t.good()); {
		case !s.isUp():
			return judge(false, wrongRefusal, "does not come up")
		case !good:
			return judge(false, wrongRefusal, "good ones too")
		}
		accepted := t.accepts(s, token)
		return judge(!accepted, wrongAccept, "%s", verdict(accepted))
	}
}

// stranger makes a key with some members changed, or left out if nil, and a token by it.
func stranger(changes map[string]any, options ...devissuer.Option) (jwk, token string) {
	issuer, err := devissuer.New(options...)
	if err != nil {
		panic(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(issuer.JWKS(), &set); err != nil {
		panic(err)
	}
	key := set.Keys[0]
	for name, value := range changes {
		if key[name] = value; value == nil {
			delete(key, name)
		}
	}
	text, err := json.Marshal(key)
	if err != nil {
		panic(err)
	}
	return string(text), issuer.MustToken()
}

func oversized(t *trial) cell {
	set := strings.TrimSuffix(strings.TrimSpace(string(t.issuer.JWKS())), "}")
	t.issuer.SetRawJWKS(set + `,"padding":"` + strings.Repeat("0", 5<<20) + `"}`)
	accepted := t.accepts(t.launch(), t.good())
	return judge(!accepted, missed, "%s", verdict(accepted))
}

func bomb(t *trial) cell {
	t.issuer.Fault(devissuer.GzipBomb(64 << 20))
	t.accepts(t.launch(), t.good())
	read := t.read.Load()
	return judge(read <= maxKeySet+1, missed, "reads %s", size(read)) // one more byte tells that it is too much
}

func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

func redirect(t *trial) cell {
	t.issuer.Fault(devissuer.RedirectTo("https://elsewhere.example/jwks.json"))
	t.accepts(t.launch(), t.good())
	if len(t.issuer.Stats().Strays) > 0 {
		return judge(false, missed, "followed")
	}
	return judge(true, missed, "not followed")
}
