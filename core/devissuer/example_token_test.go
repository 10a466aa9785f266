package devissuer_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// The examples live at one moment.
var moment = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// newIssuer is one in memory, whose tokens say the same each time but for their jti and their key.
func newIssuer(opts ...devissuer.Option) *devissuer.Issuer {
	fixed := []devissuer.Option{devissuer.WithAlgorithm("EdDSA"), devissuer.WithClock(func() time.Time { return moment })}
	issuer, err := devissuer.New(append(fixed, opts...)...)
	if err != nil {
		panic(err)
	}
	return issuer
}

// header and claims are what stands in a token, for people: its members by name.
func header(token string) string { return part(token, 0) }
func claims(token string) string { return part(token, 1) }

func part(token string, n int) string {
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		return "no base64url"
	}
	var members map[string]any
	if json.Unmarshal(text, &members) != nil {
		return string(text)
	}
	delete(members, "jti") // random
	shown, err := json.Marshal(members)
	if err != nil {
		return err.Error()
	}
	return string(shown)
}

// What no option asks for is as a good provider would have it.
func ExampleIssuer_Token() {
	issuer := newIssuer()
	token, err := issuer.Token()
	if err != nil {
		panic(err)
	}
	fmt.Println(claims(token))

	_, err = issuer.Token(devissuer.SignedBy("k2"), devissuer.Persona("grace"))
	fmt.Println(err)
	// Output:
	// {"aud":"api","exp":1893557045,"iat":1893553445,"iss":"https://issuer.example","sub":"ada"}
	// devissuer: SignedBy("k2"): the issuer has no such key
	// there is no persona "grace", and no other
}

func ExampleClaim() {
	issuer := newIssuer()
	fmt.Println(claims(issuer.MustToken(
		devissuer.Subject("grace"),
		devissuer.Audience("orders", "billing"), // an array; of one audience a string
		devissuer.Scope("orders:read", "orders:write"),
		devissuer.Permission("orders.role", "clerk"),
		devissuer.Permission(`orders.v1\.5`, true),
		devissuer.Claim("tenant", map[string]string{"id": "t1"}),
		devissuer.Claim("acr", "mfa"), devissuer.Claim("auth_time", 1893553400),
		devissuer.WithoutClaim("exp"),
	)))
	// Output: {"acr":"mfa","aud":["orders","billing"],"auth_time":1893553400,"iat":1893553445,"iss":"https://issuer.example","permissions":{"orders":{"role":"clerk","v1.5":true}},"scope":"orders:read orders:write","sub":"grace","tenant":{"id":"t1"}}
}

// Some providers write an array for one audience too.
func ExampleClaim_audience() {
	fmt.Println(claims(newIssuer().MustToken(devissuer.Claim("aud", []string{"orders"}), devissuer.WithoutClaim("sub"))))
	// Output: {"aud":["orders"],"exp":1893557045,"iat":1893553445,"iss":"https://issuer.example"}
}

// Dates are the issuer's clock's, unless an option says otherwise. The last that sets exp wins.
func ExampleValidFor() {
	dated := newIssuer(devissuer.WithLifetime(10 * time.Minute))
	noise := []devissuer.TokenOption{devissuer.WithoutClaim("aud"), devissuer.WithoutClaim("iss"), devissuer.WithoutClaim("sub")}
	for _, opts := range [][]devissuer.TokenOption{
		{},
		{devissuer.ValidFor(time.Minute)},
		{devissuer.IssuedAt(moment.Add(-time.Hour)), devissuer.ValidFor(2 * time.Hour)},
		{devissuer.ExpiresAt(moment.Add(time.Second)), devissuer.NotBefore(moment)},
		{devissuer.ExpiresAt(moment.Add(time.Second)), devissuer.ValidFor(time.Minute)},
	} {
		fmt.Println(claims(dated.MustToken(append(opts, noise...)...)))
	}
	// Output:
	// {"exp":1893554045,"iat":1893553445}
	// {"exp":1893553505,"iat":1893553445}
	// {"exp":1893557045,"iat":1893549845}
	// {"exp":1893553446,"iat":1893553445,"nbf":1893553445}
	// {"exp":1893553505,"iat":1893553445}
}

// A header can say anything; how the token is signed is another matter.
func ExampleHeader() {
	issuer := newIssuer()
	fmt.Println(header(issuer.MustToken(devissuer.Type("at+jwt"), devissuer.WithoutHeader("kid"))))
	fmt.Println(header(issuer.MustToken(devissuer.Header("alg", "RS256"), devissuer.NoKeyID()))) // a lie
	fmt.Println(header(issuer.MustToken(devissuer.RawHeader("no JSON"))))
	// Output:
	// {"alg":"EdDSA","typ":"at+jwt"}
	// {"alg":"RS256","typ":"JWT"}
	// no JSON
}

// The key of a token can be another than the one in use.
func ExampleSignedBy() {
	issuer := newIssuer()
	old := issuer.KeyID()
	issuer.Rotate()
	issuer.RetireOld()
	retired := issuer.MustToken(devissuer.SignedBy(old)) // to show that it is refused
	fmt.Println(strings.Contains(header(retired), old), strings.Contains(string(issuer.JWKS()), old))
	// Output: true false
}

// An RSA key can sign by any algorithm of its families, whatever it is published for.
func ExampleAlgorithm() {
	issuer := newIssuer(devissuer.WithAlgorithm("RS256"), devissuer.WithoutKeyIDs())
	fmt.Println(header(issuer.MustToken(devissuer.Algorithm("PS384"))))
	_, err := issuer.Token(devissuer.Algorithm("ES256"))
	fmt.Println(err != nil)
	// Output:
	// {"alg":"PS384","typ":"JWT"}
	// true
}

// Each fault makes a token that is in order but for the one thing.
func ExampleExpired() {
	issuer := newIssuer()
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(), Issuer: issuer.URL(), Audience: issuer.Audience(), Algorithms: []string{issuer.Algorithm()},
		HTTPClient: issuer.Client(), Now: issuer.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = auth.Close() }()

	for _, fault := range []devissuer.TokenOption{
		devissuer.Expired(),
		devissuer.NotYetValid(),
		devissuer.WithoutExpiry(),
		devissuer.WrongAudience(),
		devissuer.WrongIssuer(),
		devissuer.IssuedBy(issuer.URL() + "/"),
		devissuer.BadSignature(),
		devissuer.Tampered(),
		devissuer.UnknownKey(),
		devissuer.EmbeddedKey(),
		devissuer.AlgNone(),
		devissuer.AlgNone("nOnE"),
		devissuer.HMACWithPublicKey(),
		devissuer.RawPayload("no JSON"),
	} {
		_, err := auth.ValidateToken(context.Background(), issuer.MustToken(fault))
		var refused *sso.TokenError
		if errors.As(err, &refused) {
			fmt.Println(refused.Reason)
		}
	}
	// Output:
	// expired
	// not_yet_valid
	// missing_expiry
	// wrong_audience
	// wrong_issuer
	// wrong_issuer
	// bad_signature
	// bad_signature
	// unknown_key
	// unknown_key
	// malformed
	// malformed
	// algorithm
	// malformed
}

// Who the tests are about is said once.
func ExampleWithPersona() {
	issuer := newIssuer(
		devissuer.WithPersona("grace", devissuer.Permission("orders.role", "clerk"), devissuer.Scope("orders:read")),
		devissuer.WithPersona("root", devissuer.Persona("grace"), devissuer.Subject("root"), devissuer.Permission("orders.role", "*")),
	)
	fmt.Println(claims(issuer.MustToken(devissuer.Persona("grace"))))
	fmt.Println(claims(issuer.MustToken(devissuer.Persona("root"), devissuer.Expired())))
	// Output:
	// {"aud":"api","exp":1893557045,"iat":1893553445,"iss":"https://issuer.example","permissions":{"orders":{"role":"clerk"}},"scope":"orders:read","sub":"grace"}
	// {"aud":"api","exp":1893549845,"iat":1893546245,"iss":"https://issuer.example","permissions":{"orders":{"role":"*"}},"scope":"orders:read","sub":"root"}
}
