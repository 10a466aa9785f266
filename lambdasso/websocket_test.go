package lambdasso_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

// The route $connect of a WebSocket API is guarded by each place that a browser can put a token in.
func TestRequire_WebSocket(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")), lambdasso.WithTokenFrom(
		sso.TokenSource{}, sso.InsecureTokenFromQuery("token"), sso.TokenFromWebSocketProtocol("bearer."), sso.TokenFromCookie("__Host-token", "https://app.example.com")))
	onConnect := permission.Func("on connect", func(_ context.Context, a sso.Access) (bool, error) {
		return a.Method() == http.MethodGet && a.Pattern() == "$connect", nil
	})
	handler := lambdasso.Require(guard, onConnect, func(ctx context.Context, _ events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		p, _ := lambdasso.Principal(ctx)
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: p.Subject()}, nil
	})
	token := iss.Token()
	fields := func(list ...string) events.APIGatewayWebsocketProxyRequest {
		e := events.APIGatewayWebsocketProxyRequest{Headers: map[string]string{"Host": "chat.example.com"}, MultiValueHeaders: map[string][]string{"Host": {"chat.example.com"}}}
		for i := 0; i < len(list); i += 2 {
			e.Headers[list[i]], e.MultiValueHeaders[list[i]] = list[i+1], append(e.MultiValueHeaders[list[i]], list[i+1])
		}
		return e
	}
	for name, c := range map[string]struct {
		event events.APIGatewayWebsocketProxyRequest
		want  int
	}{
		"nothing":                         {fields(), http.StatusUnauthorized},
		"the field Authorization":         {fields("Authorization", "Bearer "+token), http.StatusOK},
		"the query":                       {events.APIGatewayWebsocketProxyRequest{QueryStringParameters: map[string]string{"token": token}}, http.StatusOK},
		"a protocol":                      {fields("Sec-WebSocket-Protocol", "v1.chat, bearer."+token), http.StatusOK},
		"a protocol alone":                {fields("Sec-WebSocket-Protocol", "bearer."+token), http.StatusOK},
		"other protocols":                 {fields("Sec-WebSocket-Protocol", "v1.chat, v2.chat"), http.StatusUnauthorized},
		"two protocols":                   {fields("Sec-WebSocket-Protocol", "bearer."+token+", bearer."+token), http.StatusBadRequest},
		"two fields of protocols":         {fields("Sec-WebSocket-Protocol", "bearer."+token, "Sec-WebSocket-Protocol", "v1.chat"), http.StatusBadRequest},
		"a cookie, from a listed origin":  {fields("Cookie", "__Host-token="+token, "Origin", "https://app.example.com"), http.StatusOK},
		"a cookie, from another site":     {fields("Cookie", "__Host-token="+token, "Origin", "https://evil.example"), http.StatusForbidden},
		"a cookie, said to be cross-site": {fields("Cookie", "__Host-token="+token, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
	} {
		c.event.RequestContext.RouteKey = "$connect"
		response, err := handler(t.Context(), c.event)
		if err != nil || response.StatusCode != c.want {
			t.Errorf("%s: %d %s, %v, want %d", name, response.StatusCode, response.Body, err, c.want)
		}
	}
}

// A load balancer answers 502 for null in place of header fields.
func TestRequire_HeadersAreNeverNull(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	handler := lambdasso.Authenticate(guard, func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		return events.APIGatewayProxyResponse{}, nil
	})
	response, err := handler(t.Context(), events.APIGatewayProxyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(response)
	if err != nil || bytes.Contains(text, []byte("null")) || response.Headers["Www-Authenticate"] != "Bearer" || len(response.MultiValueHeaders["Www-Authenticate"]) != 1 {
		t.Errorf("%s, %v", text, err)
	}
}

// revoker records the sessions that logout tokens end.
type revoker struct{ ended []string }

func (r *revoker) Check(context.Context, sso.Session) error { return nil }
func (*revoker) RevokesFor(string) bool                     { return true }
func (r *revoker) RevokeSession(_ context.Context, v logout.Revocation) error {
	r.ended = append(r.ended, v.SessionID)
	return nil
}
func (r *revoker) RevokeSubject(context.Context, logout.Revocation) error { return nil }
func (*revoker) LogoutRecorded(context.Context, string, string) (bool, error) {
	return false, nil
}
func (*revoker) RecordLogout(context.Context, string, string, time.Time) error { return nil }

func TestBackChannelLogout(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	store := &revoker{}
	cfg := iss.Config("api")
	cfg.Sessions, cfg.MaxTokenAge = store, time.Hour
	receiver, err := logout.New(iss.Authenticator(cfg), store, "web")
	if err != nil {
		t.Fatal(err)
	}
	handler := lambdasso.BackChannelLogout(receiver)
	form := func() string {
		return url.Values{"logout_token": {iss.Token(
			devissuer.Header("typ", "logout+jwt"), devissuer.Audience("web"), devissuer.Claim("sid", "s1"), devissuer.ValidFor(2*time.Minute),
			devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}))}}.Encode()
	}
	for name, c := range map[string]struct {
		body    string
		base64  bool
		method  string
		content string
		want    int
	}{
		"a form":               {form(), false, http.MethodPost, "application/x-www-form-urlencoded", http.StatusOK},
		"a form in base64":     {base64.StdEncoding.EncodeToString([]byte(form())), true, http.MethodPost, "application/x-www-form-urlencoded; charset=utf-8", http.StatusOK},
		"malformed base64":     {"%", true, http.MethodPost, "application/x-www-form-urlencoded", http.StatusBadRequest},
		"base64 as it is":      {base64.StdEncoding.EncodeToString([]byte(form())), false, http.MethodPost, "application/x-www-form-urlencoded", http.StatusBadRequest},
		"two tokens":           {form() + "&" + form(), false, http.MethodPost, "application/x-www-form-urlencoded", http.StatusBadRequest},
		"another content type": {form(), false, http.MethodPost, "text/plain", http.StatusBadRequest},
		"another method":       {form(), false, http.MethodGet, "application/x-www-form-urlencoded", http.StatusMethodNotAllowed},
	} {
		store.ended = nil
		e := events.APIGatewayV2HTTPRequest{Body: c.body, IsBase64Encoded: c.base64, Headers: map[string]string{"content-type": c.content}, RawQueryString: form()}
		e.RequestContext.HTTP.Method = c.method
		response, err := handler(t.Context(), e)
		if err != nil || response.StatusCode != c.want || (len(store.ended) == 1) != (c.want == http.StatusOK) {
			t.Errorf("%s: %d %s, %v; ended %q", name, response.StatusCode, response.Body, err, store.ended)
		}
	}
}
