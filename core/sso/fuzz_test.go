package sso_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/sso"
)

func FuzzAuthorizationHeader(f *testing.F) {
	valid := token()
	for _, value := range []string{
		"", "Bearer", "Bearer ", "Bearer " + valid, "bearer  " + valid + " ", "Bearer\t" + valid, "Bearer=" + valid, valid, "Basic YQ==",
		"Bearer " + valid + ", Bearer " + valid, "Bearer a.b.c", "Bearer \x00", "Bearer é", "BEARER " + valid[:len(valid)-1], "Bearer ====",
	} {
		f.Add(value)
	}
	a := newAuth(f)
	f.Fuzz(func(t *testing.T, value string) {
		for name, call := range map[string]func() (bool, error){
			"Authenticate": func() (bool, error) {
				ctx, err := a.Authenticate(t.Context(), request{value})
				_, ok := sso.FromContext(ctx)
				return ok, err
			},
			"AuthenticateOptional": func() (bool, error) {
				ctx, err := a.AuthenticateOptional(t.Context(), request{value})
				_, ok := sso.FromContext(ctx)
				return ok, err
			},
		} {
			ok, err := call()
			empty := strings.Trim(value, " \t") == ""
			if empty && name == "AuthenticateOptional" && err == nil && !ok {
				continue // anonymous
			}
			if ok != (err == nil) {
				t.Fatalf("%s of %q: a principal %t, and %v", name, value, ok, err)
			}
			if err == nil {
				trimmed := strings.Trim(value, " \t")
				if len(trimmed) < 7 || !strings.EqualFold(trimmed[:7], "Bearer ") || strings.TrimLeft(trimmed[7:], " ") != valid {
					t.Fatalf("%s accepted %q", name, value)
				}
				continue
			}
			switch class(err) {
			case "no token", "invalid request", "invalid token":
			default:
				t.Fatalf("%s of %q: %s, %v", name, value, class(err), err)
			}
			if d := sso.DenialOf(err); d.Status != 400 && d.Status != 401 {
				t.Fatalf("%s of %q: %d", name, value, d.Status)
			}
			if len(value) > 12 && strings.Contains(err.Error(), value) {
				t.Fatalf("%s of %q: the error repeats it: %v", name, value, err)
			}
		}
	})
}

// FuzzVerify signs any header and claims, so that fuzzing reaches the checks after the signature. It compares accepted
// tokens with golang-jwt.
func FuzzVerify(f *testing.F) {
	for _, valid := range validTokens() {
		segments := strings.Split(valid.token, ".")
		header, _ := base64.RawURLEncoding.DecodeString(segments[0])
		payload, _ := base64.RawURLEncoding.DecodeString(segments[1])
		f.Add(string(header), string(payload), "")
	}
	for _, invalid := range invalidTokens() {
		if segments := strings.Split(invalid.token, "."); len(segments) == 3 && len(invalid.token) < 4000 {
			header, _ := base64.RawURLEncoding.DecodeString(segments[0])
			payload, _ := base64.RawURLEncoding.DecodeString(segments[1])
			f.Add(string(header), string(payload), "")
		}
	}
	f.Add(headerWith(), claimsWith(), "A")
	f.Add(headerWith(), claimsWith(), "\n")
	a := newAuth(f)
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience("api"), jwt.WithIssuer(issuerID), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(time.Minute), jwt.WithTimeFunc(func() time.Time { return T }), jwt.WithJSONNumber(), jwt.WithStrictDecoding(),
	)
	f.Fuzz(func(t *testing.T, header, payload, behind string) {
		token := signed(ada, header, payload) + behind
		p, err := a.ValidateToken(t.Context(), token)
		if (p == nil) == (err == nil) {
			t.Fatalf("a principal %v and an error %v", p, err)
		}
		if err != nil {
			if class(err) != "invalid token" || reasonIn(err) == "none" {
				t.Fatalf("%s, %v", class(err), err)
			}
			if reasonIn(err) == sso.ReasonBadSignature && behind == "" {
				t.Fatalf("the signature was valid: %v", err)
			}
			return
		}
		if behind != "" {
			t.Fatalf("accepted with %q behind it", behind)
		}
		if d := p.ExpiresAt(); !d.Add(time.Minute).After(T) || p.Issuer() != issuerID || !p.HasAudience("api") {
			t.Fatalf("accepted: %s", payload)
		}
		if p.Claim("exp").Kind() != "number" {
			t.Fatalf("accepted an exp of %s", p.Claim("exp"))
		}
		// The accepted token encodes to the same bytes.
		for i, segment := range strings.Split(token, ".") {
			decoded, err := base64.RawURLEncoding.Strict().DecodeString(segment)
			if err != nil || b64(decoded) != segment {
				t.Fatalf("segment %d is not canonical: %v", i, err)
			}
		}
		// A token that both accept has the same meaning for both.
		claims := jwt.MapClaims{}
		other, err := parser.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return ada.Public(), nil })
		if err != nil {
			if !fractional(p) && !strings.Contains(err.Error(), "(alg) is unavailable") { // golang-jwt cuts dates to the second, and does not know RFC 9864
				t.Fatalf("accepted what golang-jwt refuses with %v: %s.%s", err, header, payload)
			}
			return
		}
		if kid := other.Header["kid"]; kid != nil && kid != "ada" && kid != "" {
			t.Fatalf("accepted the kid %v", kid)
		}
		subject, _ := claims.GetSubject()
		issuer, _ := claims.GetIssuer()
		audience, _ := claims.GetAudience()
		if subject != p.Subject() || issuer != p.Issuer() || !slices.Equal([]string(audience), p.Audience()) {
			t.Fatalf("golang-jwt reads %q, %q, %q; we %q, %q, %q", subject, issuer, audience, p.Subject(), p.Issuer(), p.Audience())
		}
		expires, err := claims.GetExpirationTime()
		if err != nil || expires.Sub(p.ExpiresAt()).Abs() > time.Second {
			t.Fatalf("golang-jwt reads exp as %v (%v), we as %v", expires, err, p.ExpiresAt())
		}
		theirs, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		both, err := sso.ValueOf(json.RawMessage(theirs))
		if err != nil || !equalClaims(p, both) {
			t.Fatalf("golang-jwt reads %s (%v) from %s", theirs, err, payload)
		}
	})
}

// fractional reports whether a date of the token has a fraction of a second.
func fractional(p *sso.Principal) bool {
	return slices.ContainsFunc([]string{"exp", "nbf", "iat"}, func(name string) bool {
		_, whole := p.Claim(name).Int64()
		return p.Claim(name).Exists() && !whole
	})
}

func equalClaims(p *sso.Principal, other sso.Value) bool {
	var all json.RawMessage
	if p.Decode(&all) != nil {
		return false
	}
	ours, err := sso.ValueOf(all)
	return err == nil && ours.Equal(other)
}
