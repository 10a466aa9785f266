package devissuer_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// noon is the time of these tests.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 999, time.UTC)

func atNoon() time.Time { return noon }

// num is a time as a token has it.
func num(t time.Time) json.Number {
	return json.Number(strconv.FormatInt(t.Unix(), 10))
}

func TestToken_Defaults(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithClock(atNoon))
	header, claims := decode(t, issuer.MustToken())

	if want := map[string]any{"alg": "ES256", "typ": "JWT", "kid": issuer.KeyID()}; !maps.Equal(header, want) {
		t.Errorf("header %v, want %v", header, want)
	}
	jti, _ := claims["jti"].(string)
	if len(jti) < 20 {
		t.Errorf("jti is %q", jti)
	}
	delete(claims, "jti")
	if want := map[string]any{
		"iss": "https://issuer.example", "aud": "api", "sub": "ada",
		"iat": num(noon), "exp": num(noon.Add(time.Hour)),
	}; !maps.Equal(claims, want) {
		t.Errorf("claims %v, want %v", claims, want)
	}
	if _, again := decode(t, issuer.MustToken()); again["jti"] == jti {
		t.Error("two tokens have the same jti")
	}
}

func TestToken_IssuerSettings(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithClock(atNoon), devissuer.WithIssuer("https://sso.example/realm/"),
		devissuer.WithAudience("pma", "hub"), devissuer.WithLifetime(time.Minute))
	_, payload, _ := parts(t, issuer.MustToken(devissuer.WithoutClaim("jti")))
	want := `{"aud":["pma","hub"],"exp":1893585660,"iat":1893585600,"iss":"https://sso.example/realm/","sub":"ada"}`
	if payload != want {
		t.Errorf("got  %s\nwant %s", payload, want)
	}
}

func opts(opts ...devissuer.TokenOption) []devissuer.TokenOption { return opts }

// Each case gives the whole payload that the options make.
func TestToken_Claims(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithClock(atNoon))
	// The other claims are omitted.
	var bare []devissuer.TokenOption
	for _, name := range []string{"iss", "aud", "sub", "iat", "exp", "jti"} {
		bare = append(bare, devissuer.WithoutClaim(name))
	}
	type permissions struct {
		Hub map[string]int64 `json:"hub"`
	}

	for name, tt := range map[string]struct {
		opts []devissuer.TokenOption
		want string
	}{
		"no claim at all":                   {nil, `{}`},
		"a subject":                         {opts(devissuer.Subject("grace")), `{"sub":"grace"}`},
		"one audience is a string":          {opts(devissuer.Audience("a")), `{"aud":"a"}`},
		"more audiences are an array":       {opts(devissuer.Audience("a", "b")), `{"aud":["a","b"]}`},
		"no audience is an empty array":     {opts(devissuer.Audience()), `{"aud":[]}`},
		"a list of one audience":            {opts(devissuer.Claim("aud", []string{"a"})), `{"aud":["a"]}`},
		"a list of no audience":             {opts(devissuer.Claim("aud", []string{})), `{"aud":[]}`},
		"scopes":                            {opts(devissuer.Scope("read", "write")), `{"scope":"read write"}`},
		"another issuer":                    {opts(devissuer.IssuedBy("joe")), `{"iss":"joe"}`},
		"characters that HTML would escape": {opts(devissuer.Claim("x", "<&>")), `{"x":"<&>"}`},
		"a number that float64 cannot hold": {opts(devissuer.Claim("n", int64(math.MaxInt64))), `{"n":9223372036854775807}`},
		"a number as text":                  {opts(devissuer.Claim("n", json.Number("1.50"))), `{"n":1.50}`},
		"null":                              {opts(devissuer.Claim("n", nil)), `{"n":null}`},
		"several claims":                    {opts(devissuer.Claim("a", 1), devissuer.Claim("b", []int{})), `{"a":1,"b":[]}`},
		"the later option wins":             {opts(devissuer.Claim("a", 1), devissuer.WithoutClaim("a"), devissuer.Claim("a", 2)), `{"a":2}`},
		"issued at a time, exp follows": {
			opts(devissuer.IssuedAt(time.Unix(1000, 0)), devissuer.ValidFor(time.Minute)), `{"exp":1060,"iat":1000}`,
		},
		"exp follows in any order": {
			opts(devissuer.ValidFor(-time.Minute), devissuer.IssuedAt(time.Unix(1000, 0))), `{"exp":940,"iat":1000}`,
		},
		"exp that is set stays": {
			opts(devissuer.Claim("exp", 2000), devissuer.IssuedAt(time.Unix(1000, 0))), `{"exp":2000,"iat":1000}`,
		},
		"a permission": {opts(devissuer.Permission("pma.role", "admin")), `{"permissions":{"pma":{"role":"admin"}}}`},
		"permissions side by side": {
			opts(devissuer.Permission("pma.role", "admin"), devissuer.Permission("pma.on", true), devissuer.Permission("hub", 1)),
			`{"permissions":{"hub":1,"pma":{"on":true,"role":"admin"}}}`,
		},
		"a permission whose name has a dot": {
			opts(devissuer.Permission(`a\.b.c\\d`, 1)), `{"permissions":{"a.b":{"c\\d":1}}}`,
		},
		"a permission below a value": {
			opts(devissuer.Permission("pma", true), devissuer.Permission("pma.role", "x")), `{"permissions":{"pma":{"role":"x"}}}`,
		},
		"a permission and a Go type": {
			opts(devissuer.Claim("permissions", permissions{map[string]int64{"n": math.MaxInt64}}), devissuer.Permission("hub.m", 1)),
			`{"permissions":{"hub":{"m":1,"n":9223372036854775807}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := issuer.Token(append(slices.Clone(bare), tt.opts...)...)
			if err != nil {
				t.Fatal(err)
			}
			if _, payload, _ := parts(t, token); payload != tt.want {
				t.Errorf("got  %s\nwant %s", payload, tt.want)
			}
		})
	}
}

func TestToken_ArgumentsUnchanged(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	inner := map[string]any{"role": "viewer"}
	mine := map[string]any{"pma": inner}
	issuer.MustToken(devissuer.Claim("permissions", mine), devissuer.Permission("pma.role", "admin"))
	if inner["role"] != "viewer" || len(mine) != 1 {
		t.Errorf("the argument became %v", mine)
	}
	option := devissuer.Permission("a.b", 1) // and an option can be used again
	for range 2 {
		_, claims := decode(t, issuer.MustToken(option))
		want := map[string]any{"a": map[string]any{"b": json.Number("1")}}
		if !reflect.DeepEqual(claims["permissions"], want) {
			t.Errorf("permissions are %v", claims["permissions"])
		}
	}
}

func TestToken_Headers(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	header, _, _ := parts(t, issuer.MustToken(devissuer.Header("typ", "at+jwt"), devissuer.WithoutHeader("alg"),
		devissuer.WithoutHeader("kid"), devissuer.Header("crit", []string{"b64"})))
	if want := `{"crit":["b64"],"typ":"at+jwt"}`; header != want {
		t.Errorf("got  %s\nwant %s", header, want)
	}
	if err := verify(issuer, issuer.MustToken(devissuer.WithoutHeader("kid"))); err != nil {
		t.Errorf("a token without kid is rejected: %v", err)
	}
}

func TestToken_Errors(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	for name, tt := range map[string]struct {
		opts []devissuer.TokenOption
		want string
	}{
		"a claim that JSON cannot hold":       {opts(devissuer.Claim("f", func() {})), "claims: json"},
		"a header that JSON cannot hold":      {opts(devissuer.Header("f", math.NaN())), "header: json"},
		"a permission without a path":         {opts(devissuer.Permission("", 1)), "empty"},
		"a permission with a gap in its path": {opts(devissuer.Permission("a..b", 1)), "empty"},
		"every error is reported":             {opts(devissuer.Persona("p1"), devissuer.Persona("p2")), "p2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := issuer.Token(tt.opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || token != "" {
				t.Errorf("got %q and %v, want an error that says %s", token, err, tt.want)
			}
		})
	}
	t.Run("MustToken panics", func(t *testing.T) {
		t.Parallel()
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		issuer.MustToken(devissuer.Permission("", 1))
	})
}

// Each fault is the only thing wrong: golang-jwt rejects the token for that reason, and is checks the
// token.
func TestToken_Faults(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			issuer := inMemory(t, devissuer.WithAlgorithm(alg), devissuer.WithLifetime(time.Minute))
			for name, tt := range faultCases(issuer) {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					token := issuer.MustToken(tt.fault)
					if err := verify(issuer, token); !errors.Is(err, tt.err) {
						t.Errorf("golang-jwt says %v, want %v", err, tt.err)
					}
					tt.is(t, token)
				})
			}
		})
	}
}

type faultCase struct {
	fault devissuer.TokenOption
	err   error
	is    func(t *testing.T, token string)
}

func faultCases(issuer *devissuer.Issuer) map[string]faultCase {
	claim := func(name string, want any) func(*testing.T, string) {
		return func(t *testing.T, token string) {
			t.Helper()
			if _, claims := decode(t, token); claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
			if err := proven(issuer, token); err != nil {
				t.Errorf("the signature is invalid: %v", err)
			}
		}
	}
	times := func(check func(iat, nbf, exp int64) bool) func(*testing.T, string) {
		return func(t *testing.T, token string) {
			t.Helper()
			_, claims := decode(t, token)
			at := func(name string) int64 {
				number, _ := claims[name].(json.Number)
				n, _ := number.Int64()
				return n - time.Now().Unix()
			}
			if !check(at("iat"), at("nbf"), at("exp")) {
				t.Errorf("the claims are %v", claims)
			}
		}
	}
	near := func(got, want int64) bool { return got <= want && got > want-60 } // the test takes time as well
	return map[string]faultCase{
		"expired an hour ago": {devissuer.Expired(), jwt.ErrTokenExpired, times(func(iat, _, exp int64) bool {
			return near(exp, -3600) && exp-iat == 60
		})},
		"valid in an hour": {devissuer.NotYetValid(), jwt.ErrTokenNotValidYet, times(func(iat, nbf, exp int64) bool {
			return near(iat, 0) && near(nbf, 3600) && exp-nbf == 60
		})},
		"another audience": {devissuer.WrongAudience(), jwt.ErrTokenInvalidAudience, claim("aud", "another-api")},
		"another issuer":   {devissuer.IssuedBy("https://other.example"), jwt.ErrTokenInvalidIssuer, claim("iss", "https://other.example")},
		"without expiry":   {devissuer.WithoutClaim("exp"), jwt.ErrTokenRequiredClaimMissing, claim("exp", nil)},
		"payload is nonsense": {devissuer.Raw("", "[1,"), jwt.ErrTokenMalformed, func(t *testing.T, token string) {
			t.Helper()
			if _, payload, _ := parts(t, token); payload != "[1," {
				t.Errorf("the payload is %q", payload)
			}
			if err := proven(issuer, token); err != nil {
				t.Errorf("the signature is invalid: %v", err)
			}
		}},
		"header is nonsense": {devissuer.Raw("{", ""), jwt.ErrTokenMalformed, func(t *testing.T, token string) {
			t.Helper()
			if header, _, _ := parts(t, token); header != "{" {
				t.Errorf("the header is %q", header)
			}
			if err := proven(issuer, token); err != nil {
				t.Errorf("the signature is invalid: %v", err)
			}
		}},
		"invalid signature": {devissuer.BadSignature(), jwt.ErrTokenSignatureInvalid, func(t *testing.T, token string) {
			t.Helper()
			header, claims := decode(t, token)
			_, _, signature := parts(t, token)
			_, _, valid := parts(t, issuer.MustToken())
			if header["kid"] != issuer.KeyID() || claims["sub"] != "ada" || len(signature) != len(valid) {
				t.Errorf("more than the signature is invalid: %v %v, %d bytes", header, claims, len(signature))
			}
			flipped := []byte(signature)
			flipped[len(flipped)/2] ^= 1
			fixed := token[:strings.LastIndex(token, ".")+1] + encodeSegment(flipped)
			if err := verify(issuer, fixed); err != nil {
				t.Errorf("with the bit restored: %v", err)
			}
		}},
		"unknown key": {devissuer.UnknownKey(), jwt.ErrTokenSignatureInvalid, func(t *testing.T, token string) {
			t.Helper()
			header, _ := decode(t, token)
			again, _ := decode(t, issuer.MustToken(devissuer.UnknownKey()))
			kid, _ := header["kid"].(string)
			if kid == "" || slices.Contains(issuer.KeyIDs(), kid) || again["kid"] != kid {
				t.Errorf("kid is %v, then %v", kid, again["kid"])
			}
		}},
	}
}

// proven verifies only the signature.
func proven(issuer *devissuer.Issuer, token string) error {
	public, err := publicKey(issuer.PublicPEM())
	if err != nil {
		return err
	}
	dot := strings.LastIndex(token, ".")
	signature, err := jwt.NewParser().DecodeSegment(token[dot+1:])
	if err != nil {
		return err
	}
	return jwt.GetSigningMethod(issuer.Algorithm()).Verify(token[:dot], signature, public)
}

func encodeSegment(b []byte) string { return (&jwt.Token{}).EncodeSegment(b) }

func TestPersona(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithClock(atNoon),
		devissuer.WithPersona("clerk", devissuer.Permission("orders.role", "clerk")),
		devissuer.WithPersona("chief", devissuer.Persona("clerk"), devissuer.Subject("chief"), devissuer.Scope("orders:close")),
		devissuer.WithPersona("snake", devissuer.Persona("snake")))
	_, claims := decode(t, issuer.MustToken(devissuer.Persona("chief"), devissuer.Expired()))
	if claims["sub"] != "chief" || claims["scope"] != "orders:close" || claims["exp"] != num(noon.Add(-time.Hour)) {
		t.Errorf("%v", claims)
	}
	if permissions, _ := claims["permissions"].(map[string]any); !reflect.DeepEqual(permissions, map[string]any{"orders": map[string]any{"role": "clerk"}}) {
		t.Errorf("%v", permissions)
	}
	for name, want := range map[string]string{
		"eve":   `unknown persona "eve", want one of chief, clerk, snake`,
		"snake": "without end",
	} {
		if _, err := issuer.Token(devissuer.Persona(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSetAudience(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	if got := issuer.Audience(); !slices.Equal(got, []string{"api"}) {
		t.Errorf("%q", got)
	}
	list := []string{"orders-api"}
	issuer.SetAudience(list...)
	list[0] = "changed"
	issuer.Audience()[0] = "changed"
	if _, claims := decode(t, issuer.MustToken()); claims["aud"] != "orders-api" {
		t.Errorf("aud is %v", claims["aud"])
	}
	if _, claims := decode(t, issuer.MustToken(devissuer.Audience("other"))); claims["aud"] != "other" {
		t.Errorf("aud is %v, though the token said otherwise", claims["aud"])
	}
	defer func() {
		if recover() == nil {
			t.Error("an empty list was accepted")
		}
	}()
	issuer.SetAudience()
}

func TestNow(t *testing.T) {
	t.Parallel()
	if got := inMemory(t, devissuer.WithClock(atNoon)).Now(); !got.Equal(noon) {
		t.Error(got)
	}
}
