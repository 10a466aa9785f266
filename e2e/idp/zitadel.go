package idp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// StartZitadel starts the OpenID provider of github.com/zitadel/oidc in this process, until the test ends.
func StartZitadel(tb testing.TB) Provider {
	tb.Helper()
	s, err := newServer("zitadel")
	if err != nil {
		tb.Fatal(err)
	}
	l := &zitadelListener{server: httptest.NewUnstartedServer(nil), up: true}
	l.address = l.server.Listener.Addr().String()
	s.issuer = "http://" + l.address
	s.listen = l.listen
	s.stop = l.stop
	tb.Cleanup(s.Close)

	var config op.Config
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		tb.Fatal(err)
	}
	provider, err := op.NewProvider(&config, zitadelStorage{server: s}, op.StaticIssuer(s.issuer), op.WithAllowInsecure())
	if err != nil {
		tb.Fatal(err)
	}
	l.server.Config.Handler = provider
	l.server.Start()
	if err := s.discover(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// zitadelListener serves zitadel's provider.
type zitadelListener struct {
	address string

	mu     sync.Mutex
	server *httptest.Server // the last server; closed if not up
	up     bool
	ended  bool
}

func (l *zitadelListener) stop() {
	_ = l.listen(false) // which does not fail
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

func (l *zitadelListener) listen(up bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case up == l.up:
		return nil
	case l.ended:
		return errors.New("the provider is closed")
	case !up:
		l.server.Close()
	default:
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", l.address)
		if err != nil {
			return err
		}
		l.server = &httptest.Server{Listener: listener, Config: &http.Server{
			Handler:           l.server.Config.Handler,
			ReadHeaderTimeout: requestLimit,
		}}
		l.server.Start()
	}
	l.up = up
	return nil
}

// zitadelStorage gives the keys and clients of a server to zitadel's provider. It has the methods for discovery, keys
// and the client credentials grant. The rest of op.Storage is nil: any other endpoint panics, which the HTTP server
// logs.
type zitadelStorage struct {
	op.Storage
	server *server
}

var _ op.ClientCredentialsStorage = zitadelStorage{} // found by assertion: without it the grant is not supported

func (z zitadelStorage) keys() []jose.JSONWebKey {
	z.server.mu.Lock()
	defer z.server.mu.Unlock()
	return z.server.keys.list()
}

func (z zitadelStorage) client(id string) (zitadelClient, error) {
	z.server.mu.Lock()
	defer z.server.mu.Unlock()
	c, ok := z.server.clients[id]
	if !ok {
		return zitadelClient{}, errors.New("unknown client")
	}
	return zitadelClient{client: c}, nil
}

func (z zitadelStorage) Health(context.Context) error { return nil }

func (z zitadelStorage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (z zitadelStorage) SigningKey(context.Context) (op.SigningKey, error) {
	return zitadelKey{z.keys()[0]}, nil
}

func (z zitadelStorage) KeySet(context.Context) ([]op.Key, error) {
	var set []op.Key
	for _, key := range z.keys() {
		set = append(set, zitadelKey{key.Public()})
	}
	return set, nil
}

func (z zitadelStorage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	c, err := z.client(id)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1 {
		return nil, errors.New("wrong secret")
	}
	return c, nil
}

func (z zitadelStorage) ClientCredentialsTokenRequest(_ context.Context, id string, _ []string) (op.TokenRequest, error) {
	return z.client(id)
}

func (z zitadelStorage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return rand.Text(), time.Now().Add(5 * time.Minute), nil
}

func (z zitadelStorage) GetPrivateClaimsFromScopes(_ context.Context, _, id string, _ []string) (map[string]any, error) {
	c, err := z.client(id)
	if err != nil || c.Permissions == nil {
		return nil, err
	}
	return map[string]any{"permissions": c.Permissions}, nil
}

// zitadelClient is a client for zitadel's provider, and the request for its token. The rest of op.Client is nil.
type zitadelClient struct {
	op.Client
	client
}

func (c zitadelClient) GetID() string { return c.ID }
func (c zitadelClient) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeClientCredentials}
}
func (c zitadelClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (c zitadelClient) ClockSkew() time.Duration            { return 0 }
func (c zitadelClient) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c zitadelClient) GetSubject() string    { return c.ID }
func (c zitadelClient) GetAudience() []string { return c.Audience }
func (c zitadelClient) GetScopes() []string   { return nil }

// zitadelKey is a key for zitadel's provider.
type zitadelKey struct{ key jose.JSONWebKey }

func (k zitadelKey) ID() string  { return k.key.KeyID }
func (k zitadelKey) Key() any    { return k.key.Key }
func (k zitadelKey) Use() string { return k.key.Use }
func (k zitadelKey) Algorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(k.key.Algorithm)
}
func (k zitadelKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.Algorithm() }
