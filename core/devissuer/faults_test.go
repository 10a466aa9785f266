package devissuer_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault devissuer.Fault
		is    func(got answer, right string) bool
	}{
		"a status": {devissuer.StatusFault(503, "Retry-After", "1", "X-A", "b"), func(got answer, _ string) bool {
			return got.status == 503 && got.header.Get("Retry-After") == "1" && got.header.Get("X-A") == "b"
		}},
		"a status without body": {devissuer.StatusFault(204), func(got answer, _ string) bool {
			return got.status == 204 && got.body == ""
		}},
		"too many requests": {devissuer.TooManyRequests("120"), func(got answer, _ string) bool {
			return got.status == 429 && got.header.Get("Retry-After") == "120"
		}},
		"too many requests, no hint": {devissuer.TooManyRequests(""), func(got answer, _ string) bool {
			_, hinted := got.header["Retry-After"]
			return got.status == 429 && !hinted
		}},
		"a web page": {devissuer.HTMLFault(), func(got answer, _ string) bool {
			return got.status == 200 && strings.HasPrefix(got.header.Get("Content-Type"), "text/html") && strings.HasPrefix(got.body, "<!DOCTYPE")
		}},
		"half the content": {devissuer.TruncatedJSON(), func(got answer, right string) bool {
			return got.status == 200 && got.err == nil && got.body == right[:len(right)/2] && got.header.Get("ETag") == ""
		}},
		"no keys": {devissuer.EmptySet(), func(got answer, _ string) bool {
			return got.status == 200 && got.body == `{"keys":[]}`
		}},
		"the wrong type": {devissuer.WrongContentType(), func(got answer, right string) bool {
			return got.status == 200 && got.header.Get("Content-Type") == "text/plain; charset=utf-8" && got.body == right
		}},
		"more than anybody wants": {devissuer.Oversized(100_000), func(got answer, _ string) bool {
			return len(got.body) == 100_000 && json.Valid([]byte(got.body)) && got.header.Get("Content-Length") == ""
		}},
		"more than expected": {devissuer.GzipBomb(10 << 20), func(got answer, _ string) bool {
			return len(got.body) == 10<<20 && json.Valid([]byte(got.body))
		}},
		"drop by drop": {devissuer.Drip(time.Nanosecond), func(got answer, right string) bool {
			return got.status == 200 && got.err == nil && got.body == right
		}},
		"none after all": {nil, func(got answer, right string) bool { return got.status == 200 && got.body == right }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := inMemory(t)
			urls := []string{issuer.JWKSURL(), issuer.URL() + devissuer.PathPEM, issuer.DiscoveryURL()}
			right := map[string]answer{}
			for _, url := range urls {
				right[url] = get(t, issuer, url)
			}
			issuer.Fault(tt.fault)
			for _, url := range urls {
				// With a condition: a fault answers whoever has the content, too.
				var condition []string
				if tt.fault != nil {
					condition = []string{"If-None-Match", right[url].header.Get("ETag")}
				}
				if got := get(t, issuer, url, condition...); !tt.is(got, right[url].body) {
					t.Errorf("%s: %d %v %.100q %v", url, got.status, got.header, got.body, got.err)
				}
			}
			if got := post(t, issuer, issuer.URL()+devissuer.PathToken, "grant_type=client_credentials&client_id=x"); got.status != 200 {
				t.Errorf("tokens are not affected, but: %d", got.status)
			}
			issuer.Fault(nil)
			for _, url := range urls {
				if got := get(t, issuer, url); got.status != 200 || got.body != right[url].body {
					t.Errorf("%s afterwards: %d", url, got.status)
				}
			}
		})
	}
}

func TestGzipBomb_Size(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	issuer.Fault(devissuer.GzipBomb(10 << 20))
	packed := get(t, issuer, issuer.JWKSURL(), "Accept-Encoding", "identity") // said by hand, Go leaves the body alone
	if packed.header.Get("Content-Encoding") != "gzip" || len(packed.body) > 20_000 {
		t.Errorf("%d bytes, %v", len(packed.body), packed.header)
	}
	reader, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, reader); n != 10<<20 || err != nil {
		t.Errorf("unpacked %d bytes, %v", n, err)
	}
}

func TestOversized_Size(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	for n, want := range map[int]int{-1: 24, 0: 24, 24: 24, 25: 25, 32<<10 + 24: 32<<10 + 24, 32<<10 + 25: 32<<10 + 25} {
		issuer.Fault(devissuer.Oversized(n))
		if got := len(get(t, issuer, issuer.JWKSURL()).body); got != want {
			t.Errorf("Oversized(%d): %d bytes, want %d", n, got, want)
		}
	}
}

func TestFaults_ReaderHangsUp(t *testing.T) { // not parallel: it counts goroutines
	nothingIsLeft := noNewGoroutines(t)
	issuer := inMemory(t)
	for name, fault := range map[string]devissuer.Fault{"plain": devissuer.Oversized(math.MaxInt32), "packed": devissuer.GzipBomb(math.MaxInt32), "dripping": devissuer.Drip(time.Microsecond)} {
		issuer.Fault(fault)
		resp, err := issuer.Client().Do(request(t, http.MethodGet, issuer.JWKSURL(), ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := io.CopyN(io.Discard, resp.Body, 10); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		nothingIsLeft()
	}
}

func TestRedirectTo(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	issuer.Fault(devissuer.RedirectTo("https://evil.example/jwks.json"))
	if _, err := issuer.Client().Do(request(t, http.MethodGet, issuer.JWKSURL(), "")); err == nil {
		t.Error("evil.example answered")
	}
	if strays := strings.Join(issuer.Stats().Strays, " "); strays != "evil.example:443" {
		t.Errorf("strays %s", strays)
	}
	client := issuer.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(request(t, http.MethodGet, issuer.JWKSURL(), ""))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "https://evil.example/jwks.json" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithIssuer("https://sso.example/realm"))
	var calls atomic.Int32
	issuer.Fault(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != devissuer.PathJWKS || calls.Add(1) > 2 {
			devissuer.Healthy(w, r)
			return
		}
		devissuer.StatusFault(502)(w, r)
	})
	for _, want := range []int{502, 502, 200} {
		if got := get(t, issuer, issuer.JWKSURL()); got.status != want {
			t.Errorf("%d, want %d", got.status, want)
		}
	}
	if got := get(t, issuer, issuer.URL()+devissuer.PathPEM); got.status != 200 {
		t.Errorf("the PEM: %d", got.status)
	}
	recorder := httptest.NewRecorder()
	devissuer.Healthy(recorder, request(t, http.MethodGet, "/", ""))
	if recorder.Code != 500 {
		t.Errorf("outside a fault: %d", recorder.Code)
	}
}

func TestStatusFault_Panics(t *testing.T) {
	t.Parallel()
	odd := []string{"X-A"}
	for name, call := range map[string]func(){
		"an interim status":        func() { devissuer.StatusFault(103) },
		"a status of four digits":  func() { devissuer.StatusFault(1000) },
		"a header without a value": func() { devissuer.StatusFault(500, odd...) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			call()
		}()
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
			for _, url := range []string{tt.issuer.JWKSURL(), tt.issuer.URL() + devissuer.PathToken} {
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

func TestSlow_Cancelled(t *testing.T) {
	t.Parallel()
	issuer := onLoopback(t) // over the network; synctest has the rest
	for name, set := range map[string]func(){
		"slow":    func() { issuer.Slow(time.Hour) },
		"hanging": func() { issuer.Slow(0); issuer.Fault(devissuer.Hang()) },
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

// In a bubble the clock stands still unless everything waits: the durations
// are exact, and an hour costs nothing. The bubble itself fails the test if a
// goroutine is left, so none of these closes the issuer.
func TestFaults_Synctest(t *testing.T) {
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
		set   func(*devissuer.Issuer)
		limit time.Duration
		took  func(bytes int) time.Duration
		err   error
	}{
		"a hanging answer ends with the request": {
			func(i *devissuer.Issuer) { i.Fault(devissuer.Hang()) }, 30 * time.Minute,
			func(int) time.Duration { return 30 * time.Minute }, context.DeadlineExceeded,
		},
		"a slow answer comes": {
			func(i *devissuer.Issuer) { i.Slow(10 * time.Minute) }, time.Hour,
			func(int) time.Duration { return 10 * time.Minute }, nil,
		},
		"a slow answer ends with the request": {
			func(i *devissuer.Issuer) { i.Slow(10 * time.Minute) }, time.Minute,
			func(int) time.Duration { return time.Minute }, context.DeadlineExceeded,
		},
		"a dripping answer comes": {
			func(i *devissuer.Issuer) { i.Fault(devissuer.Drip(time.Second)) }, time.Hour,
			func(bytes int) time.Duration { return time.Duration(bytes) * time.Second }, nil,
		},
		"a dripping answer ends with the request": {
			func(i *devissuer.Issuer) { i.Fault(devissuer.Drip(time.Second)) }, 5 * time.Second,
			func(int) time.Duration { return 5 * time.Second }, context.DeadlineExceeded,
		},
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
				took, err := fetch(t, issuer, tt.limit)
				if want := tt.took(len(issuer.JWKS())); took != want || !errors.Is(err, tt.err) {
					t.Errorf("took %v and ended with %v; want %v and %v", took, err, want, tt.err)
				}
			})
		})
	}
}

func TestClose_Synctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"))
		if err != nil {
			t.Fatal(err)
		}
		issuer.Fault(devissuer.Hang())
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
			t.Fatalf("it does not hang: %v", err)
		default:
		}
		mustClose(t, issuer)
		if err := <-ended; err == nil {
			t.Error("it was answered")
		}
	})
}
