package adaptertest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// attacked sends the corpus of [Attacks] where good tokens are known already. All answers are
// compared whole: the client learns nothing but the code.
func (s *suite) attacked(t *testing.T, do ssotest.Do, lacks []Feature) {
	for _, victim := range s.victims {
		token := bearer(victim.Token())
		for range 2 {
			if got, err := send(do, get("/attacked/"+victim.Algorithm(), token)); err != nil || got.status != http.StatusOK {
				t.Errorf("before the attacks a good token was answered with %d %q (%v)", got.status, got.body, err)
			}
		}
	}
	for _, attack := range Attacks() {
		victim := s.victims[max(0, slices.IndexFunc(s.victims, func(v *ssotest.Issuer) bool { return attack.Suits(v.Issuer) }))]
		fields := attack.Fields(victim.Issuer)
		lacking := slices.ContainsFunc(needs(fields), func(f Feature) bool { return slices.Contains(lacks, f) })
		if lacking || !sendable(fields) {
			continue
		}
		challenge := "Bearer"
		if attack.Code != sso.CodeMissingToken {
			challenge = fmt.Sprintf("Bearer error=%q", attack.Code)
		}
		want := refused(attack.Status, http.StatusText(attack.Status), attack.Code, challenge)
		t.Run(attack.Name, func(t *testing.T) {
			for _, path := range []string{"/attacked/", "/attacked-optional/"} {
				before := s.ran.Load()
				got, err := send(do, get(path+victim.Algorithm(), fields...))
				if err != nil {
					t.Fatalf("%v\nthe request failed: %v", attack, err)
				}
				if problem := want.compare(got, s.ran.Load()-before, http.MethodGet); problem != "" {
					t.Errorf("%v\n%s\n%s", attack, path, problem)
				}
			}
		})
	}
	for _, victim := range s.victims {
		if got, err := send(do, get("/attacked/"+victim.Algorithm(), bearer(victim.Token()))); err != nil || got.status != http.StatusOK {
			t.Errorf("after the attacks a good token was answered with %d %q (%v)", got.status, got.body, err)
		}
	}
}

// spelled asks for a guarded route by every spelling of its path that some router takes for the
// same: whatever answers, the handler must not run.
func (s *suite) spelled(t *testing.T, do ssotest.Do) {
	for _, path := range []string{
		"/required/", "/required//", "//required", "/./required", "/x/../required", "/x/..%2frequired", "/%2e/required", "/REQUIRED", "/Required",
		"/%72equired", "/%52equired", "/required%2f", "/required%2F", "/required;x=1", "/required%3bx", "/required.", "/required/.", "/required%20", "/required%00", "/required?x=/../", "/orders/..", "/orders/%2e%2e", "/orders/a%2Fb", "/orders/a%2f..%2fb",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			before := s.ran.Load()
			got, err := send(do, request(method, path))
			switch ran := s.ran.Load() - before; {
			case err != nil:
				t.Errorf("%s %s failed: %v", method, path, err)
			case ran > 0, got.status < 300:
				t.Errorf("%s %s was answered with %d, and the handler ran %d times", method, path, got.status, ran)
			}
		}
	}
}

// newVictims makes an issuer for each algorithm that some attack is made for; the first is for
// those that are made for any.
func newVictims(t *testing.T) []*ssotest.Issuer {
	var victims []*ssotest.Issuer
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		victims = append(victims, ssotest.NewIssuer(t, devissuer.WithAlgorithm(algorithm), devissuer.WithKeyPEM(victimKey(algorithm))))
	}
	return victims
}

// victimKey is the same for all victims of an algorithm, since keys take long to make.
func victimKey(algorithm string) []byte {
	victimKeys.Lock()
	defer victimKeys.Unlock()
	if victimKeys.m[algorithm] == nil {
		issuer, err := devissuer.New(devissuer.WithAlgorithm(algorithm))
		if err != nil {
			panic("adaptertest: " + err.Error()) // newVictims names none but what it has
		}
		victimKeys.m[algorithm] = issuer.PrivateKeyPEM()
	}
	return victimKeys.m[algorithm]
}

var victimKeys = struct {
	sync.Mutex
	m map[string][]byte
}{m: map[string][]byte{}}

// mixing sends tokens of equal length over the same connections at once: each answer must be
// about its own token's subject. A framework that reuses its memory mixes them up if the
// adapter keeps strings of it.
func (s *suite) mixing(t *testing.T, do ssotest.Do) {
	const senders, rounds = 4, 25
	var wg sync.WaitGroup
	for sender := range senders {
		subject := fmt.Sprintf("user-%02d", sender)
		token := bearer(s.issuer.Token(devissuer.Subject(subject)))
		wg.Go(func() {
			for range rounds {
				got, err := send(do, get("/authenticated", token))
				if err != nil || got.body != "hello "+subject {
					t.Errorf("the token of %s was answered with %d %q (%v)", subject, got.status, got.body, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// outliving keeps principals and looks at them after many other requests have used the memory.
func (s *suite) outliving(t *testing.T, do ssotest.Do) {
	s.mu.Lock()
	s.kept = nil
	s.mu.Unlock()
	var want []string
	for i := range 50 {
		subject := fmt.Sprintf("user-%02d", i)
		want = append(want, subject)
		if got, err := send(do, get("/authenticated", bearer(s.issuer.Token(devissuer.Subject(subject))))); err != nil || got.status != 200 {
			t.Fatalf("%d %q (%v)", got.status, got.body, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) != len(want) {
		t.Fatalf("%d principals, want %d", len(s.kept), len(want))
	}
	for i, p := range s.kept {
		if p.Subject() != want[i] {
			t.Errorf("the principal of %s became %s", want[i], p.Subject())
		}
	}
}

// aging presents a token that is known until it has expired, and beyond.
func (s *suite) aging(t *testing.T, do ssotest.Do) {
	token := bearer(s.issuer.Token(devissuer.ValidFor(time.Minute)))
	forged := token[:len(token)-8] + "AAAAAAAA"
	ask := func(token string, want int) {
		t.Helper()
		for _, path := range []string{"/authenticated", "/optional", "/required"} {
			status := want
			if want == http.StatusOK && path == "/required" {
				status = http.StatusForbidden
			}
			if got, err := send(do, get(path, token)); err != nil || got.status != status {
				t.Errorf("%s was answered with %d %q (%v), want %d", path, got.status, got.body, err, status)
			}
		}
	}
	ask(token, http.StatusOK)
	ask(token, http.StatusOK)
	ask(forged, http.StatusUnauthorized)
	s.clock.forward(time.Minute + sso.DefaultLeeway)
	ask(token, http.StatusUnauthorized)
	ask(token, http.StatusUnauthorized)
}

// rotation replaces the provider's key under a running service.
func (s *suite) rotation(t *testing.T, do ssotest.Do) {
	old := bearer(s.issuer.Token())
	s.issuer.Rotate()
	s.clock.forward(10 * time.Second) // some case may just have spent the budget for unknown key ids
	for name, token := range map[string]string{"the new key": bearer(s.issuer.Token()), "the old key": old} {
		if got, err := send(do, get("/authenticated", token)); err != nil || got.status != 200 {
			t.Errorf("a token of %s was answered with %d %q (%v)", name, got.status, got.body, err)
		}
	}
	s.issuer.RetireOld()
	s.clock.forward(10 * time.Minute) // a refresh is due, for which a request waits that is so late
	for range 2 {
		if got, err := send(do, get("/authenticated", old)); err != nil || got.status != http.StatusUnauthorized {
			t.Errorf("a known token of a key that is no more was answered with %d %q (%v)", got.status, got.body, err)
		}
	}
}

// recovery brings a provider back that was down when the service started.
func (s *suite) recovery(t *testing.T, do ssotest.Do) {
	token := bearer(s.dead.Token())
	s.dead.Up()
	s.clock.forward(time.Minute) // past any back-off
	if got, err := send(do, get("/unavailable", token)); err != nil || got.status != 200 {
		t.Errorf("after the provider's return a good token was answered with %d %q (%v)", got.status, got.body, err)
	}
}
