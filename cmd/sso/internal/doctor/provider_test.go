package doctor

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRecognize(t *testing.T) {
	for _, tt := range []struct{ want, document, address string }{
		{"Keycloak", "", "https://sso.example.com/auth/realms/shop"},
		{"Keycloak", "", "https://sso.example.com/realms/shop/protocol/openid-connect/certs"},
		{"Keycloak", `{"authorization_endpoint":"https://login.example.com/shop/protocol/openid-connect/auth"}`, "https://login.example.com/shop"},
		{"Microsoft Entra, v2 tokens", "", "https://login.microsoftonline.com/t/v2.0"},
		{"Microsoft Entra, v2 tokens", "", "https://LOGIN.microsoftonline.us/t/v2.0"},
		{"Microsoft Entra, v2 tokens", "", "https://login.partner.microsoftonline.cn/t/v2.0"},
		{"Microsoft Entra, v2 tokens", "", "https://shop.ciamlogin.com/t/v2.0"},
		{"Microsoft Entra, v2 tokens", "", "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"},
		{"Microsoft Entra, v1 tokens", "", "https://sts.windows.net/t/"},
		{"Microsoft Entra, v1 tokens", "", "https://login.microsoftonline.com/t/.well-known/openid-configuration"},
		{"Azure AD B2C", "", "https://shop.b2clogin.com/tfp/t/b2c_1_si/v2.0/"},
		{"Azure AD B2C", `{"jwks_uri":"https://login.example.com/t/b2c_1_si/discovery/v2.0/keys"}`, "https://login.example.com/t/v2.0/"},
		{"Auth0", "", "https://shop.auth0.com/"},
		{"Auth0", `{"mfa_challenge_endpoint":"https://login.example.com/mfa/challenge"}`, "https://login.example.com/"},
		{"Okta", "", "https://shop.oktapreview.com/oauth2/aus1"},
		{"Okta", `{"jwks_uri":"https://login.example.com/oauth2/aus1/v1/keys"}`, "https://login.example.com/oauth2/aus1"},
		{"Amazon Cognito", "", "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_A"},
		{"Google", "", "accounts.google.com"},
		{"Firebase", "", "https://securetoken.google.com/shop"},
		{"Cloudflare Access", "", "https://shop.cloudflareaccess.com"},
		{"AD FS", "", "https://adfs.example.com/adfs"},
		{"AD FS", `{"access_token_issuer":"http://login.example.com/x"}`, "https://login.example.com/x"},
		{"Zitadel", `{"authorization_endpoint":"https://login.example.com/oauth/v2/authorize"}`, "https://login.example.com"},
		{"Dex", "", "https://login.example.com/dex"},
		{"Dex", `{"device_authorization_endpoint":"https://login.example.com/device/code"}`, "https://login.example.com"},
		{"Kubernetes", "", "https://kubernetes.default.svc"},
		{"Kubernetes", "", "https://oidc.eks.eu-central-1.amazonaws.com/id/A"},
		{"Kubernetes", "", "https://container.googleapis.com/v1/projects/p/locations/l/clusters/c"},
		{"Kubernetes", "", "https://westeurope.oic.prod-aks.azure.com/t/c/"},
		{"Kubernetes", `{"jwks_uri":"https://10.0.0.1:6443/openid/v1/jwks"}`, "https://cluster.example.com"},
		{"Kubernetes", `{"authorization_endpoint":"urn:kubernetes:programmatic_authorization"}`, "https://cluster.example.com"},
		{"GitHub Actions", "", "https://token.actions.shop.ghe.com"},
		{"GitHub Actions", "", "https://github.example.com/_services/token"},
		{"GitLab", "", "https://gitlab.example.com"},
		{"GitLab", `{"jwks_uri":"https://git.example.com/oauth/discovery/keys"}`, "https://git.example.com"},
		{"Ory Hydra", `{"authorization_endpoint":"https://login.example.com/oauth2/auth"}`, "https://login.example.com/"},
		{"oidc-provider", `{"pushed_authorization_request_endpoint":"https://login.example.com/request"}`, "https://login.example.com"},

		{"", "", "https://okta.com.example.com"},
		{"", "", "https://notokta.com"},
		{"", "", "https://login.example.com/realmsx"},
		{"", "", "https://login.example.com/?x=/realms/y"},
		{"", "", "https://accounts.google.com.example.com"},
		{"", "", "://"},
		{"", "", ""},
		{"", `{"jwks_uri":7,"authorization_endpoint":null}`, "https://login.example.com"},
		{"", `{"jwks_uri":"https://login.example.com/jwks"}`, "https://login.example.com"},
	} {
		var document map[string]json.RawMessage
		_ = json.Unmarshal([]byte(tt.document), &document) // nil for none
		if got := recognize(document, tt.address, ""); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.address, tt.document, got, tt.want)
		}
		if tt.want != "" && !strings.Contains(page, "\n## "+tt.want+"\n") {
			t.Errorf("%s is not on the page", tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for value, want := range map[string]string{
		"https://login.example.com/a_b-c": "https://login.example.com/a_b-c", "a b": "'a b'", `a\.b`: `'a\.b'`, "$(id)": "'$(id)'", "it's": `'it'\''s'`,
	} {
		if got := quote(value); got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}
