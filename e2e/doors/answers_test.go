package doors_test

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
	"github.com/more-retail/moresso-go/e2e/doors"
	"github.com/more-retail/moresso-go/e2e/idp"
)

// same sends one request to every door. What they answer is compared whole.
func same(t *testing.T, all []*doors.Door, path, token string, want doors.Answer) {
	t.Helper()
	for _, door := range all {
		got, err := get(t.Context(), door, path, token)
		if err != nil {
			t.Errorf("%s: %v", door.Name, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s answered\n%+v, want\n%+v", door.Name, got, want)
		}
	}
}

func get(ctx context.Context, door *doors.Door, path, token string) (doors.Answer, error) {
	var authorization []string
	if token != "" {
		authorization = []string{"Bearer " + token}
	}
	got, err := door.Get(ctx, path, authorization...)
	if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil && seconds >= 1 && seconds <= 30 {
		got.Header.Set("Retry-After", someSeconds) // each door has a back-off of its own
	}
	return got, err
}

// someSeconds stands for a Retry-After from 1 to 30.
const someSeconds = "some seconds"

// accepted is the answer to a good token. The handler has seen its subject.
func accepted(t *testing.T, token string, audience ...string) doors.Answer {
	t.Helper()
	c := contentOf(t, token)
	if c.Subject == "" || c.Issuer == "" {
		t.Fatalf("a token about %q by %q", c.Subject, c.Issuer)
	}
	list, err := json.Marshal(audience)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"audience":%s,"issuer":%q,"known":true,"subject":%q}`, list, c.Issuer, c.Subject)
	return doors.Answer{Status: http.StatusOK, Body: body, Header: http.Header{
		"Content-Type":   {"application/json"},
		"Content-Length": {strconv.Itoa(len(body))},
	}}
}

// The refusals, written out as clients get them.
var (
	noToken      = refused(401, "Unauthorized", "missing_token", "WWW-Authenticate", `Bearer`, sso.ReasonMissingToken)
	noPermission = refused(403, "Forbidden", "insufficient_scope", "WWW-Authenticate", `Bearer error="insufficient_scope"`, sso.ReasonAccessDenied)
	unavailable  = refused(503, "Service Unavailable", "unavailable", "Retry-After", someSeconds, sso.ReasonKeysUnavailable)
)

// badToken is the answer to a token that is not good: the client is not told why, the operator is.
func badToken(reason sso.Reason) doors.Answer {
	return refused(401, "Unauthorized", "invalid_token", "WWW-Authenticate", `Bearer error="invalid_token"`, reason)
}

func refused(status int, title, code, header, value string, reason sso.Reason) doors.Answer {
	body := fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q}`, title, status, code)
	return doors.Answer{Status: status, Body: body, Reason: string(reason), Header: http.Header{
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

// content is what a token says, proven or not.
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

// promoted makes an admin of a clerk, under the signature of before.
func promoted(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	claims := string(decoded(t, parts[1]))
	forged := strings.Replace(claims, `"clerk"`, `"admin"`, 1)
	if forged == claims {
		t.Fatalf("no clerk in %s", claims)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(forged))
	return strings.Join(parts, ".")
}

// flipped changes one character in the midst of the signature.
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

// traffic is good tokens that come in at every door without pause, until the test ends.
type traffic struct {
	mu     sync.RWMutex // held for reading during a request
	tokens []string
}

func startTraffic(t *testing.T, all []*doors.Door, tokens ...string) *traffic {
	t.Helper()
	r := &traffic{tokens: tokens}
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for _, door := range all {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if !r.request(t, door, n) {
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

// send has these tokens sent from now on, and returns when no request with another is under way.
func (r *traffic) send(tokens ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens = tokens
}

func (r *traffic) request(t *testing.T, door *doors.Door, n int) bool {
	t.Helper()
	r.mu.RLock()
	defer r.mu.RUnlock()
	token := r.tokens[n%len(r.tokens)]
	got, err := get(context.Background(), door, doors.Me, token) // the test's own ends before the last request
	if err != nil || got.Status != http.StatusOK {
		t.Errorf("%s, between the steps: %+v (%v), by the key %q", door.Name, got, err, contentOf(t, token).KeyID)
		return false
	}
	return true
}
