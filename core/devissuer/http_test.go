package devissuer_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

func TestHandler_ContentTypes(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	for url, want := range map[string]string{
		issuer.JWKSURL(): "application/jwk-set+json", issuer.URL() + "/key.pem": "application/x-pem-file", issuer.DiscoveryURL(): "application/json",
	} {
		got := get(t, issuer, url)
		if got.status != 200 || got.header.Get("Content-Type") != want || got.header.Get("Cache-Control") != "" {
			t.Errorf("%s: %d %v", url, got.status, got.header)
		}
	}
	if got := get(t, issuer, issuer.URL()+"/elsewhere"); got.status != 404 {
		t.Errorf("another path: %d", got.status)
	}
	if got := post(t, issuer, issuer.JWKSURL(), ""); got.status != 405 {
		t.Errorf("another method: %d", got.status)
	}
}

func TestHandler_ETag(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	first := get(t, issuer, issuer.JWKSURL())
	etag := first.header.Get("ETag")
	if !strings.HasPrefix(etag, `"`) {
		t.Errorf("header %v", first.header)
	}
	for name, condition := range map[string]string{"the tag": etag, "one of a list": `"x", ` + etag, "any": "*"} {
		got := get(t, issuer, issuer.JWKSURL(), "If-None-Match", condition)
		if got.status != 304 || got.body != "" || got.header.Get("ETag") != etag {
			t.Errorf("%s: %d %v %q", name, got.status, got.header, got.body)
		}
	}
	issuer.Rotate()
	got := get(t, issuer, issuer.JWKSURL(), "If-None-Match", etag)
	if got.status != 200 || got.header.Get("ETag") == etag || got.body != string(issuer.JWKS()) {
		t.Errorf("after rotation: %d %v", got.status, got.header)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	for _, url := range []string{issuer.JWKSURL(), issuer.JWKSURL(), issuer.URL() + "/key.pem", issuer.DiscoveryURL(), issuer.URL() + "/elsewhere"} {
		get(t, issuer, url)
	}
	post(t, issuer, issuer.URL()+"/token", "")
	if got := issuer.Stats().Fetches; got != 3 {
		t.Errorf("%d fetches, want 3", got)
	}
	for path, want := range map[string]int{"/jwks.json": 2, "/key.pem": 1, "/.well-known/openid-configuration": 1, "/token": 1, "/rotate": 0, "/elsewhere": 0} {
		if got := issuer.Stats().Requests[path]; got != want {
			t.Errorf("%s: %d requests, want %d", path, got, want)
		}
	}
}

func TestHandler_Token(t *testing.T) {
	t.Parallel()
	now := time.Now()
	issuer := inMemory(t, devissuer.WithLifetime(90*time.Second), devissuer.WithClock(func() time.Time { return now }),
		devissuer.WithPersona("bob", devissuer.Audience("shop"), devissuer.Permission("pma.role", "guest"), devissuer.Permission("pma.n", 1)))
	const grant = "grant_type=client_credentials"
	basic := func(name string) []string {
		req := request(t, http.MethodPost, "/", "")
		req.SetBasicAuth(name, "whatever")
		return []string{"Authorization", req.Header.Get("Authorization")}
	}
	for name, tt := range map[string]struct {
		form   string
		header []string
		want   string // claims in addition to the defaults
	}{
		"named in the form":          {grant + "&client_id=hub&client_secret=x", nil, `{"aud":"api","client_id":"hub","sub":"hub"}`},
		"named by basic":             {grant, basic("hub"), `{"aud":"api","client_id":"hub","sub":"hub"}`},
		"with an encoded name":       {grant, basic("a%3Ab+c"), `{"aud":"api","client_id":"a:b c","sub":"a:b c"}`},
		"with a malformed name":      {grant, basic("100%"), `{"aud":"api","client_id":"100%","sub":"100%"}`},
		"for a persona":              {grant + "&persona=bob", nil, `{"aud":"shop","client_id":"bob","permissions":{"pma":{"n":1,"role":"guest"}},"sub":"bob"}`},
		"for a persona, by a client": {grant + "&persona=bob&client_id=hub", nil, `{"aud":"shop","client_id":"hub","permissions":{"pma":{"n":1,"role":"guest"}},"sub":"bob"}`},
		"for a persona with more permissions": {
			grant + `&persona=bob&audience=pma&permissions={"pma":{"role":"admin"},"x":true}`, nil,
			`{"aud":"pma","client_id":"bob","permissions":{"pma":{"n":1,"role":"admin"},"x":true},"sub":"bob"}`,
		},
		"with no permissions":   {grant + `&client_id=hub&permissions={}`, nil, `{"aud":"api","client_id":"hub","permissions":{},"sub":"hub"}`},
		"with any claims":       {grant + `&client_id=hub&claims={"sub":"eve","n":9007199254740993}`, nil, `{"aud":"api","client_id":"hub","n":9007199254740993,"sub":"eve"}`},
		"without some":          {grant + `&client_id=hub&without=aud&without=client_id`, nil, `{"sub":"hub"}`},
		"for as long as wanted": {grant + "&client_id=hub&expires_in=90", nil, `{"aud":"api","client_id":"hub","sub":"hub"}`},
		"for an audience":       {grant + "&client_id=hub&audience=pma", nil, `{"aud":"pma","client_id":"hub","sub":"hub"}`},
		"for two audiences":     {grant + "&client_id=hub&audience=pma&audience=b", nil, `{"aud":["pma","b"],"client_id":"hub","sub":"hub"}`},
		"with scopes":           {grant + "&client_id=hub&scope=read+write", nil, `{"aud":"api","client_id":"hub","scope":"read write","sub":"hub"}`},
		"with permissions": {
			grant + `&client_id=hub&permissions={"pma":{"role":"admin","n":9007199254740993}}`, nil,
			`{"aud":"api","client_id":"hub","permissions":{"pma":{"n":9007199254740993,"role":"admin"}},"sub":"hub"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := post(t, issuer, issuer.URL()+"/token", tt.form, tt.header...)
			answer := object(t, got.body)
			if got.status != 200 || got.header.Get("Cache-Control") != "no-store" || answer["token_type"] != "Bearer" || answer["expires_in"] != json.Number("90") {
				t.Fatalf("%d %v %s", got.status, got.header, got.body)
			}
			token, _ := answer["access_token"].(string)
			if err := proven(issuer, token); err != nil {
				t.Error(err)
			}
			_, claims := decode(t, token)
			for _, usual := range []string{"iss", "iat", "exp", "jti"} {
				delete(claims, usual)
			}
			if text, _ := json.Marshal(claims); string(text) != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
			if answer["scope"] != claims["scope"] {
				t.Errorf("scope in the answer is %v", answer["scope"])
			}
		})
	}
}

func TestHandler_TokenErrors(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	for name, tt := range map[string]struct {
		form   string
		status int
		code   string
	}{
		"without grant":              {"client_id=hub", 400, "invalid_request"},
		"with another grant":         {"client_id=hub&grant_type=password", 400, "unsupported_grant_type"},
		"without client":             {"grant_type=client_credentials", 401, "invalid_client"},
		"with permissions as a list": {"grant_type=client_credentials&client_id=hub&permissions=[]", 400, "invalid_request"},
		"with null permissions":      {"grant_type=client_credentials&client_id=hub&permissions=null", 400, "invalid_request"},
		"with broken permissions":    {"grant_type=client_credentials&client_id=hub&permissions={", 400, "invalid_request"},
		"with claims as a list":      {"grant_type=client_credentials&client_id=hub&claims=[]", 400, "invalid_request"},
		"for an unknown persona":     {"grant_type=client_credentials&persona=eve", 400, "invalid_request"},
		"with a malformed lifetime":  {"grant_type=client_credentials&client_id=hub&expires_in=1h", 400, "invalid_request"},
		"without a form":             {"grant_type=%zz", 400, "invalid_request"},
		"without an end":             {"grant_type=" + strings.Repeat("a", 1<<20), 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := httptest.NewRecorder()
			issuer.Handler().ServeHTTP(recorder, request(t, http.MethodPost, "/token", tt.form, "Content-Type", "application/x-www-form-urlencoded"))
			if got := object(t, recorder.Body.String()); recorder.Code != tt.status || got["error"] != tt.code || recorder.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v", recorder.Code, got)
			}
			if challenge := recorder.Header().Get("WWW-Authenticate"); (challenge != "") != (tt.status == 401) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
}

func TestHandler_TokenExpiresIn(t *testing.T) {
	t.Parallel()
	now := time.Now()
	issuer := inMemory(t, devissuer.WithClock(func() time.Time { return now }), devissuer.WithPersona("bob", devissuer.ValidFor(time.Minute)))
	for form, want := range map[string]any{
		"client_id=hub":                         json.Number("3600"),
		"client_id=hub&expires_in=-5":           json.Number("-5"),
		"persona=bob":                           json.Number("60"),
		"client_id=hub&without=exp":             nil,
		`client_id=hub&claims={"exp":"soon"}`:   nil,
		`client_id=hub&claims={"exp":9999.5e3}`: nil,
	} {
		got := post(t, issuer, issuer.URL()+"/token", "grant_type=client_credentials&"+form)
		if answer := object(t, got.body); answer["expires_in"] != want {
			t.Errorf("%s: %v, want %v", form, answer["expires_in"], want)
		}
	}
}

func TestWithPersona_Empty(t *testing.T) {
	t.Parallel()
	if _, err := devissuer.New(devissuer.WithPersona("")); err == nil || !strings.Contains(err.Error(), `WithPersona("")`) {
		t.Error(err)
	}
}

func TestHandler_Rotate(t *testing.T) {
	t.Parallel()
	for name, issuer := range map[string]*devissuer.Issuer{"in memory": inMemory(t), "on loopback": onLoopback(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := issuer.URL() + "/rotate"
			for name, tt := range map[string]struct {
				header []string
				want   int
			}{
				"no browser":                         {nil, 200},
				"a page of the issuer":               {[]string{"Origin", issuer.URL()}, 200},
				"a page elsewhere":                   {[]string{"Origin", "https://evil.example"}, 403},
				"a page without origin":              {[]string{"Origin", "null"}, 403},
				"another site, by Sec-Fetch-Site":    {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
				"another port of this host":          {[]string{"Sec-Fetch-Site", "same-site", "Origin", issuer.URL()}, 403},
				"the same origin, by Sec-Fetch-Site": {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
			} {
				before := issuer.KeyID()
				got := post(t, issuer, url, "", tt.header...)
				if got.status != tt.want || (issuer.KeyID() != before) != (tt.want == 200) {
					t.Errorf("%s: %d %s", name, got.status, got.body)
				}
				form := "grant_type=client_credentials&client_id=hub"
				if got := post(t, issuer, issuer.URL()+"/token", form, append(tt.header, "Content-Type", "application/x-www-form-urlencoded")...); got.status != tt.want {
					t.Errorf("%s, a token: %d %s", name, got.status, got.body)
				}
				if tt.want == 200 && object(t, got.body)["kid"] != issuer.KeyID() {
					t.Errorf("%s: answered %s", name, got.body)
				}
			}
			if got := get(t, issuer, url); got.status != 405 || got.header.Get("Allow") != "POST" {
				t.Errorf("a GET: %d", got.status)
			}
		})
	}
	t.Run("another machine", func(t *testing.T) {
		t.Parallel()
		recorder := httptest.NewRecorder()
		req := request(t, http.MethodPost, "/rotate", "")
		req.RemoteAddr = "192.0.2.1:1234"
		inMemory(t).Handler().ServeHTTP(recorder, req)
		if recorder.Code != 403 {
			t.Errorf("status %d", recorder.Code)
		}
	})
}

func TestHandler_DownAndUp(t *testing.T) {
	t.Parallel()
	issuer := onLoopback(t, devissuer.WithAlgorithm("EdDSA"))
	for _, path := range []string{"/down", "/up"} {
		if got := post(t, issuer, issuer.URL()+path, "", "Origin", "https://evil.example"); got.status != 403 {
			t.Errorf("%s from another site: %d", path, got.status)
		}
	}
	for _, path := range []string{"/down", "/down", "/up"} {
		got := post(t, issuer, issuer.URL()+path, "")
		if want := map[string]string{"/down": `{"down":true}`, "/up": `{"down":false}`}[path]; got.status != 200 || got.body != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		_, err := client(issuer).Get(issuer.JWKSURL())
		if down := err != nil; down != (path == "/down") {
			t.Errorf("after %s: %v", path, err)
		}
		if got := get(t, issuer, issuer.URL()+"/"); got.status != 200 || !strings.Contains(got.body, issuer.JWKSURL()) {
			t.Errorf("the description: %d %s", got.status, got.body)
		}
	}
}

func TestWithRotate(t *testing.T) {
	t.Parallel()
	var failure error
	issuer := inMemory(t, devissuer.WithIssuer("https://sso.example/realm"), devissuer.WithRotate(func(i *devissuer.Issuer) error {
		i.Rotate()
		return failure
	}))
	for _, url := range []string{"https://sso.example/realm/rotate", "https://sso.example/rotate", "https://sso.example/realm/%72otate"} {
		before := issuer.KeyID()
		if got := post(t, issuer, url, ""); got.status != 200 || issuer.KeyID() == before || object(t, got.body)["kid"] != issuer.KeyID() {
			t.Errorf("%s: %d %s", url, got.status, got.body)
		}
	}
	failure = errors.New("the disk is full")
	if got := post(t, issuer, "https://sso.example/rotate", ""); got.status != 500 || !strings.Contains(got.body, "the disk is full") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
