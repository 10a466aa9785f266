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

// moment is the time of the examples.
var moment = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// newIssuer returns an issuer in memory, whose tokens differ only in jti and key.
func newIssuer(opts ...devissuer.Option) *devissuer.Issuer {
	fixed := []devissuer.Option{devissuer.WithAlgorithm("EdDSA"), devissuer.WithClock(func() time.Time { return moment })}
	issuer, err := devissuer.New(append(fixed, opts...)...)
	if err != nil {
		panic(err)
	}
	return issuer
}

// header and claims return a part of a token, with its members in order.
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
	text, err = json.Marshal(members)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// By default a token is valid.
func ExampleIssuer_Token() {
	issuer := newIssuer()
	token, err := issuer.Token()
	if err != nil {
		panic(err)
	}
	fmt.Println(claims(token))

	_, err = issuer.Token(devissuer.Permission("orders..role", "clerk"), devissuer.Persona("grace"))
	fmt.Println(err)
	// Output:
	// {"aud":"api","exp":1893557045,"iat":1893553445,"iss":"https://issuer.example","sub":"ada"}
	// devissuer: Permission("orders..role"): a name on the path is empty
	// unknown persona "grace": the issuer has none
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

// Dates are by the issuer's clock. The last option that sets exp wins.
func ExampleValidFor() {
	dated := newIssuer(devissuer.WithLifetime(10 * time.Minute))
	noise := []devissuer.TokenOption{devissuer.WithoutClaim("aud"), devissuer.WithoutClaim("iss"), devissuer.WithoutClaim("sub")}
	for _, opts := range [][]devissuer.TokenOption{
		{},
		{devissuer.ValidFor(time.Minute)},
		{devissuer.IssuedAt(moment.Add(-time.Hour)), devissuer.ValidFor(2 * time.Hour)},
		{devissuer.Claim("exp", moment.Unix()+1), devissuer.Claim("nbf", moment.Unix())},
		{devissuer.Claim("exp", moment.Unix()+1), devissuer.ValidFor(time.Minute)},
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

// A header does not change how the token is signed.
func ExampleHeader() {
	issuer := newIssuer()
	fmt.Println(header(issuer.MustToken(devissuer.Header("typ", "at+jwt"), devissuer.WithoutHeader("kid"))))
	fmt.Println(header(issuer.MustToken(devissuer.Header("alg", "RS256"), devissuer.WithoutHeader("kid"))))
	fmt.Println(header(issuer.MustToken(devissuer.Raw("no JSON", ""))))
	// Output:
	// {"alg":"EdDSA","typ":"at+jwt"}
	// {"alg":"RS256","typ":"JWT"}
	// no JSON
}

// Each of these tokens has one thing wrong.
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
		devissuer.WithoutClaim("exp"),
		devissuer.WrongAudience(),
		devissuer.IssuedBy(issuer.URL() + "/"),
		devissuer.BadSignature(),
		devissuer.UnknownKey(),
		devissuer.Header("alg", "none"),
		devissuer.Raw("", "no JSON"),
	} {
		_, err := auth.ValidateToken(context.Background(), issuer.MustToken(fault))
		if refused, ok := errors.AsType[*sso.TokenError](err); ok {
			fmt.Println(refused.Reason)
		}
	}
	// Output:
	// expired
	// not_yet_valid
	// missing_expiry
	// wrong_audience
	// wrong_issuer
	// bad_signature
	// unknown_key
	// algorithm
	// malformed
}

// A test names its users once.
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
