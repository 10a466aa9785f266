package devissuer

import (
	_ "embed" // providers.json
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed providers.json
var providersJSON []byte

// A shape is the header and the claims of a token. The texts ISSUER, AUDIENCE, KID, NOW and EXP are in
// place of values that each token has of its own.
type shape struct{ Header, Claims map[string]json.RawMessage }

var shapes = sync.OnceValue(func() (list map[string]shape) {
	if err := json.Unmarshal(providersJSON, &list); err != nil {
		panic("devissuer: providers.json: " + err.Error())
	}
	return list
})

// Provider makes a token as an identity provider issues it: with its header parameters and claims, and
// without those that it omits, such as the aud of Amazon Cognito. Issuer, audience, key and dates are the
// usual ones; later options override the rest. The shape is the one that the provider documents, and
// the values are made up. docs/PROVIDERS.md shows each token, and the settings that accept it:
//
//	adfs, auth0, auth0-m2m, auth0-rfc9068, cloudflare-access, cloudflare-access-service, cognito,
//	dex, entra-b2c, entra-v1, entra-v2, entra-v2-app, firebase, github-actions, gitlab, google, hydra,
//	keycloak, keycloak-service, kubernetes, oidc-provider, okta, zitadel
//
// Of the ID tokens, auth0-id, cognito-id, entra-v2-id, keycloak-id, okta-id and zitadel-id are
// available. Token returns an error if the name is unknown.
func Provider(name string) TokenOption {
	return func(d *draft) {
		s, ok := shapes()[name]
		if !ok {
			d.errs = append(d.errs, fmt.Errorf("unknown provider %q, want one of %s", name, strings.Join(slices.Sorted(maps.Keys(shapes())), ", ")))
			return
		}
		var aud []string
		for _, name := range d.issuer.Audience() {
			aud = append(aud, mustEncode(name))
		}
		seconds := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
		values := strings.NewReplacer(`"AUDIENCE"`, strings.Join(aud, ","), `"KID"`, mustEncode(d.issuer.KeyID()),
			`"NOW"`, seconds(d.issuedAt), `"EXP"`, seconds(d.issuedAt.Add(d.lifetime)))
		set := func(o object, from map[string]json.RawMessage, optional ...string) {
			for _, name := range optional {
				o[name] = absent{}
			}
			for name, value := range from {
				if text := string(value); !slices.Contains([]string{"alg", "kid", "iss", "iat", "exp"}, name) {
					o[name] = json.RawMessage(values.Replace(text))
				}
			}
		}
		set(d.header, s.Header, "typ")
		set(d.claims, s.Claims, "aud", "sub", "jti")
		if string(s.Claims["aud"]) == `"AUDIENCE"` {
			delete(d.claims, "aud")
		}
	}
}
