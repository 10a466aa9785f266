package sso_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// shape is a token as a provider documents it: the same header and claims, except for the dates
// and the key that signed it. IAT and EXP in the text are replaced by valid dates.
type shape struct {
	name, header, claims string
	config               func(*sso.Config) // beside the issuer and the keys
	reason               sso.Reason        // empty: accepted
}

const (
	keycloakID = "https://sso.example/realms/shop"
	auth0ID    = "https://shop.eu.auth0.com/"
	oktaID     = "https://shop.okta.com/oauth2/default"
	tenant     = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	entraV1ID  = "https://sts.windows.net/" + tenant + "/"
	entraV2ID  = "https://login.microsoftonline.com/" + tenant + "/v2.0"
	cognitoID  = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE"
	googleID   = "https://accounts.google.com"
	zitadelID  = "https://shop.zitadel.cloud"
	oidcID     = "https://op.example"
	rfc9068ID  = "https://authorization-server.example.com/"
	googleApp  = "1234987819200.apps.googleusercontent.com"
)

// of sets the issuer and the audience.
func of(issuer string, audience ...string) func(*sso.Config) {
	return func(c *sso.Config) { c.Issuer, c.Audience = issuer, audience }
}

func cognito(c *sso.Config) {
	c.Issuer, c.Audience, c.SkipAudienceCheck, c.ClientIDs = cognitoID, nil, true, []string{"1example23456789"}
}

func google(c *sso.Config) {
	of(googleID, googleApp)(c)
	c.TokenType = sso.AllowIDToken
}

var shapes = []shape{
	// https://www.keycloak.org/docs/latest/server_admin/ and what Keycloak 26 and 16 mint.
	{"Keycloak access token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"exp":EXP,"iat":IAT,"jti":"onrtac:5e9d0a4e-6b6a-4f0b-9d29-d4e3ad1b1f10","iss":"` + keycloakID + `","aud":["orders-api","account"],"sub":"f1b0f4b0-4b5e-4f0c-9a8d-0e6f5a5a5a5a","typ":"Bearer","azp":"web","sid":"2a7f1b1e-7c5e-4e0e-9b1a-6a1f0b0c0d0e","acr":"1","allowed-origins":["https://shop.example"],"realm_access":{"roles":["offline_access","default-roles-shop","uma_authorization"]},"resource_access":{"orders-api":{"roles":["clerk"]},"account":{"roles":["manage-account","view-profile"]}},"scope":"openid profile email","email_verified":true,"name":"Ada L","preferred_username":"ada","given_name":"Ada","family_name":"L","email":"ada@example.com"}`, of(keycloakID, "orders-api"), ""},
	{"Keycloak access token of an older release, with a nonce and no scope", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"exp":EXP,"iat":IAT,"auth_time":IAT,"jti":"5e9d0a4e","iss":"` + keycloakID + `","aud":"orders-api","sub":"f1b0f4b0","typ":"Bearer","azp":"web","nonce":"b1c2","session_state":"2a7f","acr":"1"}`, of(keycloakID, "orders-api"), ""},
	{"Keycloak service account token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"exp":EXP,"iat":IAT,"jti":"trrtcc:1","iss":"` + keycloakID + `","aud":"orders-api","sub":"s1","typ":"Bearer","azp":"batch","acr":"1","scope":"profile email","clientHost":"10.0.0.1","email_verified":false,"preferred_username":"service-account-batch","clientAddress":"10.0.0.1","client_id":"batch"}`, of(keycloakID, "orders-api"), ""},
	{"Keycloak ID token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"exp":EXP,"iat":IAT,"auth_time":IAT,"jti":"1","iss":"` + keycloakID + `","aud":"orders-api","sub":"f1b0f4b0","typ":"ID","azp":"orders-api","sid":"2a7f","at_hash":"QW5kIHNvIG9uIGFuZCBzbw","acr":"1","preferred_username":"ada"}`, of(keycloakID, "orders-api"), sso.ReasonTokenKind},
	{"Keycloak refresh token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"exp":EXP,"iat":IAT,"jti":"1","iss":"` + keycloakID + `","aud":["orders-api","` + keycloakID + `"],"sub":"f1b0f4b0","typ":"Refresh","azp":"web","sid":"2a7f","scope":"openid profile email"}`, of(keycloakID, "orders-api"), sso.ReasonTokenKind},
	{"Keycloak offline token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iat":IAT,"exp":EXP,"jti":"1","iss":"` + keycloakID + `","aud":["orders-api"],"sub":"f1b0f4b0","typ":"Offline","azp":"web","scope":"openid offline_access"}`, of(keycloakID, "orders-api"), sso.ReasonTokenKind},
	{"Keycloak offline token without end", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iat":IAT,"jti":"1","iss":"` + keycloakID + `","aud":["orders-api"],"sub":"f1b0f4b0","typ":"Offline"}`, of(keycloakID, "orders-api"), sso.ReasonMissingExpiry},
	{"Keycloak logout token, by its claims", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iat":IAT,"exp":EXP,"jti":"1","iss":"` + keycloakID + `","aud":"orders-api","sub":"f1b0f4b0","typ":"Logout","sid":"2a7f","events":{"http://schemas.openid.net/event/backchannel-logout":{},"http://schemas.openid.net/event/backchannel-logout/revoke-offline-access":true}}`, of(keycloakID, "orders-api"), sso.ReasonTokenKind},
	{"Keycloak logout token, by its header", `{"alg":"RS256","typ":"logout+jwt","kid":"KID"}`, `{"iat":IAT,"exp":EXP,"jti":"1","iss":"` + keycloakID + `","aud":"orders-api","sub":"f1b0f4b0"}`, of(keycloakID, "orders-api"), sso.ReasonTokenType},
	{"Keycloak DPoP-bound access token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"exp":EXP,"iat":IAT,"iss":"` + keycloakID + `","aud":"orders-api","sub":"f1b0f4b0","typ":"DPoP","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},"scope":"openid"}`, of(keycloakID, "orders-api"), sso.ReasonBoundToken},

	// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
	{"Auth0 access token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iss":"` + auth0ID + `","sub":"auth0|123456","aud":["https://orders.example","https://shop.eu.auth0.com/userinfo"],"azp":"my_client_id","exp":EXP,"iat":IAT,"scope":"openid profile read:orders","permissions":["read:orders"]}`, of(auth0ID, "https://orders.example"), ""},
	{"Auth0 access token in the RFC 9068 profile", `{"alg":"RS256","typ":"at+jwt","kid":"KID"}`, `{"iss":"` + auth0ID + `","sub":"auth0|123456","aud":["https://orders.example","https://shop.eu.auth0.com/userinfo"],"client_id":"my_client_id","exp":EXP,"iat":IAT,"jti":"73WakrfVbNJBaAmhQtEeDv","scope":"openid profile","permissions":["read:orders"]}`, func(c *sso.Config) { of(auth0ID, "https://orders.example")(c); c.TokenType = sso.StrictAccessToken }, ""},
	{"Auth0 machine-to-machine token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iss":"` + auth0ID + `","sub":"my_client_id@clients","aud":"https://orders.example","iat":IAT,"exp":EXP,"azp":"my_client_id","gty":"client-credentials","scope":"read:orders"}`, of(auth0ID, "https://orders.example"), ""},
	{"Auth0 access token, where the issuer is configured without its slash", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iss":"` + auth0ID + `","sub":"auth0|123456","aud":["https://orders.example"],"exp":EXP,"iat":IAT}`, of(strings.TrimSuffix(auth0ID, "/"), "https://orders.example"), sso.ReasonWrongIssuer},
	{"Auth0 ID token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"iss":"` + auth0ID + `","sub":"auth0|123456","aud":"my_client_id","exp":EXP,"iat":IAT,"name":"Jane Doe","nickname":"jane","email":"janedoe@example.com","email_verified":true,"nonce":"n-0S6_WzA2Mj","sid":"s"}`, of(auth0ID, "my_client_id"), sso.ReasonTokenKind},

	// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
	{"Okta access token", `{"alg":"RS256","kid":"KID"}`, `{"ver":1,"jti":"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE","iss":"` + oktaID + `","aud":"api://default","sub":"john.doe@example.com","iat":IAT,"exp":EXP,"cid":"nmdP1fcyvdVO11AL7ECm","uid":"00ujmkLgagxeRrAg20g3","scp":["openid","email","orders:read"],"auth_time":IAT,"groups":["Everyone"]}`, of(oktaID, "api://default"), ""},
	{"Okta ID token", `{"alg":"RS256","kid":"KID"}`, `{"ver":1,"sub":"00uid4BxXw6I6TV4m0g3","iss":"` + oktaID + `","aud":"api://default","iat":IAT,"exp":EXP,"jti":"ID.4eAWJOCMB3SX8XewDfVR","auth_time":IAT,"at_hash":"cpqKfdQA5eH891Ff5oJr_Q","nonce":"n","amr":["pwd"],"idp":"00o"}`, of(oktaID, "api://default"), sso.ReasonTokenKind},

	// https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
	{"Entra ID v1 access token", `{"typ":"JWT","alg":"RS256","x5t":"i6lGk3FZzxRcUb2C3nEQ7syHJlY","kid":"KID"}`, `{"aud":"api://11112222-bbbb-3333-cccc-4444dddd5555","iss":"` + entraV1ID + `","iat":IAT,"nbf":IAT,"exp":EXP,"acr":"1","aio":"AXQAi/8IAAAA","amr":["pwd"],"appid":"00001111-aaaa-2222-bbbb-3333cccc4444","appidacr":"0","family_name":"L","given_name":"Ada","ipaddr":"192.168.1.1","name":"Ada L","oid":"aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb","rh":"0.","scp":"access_as_user","sub":"Ba5T","tid":"` + tenant + `","unique_name":"ada@example.com","uti":"fq","ver":"1.0"}`, of(entraV1ID, "api://11112222-bbbb-3333-cccc-4444dddd5555"), ""},
	{"Entra ID v2 access token", `{"typ":"JWT","alg":"RS256","kid":"KID"}`, `{"aud":"11112222-bbbb-3333-cccc-4444dddd5555","iss":"` + entraV2ID + `","iat":IAT,"nbf":IAT,"exp":EXP,"aio":"AYQAe/8","azp":"00001111-aaaa-2222-bbbb-3333cccc4444","azpacr":"0","name":"Ada L","oid":"aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb","preferred_username":"ada@example.com","rh":"I","scp":"access_as_user","sub":"HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ","tid":"` + tenant + `","uti":"fq","ver":"2.0"}`, of(entraV2ID, "11112222-bbbb-3333-cccc-4444dddd5555"), ""},
	{"Entra ID v2 application token, with roles and no scope", `{"typ":"JWT","alg":"RS256","kid":"KID"}`, `{"aud":"11112222-bbbb-3333-cccc-4444dddd5555","iss":"` + entraV2ID + `","iat":IAT,"nbf":IAT,"exp":EXP,"azp":"00001111-aaaa-2222-bbbb-3333cccc4444","azpacr":"1","oid":"o","roles":["Orders.Read"],"sub":"o","tid":"` + tenant + `","ver":"2.0"}`, of(entraV2ID, "11112222-bbbb-3333-cccc-4444dddd5555"), ""},
	{"Entra ID v2 ID token", `{"typ":"JWT","alg":"RS256","kid":"KID"}`, `{"ver":"2.0","iss":"` + entraV2ID + `","sub":"AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ","aud":"11112222-bbbb-3333-cccc-4444dddd5555","exp":EXP,"iat":IAT,"nbf":IAT,"name":"Ada L","preferred_username":"ada@example.com","oid":"o","tid":"` + tenant + `","nonce":"123523","aio":"Df2"}`, of(entraV2ID, "11112222-bbbb-3333-cccc-4444dddd5555"), sso.ReasonTokenKind},
	{"Microsoft Graph token, whose header has a nonce of its own", `{"typ":"JWT","nonce":"AQABAAAAAAB","alg":"RS256","x5t":"i6lGk3FZzxRcUb2C3nEQ7syHJlY","kid":"KID"}`, `{"aud":"https://graph.microsoft.com","iss":"` + entraV1ID + `","iat":IAT,"nbf":IAT,"exp":EXP,"scp":"User.Read","sub":"s","ver":"1.0"}`, of(entraV1ID, "api://orders"), sso.ReasonWrongAudience},

	// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
	{"Cognito access token", `{"kid":"KID","alg":"RS256"}`, `{"sub":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","device_key":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","cognito:groups":["testgroup"],"iss":"` + cognitoID + `","version":2,"client_id":"1example23456789","origin_jti":"aaaaaaaa","event_id":"64f513be","token_use":"access","scope":"phone openid profile resourceserver.1/appclient2 email","auth_time":IAT,"exp":EXP,"iat":IAT,"jti":"aaaaaaaa","username":"my-test-user"}`, cognito, ""},
	{"Cognito access token of another client", `{"kid":"KID","alg":"RS256"}`, `{"sub":"a","iss":"` + cognitoID + `","client_id":"other","token_use":"access","scope":"openid","exp":EXP,"iat":IAT,"jti":"a"}`, cognito, sso.ReasonWrongClient},
	{"Cognito access token of another pool", `{"kid":"KID","alg":"RS256"}`, `{"sub":"a","iss":"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_OTHER","client_id":"1example23456789","token_use":"access","exp":EXP}`, cognito, sso.ReasonWrongIssuer},
	{"Cognito ID token, where its client is an audience", `{"kid":"KID","alg":"RS256"}`, `{"sub":"aaaaaaaa","cognito:groups":["test-group-a"],"email_verified":true,"iss":"` + cognitoID + `","cognito:username":"my-test-user","origin_jti":"a","aud":"1example23456789","event_id":"e","token_use":"id","auth_time":IAT,"exp":EXP,"iat":IAT,"jti":"j","email":"my-test-user@example.com"}`, of(cognitoID, "1example23456789"), sso.ReasonTokenKind},
	{"Cognito ID token, where clients are listed", `{"kid":"KID","alg":"RS256"}`, `{"sub":"aaaaaaaa","iss":"` + cognitoID + `","aud":"1example23456789","token_use":"id","exp":EXP,"iat":IAT}`, cognito, sso.ReasonWrongClient},

	// https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
	{"Google ID token, accepted by name", `{"alg":"RS256","kid":"KID","typ":"JWT"}`, `{"iss":"https://accounts.google.com","azp":"` + googleApp + `","aud":"` + googleApp + `","sub":"10769150350006150715113082367","at_hash":"HK6E_P6Dh8Y93mRNtsDB1Q","hd":"example.com","email":"jsmith@example.com","email_verified":"true","iat":IAT,"exp":EXP,"nonce":"0394852-3190485-2490358"}`, google, ""},
	{"Google ID token, not accepted", `{"alg":"RS256","kid":"KID","typ":"JWT"}`, `{"iss":"https://accounts.google.com","azp":"` + googleApp + `","aud":"` + googleApp + `","sub":"1","at_hash":"HK6E_P6Dh8Y93mRNtsDB1Q","iat":IAT,"exp":EXP}`, of(googleID, googleApp), sso.ReasonTokenKind},
	{"Google ID token for another application", `{"alg":"RS256","kid":"KID","typ":"JWT"}`, `{"iss":"https://accounts.google.com","azp":"other","aud":"other","sub":"1","at_hash":"HK6E_P6Dh8Y93mRNtsDB1Q","iat":IAT,"exp":EXP}`, google, sso.ReasonWrongAudience},
	{"Google security event, where ID tokens are accepted", `{"alg":"RS256","kid":"KID","typ":"JWT"}`, `{"iss":"https://accounts.google.com","aud":"` + googleApp + `","iat":IAT,"exp":EXP,"jti":"756E69717565206964656E746966696572","events":{"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{"subject":{"subject_type":"iss-sub","iss":"https://accounts.google.com/","sub":"7375626A656374"},"reason":"hijacking"}}}`, google, sso.ReasonTokenKind},

	// https://zitadel.com/docs/apis/openidoauth/claims
	{"zitadel access token", `{"alg":"RS256","kid":"KID","typ":"at+jwt"}`, `{"iss":"` + zitadelID + `","sub":"77776025198584418","aud":["69234237810729019","69234247558357051","77776025198584418"],"jti":"V2_229","exp":EXP,"iat":IAT,"nbf":IAT,"client_id":"69234237810729019","urn:zitadel:iam:org:project:roles":{"clerk":{"69234230193872955":"shop.zitadel.cloud"}}}`, of(zitadelID, "69234247558357051"), ""},
	{"zitadel ID token", `{"alg":"RS256","kid":"KID","typ":"JWT"}`, `{"amr":["pwd","mfa"],"at_hash":"vZGtYpgBXGMlQpRhz3FOUg","aud":["69234237810729019"],"auth_time":IAT,"azp":"69234237810729019","client_id":"69234237810729019","exp":EXP,"iat":IAT,"iss":"` + zitadelID + `","sub":"77776025198584418"}`, of(zitadelID, "69234237810729019"), sso.ReasonTokenKind},

	// https://github.com/panva/node-oidc-provider: JWT access tokens of resource indicators.
	{"oidc-provider access token", `{"alg":"RS256","typ":"at+jwt","kid":"KID"}`, `{"jti":"p8nTnmmjxPNMZFpQyWeJC","sub":"ada","iat":IAT,"exp":EXP,"scope":"api:read","client_id":"web","iss":"` + oidcID + `","aud":"urn:orders"}`, func(c *sso.Config) { of(oidcID, "urn:orders")(c); c.TokenType = sso.StrictAccessToken }, ""},
	{"oidc-provider ID token", `{"alg":"RS256","typ":"JWT","kid":"KID"}`, `{"sub":"ada","at_hash":"x1dGxvZ2luIG5vdCBub3c","aud":"urn:orders","exp":EXP,"iat":IAT,"iss":"` + oidcID + `"}`, of(oidcID, "urn:orders"), sso.ReasonTokenKind},
	{"oidc-provider logout token", `{"alg":"RS256","typ":"logout+jwt","kid":"KID"}`, `{"iss":"` + oidcID + `","aud":"urn:orders","iat":IAT,"exp":EXP,"jti":"x","sub":"ada","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, of(oidcID, "urn:orders"), sso.ReasonTokenType},

	// RFC 9068, section 3, with a date that is valid.
	{"RFC 9068's example", `{"typ":"at+JWT","alg":"RS256","kid":"KID"}`, `{"iss":"` + rfc9068ID + `","sub":"5ba552d67","aud":"https://rs.example.com/","exp":EXP,"iat":IAT,"jti":"dbe39bf3a3ba4238a513f51d6e1691c4","client_id":"s6BhdRkqt3","scope":"openid profile reademail"}`, func(c *sso.Config) { of(rfc9068ID, "https://rs.example.com/")(c); c.TokenType = sso.StrictAccessToken }, ""},
	{"RFC 9068's example as an untyped JWT", `{"alg":"RS256","kid":"KID"}`, `{"iss":"` + rfc9068ID + `","sub":"5ba552d67","aud":"https://rs.example.com/","exp":EXP,"iat":IAT,"jti":"d","client_id":"s6BhdRkqt3"}`, func(c *sso.Config) { of(rfc9068ID, "https://rs.example.com/")(c); c.TokenType = sso.StrictAccessToken }, sso.ReasonTokenType},
	{"OpenID Connect's logout token example", `{"alg":"RS256","kid":"KID","typ":"JWT"}`, `{"iss":"https://server.example.com","sub":"248289761001","aud":"s6BhdRkqt3","iat":IAT,"exp":EXP,"jti":"bWJq","sid":"08a5019c-17e1-4977-8f42-65a12843ea02","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, of("https://server.example.com", "s6BhdRkqt3"), sso.ReasonTokenKind},
}

func dated(text string) string {
	return strings.NewReplacer("IAT", fmt.Sprint(T.Add(-time.Minute).Unix()), "EXP", fmt.Sprint(T.Add(time.Hour).Unix()), "KID", "ada").Replace(text)
}

func TestProviders(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) {
				c.Keys, c.Algorithms = static(t, "ada", "RS256", rsaKey().Public()), nil
				shape.config(c)
			})
			token := signedWith(t, jwt.SigningMethodRS256, rsaKey(), dated(shape.header), dated(shape.claims))
			p, err := a.ValidateToken(t.Context(), token)
			if (err == nil) != (shape.reason == "") || err != nil && reasonIn(err) != shape.reason {
				t.Fatalf("%v, want %q", err, shape.reason)
			}
			if err == nil && p.Subject() == "" {
				t.Error("without a subject")
			}
		})
	}
}

func TestProviders_Scopes(t *testing.T) {
	for name, scope := range map[string]string{
		"Keycloak access token": "profile", "Auth0 access token": "read:orders", "Okta access token": "orders:read", "Entra ID v1 access token": "access_as_user",
		"Entra ID v2 access token": "access_as_user", "Cognito access token": "resourceserver.1/appclient2", "oidc-provider access token": "api:read", "RFC 9068's example": "reademail",
	} {
		found := false
		for _, shape := range shapes {
			if shape.name != name {
				continue
			}
			found = true
			p := validated(t, signedWith(t, jwt.SigningMethodRS256, rsaKey(), dated(shape.header), dated(shape.claims)), func(c *sso.Config) {
				c.Keys, c.Algorithms = static(t, "ada", "RS256", rsaKey().Public()), nil
				shape.config(c)
			})
			if !p.HasScope(scope) || p.HasScope("admin") {
				t.Errorf("%s has the scopes %q", name, p.Scopes())
			}
		}
		if !found {
			t.Errorf("no shape %q", name)
		}
	}
}

// The JWT that an AWS load balancer puts into x-amzn-oidc-data is not an access token. It is
// padded, has its dates and issuer in the header, and has no audience.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
func TestProviders_LoadBalancerHeaders(t *testing.T) {
	header := dated(`{"alg":"ES256","kid":"KID","signer":"arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188","iss":"` + cognitoID + `","client":"1example23456789","exp":EXP,"typ":"JWT"}`)
	claims := dated(`{"sub":"1234567890","name":"name","email":"alias@example.com","username":"ada","exp":EXP,"iss":"` + cognitoID + `"}`)
	configs := map[string]func(*sso.Config){
		"an audience":                  of(cognitoID, "1example23456789"),
		"clients":                      cognito,
		"every kind of token":          func(c *sso.Config) { of(cognitoID, "1example23456789")(c); c.TokenType = sso.AllowIDToken },
		"an audience without a client": of("", "1example23456789"),
	}
	sign := func(encoding *base64.Encoding, pad string) string {
		input := encoding.EncodeToString([]byte(header+pad)) + "." + encoding.EncodeToString([]byte(claims+pad))
		signature, err := jwt.SigningMethodES256.Sign(input, p256())
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + encoding.EncodeToString(signature)
	}
	for name, config := range configs {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) {
				c.Keys, c.Algorithms = static(t, "ada", "ES256", p256().Public()), keys.Algorithms()
				config(c)
				c.SkipIssuerCheck = c.Issuer == ""
			})
			for _, pad := range []string{"", " ", "  "} { // each length of padding; the signature's is always ==
				if _, err := a.ValidateToken(t.Context(), sign(base64.URLEncoding, pad)); reasonIn(err) != sso.ReasonMalformed || !strings.Contains(err.Error(), "without padding") {
					t.Errorf("%q: %v", pad, err)
				}
				if _, err := a.ValidateToken(t.Context(), strings.ReplaceAll(sign(base64.URLEncoding, pad), "=", "")); class(err) != "invalid token" {
					t.Errorf("%q with its padding taken off: %v", pad, err)
				}
				_, err := a.ValidateToken(t.Context(), sign(base64.RawURLEncoding, pad))
				if reason := reasonIn(err); reason != sso.ReasonWrongAudience && reason != sso.ReasonWrongClient {
					t.Errorf("%q, were it not padded: %v", pad, err)
				}
			}
		})
	}
}
