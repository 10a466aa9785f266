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

// attacks sends [Attacks] to services that have cached valid tokens. All responses are compared whole:
// the client learns only the code.
func (s *suite) attacks(t *testing.T, do ssotest.Do, lacks []Feature) {
	s.accepts(t, do, "before the attacks")
	s.accepts(t, do, "before the attacks, cached")
	for _, attack := range Attacks("") {
		issuer := s.attacked[max(0, slices.IndexFunc(s.attacked, func(i *ssotest.Issuer) bool { return i.Algorithm() == attack.Algorithm }))]
		fields := attack.Authorization(issuer.Issuer)
		if len(fields) > 1 && slices.Contains(lacks, RepeatedFields) || !sendable(fields) {
			continue
		}
		challenge := "Bearer"
		if attack.Code != sso.CodeMissingToken {
			challenge = fmt.Sprintf("Bearer error=%q", attack.Code)
		}
		want := refused(attack.Status, http.StatusText(attack.Status), attack.Code, challenge)
		t.Run(attack.Name, func(t *testing.T) {
			for _, path := range []string{"/attacked/", "/attacked-optional/"} {
				if path == "/attacked-optional/" && slices.Equal(fields, []string{""}) {
					continue // anonymous
				}
				before := s.ran.Load()
				got, err := send(do, get(path+issuer.Algorithm(), fields...))
				if err != nil {
					t.Fatalf("%s (%s)\nthe request failed: %v", attack.Rule, attack.Source, err)
				}
				if problem := want.compare(got, s.ran.Load()-before, http.MethodGet); problem != "" {
					t.Errorf("%s (%s)\n%s\n%s", attack.Rule, attack.Source, path, problem)
				}
			}
		})
	}
	s.accepts(t, do, "after the attacks")
}

// accepts sends a valid token to each service that is attacked.
func (s *suite) accepts(t *testing.T, do ssotest.Do, when string) {
	t.Helper()
	for _, issuer := range s.attacked {
		if got, err := send(do, get("/attacked/"+issuer.Algorithm(), bearer(issuer.Token()))); err != nil || got.status != http.StatusOK {
			t.Errorf("%s: the response to a valid token is %d %q (%v)", when, got.status, got.body, err)
		}
	}
}

// spelled requests a guarded route by spellings of its path that some routers treat as the same. The
// handler must not run.
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
				t.Errorf("%s %s: %d, and the handler ran %d times", method, path, got.status, ran)
			}
		}
	}
}

// attackedIssuers makes an issuer for each algorithm of the attacks. The first is for attacks with any
// algorithm.
func attackedIssuers(t *testing.T) []*ssotest.Issuer {
	var issuers []*ssotest.Issuer
	for _, algorithm := range []string{"ES256", "RS256", "EdDSA"} {
		issuers = append(issuers, ssotest.NewIssuer(t, devissuer.WithKeyPEM(cachedIssuer("https://attacked.example", algorithm).PrivateKeyPEM())))
	}
	return issuers
}

// mixing sends tokens of equal length over the same connections at once. A framework that reuses its
// memory mixes up their subjects if the adapter keeps strings of it.
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
					t.Errorf("the response to the token of %s is %d %q (%v)", subject, got.status, got.body, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// outliving checks principals after many other requests have used the memory.
func (s *suite) outliving(t *testing.T, do ssotest.Do) {
	s.mu.Lock()
	s.kept, s.tokens = nil, nil
	s.mu.Unlock()
	var want, tokens []string
	for i := range 50 {
		subject := fmt.Sprintf("user-%02d", i)
		want = append(want, subject)
		tokens = append(tokens, s.issuer.Token(devissuer.Subject(subject)))
		if got, err := send(do, get("/token", bearer(tokens[i]))); err != nil || got.status != 200 {
			t.Fatalf("%d %q (%v)", got.status, got.body, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.tokens, tokens) {
		t.Error("the tokens that the handlers got have changed")
	}
	if len(s.kept) != len(want) {
		t.Fatalf("%d principals, want %d", len(s.kept), len(want))
	}
	for i, p := range s.kept {
		if p.Subject() != want[i] {
			t.Errorf("the principal of %s became %s", want[i], p.Subject())
		}
	}
}

// aging sends a cached token before and after it has expired.
func (s *suite) aging(t *testing.T, do ssotest.Do) {
	token := bearer(s.issuer.Token(devissuer.ValidFor(time.Minute)))
	forged := token[:len(token)-8] + "AAAAAAAA"
	expect := func(token string, want int) {
		t.Helper()
		for _, path := range []string{"/authenticated", "/optional", "/required"} {
			status := want
			if want == http.StatusOK && path == "/required" {
				status = http.StatusForbidden
			}
			if got, err := send(do, get(path, token)); err != nil || got.status != status {
				t.Errorf("%s: %d %q (%v), want %d", path, got.status, got.body, err, status)
			}
		}
	}
	expect(token, http.StatusOK)
	expect(token, http.StatusOK)
	expect(forged, http.StatusUnauthorized)
	s.clock.forward(2 * time.Minute)
	expect(token, http.StatusUnauthorized)
	expect(token, http.StatusUnauthorized)
}

// rotation replaces the key of the provider while the service runs.
func (s *suite) rotation(t *testing.T, do ssotest.Do) {
	old := bearer(s.issuer.Token())
	s.issuer.Rotate()
	s.clock.forward(10 * time.Second) // a case may have used up the budget for unknown key ids
	for name, token := range map[string]string{"the new key": bearer(s.issuer.Token()), "the old key": old} {
		if got, err := send(do, get("/authenticated", token)); err != nil || got.status != 200 {
			t.Errorf("a token of %s: %d %q (%v)", name, got.status, got.body, err)
		}
	}
	s.issuer.Retire()
	s.clock.forward(10 * time.Minute) // a refresh is due, and so late that a request waits for it
	for range 2 {
		if got, err := send(do, get("/authenticated", old)); err != nil || got.status != http.StatusUnauthorized {
			t.Errorf("a cached token of a retired key: %d %q (%v)", got.status, got.body, err)
		}
	}
}

// recovery ends the outage of a provider that was down when the service started.
func (s *suite) recovery(t *testing.T, do ssotest.Do) {
	token := bearer(s.down.Token())
	s.down.Up()
	s.clock.forward(time.Minute) // past any back-off
	if got, err := send(do, get("/unavailable", token)); err != nil || got.status != 200 {
		t.Errorf("after the recovery of the provider: %d %q (%v)", got.status, got.body, err)
	}
}
