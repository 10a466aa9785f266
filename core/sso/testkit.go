package sso

import (
	"context"
	"errors"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/testkit"
)

func init() {
	testkit.Principal = unverifiedPrincipal
	testkit.Context = contextByNobody
}

// unverifiedPrincipal is for tests of what is asked of a principal; see package testkit.
func unverifiedPrincipal(text []byte, now func() time.Time) (any, error) {
	claims, err := jsondoc.Parse(text)
	if err != nil {
		return nil, err
	}
	if claims.Kind() != jsondoc.Object {
		return nil, errors.New("the claims are no JSON object")
	}
	var t times
	for name, at := range map[string]*time.Time{"exp": &t.expires, "nbf": &t.notBefore, "iat": &t.issued} {
		if moment, ok := numericDate(claims.Get(name)); ok {
			*at = moment
		}
	}
	p := newPrincipal(claims, t, &policy{
		permissionsClaim: defaultPermissionsClaim,
		rolesClaim:       defaultRolesClaim,
		wildcard:         true,
		leeway:           DefaultLeeway,
		now:              now,
	})
	return &p, nil
}

// contextByNobody is for tests of what looks for a principal in a context. No authenticator relies
// on such a login: it is by none, and for no credential.
func contextByNobody(ctx context.Context, principal any) context.Context {
	p, _ := principal.(*Principal)
	return &loginContext{Context: ctx, login: &login{principal: p}}
}
