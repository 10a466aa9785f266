// Package sessions signs users out of three running services that share one Redis. Meanwhile Redis is
// killed, hung and failed over, and its slots are moved. The Redis servers are real.
package sessions

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

const (
	audience = "api"
	lifetime = time.Hour
	settle   = 20 * time.Second // for what takes long on a busy machine

	// cacheTTL is how old a cached answer may be, and so how long a revoked token may be accepted.
	cacheTTL = 2 * time.Second
)

// instance is one running service.
type instance struct {
	name string
	url  string
}

// fleet is three services of different frameworks, each with a store of its own: the first without a
// cache, the others with one. Users sign in and out at writer.
type fleet struct {
	t         *testing.T
	issuer    *devissuer.Issuer
	client    *http.Client
	transport *http.Transport
	instances []instance
	writer    *redisstore.Sessions
}

// newFleet starts it. It ends with the test, which must leave no goroutine, and no connection to these
// servers.
func newFleet(t *testing.T, conn redisstore.Conn, servers ...*redistest.Server) *fleet {
	t.Helper()
	t.Cleanup(func() {
		for _, server := range servers {
			if _, err := server.Try("PING"); err == nil {
				redistest.Wait(t, settle, "no connection is left at "+server.Address, func() bool { return server.Clients() == 0 })
			}
		}
	})
	adaptertest.CheckLeaks(t)
	issuer, err := devissuer.Start(devissuer.WithLifetime(lifetime), devissuer.WithAudience(audience))
	must(t, err)
	t.Cleanup(func() { _ = issuer.Close() })
	conn.Logger = slog.New(slog.DiscardHandler)
	f := &fleet{t: t, issuer: issuer, transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	f.client = &http.Client{Transport: f.transport, Timeout: settle}
	f.writer = f.store(conn, 0)
	f.instances = []instance{
		f.open("net/http", openServeMux, f.store(conn, 0)),
		f.open("Gin", openGin, f.store(conn, cacheTTL)),
		f.open("Fiber", openFiber, f.store(conn, cacheTTL)),
	}
	t.Cleanup(f.transport.CloseIdleConnections) // before the services end
	return f
}

func (f *fleet) store(conn redisstore.Conn, cacheTTL time.Duration) *redisstore.Sessions {
	f.t.Helper()
	store, err := redisstore.NewSessions(conn, redisstore.SessionsOptions{
		Audience: audience, UserClaim: "user_id", SessionClaim: "session_id", CacheTTL: cacheTTL,
		Key: compat.RedisKey,
	})
	must(f.t, err)
	f.t.Cleanup(func() { _ = store.Close() })
	must(f.t, store.Ready(f.t.Context()))
	return store
}

func (f *fleet) open(name string, serve func(*testing.T, net.Listener, *sso.Authenticator), store *redisstore.Sessions) instance {
	f.t.Helper()
	auth, err := sso.New(sso.Config{
		PublicKeyURI: f.issuer.JWKSURL(), Issuer: f.issuer.URL(), Audience: []string{audience},
		Sessions: store, Logger: slog.New(slog.DiscardHandler),
	})
	must(f.t, err)
	f.t.Cleanup(func() { _ = auth.Close() })
	must(f.t, auth.Ready(f.t.Context()))
	l, err := new(net.ListenConfig).Listen(f.t.Context(), "tcp", "127.0.0.1:0")
	must(f.t, err)
	serve(f.t, l, auth)
	return instance{name, "http://" + l.Addr().String() + "/me"}
}

func openServeMux(t *testing.T, l net.Listener, auth *sso.Authenticator) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /me", httpsso.New(auth).Authenticate()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })))
	serveHTTP(t, l, mux)
}

func openGin(t *testing.T, l net.Listener, auth *sso.Authenticator) {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/me", ginsso.New(auth).Authenticate(), func(c *gin.Context) { c.Status(http.StatusOK) })
	serveHTTP(t, l, router)
}

func serveHTTP(t *testing.T, l net.Listener, handler http.Handler) {
	t.Helper()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: settle}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { _ = server.Close(); wg.Wait() })
}

func openFiber(t *testing.T, l net.Listener, auth *sso.Authenticator) {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/me", fibersso.New(auth).Authenticate(), func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	var wg sync.WaitGroup
	wg.Go(func() { _ = app.Listener(l) })
	t.Cleanup(func() { _ = app.ShutdownWithTimeout(settle); wg.Wait() })
}

// token returns a token of a session.
func (f *fleet) token(user, session string) string {
	return f.issuer.MustToken(devissuer.Claim("user_id", user), devissuer.Claim("session_id", session))
}

// get sends a request to an instance. It returns 0 for 503 without Retry-After.
func (f *fleet) get(ctx context.Context, in instance, token string) (status int) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, in.url, http.NoBody)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := f.client.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if after, err := strconv.Atoi(res.Header.Get("Retry-After")); res.StatusCode == http.StatusServiceUnavailable && (err != nil || after < 1) {
		return 0
	}
	return res.StatusCode
}

// all waits until every instance answers with the status.
func (f *fleet) all(token string, status int) {
	f.t.Helper()
	for _, in := range f.instances {
		redistest.Wait(f.t, settle, fmt.Sprintf("%s answers %d", in.name, status), func() bool { return f.get(f.t.Context(), in, token) == status })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// say prints a figure.
func say(format string, args ...any) {
	fmt.Println("sessions: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}
