package devissuer_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// shapes are the tokens in providers.json.
func shapes(t *testing.T) map[string]struct{ Header, Claims map[string]any } {
	t.Helper()
	text, err := os.ReadFile("providers.json")
	if err != nil {
		t.Fatal(err)
	}
	var list map[string]struct{ Header, Claims map[string]any }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestProvider(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithClock(atNoon), devissuer.WithAudience("orders-api"), devissuer.WithIssuer("https://login.example.com"))
	for name, want := range shapes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header, claims := decode(t, issuer.MustToken(devissuer.Provider(name)))
			for _, part := range []struct{ got, want map[string]any }{{header, want.Header}, {claims, want.Claims}} {
				if got, want := slices.Sorted(maps.Keys(part.got)), slices.Sorted(maps.Keys(part.want)); !slices.Equal(got, want) {
					t.Errorf("got the members %q, want %q", got, want)
				}
			}
			for member, want := range want.Header {
				switch want {
				case "KID":
					want = issuer.KeyID()
				case "RS256":
					want = issuer.Algorithm()
				}
				if header[member] != want {
					t.Errorf("%s is %v, want %v", member, header[member], want)
				}
			}
			if claims["iss"] != "https://login.example.com" || claims["exp"] != num(noon.Add(time.Hour)) {
				t.Errorf("iss %v, exp %v", claims["iss"], claims["exp"])
			}
			text, err := json.Marshal(claims)
			if err != nil {
				t.Fatal(err)
			}
			for _, placeholder := range []string{"ISSUER", "AUDIENCE", "KID", "NOW", "EXP"} {
				if strings.Contains(string(text), `"`+placeholder+`"`) {
					t.Errorf("%s is left in %s", placeholder, text)
				}
			}
		})
	}
}

func TestProvider_Overridden(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t, devissuer.WithClock(atNoon), devissuer.WithAudience("orders", `"stock"`))
	entra := devissuer.Provider("entra-v2")
	for name, tt := range map[string]struct {
		options []devissuer.TokenOption
		claim   string
		want    any
	}{
		"two audiences in a text":         {[]devissuer.TokenOption{entra}, "aud", []any{"orders", `"stock"`}},
		"two audiences in a list":         {[]devissuer.TokenOption{devissuer.Provider("kubernetes")}, "aud", []any{"orders", `"stock"`}},
		"audiences of the provider's own": {[]devissuer.TokenOption{devissuer.Provider("keycloak")}, "aud", []any{"orders", `"stock"`, "account"}},
		"a later claim":                   {[]devissuer.TokenOption{entra, devissuer.Claim("roles", []string{"admin"})}, "roles", []any{"admin"}},
		"a later audience":                {[]devissuer.TokenOption{entra, devissuer.WrongAudience()}, "aud", "another-api"},
		"a later subject":                 {[]devissuer.TokenOption{entra, devissuer.Subject("bob")}, "sub", "bob"},
		"a later end":                     {[]devissuer.TokenOption{entra, devissuer.Expired()}, "exp", num(noon.Add(-time.Hour))},
		"an earlier lifetime":             {[]devissuer.TokenOption{devissuer.ValidFor(time.Minute), entra}, "exp", num(noon.Add(time.Minute))},
		"an earlier date":                 {[]devissuer.TokenOption{devissuer.IssuedAt(noon.Add(-time.Minute)), entra}, "nbf", num(noon.Add(-time.Minute))},
		"another provider":                {[]devissuer.TokenOption{entra, devissuer.Provider("cognito")}, "aud", nil},
	} {
		_, claims := decode(t, issuer.MustToken(tt.options...))
		if got := claims[tt.claim]; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %s is %v, want %v", name, tt.claim, got, tt.want)
		}
	}
	if _, err := issuer.Token(devissuer.Provider("keykloak")); err == nil || !strings.Contains(err.Error(), `unknown provider "keykloak", want one of adfs, auth0`) {
		t.Error(err)
	}
}

// The comment of Provider lists all names.
func TestProvider_Names(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("provider.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(source), "\nfunc Provider(")
	_, comment, _ = strings.Cut(comment, "// Provider makes")
	words := strings.FieldsFunc(comment, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
	for name := range shapes(t) {
		if !slices.Contains(words, name) {
			t.Errorf("%s is not in the comment", name)
		}
	}
}
