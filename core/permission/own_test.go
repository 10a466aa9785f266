package permission_test

import (
	"context"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

type ownersInMemory map[string]string

func (m ownersInMemory) OwnerOf(_ context.Context, order string) (string, error) {
	owner, found := m[order]
	if !found {
		return "", errNoOrder
	}
	return owner, nil
}

func TestAPermissionOfOnesOwnIsTestedWithoutAToken(t *testing.T) {
	owners := ownersInMemory{"7": "grace"}

	grace := ssotest.NewPrincipal(ssotest.Subject("grace"))
	access := ssotest.Access(grace, ssotest.Pattern("GET /orders/{order}"), ssotest.PathValue("order", "7"))
	if d := sso.Check(t.Context(), ownOrder{owners}, access); !d.Granted() {
		t.Error(d.Explain())
	}

	for principal, want := range map[*sso.Principal]string{ssotest.NewPrincipal(): "other_owner", nil: "other_owner"} {
		if d := sso.Check(t.Context(), ownOrder{owners}, ssotest.Access(principal, ssotest.PathValue("order", "7"))); d.Code() != want {
			t.Errorf("%v: %s", principal, d.Explain())
		}
	}
	if d := sso.Check(t.Context(), ownOrder{owners}, ssotest.Access(grace, ssotest.PathValue("order", "8"))); d.Code() != "no_order" {
		t.Error(d.Explain())
	}
}
