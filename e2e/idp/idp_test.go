package idp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// makes are the providers, with the properties of their tokens from their documentation.
var makes = []struct {
	start    func(testing.TB) Provider
	name     string
	typ      string
	oneAud   string // the JSON of the audience "orders"
	manyAud  string // the JSON of the audiences "orders" and "https://stock.example"
	jwksType string
}{
	{StartZitadel, "zitadel", "JWT", `["orders"]`, `["orders","https://stock.example"]`, "application/json"},
	{StartOIDCProvider, "oidc-provider", "at+jwt", `"orders"`, `["orders","https://stock.example"]`, "application/jwk-set+json"},
}

func TestProvider_Token(t *testing.T) {
	t.Parallel()
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := m.start(t)
			if p.Name() != m.name {
				t.Errorf("name %q, want %q", p.Name(), m.name)
			}
			permissions := map[string]any{
				"pma":       map[string]any{"role": "admin", "snake_case": []any{"a", 1.5, nil, true}},
				"größe":     "ä€😀",
				"__proto__": map[string]any{"admin": true},
			}
			for _, test := range []struct {
				name        string
				audience    []string
				permissions map[string]any
				wantAud     string
			}{
				{"one audience", []string{"orders"}, permissions, m.oneAud},
				{"two audiences", []string{"orders", "https://stock.example"}, permissions, m.manyAud},
				{"empty permissions", []string{"orders"}, map[string]any{}, m.oneAud},
				{"no permissions", []string{"orders"}, nil, m.oneAud},
			} {
				t.Run(test.name, func(t *testing.T) {
					got := prove(t, p, token(t, p, test.audience, test.permissions))

					if got.Typ != m.typ || got.Alg != "RS256" {
						t.Errorf("typ %q, alg %q; want %q, RS256", got.Typ, got.Alg, m.typ)
					}
					if string(got.Audience) != test.wantAud {
						t.Errorf("aud %s, want %s", got.Audience, test.wantAud)
					}
					if got.Issuer != p.Issuer() {
						t.Errorf("iss %q, want %q", got.Issuer, p.Issuer())
					}
					if got.Subject == "" || got.Subject != got.ClientID || got.ID == "" {
						t.Errorf("sub %q, client_id %q, jti %q", got.Subject, got.ClientID, got.ID)
					}
					if life := got.Expires - got.IssuedAt; life < 299 || life > 300 {
						t.Errorf("lives %d s, want 300", life)
					}
					if !reflect.DeepEqual(got.Permissions, test.permissions) {
						t.Errorf("permissions %v, want %v", got.Permissions, test.permissions)
					}
				})
			}

			t.Run("same client", func(t *testing.T) {
				one := prove(t, p, token(t, p, []string{"orders"}, permissions))
				same := prove(t, p, token(t, p, []string{"orders"}, permissions))
				other := prove(t, p, token(t, p, []string{"orders"}, map[string]any{}))
				if one.Subject != same.Subject || one.Subject == other.Subject {
					t.Errorf("subjects %q, %q, %q: want the first two equal", one.Subject, same.Subject, other.Subject)
				}
				if one.ID == same.ID {
					t.Errorf("two tokens with jti %q", one.ID)
				}
			})

			t.Run("no audience", func(t *testing.T) {
				if got, err := p.Token(t.Context(), nil, permissions); err == nil {
					t.Errorf("token %q without an audience", got)
				}
			})

			t.Run("wrong secret", func(t *testing.T) {
				s, ok := p.(*server)
				if !ok {
					t.Fatalf("%T is not a *server", p)
				}
				c, err := s.client([]string{"robbed"}, nil)
				if err != nil {
					t.Fatal(err)
				}
				forged := &server{
					name: s.name, tokenParams: s.tokenParams, http: s.http, endpoint: s.endpoint,
					clients: map[string]client{c.ID: {ID: c.ID, Secret: "wrong"}},
				}
				if got, err := forged.Token(t.Context(), []string{"robbed"}, nil); err == nil {
					t.Errorf("token %q for a wrong secret", got)
				} else if !strings.Contains(err.Error(), "invalid_client") {
					t.Errorf("error %v, want invalid_client", err)
				}
			})
		})
	}
}

func TestProvider_Endpoints(t *testing.T) {
	t.Parallel()
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := m.start(t)

			var metadata map[string]any
			get(t, p.DiscoveryURL(), &metadata)
			if metadata["issuer"] != p.Issuer() || metadata["jwks_uri"] != p.JWKSURL() {
				t.Errorf("metadata %v; want issuer %s, jwks_uri %s", metadata, p.Issuer(), p.JWKSURL())
			}

			var set struct{ Keys []map[string]any }
			mediaType := get(t, p.JWKSURL(), &set)
			if got, _, _ := strings.Cut(mediaType, ";"); got != m.jwksType {
				t.Errorf("keys are %q, want %q", mediaType, m.jwksType)
			}
			if len(set.Keys) != 1 {
				t.Fatalf("%d keys, want 1", len(set.Keys))
			}
			key := set.Keys[0]
			if key["kty"] != "RSA" || key["use"] != "sig" || key["alg"] != "RS256" || key["kid"] == nil {
				t.Errorf("key %v", key)
			}
			if key["d"] != nil {
				t.Error("the private key is published")
			}
		})
	}
}

func TestProvider_Rotation(t *testing.T) {
	t.Parallel()
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := m.start(t)
			step := func(step func(context.Context) error, want []string) {
				t.Helper()
				if err := step(t.Context()); err != nil {
					t.Fatal(err)
				}
				wantKeys(t, p, want...)
			}
			refused := func(step func(context.Context) error, cause string) {
				t.Helper()
				if err := step(t.Context()); err == nil || !strings.Contains(err.Error(), cause) {
					t.Errorf("error %v, want %q", err, cause)
				}
			}
			signedBy := func() string {
				t.Helper()
				return prove(t, p, token(t, p, []string{"orders"}, nil)).KeyID
			}

			first := signedBy()
			wantKeys(t, p, first)
			refused(p.SwitchKey, "without a next key")
			refused(p.RetireOld, "without an old key")

			next := p.Name() + "-key-2"
			step(p.PublishNext, []string{first, next})
			refused(p.PublishNext, "published already")
			refused(p.RetireOld, "without an old key")
			if got := signedBy(); got != first {
				t.Errorf("after PublishNext %q signs, want %q", got, first)
			}

			old := token(t, p, []string{"orders"}, nil)
			step(p.SwitchKey, []string{first, next})
			refused(p.SwitchKey, "without a next key")
			if got := signedBy(); got != next {
				t.Errorf("after SwitchKey %q signs, want %q", got, next)
			}
			prove(t, p, old)

			step(p.RetireOld, []string{next})
			if got := signedBy(); got != next {
				t.Errorf("after RetireOld %q signs, want %q", got, next)
			}
			if _, err := verify(p, keySet(t, p), old); err == nil {
				t.Error("a token of the retired key still verifies")
			}

			// A second rotation may start before the first one's old key is gone.
			third, fourth := p.Name()+"-key-3", p.Name()+"-key-4"
			step(p.PublishNext, []string{next, third})
			step(p.SwitchKey, []string{next, third})
			step(p.PublishNext, []string{next, third, fourth})
			if got := signedBy(); got != third {
				t.Errorf("%q signs, want %q", got, third)
			}
			step(p.RetireOld, []string{third, fourth})

			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if err := p.SwitchKey(cancelled); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want that of the context", err)
			}
		})
	}
}

// Tokens that are issued during a rotation verify with the keys of before or after it.
func TestProvider_TokensDuringRotation(t *testing.T) {
	t.Parallel()
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := m.start(t)
			if err := p.PublishNext(t.Context()); err != nil {
				t.Fatal(err)
			}
			set := keySet(t, p)

			var clients sync.WaitGroup
			for range 4 {
				clients.Go(func() {
					for i := range 10 {
						// Every other one registers a client, which changes the configuration as well.
						raw, err := p.Token(t.Context(), []string{"orders"}, map[string]any{"n": float64(i / 2)})
						if err != nil {
							t.Error(err)
							return
						}
						if _, err := verify(p, set, raw); err != nil {
							t.Error(err)
						}
					}
				})
			}
			if err := p.SwitchKey(t.Context()); err != nil {
				t.Error(err)
			}
			clients.Wait()
		})
	}
}

// A provider that was down has the same keys and clients as before.
func TestProvider_Down(t *testing.T) {
	t.Parallel()
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := m.start(t)
			before := token(t, p, []string{"orders"}, nil)
			do := func(step func(context.Context) error) {
				t.Helper()
				if err := step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				do(p.Down)
				do(p.Down)
				if got, err := p.Token(t.Context(), []string{"orders"}, nil); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("token %q, error %v, want a refused connection", got, err)
				}
				do(p.Up)
				do(p.Up)
				prove(t, p, token(t, p, []string{"orders"}, nil))
				prove(t, p, before)
			}

			do(p.Down)
			do(p.PublishNext)
			do(p.SwitchKey)
			do(p.Up)
			if got, want := prove(t, p, token(t, p, []string{"orders"}, nil)).KeyID, p.Name()+"-key-2"; got != want {
				t.Errorf("%q signs, want %q", got, want)
			}
			do(p.Down) // closing it must work in this state too

			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if err := p.Up(cancelled); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want that of the context", err)
			}
		})
	}
}

func TestProvider_Close(t *testing.T) {
	t.Parallel()
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p := m.start(t)
			p.Close()
			p.Close()
			if got, err := p.Token(t.Context(), []string{"orders"}, nil); err == nil {
				t.Errorf("token %q from a closed provider", got)
			}
			if err := p.Up(t.Context()); err == nil {
				t.Error("a closed provider listens again")
			}
		})
	}
}

// The child ends when its input does, so it also ends if the test's process is killed.
func TestChild_End(t *testing.T) {
	dir, node, err := findOIDCProvider()
	if err != nil {
		absent(t, err)
	}
	s, c, err := startOIDCProvider(t, node, dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if state := c.cmd.ProcessState; state == nil || !state.Success() {
		t.Errorf("process state %v, want a success; it wrote\n%s", state, c.log.Bytes())
	}
}

func TestChild_Failure(t *testing.T) {
	dir, node, err := findOIDCProvider()
	if err != nil {
		absent(t, err)
	}
	s, c, err := startOIDCProvider(t, node, dir)
	if err != nil {
		t.Fatal(err)
	}
	s.keys.keys[0] = s.keys.keys[0].Public()
	if err := s.apply(); err == nil || !strings.Contains(err.Error(), "jwks.keys[0].d") {
		t.Errorf("error %v, want oidc-provider's about a signing key without its private part", err)
	}
	if c.cmd.ProcessState == nil {
		t.Error("the process has not ended")
	}

	if _, err := startChild(node, t.TempDir()); err == nil || !strings.Contains(err.Error(), "server.mjs") {
		t.Errorf("error %v, want node's about the missing server.mjs", err)
	}
}

func TestAbsent(t *testing.T) {
	for ci, want := range map[string]string{"true": "fatal", "": "skip"} {
		t.Setenv("CI", ci)
		var got ending
		done := make(chan struct{})
		go func() {
			defer close(done)
			absent(&got, errors.New("no node"))
		}()
		<-done
		if got.how != want {
			t.Errorf("CI=%q: %q, want %q", ci, got.how, want)
		}
	}
}

// ending is a test that records how it was ended.
type ending struct {
	testing.TB
	how string
}

func (e *ending) Helper()               {}
func (e *ending) Fatalf(string, ...any) { e.how = "fatal"; runtime.Goexit() }
func (e *ending) Skipf(string, ...any)  { e.how = "skip"; runtime.Goexit() }

// verified is a token whose signature has been verified.
type verified struct {
	Typ, Alg, KeyID string `json:"-"`

	Issuer      string          `json:"iss"`
	Subject     string          `json:"sub"`
	ClientID    string          `json:"client_id"`
	ID          string          `json:"jti"`
	Audience    json.RawMessage `json:"aud"`
	IssuedAt    int64           `json:"iat"`
	Expires     int64           `json:"exp"`
	Permissions map[string]any  `json:"permissions"`
}

func token(t *testing.T, p Provider, audience []string, permissions map[string]any) string {
	t.Helper()
	raw, err := p.Token(t.Context(), audience, permissions)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// prove verifies a token with the keys that the provider publishes now.
func prove(t *testing.T, p Provider, raw string) verified {
	t.Helper()
	v, err := verify(p, keySet(t, p), raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func verify(p Provider, set jose.JSONWebKeySet, raw string) (v verified, err error) {
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return v, err
	}
	header := jws.Signatures[0].Protected
	v.Alg, v.KeyID = header.Algorithm, header.KeyID
	v.Typ, _ = header.ExtraHeaders[jose.HeaderType].(string)
	keys := set.Key(v.KeyID)
	if len(keys) != 1 {
		return v, errors.New(p.Name() + " publishes no key " + v.KeyID)
	}
	payload, err := jws.Verify(keys[0])
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(payload, &v)
}

func keySet(t *testing.T, p Provider) jose.JSONWebKeySet {
	t.Helper()
	var set jose.JSONWebKeySet
	get(t, p.JWKSURL(), &set)
	return set
}

// wantKeys checks which keys are published, in any order.
func wantKeys(t *testing.T, p Provider, want ...string) {
	t.Helper()
	set := keySet(t, p)
	for _, kid := range want {
		if len(set.Key(kid)) != 1 {
			t.Errorf("key %q is not published", kid)
		}
	}
	if len(set.Keys) != len(want) {
		t.Errorf("%d keys are published, want %q", len(set.Keys), want)
	}
}

// get reads a JSON document, and returns its media type.
func get(t *testing.T, url string, into any) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v\n%s", url, res.Status, err, body)
	}
	return res.Header.Get("Content-Type")
}
