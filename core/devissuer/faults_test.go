package devissuer_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// hang is a fault that sends nothing until the request is cancelled.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// badGateway is a fault that responds with 502.
func badGateway(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.WriteHeader(http.StatusBadGateway)
}

func TestIssuer_Fault(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	urls := []string{issuer.JWKSURL(), issuer.URL() + "/key.pem", issuer.DiscoveryURL()}
	right := map[string]answer{}
	for _, url := range urls {
		right[url] = get(t, issuer, url)
	}
	issuer.Fault(badGateway)
	for _, url := range urls {
		if got := get(t, issuer, url, "If-None-Match", right[url].header.Get("ETag")); got.status != http.StatusBadGateway {
			t.Errorf("%s: %d", url, got.status)
		}
	}
	if got := post(t, issuer, issuer.URL()+"/token", "grant_type=client_credentials&client_id=x"); got.status != 200 {
		t.Errorf("tokens are not affected, but: %d", got.status)
	}
	issuer.Fault(nil)
	for _, url := range urls {
		if got := get(t, issuer, url); got.status != 200 || got.body != right[url].body {
			t.Errorf("%s afterwards: %d", url, got.status)
		}
	}
}

func TestIssuer_FaultHealthy(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithIssuer("https://sso.example/realm"))
	var calls atomic.Int32
	issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		if r.URL.Path != "/jwks.json" || calls.Add(1) > 2 {
			healthy.ServeHTTP(w, r)
			return
		}
		badGateway(w, r, healthy)
	})
	for _, want := range []int{502, 502, 200} {
		if got := get(t, issuer, issuer.JWKSURL()); got.status != want || want == 200 && got.body != string(issuer.JWKS()) {
			t.Errorf("%d %q, want %d", got.status, got.body, want)
		}
	}
	if got := get(t, issuer, issuer.URL()+"/key.pem"); got.status != 200 {
		t.Errorf("the PEM: %d", got.status)
	}
	if got := issuer.Stats().Fetches; got != 4 {
		t.Errorf("%d fetches, want 4", got)
	}
}

func TestIssuer_Down(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		issuer *devissuer.Issuer
		err    error
	}{"in memory": {inMemory(t), syscall.ECONNREFUSED}, "on loopback": {onLoopback(t), io.EOF}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.issuer.Down()
			for _, url := range []string{tt.issuer.JWKSURL(), tt.issuer.URL() + "/token"} {
				if _, err := client(tt.issuer).Do(request(t, http.MethodGet, url, "")); !errors.Is(err, tt.err) {
					t.Errorf("got %v, want %v", err, tt.err)
				}
			}
			if tt.issuer.Stats().Refused != 2 || tt.issuer.Stats().Fetches != 0 {
				t.Errorf("%d refused, %d fetches", tt.issuer.Stats().Refused, tt.issuer.Stats().Fetches)
			}
			tt.issuer.Up()
			if got := get(t, tt.issuer, tt.issuer.JWKSURL()); got.status != 200 || tt.issuer.Stats().Refused != 2 {
				t.Errorf("up again: %d", got.status)
			}
		})
	}
}

func TestIssuer_SlowCancelled(t *testing.T) {
	t.Parallel()
	issuer := onLoopback(t) // over the network; synctest has the rest
	for name, set := range map[string]func(){
		"slow":    func() { issuer.Slow(time.Hour) },
		"hanging": func() { issuer.Slow(0); issuer.Fault(hang) },
	} {
		set()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer.JWKSURL(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client(issuer).Do(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	issuer.Slow(0)
	issuer.Fault(nil)
	if got := get(t, issuer, issuer.JWKSURL()); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

// In a bubble the clock advances only while all goroutines wait: the durations are exact, and an hour
// takes no time. The bubble itself fails the test if a goroutine is left, so that these tests do not
// close the issuer.
func TestIssuer_FaultsInSynctest(t *testing.T) {
	t.Parallel()
	fetch := func(t *testing.T, issuer *devissuer.Issuer, limit time.Duration) (time.Duration, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer.JWKSURL(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := issuer.Client().Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		return time.Since(start), err
	}
	for name, tt := range map[string]struct {
		set         func(*devissuer.Issuer)
		limit, took time.Duration
		err         error
	}{
		"a hanging response ends with the request": {func(i *devissuer.Issuer) { i.Fault(hang) }, 30 * time.Minute, 30 * time.Minute, context.DeadlineExceeded},
		"a slow response arrives":                  {func(i *devissuer.Issuer) { i.Slow(10 * time.Minute) }, time.Hour, 10 * time.Minute, nil},
		"a slow response ends with the request":    {func(i *devissuer.Issuer) { i.Slow(10 * time.Minute) }, time.Minute, time.Minute, context.DeadlineExceeded},
		"a slow fault ends with the request":       {func(i *devissuer.Issuer) { i.Fault(hang); i.Slow(time.Minute) }, 5 * time.Minute, 5 * time.Minute, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"))
				if err != nil {
					t.Fatal(err)
				}
				if err := verify(issuer, issuer.MustToken()); err != nil {
					t.Errorf("the bubble's clock dates tokens: %v", err)
				}
				tt.set(issuer)
				if took, err := fetch(t, issuer, tt.limit); took != tt.took || !errors.Is(err, tt.err) {
					t.Errorf("took %v and ended with %v; want %v and %v", took, err, tt.took, tt.err)
				}
			})
		})
	}
}

func TestIssuer_CloseInSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"))
		if err != nil {
			t.Fatal(err)
		}
		issuer.Fault(hang)
		ended := make(chan error, 1)
		go func() {
			resp, err := issuer.Client().Get(issuer.JWKSURL())
			if err == nil {
				_ = resp.Body.Close()
			}
			ended <- err
		}()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("the request did not hang: %v", err)
		default:
		}
		mustClose(t, issuer)
		if err := <-ended; err == nil {
			t.Error("the request was answered")
		}
	})
}
