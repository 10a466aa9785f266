package frameworks

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/e2e/idp"
)

// same sends one request to every server and compares the whole answers.
func same(t *testing.T, all []*server, path, token string, want answer) {
	t.Helper()
	for _, server := range all {
		got, err := get(t.Context(), server, path, token)
		if err != nil {
			t.Errorf("%s: %v", server.Name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s answered\n%+v, want\n%+v", server.Name, got, want)
		}
	}
}

func get(ctx context.Context, s *server, path, token string) (answer, error) {
	var authorization []string
	if token != "" {
		authorization = []string{"Bearer " + token}
	}
	got, err := s.Get(ctx, path, authorization...)
	if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil && seconds >= 1 && seconds <= 30 {
		got.Header.Set("Retry-After", someSeconds) // each server has its own back-off
	}
	return got, err
}

// someSeconds replaces a Retry-After from 1 to 30.
const someSeconds = "some seconds"

// accepted is the answer to a valid token. The handler has seen its subject.
func accepted(t *testing.T, token string, audience ...string) answer {
	t.Helper()
	c := contentOf(t, token)
	if c.Subject == "" || c.Issuer == "" {
		t.Fatalf("the token has sub %q and iss %q", c.Subject, c.Issuer)
	}
	list, err := json.Marshal(audience)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"audience":%s,"issuer":%q,"known":true,"subject":%q}`, list, c.Issuer, c.Subject)
	return answer{Status: http.StatusOK, Body: body, Header: http.Header{
		"Content-Type":   {"application/json"},
		"Content-Length": {strconv.Itoa(len(body))},
	}}
}

// The refusals as clients get them.
var (
	noToken      = refused(401, "Unauthorized", "missing_token", "WWW-Authenticate", `Bearer`, sso.ReasonMissingToken)
	noPermission = refused(403, "Forbidden", "insufficient_scope", "WWW-Authenticate", `Bearer error="insufficient_scope"`, sso.ReasonAccessDenied)
	unavailable  = refused(503, "Service Unavailable", "unavailable", "Retry-After", someSeconds, sso.ReasonKeysUnavailable)
)

// invalidToken is the answer to an invalid token. The reason is only in the log.
func invalidToken(reason sso.Reason) answer {
	return refused(401, "Unauthorized", "invalid_token", "WWW-Authenticate", `Bearer error="invalid_token"`, reason)
}

func refused(status int, title, code, header, value string, reason sso.Reason) answer {
	body := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q}`, title, status, code)
	return answer{Status: status, Body: body, Reason: string(reason), Header: http.Header{
		"Content-Type":                  {"application/problem+json"},
		"Content-Length":                {strconv.Itoa(len(body))},
		"Cache-Control":                 {"no-store"},
		http.CanonicalHeaderKey(header): {value},
	}}
}

func issue(t *testing.T, p idp.Provider, permissions map[string]any, audience ...string) string {
	t.Helper()
	token, err := p.Token(t.Context(), audience, permissions)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// content is the content of an unverified token.
type content struct {
	KeyID    string          `json:"kid"`
	Issuer   string          `json:"iss"`
	Subject  string          `json:"sub"`
	Audience json.RawMessage `json:"aud"`
}

func contentOf(t *testing.T, token string) (c content) {
	t.Helper()
	for _, part := range strings.Split(token, ".")[:2] {
		if err := json.Unmarshal(decoded(t, part), &c); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// promoted returns the token of a clerk with the claims of an admin and its old signature.
func promoted(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	claims := string(decoded(t, parts[1]))
	forged := strings.Replace(claims, `"clerk"`, `"admin"`, 1)
	if forged == claims {
		t.Fatalf("no \"clerk\" in %s", claims)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(forged))
	return strings.Join(parts, ".")
}

// flipped changes one character of the signature.
func flipped(token string) string {
	i := len(token) - 40
	other := "A"
	if token[i:i+1] == other {
		other = "B"
	}
	return token[:i] + other + token[i+1:]
}

func decoded(t *testing.T, part string) []byte {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// traffic sends valid tokens to every server without pause, until the test ends.
type traffic struct {
	mu     sync.RWMutex // held for reading during a request
	tokens []string
}

func startTraffic(t *testing.T, all []*server, tokens ...string) *traffic {
	t.Helper()
	r := &traffic{tokens: tokens}
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for _, server := range all {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if !r.request(t, server, n) {
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		close(stop)
		senders.Wait()
	})
	return r
}

// send sends these tokens from now on, and returns when no request with another token is in flight.
func (r *traffic) send(tokens ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = tokens
}

func (r *traffic) request(t *testing.T, server *server, n int) bool {
	t.Helper()
	r.mu.RLock()
	defer r.mu.RUnlock()
	token := r.tokens[n%len(r.tokens)]
	got, err := get(context.Background(), server, Me, token) // the test's own ends before the last request
	if err != nil || got.Status != http.StatusOK {
		t.Errorf("%s, between the steps: %+v (%v), by the key %q", server.Name, got, err, contentOf(t, token).KeyID)
		return false
	}
	return true
}
