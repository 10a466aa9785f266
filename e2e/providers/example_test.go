package providers

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// signInAtExample signs the example's user in at the example server of github.com/zitadel/oidc, by the authorization
// code flow.
func signInAtExample(t *testing.T) (issuer, access, id string) {
	t.Helper()
	const callback = "http://localhost:9999/auth/callback"
	server := httptest.NewUnstartedServer(nil)
	issuer = "http://" + server.Listener.Addr().String() + "/"
	storage.RegisterClients(storage.WebClient("web", "secret", callback))
	server.Config.Handler = exampleop.SetupServer(issuer, storage.NewStorage(storage.NewUserStore(issuer)), nil, false)
	server.Start()
	t.Cleanup(server.Close)

	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	follow := func(response *http.Response, err error) *url.URL {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		next, err := response.Location()
		if err != nil {
			t.Fatalf("%s: %d, %v", response.Request.URL, response.StatusCode, err)
		}
		return next
	}
	var document struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
	}
	response, err := browser.Get(issuer + ".well-known/openid-configuration")
	answer(t, response, err, &document)
	login := follow(browser.Get(document.Authorization + "?" + url.Values{
		"client_id": {"web"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"},
	}.Encode()))
	authorized := follow(browser.PostForm(issuer+"login/username", url.Values{
		"id": {login.Query().Get("authRequestID")}, "username": {"test-user@127.0.0.1"}, "password": {"verysecure"},
	}))
	back := follow(browser.Get(authorized.String()))
	if !strings.HasPrefix(back.String(), callback) {
		t.Fatalf("redirected to %s", back)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, document.Token, strings.NewReader(url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {callback},
	}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("web", "secret")
	var tokens struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	response, err = browser.Do(request)
	answer(t, response, err, &tokens)
	return issuer, tokens.Access, tokens.ID
}
