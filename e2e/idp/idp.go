// Package idp starts third-party identity providers for tests: the OpenID provider of github.com/zitadel/oidc in
// the test's process, and the npm package oidc-provider as a child process. Both serve plain HTTP on a free
// loopback port and issue JWT access tokens, signed by RS256 with a key id. They rotate their keys in three steps,
// and can be unreachable for a while.
//
// Their tokens differ where the standards allow it:
//
//	                   zitadel            oidc-provider
//	header typ         JWT                at+jwt (RFC 9068)
//	aud, one           ["a"]              "a"
//	aud, more          ["a","b"]          ["a","b"]
//	nbf                as iat             absent
//	media type of keys application/json   application/jwk-set+json
package idp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// requestLimit bounds one HTTP request to a provider, and one command to a provider's process.
const requestLimit = 30 * time.Second

// A Provider is a running identity provider with one signing key. Its methods are safe for concurrent use.
type Provider interface {
	// Name is the name of the product.
	Name() string

	// Issuer is the iss of the tokens. It has no trailing slash.
	Issuer() string
	// DiscoveryURL is the URL of the provider's metadata.
	DiscoveryURL() string
	// JWKSURL is the URL of the provider's public keys, from its metadata.
	JWKSURL() string

	// Token requests an access token by the client credentials grant, over HTTP. The token has this audience,
	// which must not be empty, and these permissions; if nil, it has no such claim. Equal arguments mean the same
	// client, which is the token's sub and client_id. The token is valid for five minutes.
	Token(ctx context.Context, audience []string, permissions map[string]any) (string, error)

	// PublishNext publishes a new key together with the signing key.
	PublishNext(ctx context.Context) error
	// SwitchKey signs with the key of PublishNext from now on. The old one stays published.
	SwitchKey(ctx context.Context) error
	// RetireOld withdraws the old key. Its tokens are invalid from now on.
	RetireOld(ctx context.Context) error

	// Down stops listening: new connections are refused, and open ones end.
	Down(ctx context.Context) error
	// Up listens again, on the same port, with the same keys and clients.
	Up(ctx context.Context) error

	// Close stops the provider and waits for its end. Further calls do nothing. It is called at the end of the
	// test.
	Close()
}

// A client is registered at a provider and gets one kind of token.
type client struct {
	ID          string          `json:"id"`
	Secret      string          `json:"secret"`
	Audience    []string        `json:"audience"`
	Permissions json.RawMessage `json:"permissions,omitempty"`

	// For a client at which users sign in; see [Website].
	RedirectURI          string `json:"redirect_uri,omitempty"`
	BackChannelLogoutURI string `json:"backchannel_logout_uri,omitempty"`
}

// server implements Provider for both products. Each sets name, issuer, listen and stop, and apply if changes must
// be sent to it; then it calls discover.
type server struct {
	name   string
	issuer string
	// tokenParams are additional parameters of this product's token request.
	tokenParams url.Values
	// apply sends the keys and clients to the provider. It is called with mu held.
	apply func() error
	// listen starts or stops listening, unless it has done so. It is called without mu.
	listen func(up bool) error
	// stop ends the provider.
	stop func()

	http     *http.Client
	endpoint struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
		Token  string `json:"token_endpoint"`
	}
	closing sync.Once

	mu      sync.Mutex
	keys    keyRing
	clients map[string]client
}

func newServer(name string) (*server, error) {
	s := &server{
		name:    name,
		apply:   func() error { return nil },
		http:    &http.Client{Transport: &http.Transport{}, Timeout: requestLimit},
		clients: map[string]client{},
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	s.keys = keyRing{name: name}
	return s, s.keys.add(key)
}

func (s *server) Name() string         { return s.name }
func (s *server) Issuer() string       { return s.issuer }
func (s *server) DiscoveryURL() string { return s.issuer + "/.well-known/openid-configuration" }
func (s *server) JWKSURL() string      { return s.endpoint.JWKS }

// discover reads the provider's metadata.
func (s *server) discover(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.DiscoveryURL(), http.NoBody)
	if err != nil {
		return err
	}
	if err := s.do(req, &s.endpoint); err != nil {
		return err
	}
	if s.endpoint.Issuer != s.issuer || s.endpoint.JWKS == "" || s.endpoint.Token == "" {
		return fmt.Errorf("%s: metadata of issuer %s is not usable: %+v", s.name, s.issuer, s.endpoint)
	}
	return nil
}

func (s *server) Token(ctx context.Context, audience []string, permissions map[string]any) (string, error) {
	c, err := s.client(audience, permissions)
	if err != nil {
		return "", err
	}
	issued, err := s.request(ctx, c, url.Values{"grant_type": {"client_credentials"}})
	return issued.AccessToken, err
}

// tokens are the answer of a token endpoint.
type tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	TokenType   string `json:"token_type"`
}

// request requests tokens as a client.
func (s *server) request(ctx context.Context, c client, form url.Values) (issued tokens, err error) {
	maps.Copy(form, s.tokenParams)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return issued, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	if err := s.do(req, &issued); err != nil {
		return issued, err
	}
	if issued.AccessToken == "" || issued.TokenType != "Bearer" {
		return issued, fmt.Errorf("%s: no bearer token but token_type %q", s.name, issued.TokenType)
	}
	return issued, nil
}

// client registers the client that gets such tokens, unless it is registered.
func (s *server) client(audience []string, permissions map[string]any) (client, error) {
	if len(audience) == 0 {
		return client{}, errors.New("idp: a token needs an audience")
	}
	c := client{Audience: append([]string(nil), audience...), Secret: rand.Text()}
	if permissions != nil {
		var err error
		if c.Permissions, err = json.Marshal(permissions); err != nil {
			return client{}, fmt.Errorf("idp: permissions: %w", err)
		}
	}
	kind, err := json.Marshal([]any{c.Audience, c.Permissions})
	if err != nil {
		return client{}, err
	}
	c.ID = fmt.Sprintf("client-%x", sha256.Sum256(kind))[:23]

	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.clients[c.ID]; ok {
		return known, nil
	}
	s.clients[c.ID] = c
	return c, s.apply()
}

func (s *server) PublishNext(ctx context.Context) error {
	key, err := newKey() // before the lock, because it takes long
	if err != nil {
		return err
	}
	return s.rotate(ctx, func() error { return s.keys.add(key) })
}

func (s *server) SwitchKey(ctx context.Context) error { return s.rotate(ctx, s.keys.advance) }
func (s *server) RetireOld(ctx context.Context) error { return s.rotate(ctx, s.keys.retire) }

// rotate takes one step of a rotation.
func (s *server) rotate(ctx context.Context, step func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := step(); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return s.apply()
}

func (s *server) Down(ctx context.Context) error { return s.reach(ctx, false) }
func (s *server) Up(ctx context.Context) error   { return s.reach(ctx, true) }

func (s *server) reach(ctx context.Context, up bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.listen(up); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.http.CloseIdleConnections()
	return nil
}

func (s *server) Close() {
	s.closing.Do(func() {
		s.http.CloseIdleConnections()
		s.stop()
	})
}

// do sends a request and reads the JSON that comes back with status 200.
func (s *server) do(req *http.Request, into any) error {
	res, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s: %s: %s", s.name, req.Method, req.URL, res.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: %s %s: %w", s.name, req.Method, req.URL, err)
	}
	return nil
}
