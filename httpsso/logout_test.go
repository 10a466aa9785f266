package httpsso_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

// memory is a [sso.SessionStore] and a [logout.Revoker] in memory. It records which sessions ended.
type memory struct {
	mu    sync.Mutex
	ended map[string]bool      // by issuer and session
	since map[string]time.Time // by issuer and subject
	done  map[string]bool      // logout tokens
	fail  error
}

func newMemory() *memory {
	return &memory{ended: map[string]bool{}, since: map[string]time.Time{}, done: map[string]bool{}}
}

// Revoker returns the revoker, as a store of module redisstore does.
func (m *memory) Revoker() logout.Revoker { return m }

func (m *memory) Check(_ context.Context, s sso.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended[s.Issuer+" "+s.ID] || s.IssuedAt.Before(m.since[s.Issuer+" "+s.Subject]) {
		return sso.ErrSessionEnded
	}
	return nil
}

func (*memory) RevokesFor(string) bool { return true }

func (m *memory) RevokeSession(_ context.Context, r logout.Revocation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended[r.Issuer+" "+r.SessionID] = true
	return m.fail
}

func (m *memory) RevokeSubject(_ context.Context, r logout.Revocation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since[r.Issuer+" "+r.Subject] = r.IssuedBefore
	return m.fail
}

func (m *memory) LogoutRecorded(_ context.Context, issuer, tokenID string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done[issuer+" "+tokenID], m.fail
}

func (m *memory) RecordLogout(_ context.Context, issuer, tokenID string, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done[issuer+" "+tokenID] = true
	return m.fail
}

// withLogout returns an issuer, a service that checks sessions, and the handler that ends them.
func withLogout(t testing.TB, log io.Writer) (*ssotest.Issuer, http.Handler, http.Handler, *memory) {
	t.Helper()
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	service, endpoint, store := withLogoutOf(t, issuer, log)
	return issuer, service, endpoint, store
}

func withLogoutOf(t testing.TB, issuer *ssotest.Issuer, log io.Writer) (service, endpoint http.Handler, store *memory) {
	t.Helper()
	store = newMemory()
	cfg := issuer.Config("api")
	cfg.Sessions, cfg.MaxTokenAge = store, time.Hour
	cfg.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	auth := issuer.Authenticator(cfg)
	return httpsso.New(auth).Authenticate()(listOrders), httpsso.BackChannelLogout(auth, store, "web"), store
}

func inSession(sid string) []devissuer.TokenOption {
	return []devissuer.TokenOption{devissuer.Claim("sid", sid), devissuer.ValidFor(10 * time.Minute)}
}

func ofLogout(opts ...devissuer.TokenOption) []devissuer.TokenOption {
	return append([]devissuer.TokenOption{
		devissuer.Header("typ", "logout+jwt"), devissuer.Audience("web"), devissuer.Claim("sid", "s1"),
		devissuer.ValidFor(2 * time.Minute), devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}),
	}, opts...)
}

const formType = "application/x-www-form-urlencoded"

func post(handler http.Handler, contentType, body string) *http.Response {
	r := httptest.NewRequest(http.MethodPost, "/logout/backchannel", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func form(token string) string { return url.Values{"logout_token": {token}}.Encode() }

func status(handler http.Handler, token string) int {
	r := httptest.NewRequest(http.MethodGet, "/orders", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}

func TestBackChannelLogout_EndsSession(t *testing.T) {
	issuer, service, endpoint, _ := withLogout(t, io.Discard)
	old, newer := issuer.MustToken(inSession("s1")...), issuer.MustToken(inSession("s2")...)
	if status(service, old) != http.StatusOK || status(service, newer) != http.StatusOK {
		t.Fatal("a session has ended")
	}
	token := issuer.MustToken(ofLogout()...)
	res := post(endpoint, formType, form(token))
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" || len(body) > 0 {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
	}
	if status(service, old) != http.StatusUnauthorized || status(service, newer) != http.StatusOK {
		t.Error("another session has ended, or none")
	}
	refusesLogout(t, post(endpoint, formType, form(token))) // again
}

// refusesLogout compares a response with OpenID Connect Back-Channel Logout 1.0, section 2.8.
func refusesLogout(t *testing.T, res *http.Response) {
	t.Helper()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusBadRequest || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Type") != "application/json" ||
		string(body) != `{"error":"invalid_request"}` || res.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
	}
}

func TestBackChannelLogout_Form(t *testing.T) {
	issuer, service, endpoint, _ := withLogout(t, io.Discard)
	access := issuer.MustToken(inSession("s1")...)
	fresh := func() string { return issuer.MustToken(ofLogout()...) }
	var parts bytes.Buffer
	multi := multipart.NewWriter(&parts)
	_ = multi.WriteField("logout_token", fresh())
	_ = multi.Close()
	pad := func(total int) string {
		body := form(fresh()) + "&x="
		return body + strings.Repeat("x", total-len(body))
	}
	for name, test := range map[string]struct{ contentType, body string }{
		"no body":                   {formType, ""},
		"another field":             {formType, "id_token=" + fresh()},
		"an empty token":            {formType, "logout_token="},
		"two":                       {formType, form(fresh()) + "&" + form(fresh())},
		"a token and an empty one":  {formType, form(fresh()) + "&logout_token="},
		"another letter case":       {formType, "Logout_Token=" + fresh()},
		"JSON":                      {"application/json", `{"logout_token":"` + fresh() + `"}`},
		"a form as JSON":            {"application/json", form(fresh())},
		"no Content-Type":           {"", form(fresh())},
		"a form as text":            {"text/plain", form(fresh())},
		"a malformed media type":    {formType + "; =", form(fresh())},
		"several parts":             {multi.FormDataContentType(), parts.String()},
		"malformed escapes":         {formType, form(fresh()) + "&x=%zz"},
		"one byte too long":         {formType, pad((64 << 10) + 1)},
		"far too long":              {formType, pad(10 * (64 << 10))},
		"an access token":           {formType, form(access)},
		"for another client":        {formType, form(issuer.MustToken(ofLogout(devissuer.Audience("app"))...))},
		"for the API":               {formType, form(issuer.MustToken(ofLogout(devissuer.Audience("api"))...))},
		"with an invalid signature": {formType, form(issuer.MustToken(ofLogout(devissuer.BadSignature())...))},
		"expired":                   {formType, form(issuer.MustToken(ofLogout(devissuer.Expired())...))},
		"with a nonce":              {formType, form(issuer.MustToken(ofLogout(devissuer.Claim("nonce", "n"))...))},
		"without sid and sub":       {formType, form(issuer.MustToken(ofLogout(devissuer.WithoutClaim("sid"), devissuer.WithoutClaim("sub"))...))},
	} {
		t.Run(name, func(t *testing.T) {
			refusesLogout(t, post(endpoint, test.contentType, test.body))
			if status(service, access) != http.StatusOK {
				t.Error("the session has ended")
			}
		})
	}
	t.Run("no body at all", func(t *testing.T) {
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, &http.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {formType}}})
		refusesLogout(t, w.Result())
	})
	t.Run("in the query", func(t *testing.T) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/?"+form(fresh()), http.NoBody)
		r.Header.Set("Content-Type", formType)
		endpoint.ServeHTTP(w, r)
		refusesLogout(t, w.Result())
	})
	for name, test := range map[string]struct{ contentType, body string }{
		"with a charset":              {formType + "; charset=UTF-8", form(fresh())},
		"with an unknown field":       {formType, form(fresh()) + "&state=x"},
		"of the maximum size":         {formType, pad((64 << 10))},
		"with an escape in the token": {formType, strings.ReplaceAll(form(fresh()), ".", "%2E")},
	} {
		if res := post(endpoint, test.contentType, test.body); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

// The log says why a request was refused, even if it had no logout token.
func TestBackChannelLogout_LogsRefusal(t *testing.T) {
	var log bytes.Buffer
	_, _, endpoint, _ := withLogout(t, &log)
	for name, body := range map[string]string{"another field": "id_token=x", "two tokens": "logout_token=a.b.c&logout_token=a.b.c", "a malformed escape": "logout_token=a.b.c&x=%zz"} {
		log.Reset()
		refusesLogout(t, post(endpoint, formType, body))
		if !strings.Contains(log.String(), `"code":"invalid_request"`) || !strings.Contains(log.String(), "logout token") {
			t.Errorf("%s: %s", name, log.String())
		}
	}
}

func TestBackChannelLogout_Method(t *testing.T) {
	issuer, service, endpoint, _ := withLogout(t, io.Discard)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "post"} {
		body := form(issuer.MustToken(ofLogout()...))
		r := httptest.NewRequest(method, "/?"+body, strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
	if status(service, issuer.MustToken(inSession("s1")...)) != http.StatusOK {
		t.Error("the session has ended")
	}
}

func TestBackChannelLogout_Outage(t *testing.T) {
	issuer, _, endpoint, _ := withLogout(t, io.Discard)
	body := form(issuer.MustToken(ofLogout()...))
	outage := func(name string, endpoint http.Handler) {
		t.Helper()
		res := post(endpoint, formType, body)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, res.StatusCode, res.Header)
		}
	}
	issuer.Down()
	outage("no keys", endpoint)
	issuer.Up()
	_, endpoint, store := withLogoutOf(t, issuer, io.Discard) // its keys do not wait for the next attempt
	store.fail = errors.New("connection refused")
	outage("no store", endpoint)
	store.fail = nil
	if res := post(endpoint, formType, body); res.StatusCode != http.StatusOK {
		t.Errorf("after the outage: %d", res.StatusCode)
	}
}

func TestBackChannelLogout_HidesToken(t *testing.T) {
	var log bytes.Buffer
	issuer, _, endpoint, _ := withLogout(t, &log)
	for _, opts := range [][]devissuer.TokenOption{ofLogout(), ofLogout(devissuer.BadSignature()), ofLogout(devissuer.Claim("nonce", "n")), inSession("s1")} {
		token := issuer.MustToken(opts...)
		for range 2 {
			_ = post(endpoint, formType, form(token))
		}
		for part := range strings.SplitSeq(token, ".") {
			if strings.Contains(log.String(), part) {
				t.Fatalf("a part of the token is logged: %s", log.String())
			}
		}
	}
	if !strings.Contains(log.String(), "logout token: ") || !strings.Contains(log.String(), `"reason":"replayed"`) {
		t.Error(log.String())
	}
}

func TestBackChannelLogout_Mistakes(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	store := newMemory()
	cfg := issuer.Config("api")
	without := issuer.Authenticator(cfg)
	cfg.Sessions, cfg.MaxTokenAge = store, time.Hour
	valid := issuer.Authenticator(cfg)
	cfg.MaxTokenAge = 0
	ageless := issuer.Authenticator(cfg)
	for name, build := range map[string]func(){
		"no authenticator": func() { httpsso.BackChannelLogout(nil, store, "web") },
		"no revoker":       func() { httpsso.BackChannelLogout(valid, nil, "web") },
		"no client":        func() { httpsso.BackChannelLogout(valid, store) },
		"no sessions":      func() { httpsso.BackChannelLogout(without, store, "web") },
		"no MaxTokenAge":   func() { httpsso.BackChannelLogout(ageless, store, "web") },
		"an empty client":  func() { httpsso.BackChannelLogout(valid, store, "web", "") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "httpsso: BackChannelLogout: ") {
					t.Errorf("panic with %q", text)
				}
			}()
			build()
		})
	}
	httpsso.BackChannelLogout(valid, store, "web")
}

// FuzzBackChannelLogout sends any body: the session ends only if the body is a form with one valid token.
func FuzzBackChannelLogout(f *testing.F) {
	issuer, service, endpoint, store := withLogout(f, io.Discard)
	access := issuer.MustToken(inSession("s1")...)
	valid := issuer.MustToken(ofLogout(devissuer.ValidFor(24*time.Hour), devissuer.Claim("jti", "l1"))...)
	for _, body := range []string{
		"", form(valid), form(valid) + "&" + form(valid), form(access), "logout_token", "logout_token=", "logout_token=a.b.c", form(valid) + "&x", form(valid) + ";x=1",
		"x=1&" + form(valid), strings.ReplaceAll(form(valid), ".", "%2e"), form(valid) + "%20", form(valid) + "+", "logout%5Ftoken=" + valid, form(valid + "\n"), "%zz",
	} {
		f.Add(formType, body)
	}
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"logout_token\"\r\n\r\n"+valid+"\r\n--x--\r\n")
	f.Add(formType+"; charset=utf-8", form(valid))
	f.Fuzz(func(t *testing.T, contentType, body string) {
		store.mu.Lock()
		clear(store.ended)
		clear(store.done)
		store.mu.Unlock()
		res := post(endpoint, contentType, body)
		values, err := url.ParseQuery(body)
		holds := err == nil && len(body) <= (64<<10) && len(values["logout_token"]) == 1 && values.Get("logout_token") == valid
		ended := status(service, access) == http.StatusUnauthorized
		switch {
		case res.Header.Get("Cache-Control") != "no-store":
			t.Fatalf("%v", res.Header)
		case res.StatusCode == http.StatusOK:
			if !holds || !ended || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(contentType)), formType) {
				t.Fatalf("200 for %q %q", contentType, body)
			}
		case res.StatusCode == http.StatusBadRequest:
			if ended || holds && contentType == formType {
				t.Fatalf("400 for %q", body)
			}
		default:
			t.Fatalf("%d for %q", res.StatusCode, body)
		}
	})
}
