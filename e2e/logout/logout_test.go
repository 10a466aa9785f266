// Package logout tests that a user who signs out at a real identity provider is refused by a fleet of services,
// which share a real Redis.
package logout

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/e2e/idp"
	"github.com/more-retail/moresso-go/examples/servers"
	"github.com/more-retail/moresso-go/httpsso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

const (
	website  = "web-shop" // the client at which users sign in
	audience = "orders"   // the API that its tokens are for
	// mostWait is how long an instance may still accept a session that the provider has ended.
	mostWait = time.Second
)

// An instance is a running service, with an authenticator and a store of its own.
type instance struct {
	name string
	url  string
}

func (i instance) status(t *testing.T, token string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url+"/orders", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// fleet starts a service in each of four frameworks. The first receives the logouts of the provider; received is
// the status of its last answer.
func fleet(t *testing.T, provider idp.Provider, redis *redistest.Server, cacheTTL time.Duration) (instances []instance, received *atomic.Int64, logoutURL string) {
	t.Helper()
	service := func() (*sso.Authenticator, *redisstore.Denylist) {
		store, err := redisstore.NewDenylist(redisstore.Conn{
			Addresses: []string{redis.Address}, Password: "a secret", Logger: slog.New(slog.DiscardHandler),
		}, redisstore.DenylistOptions{
			Issuer: provider.Issuer(), MaxTokenAge: time.Hour, CacheTTL: cacheTTL,
			Rules: []redisstore.Rule{redisstore.BySession, redisstore.ByIssuedAt},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		auth, err := sso.New(sso.Config{
			Issuer: provider.Issuer(), Audience: []string{audience}, Logger: slog.New(slog.DiscardHandler), MaxTokenAge: time.Hour,
			Sessions: store,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = auth.Close() })
		return auth, store
	}
	add := func(name string) func(url string, stop func() error, err error) {
		return func(url string, stop func() error, err error) {
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
			instances = append(instances, instance{name, url})
		}
	}
	orders := servers.Routes(servers.Route{Path: "/orders", Handle: func(*sso.Principal, bool) string { return "[]" }})

	auth, store := service()
	if err := store.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	received = &atomic.Int64{}
	logout := httpsso.BackChannelLogout(auth, store.Revoker(), website)
	add("net/http")(servers.Serve(t.Context(), servers.HTTP(func(mux *http.ServeMux) {
		orders.HTTP(mux, auth)
		mux.HandleFunc("/logout/backchannel", func(w http.ResponseWriter, r *http.Request) {
			kept := httptest.NewRecorder()
			logout.ServeHTTP(kept, r)
			received.Store(int64(kept.Code))
			w.WriteHeader(kept.Code)
		})
	})))
	logoutURL = instances[0].url + "/logout/backchannel"

	ofGin, _ := service()
	add("Gin")(servers.Serve(t.Context(), servers.Gin(func(e *gin.Engine) { orders.Gin(e, ofGin) })))
	ofEcho, _ := service()
	add("Echo")(servers.Serve(t.Context(), servers.Echo(func(e *echo.Echo) { orders.Echo(e, ofEcho) })))
	ofFiber, _ := service()
	add("Fiber")(servers.ServeFiber(t.Context(), servers.Fiber(func(app *fiber.App) { orders.Fiber(app, ofFiber) })))
	return instances, received, logoutURL
}

func TestBackChannelLogout_Fleet(t *testing.T) {
	for _, cacheTTL := range []time.Duration{0, 2 * time.Second} {
		t.Run(fmt.Sprint("cache ", cacheTTL), func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections) //nolint:errcheck // it is one
			provider := idp.StartOIDCLogins(t)
			redis := redistest.Start(t, "--requirepass", "a secret")
			instances, received, logoutURL := fleet(t, provider, redis, cacheTTL)
			if err := provider.Register(idp.Website{ClientID: website, Audience: audience, BackChannelLogoutURI: logoutURL}); err != nil {
				t.Fatal(err)
			}
			signIn := func(who string) *idp.Login {
				t.Helper()
				login, err := provider.SignIn(t.Context(), website, who)
				if err != nil {
					t.Fatal(err)
				}
				return login
			}
			all := func(what, token string, want int) {
				t.Helper()
				for _, i := range instances {
					if status := i.status(t, token); status != want {
						t.Errorf("%s: %s answers %d, want %d", what, i.name, status, want)
					}
				}
			}
			here, elsewhere, bob := signIn("ada"), signIn("ada"), signIn("bob")
			for range 2 { // fills the token caches and the session caches
				all("ada", here.AccessToken, http.StatusOK)
				all("ada elsewhere", elsewhere.AccessToken, http.StatusOK)
				all("bob", bob.AccessToken, http.StatusOK)
			}

			// The provider calls the first service before it answers.
			out := time.Now()
			if err := here.SignOut(t.Context()); err != nil {
				t.Fatal(err)
			}
			if received.Load() != http.StatusOK {
				t.Fatalf("the provider was answered with %d", received.Load())
			}
			for _, i := range instances {
				for i.status(t, here.AccessToken) != http.StatusUnauthorized {
					if time.Since(out) > mostWait {
						t.Fatalf("%s still accepts the session, %v after its end", i.name, time.Since(out))
					}
				}
				t.Logf("%-8s refuses within %v", i.name, time.Since(out).Round(time.Millisecond))
			}
			all("ada, signed out", here.AccessToken, http.StatusUnauthorized)
			all("ada elsewhere, another session", elsewhere.AccessToken, http.StatusOK)
			all("bob", bob.AccessToken, http.StatusOK)
			all("ada, who signs in again", signIn("ada").AccessToken, http.StatusOK)

			// An access token is not a logout token.
			form := "logout_token=" + here.AccessToken
			if status := post(t, logoutURL, form); status != http.StatusBadRequest {
				t.Errorf("an access token signs out: %d", status)
			}
			all("ada elsewhere, still", elsewhere.AccessToken, http.StatusOK)

			// Without Redis the logout is answered with 503, and so are requests: neither accepted nor treated as signed out.
			redis.Kill()
			if err := elsewhere.SignOut(t.Context()); err != nil {
				t.Fatal(err)
			}
			if status := received.Load(); status != http.StatusServiceUnavailable {
				t.Errorf("without Redis the provider was answered with %d", status)
			}
			for _, i := range instances {
				redistest.Wait(t, 10*time.Second, i.name+" answers 503", func() bool {
					status := i.status(t, bob.AccessToken)
					if status == http.StatusUnauthorized {
						t.Fatalf("%s treats bob as signed out", i.name)
					}
					return status == http.StatusServiceUnavailable
				})
			}
		})
	}
}

func post(t *testing.T, address, form string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}
