package idp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A Website is a client of oidc-provider at which users sign in, by the authorization code flow (OpenID Connect
// Core 1.0, section 3.1). Its access tokens have one audience, and the session in sid.
type Website struct {
	ClientID string
	Audience string
	// BackChannelLogoutURI is where the provider sends logout tokens.
	BackChannelLogoutURI string
}

// redirectURI is not served: the code is read from the redirect.
const redirectURI = "http://127.0.0.1:1/callback"

// LoginProvider is oidc-provider with users who sign in. It accepts any name.
type LoginProvider struct {
	Provider
	server *server
}

// StartOIDCLogins is [StartOIDCProvider] for users.
func StartOIDCLogins(tb testing.TB) *LoginProvider {
	tb.Helper()
	s := startServer(tb)
	return &LoginProvider{s, s}
}

// Register registers a website at the provider.
func (p *LoginProvider) Register(w Website) error {
	s := p.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[w.ClientID] = client{
		ID: w.ClientID, Secret: rand.Text(), Audience: []string{w.Audience}, RedirectURI: redirectURI, BackChannelLogoutURI: w.BackChannelLogoutURI,
	}
	return s.apply()
}

// A Login is a user's session at the provider, in a browser of its own.
type Login struct {
	AccessToken string
	provider    *server
	browser     *http.Client
	idToken     string
}

// SignIn signs a user in at a website.
func (p *LoginProvider) SignIn(ctx context.Context, clientID, who string) (*Login, error) {
	s := p.server
	s.mu.Lock()
	c, ok := s.clients[clientID]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("idp: no website %q", clientID)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	l := &Login{provider: s, browser: &http.Client{
		Transport: s.http.Transport, Timeout: requestLimit, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	code, err := l.code(ctx, s.issuer+"/auth?"+url.Values{
		"client_id": {c.ID}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {redirectURI}, "resource": s.tokenParams["resource"],
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "state": {rand.Text()},
	}.Encode(), who)
	if err != nil {
		return nil, err
	}
	issued, err := s.request(ctx, c, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	})
	if err != nil {
		return nil, err
	}
	l.AccessToken, l.idToken = issued.AccessToken, issued.IDToken
	return l, nil
}

// code follows the redirects to the provider and back, and fills in its forms.
func (l *Login) code(ctx context.Context, address, who string) (string, error) {
	forms := 0
	for range 12 {
		at, err := l.visit(ctx, http.MethodGet, address, nil)
		if err != nil {
			return "", err
		}
		if at.status == http.StatusOK { // a form
			fields := url.Values{"prompt": {"login"}, "login": {who}, "password": {"any"}}
			if strings.Contains(at.html, `value="consent"`) {
				fields = url.Values{"prompt": {"consent"}}
			}
			action := formAction.FindStringSubmatch(at.html)
			forms++
			if action == nil || forms > 2 {
				return "", fmt.Errorf("idp: %s: no form, or too many: %s", address, at.html)
			}
			if at, err = l.visit(ctx, http.MethodPost, action[1], fields); err != nil {
				return "", err
			}
		}
		if at.next == nil {
			return "", fmt.Errorf("idp: %s: no redirect: %d %s", address, at.status, at.html)
		}
		if strings.HasPrefix(at.next.String(), redirectURI) {
			if code := at.next.Query().Get("code"); code != "" {
				return code, nil
			}
			return "", fmt.Errorf("idp: no code: %s", at.next.RawQuery)
		}
		address = at.next.String()
	}
	return "", errors.New("idp: too many redirects")
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	formXSRF   = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)
)

// SignOut signs out at the provider (OpenID Connect RP-Initiated Logout 1.0), which sends the website a logout token
// before it answers.
func (l *Login) SignOut(ctx context.Context) error {
	at, err := l.visit(ctx, http.MethodGet, l.provider.issuer+"/session/end?"+url.Values{"id_token_hint": {l.idToken}}.Encode(), nil)
	if err != nil {
		return err
	}
	action, xsrf := formAction.FindStringSubmatch(at.html), formXSRF.FindStringSubmatch(at.html)
	if action == nil || xsrf == nil {
		return fmt.Errorf("idp: no form for signing out: %s", at.html)
	}
	at, err = l.visit(ctx, http.MethodPost, action[1], url.Values{"xsrf": {xsrf[1]}, "logout": {"yes"}})
	if err == nil && at.status != http.StatusSeeOther {
		err = fmt.Errorf("idp: signing out: %d %s", at.status, at.html)
	}
	return err
}

// A page is an answer as a browser sees it.
type page struct {
	status int
	html   string
	next   *url.URL // of a redirect
}

// visit sends a request as the browser.
func (l *Login) visit(ctx context.Context, method, address string, form url.Values) (page, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := l.browser.Do(req)
	if err != nil {
		return page{}, err
	}
	defer res.Body.Close()
	html, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return page{}, err
	}
	next, err := res.Location()
	if err != nil && !errors.Is(err, http.ErrNoLocation) {
		return page{}, err
	}
	return page{res.StatusCode, string(html), next}, nil
}
