package sso_test

import (
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/internal/testkit"
	"github.com/more-retail/moresso-go/core/sso"
)

func TestAPrincipalForTestsIsLikeOneOfAToken(t *testing.T) {
	made, err := testkit.Principal([]byte(`{"sub":"ada","exp":1900000000,"iat":1800000000,"nbf":"soon","permissions":{"a":"*"}}`), func() time.Time { return T })
	if err != nil {
		t.Fatal(err)
	}
	p, ok := made.(*sso.Principal)
	if !ok || p.Subject() != "ada" || p.ExpiresAt().Unix() != 1_900_000_000 || p.IssuedAt().Unix() != 1_800_000_000 || !sso.NewAccess(p, nil).WildcardGrants() {
		t.Errorf("%v", p.Claims())
	}
	ctx := testkit.Context(t.Context(), p)
	if found, ok := sso.FromContext(ctx); !ok || found != p {
		t.Errorf("not in the context: %v", found)
	}
	for _, a := range []*sso.Authenticator{newAuth(t), newAuth(t, func(c *sso.Config) { c.Issuer = "" })} {
		if _, err := a.Authenticate(ctx, request{}); class(err) != "no token" {
			t.Errorf("it is taken for a login: %v", err)
		}
	}
	for _, text := range []string{``, `{`, `[]`, `"ada"`, `null`, `{"a":1,"a":2}`} {
		if p, err := testkit.Principal([]byte(text), time.Now); err == nil || p != nil {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
}
