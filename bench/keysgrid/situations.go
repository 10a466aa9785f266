package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// Bounds that core/keys promises.
const (
	coldWait     = 3 * time.Second
	refreshWait  = time.Second
	unknownEvery = 10 * time.Second
	recovery     = 30 * time.Second
	// longestInterval is 5 min + 10 %, the limit of a fetch, and the precision of until.
	longestInterval = 330*time.Second + 10*time.Second + pollInterval
	maxKeySet       = 256 << 10
)

var situations = []situation{
	// Nothing fetched yet.
	{"cold start, 200 requests at once", "fetches: 1", true, coldStart},
	{"cold start, first of 21 callers leaves", "20 served", true, firstLeaves},
	{"cold start, provider hangs 40 s", "waits ≤ 3 s", false, coldHang},
	{"cold start, provider down", "503, or distinguishable", false, coldFailure((*devissuer.Issuer).Down)},
	{"cold start, provider answers 500", "503, or distinguishable", false, coldFailure(failing)},
	{"cold start, provider needs 5 s", "served ≤ 6 s later", false, coldSlow},
	{"cold start, provider up after 1 min", "served ≤ 30 s later", false, coldRecovery},
	// A healthy provider.
	{"1,000 valid tokens, fresh keys", "fetches: 0", false, warm(fresh)},
	{"50 forged tokens, known key id", "fetches: ≤ 1", false, forge(1, func(t *trial, _ int) string {
		return t.issuer.MustToken(devissuer.UnknownKey(), devissuer.Header("kid", t.issuer.KeyID()))
	})},
	{"50 forged tokens, unknown key ids", "fetches: ≤ 1", false, forge(1, (*trial).forged)},
	{"forged key id after 2 h without requests", "fetches: ≤ 1", false, warm(forgedAfterIdle)},
	{"idle for a minute", "goroutines: 0", false, goroutines},
	{"token without key id, two keys", "accepted", false, keySet(func(t *trial) { t.issuer.Publish() }, devissuer.WithoutHeader("kid"))},
	{"token without key id, one key", "accepted", false, keySet(func(*trial) {}, devissuer.WithoutHeader("kid"))},
	// Rotation.
	{"new key", "accepted, fetches: 1", false, warm(rotation)},
	{"new key after 1 forged key id", "refused ≤ 10 s", false, warm(rotationAfterForgery)},
	{"new key during 10 forged ids a second", "refused ≤ 10 s", false, warm(rotationDuringFlood)},
	{"new key after 2 h, the ETag stays", "accepted", false, warm(sameETag)},
	{"key replaced under its id", "refused ≤ 11 s", false, warm(replaced)},
	{"key removed, in use", "accepted ≤ 5.5 min", false, warm(removed)},
	{"all keys removed, in use", "accepted ≤ 7 min", false, warm(emptied)},
	{"key removed during 2 h without requests", "refused", false, warm(removedWhileIdle)},
	// The provider is slow.
	{"provider needs 1.5 s for 4 h", "0% refused, waits ≤ 1 s", false, warm(slow)},
	{"idle for 2 h, provider needs 2.5 s", "accepted", false, warm(slowAfterIdle)},
	// The provider fails for 62 min, while a valid token comes every 30 s.
	{"outage 62 min: down", "0% refused, waits ≤ 1 s", false, outage((*devissuer.Issuer).Down)},
	{"outage 62 min: answers 500", "0% refused, waits ≤ 1 s", false, outage(failing)},
	{"outage 62 min: answers 429", "0% refused, waits ≤ 1 s", false, fault(status(http.StatusTooManyRequests, "Retry-After", "3600"))},
	{"outage 62 min: HTML", "0% refused, waits ≤ 1 s", false, fault(page("text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in to the network</title>"))},
	{"outage 62 min: truncated JSON", "0% refused, waits ≤ 1 s", false, outage(truncate)},
	{"outage 62 min: hangs", "0% refused, waits ≤ 1 s", false, fault(hang)},
	{"outage 62 min: drips 1 byte/s", "0% refused, waits ≤ 1 s", false, outage(drip)},
	{"down for 3 h", "refused by then", false, warm(tooOld)},
	{"down for 10 min, then a new key", "accepted ≤ 30 s", false, warm(afterOutage)},
	// The contents of a key set.
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
		key, _ := otherKey(map[string]any{"kid": t.issuer.KeyID(), "use": "enc", "alg": nil})
		return key
	})},
	{"token by an encryption key of the set", "refused", false, badKey(map[string]any{"use": "enc", "alg": nil})},
	{"token by a 1,024-bit RSA key of the set", "refused", false, badKey(nil, devissuer.WithKeyPEM(smallKey()))},
	{"two keys under one id", "both serve", false, sharedID},
	{"byte order mark, padded base64", "accepted", false, keySet(func(t *trial) {
		t.issuer.Fault(page("application/json", "\ufeff"+modulus.ReplaceAllString(string(t.issuer.JWKS()), `"n":"$1=="`)))
	})},
	{"valid set of 5 MiB", "refused", false, oversized},
	{"gzip bomb of 64 MiB", "reads ≤ 256 KiB", false, bomb},
	{"valid set as text/plain", "accepted", false, keySet(func(t *trial) { t.issuer.Fault(page("text/plain; charset=utf-8", string(t.issuer.JWKS()))) })},
	{"redirect to another host", "not followed", false, redirect},
}

// modulus matches the member n of an RSA key of 2,048 bits, whose base64url lacks two characters of padding.
var modulus = regexp.MustCompile(`"n":"([^"]*)"`)

// sharedID publishes the keys of a rotation under one id.
func sharedID(t *trial) cell {
	first := t.issuer.KeyID()
	second := t.issuer.Publish()
	set := strings.NewReplacer(first, "default", second, "default").Replace(string(t.issuer.JWKS()))
	t.issuer.SetJWKS(set)
	s := t.start()
	for _, kid := range []string{first, second} {
		t.issuer.Use(kid)
		if !t.accepts(s, t.issuer.MustToken(devissuer.Header("kid", "default"))) {
			return check(false, wrongRefusal, "one is refused")
		}
	}
	return check(true, missed, "both serve")
}

// failing makes the provider answer 500 with JSON, as APIs do.
func failing(issuer *devissuer.Issuer) {
	issuer.Fault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"error":"temporarily_unavailable"}`))
	})
}

var verdict = map[bool]string{true: "accepted", false: "refused"}

// bounded checks how long a valid token was refused.
func bounded(bound time.Duration, word string, took time.Duration) cell {
	return check(took <= bound, wrongRefusal, "%s %s", word, short(took))
}

// hold makes the provider answer only after release is called.
func (t *trial) hold() (release func()) {
	released := make(chan struct{})
	t.issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		select {
		case <-released:
			healthy.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
	return sync.OnceFunc(func() { close(released) })
}

func coldStart(t *trial) cell {
	const callers = 200
	release := t.hold()
	wait := t.concurrent(t.start(), callers, t.valid())
	release()
	if served := wait(); served < callers {
		return check(false, wrongRefusal, "%d refused", callers-served)
	}
	return check(t.fetches() == 1, missed, "fetches: %d", t.fetches())
}

func firstLeaves(t *trial) cell {
	const others = 20
	release := t.hold()
	defer release()
	token, s := t.valid(), t.start()
	ctx, leave := context.WithCancel(t.ctx)
	defer leave()
	var first sync.WaitGroup
	first.Go(func() { _ = s.send(ctx, token) })
	time.Sleep(settle)
	if !s.isUp() {
		return cell{impossible, "fetches before it listens"}
	}
	wait := t.concurrent(s, others, token)
	leave()
	time.Sleep(settle)
	release()
	first.Wait()
	served := wait()
	return check(served == others, wrongRefusal, "%d served", served)
}

func coldHang(t *trial) cell {
	t.issuer.Slow(40 * time.Second) // some clients stop waiting after exactly 30 s
	s := t.start()
	wait, err := t.send(s, t.valid())
	switch {
	case errors.Is(err, errNotUp):
		return check(false, missed, "not up in %s", short(wait))
	case !s.isUp():
		return check(false, missed, "not up")
	}
	return check(wait <= coldWait, missed, "waits %s", short(wait))
}

// coldFailure reports whether a service that never had keys distinguishes valid tokens from forged
// ones. It compares the statuses, or the errors if the library does not write the response.
func coldFailure(begin func(*devissuer.Issuer)) func(*trial) cell {
	return warm(func(t *trial, s *service) cell {
		_, forged := t.send(s, t.forged(0))
		begin(t.issuer)
		s = t.start()
		_, first := t.send(s, t.valid())
		_, second := t.send(s, t.valid())
		var status peers.StatusError
		switch {
		case first == nil:
			return check(false, wrongAccept, "accepted")
		case !s.isUp():
			return check(false, missed, "does not start")
		case errors.As(first, &status):
			return check(status == http.StatusServiceUnavailable, wrongRefusal, "%d", int(status))
		}
		usual, again := kinds(forged), kinds(second)
		for _, k := range kinds(first) {
			if slices.Contains(again, k) && !slices.Contains(usual, k) {
				return check(true, missed, "by %v", k)
			}
		}
		return check(false, missed, "as a forged token")
	})
}

func coldRecovery(t *trial) cell {
	t.issuer.Down()
	s := t.start()
	t.sendFor(s, time.Minute, pollInterval)
	t.issuer.Up()
	return bounded(recovery, "after", t.until(s, true, t.valid()))
}

func coldSlow(t *trial) cell {
	t.issuer.Slow(5 * time.Second)
	s := t.start()
	return bounded(6*time.Second, "served after", t.until(s, true, t.valid()))
}

func slow(t *trial, s *service) cell {
	t.issuer.Slow(1500 * time.Millisecond)
	return t.withoutRefusal(s, 4*time.Hour)
}

func slowAfterIdle(t *trial, s *service) cell {
	time.Sleep(2 * time.Hour)
	t.issuer.Slow(2500 * time.Millisecond)
	accepted := t.accepts(s, t.valid())
	return check(accepted, wrongRefusal, "%s", verdict[accepted])
}

// replaced publishes another key under the id of the one in use.
func replaced(t *trial, s *service) cell {
	old := t.issuer.KeyID()
	t.issuer.Rotate()
	t.issuer.Retire()
	t.issuer.SetJWKS(strings.ReplaceAll(string(t.issuer.JWKS()), t.issuer.KeyID(), old))
	token := t.issuer.MustToken(devissuer.Header("kid", old))
	return bounded(unknownEvery+pollInterval, "refused", t.until(s, true, token))
}

func fresh(t *trial, s *service) cell {
	token := t.valid()
	for range 1000 {
		if !t.accepts(s, token) {
			return check(false, wrongRefusal, "refused")
		}
	}
	return check(t.fetches() == 0, missed, "fetches: %d", t.fetches())
}

// forge sends 50 forged tokens and counts the fetches.
func forge(most int, token func(t *trial, n int) string) func(*trial) cell {
	return warm(func(t *trial, s *service) cell {
		for n := range 50 {
			if t.accepts(s, token(t, n)) {
				return check(false, wrongAccept, "accepted")
			}
		}
		return check(t.fetches() <= most, missed, "fetches: %d", t.fetches())
	})
}

func goroutines(t *trial) cell {
	before := bubbled()
	return warm(func(*trial, *service) cell {
		time.Sleep(time.Minute)
		synctest.Wait()
		n := bubbled() - before
		return check(n == 0, missed, "goroutines: %d", n)
	})(t)
}

// bubbled counts the goroutines of the bubble by the text that the runtime adds to their traces.
func bubbled() int {
	trace := make([]byte, 1<<20)
	return bytes.Count(trace[:runtime.Stack(trace, true)], []byte(", synctest bubble "))
}

func rotation(t *trial, s *service) cell {
	t.issuer.Rotate()
	if took := t.until(s, true, t.valid()); took > 0 {
		return check(false, wrongRefusal, "refused %s", short(took))
	}
	return check(t.fetches() == 1, missed, "accepted, fetches: %d", t.fetches())
}

// sameETag rotates the key while the provider answers 304 to every conditional request.
func sameETag(t *trial, s *service) cell {
	time.Sleep(2 * time.Hour)
	t.issuer.Rotate()
	t.issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		healthy.ServeHTTP(w, r)
	})
	accepted := t.accepts(s, t.valid())
	return check(accepted, wrongRefusal, "%s", verdict[accepted])
}

func forgedAfterIdle(t *trial, s *service) cell {
	time.Sleep(2 * time.Hour)
	before := t.fetches()
	if t.accepts(s, t.forged(0)) {
		return check(false, wrongAccept, "accepted")
	}
	spent := t.fetches() - before
	return check(spent <= 1, missed, "fetches: %d", spent)
}

func rotationAfterForgery(t *trial, s *service) cell {
	t.accepts(s, t.forged(0))
	t.issuer.Rotate()
	return bounded(unknownEvery, "refused", t.until(s, true, t.valid()))
}

// rotationDuringFlood forges tokens for a minute, during which the key changes.
func rotationDuringFlood(t *trial, s *service) cell {
	began, forged := time.Now(), 0
	flood := func(until time.Duration) {
		for ; time.Since(began) < until; time.Sleep(pollInterval / 10) {
			t.accepts(s, t.forged(forged))
			forged++
		}
	}
	flood(32 * time.Second)
	t.issuer.Rotate()
	token, rotated := t.valid(), time.Now()
	took := time.Duration(-1)
	for time.Since(began) < time.Minute {
		if took < 0 && t.accepts(s, token) {
			took = time.Since(rotated)
		}
		flood(time.Since(began) + pollInterval)
	}
	spent := t.fetches()
	if took < 0 {
		t.until(s, true, token)
		took = time.Since(rotated)
	}
	if took > unknownEvery {
		return bounded(unknownEvery, "refused", took)
	}
	const budget = int(time.Minute/unknownEvery) + 1 // and one that brings the key
	return check(spent <= budget, missed, "refused %s, fetches: %d", short(took), spent)
}

// remove replaces the key that has signed the token that it returns.
func (t *trial) remove() (token string) {
	token, old := t.valid(), t.issuer.KeyID()
	t.issuer.Rotate()
	t.issuer.Retire(old)
	return token
}

// emptied publishes a set without keys.
func emptied(t *trial, s *service) cell {
	token := t.valid()
	t.issuer.SetJWKS(`{"keys":[]}`)
	took := t.until(s, false, token)
	return check(took <= 7*time.Minute, wrongAccept, "accepted %s", short(took))
}

func removed(t *trial, s *service) cell {
	took := t.until(s, false, t.remove())
	return check(took <= longestInterval, wrongAccept, "accepted %s", short(took))
}

func removedWhileIdle(t *trial, s *service) cell {
	token := t.remove()
	time.Sleep(2 * time.Hour)
	accepted := t.accepts(s, token)
	return check(!accepted, wrongAccept, "%s", verdict[accepted])
}

// outage sends a valid token every 30 s while the provider fails.
func outage(begin func(*devissuer.Issuer)) func(*trial) cell {
	return warm(func(t *trial, s *service) cell {
		begin(t.issuer)
		return t.withoutRefusal(s, 62*time.Minute)
	})
}

// withoutRefusal sends a valid token every 30 s.
func (t *trial) withoutRefusal(s *service, span time.Duration) cell {
	sent, refused, longest := t.sendFor(s, span, 30*time.Second)
	text := fmt.Sprintf("%d%% refused", (100*refused+sent-1)/sent)
	if longest > 0 {
		text += ", waits " + short(longest)
	}
	if refused > 0 {
		return check(false, wrongRefusal, "%s", text)
	}
	return check(longest <= refreshWait, missed, "%s", text)
}

func fault(f response) func(*trial) cell {
	return outage(func(issuer *devissuer.Issuer) { issuer.Fault(f) })
}

func tooOld(t *trial, s *service) cell {
	t.issuer.Down()
	t.sendFor(s, 3*time.Hour, 30*time.Second)
	accepted := t.accepts(s, t.valid())
	return check(!accepted, missed, "%s", verdict[accepted])
}

func afterOutage(t *trial, s *service) cell {
	t.issuer.Down()
	t.sendFor(s, 10*time.Minute, pollInterval)
	t.issuer.Rotate()
	t.issuer.Up()
	return bounded(recovery, "after", t.until(s, true, t.valid()))
}

// keySet changes the key set, starts a service and sends it a valid token.
func keySet(change func(*trial), token ...devissuer.TokenOption) func(*trial) cell {
	return func(t *trial) cell {
		change(t)
		s := t.start()
		accepted := t.accepts(s, t.issuer.MustToken(token...))
		if !s.isUp() {
			return check(false, wrongRefusal, "does not start")
		}
		return check(accepted, wrongRefusal, "%s", verdict[accepted])
	}
}

// beside publishes another key with the valid one, whose tokens must be accepted.
func beside(key func(*trial) string) func(*trial) cell {
	return keySet(func(t *trial) { addKey(t.issuer, key(t)) })
}

// badKey publishes a key whose tokens must be refused.
func badKey(changes map[string]any, options ...devissuer.Option) func(*trial) cell {
	return func(t *trial) cell {
		key, token := otherKey(changes, options...)
		addKey(t.issuer, key)
		s := t.start()
		switch valid := t.accepts(s, t.valid()); {
		case !s.isUp():
			return check(false, wrongRefusal, "does not start")
		case !valid:
			return check(false, wrongRefusal, "valid ones too")
		}
		accepted := t.accepts(s, token)
		return check(!accepted, wrongAccept, "%s", verdict[accepted])
	}
}

// otherKey generates a key with some members changed, or omitted if nil, and a token signed by it.
func otherKey(changes map[string]any, options ...devissuer.Option) (jwk, token string) {
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
	t.issuer.SetJWKS(set + `,"padding":"` + strings.Repeat("0", 5<<20) + `"}`)
	accepted := t.accepts(t.start(), t.valid())
	return check(!accepted, missed, "%s", verdict[accepted])
}

func bomb(t *trial) cell {
	t.issuer.Fault(gzipBomb)
	t.accepts(t.start(), t.valid())
	read := t.reads.n.Load()
	text := fmt.Sprintf("reads %d KiB", read>>10)
	if read >= 1<<20 {
		text = fmt.Sprintf("reads %d MiB", read>>20)
	}
	return check(read <= maxKeySet+1, missed, "%s", text) // one more byte shows that the set is too large
}

func redirect(t *trial) cell {
	t.issuer.Fault(status(http.StatusFound, "Location", "https://elsewhere.example/jwks.json"))
	t.accepts(t.start(), t.valid())
	if len(t.issuer.Stats().Strays) > 0 {
		return check(false, missed, "followed")
	}
	return check(true, missed, "not followed")
}
