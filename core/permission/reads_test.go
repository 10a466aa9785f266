package permission_test

import (
	"context"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// principalOnly is a permission of another type that does not read the request.
type principalOnly struct{ answer }

func (principalOnly) ReadsRequest() bool { return false }

func TestReads_Request(t *testing.T) {
	is, own := permission.Is("a", 1), permission.SameAsPath("sub", "id")
	for _, test := range []struct {
		p    sso.Permission
		want bool
	}{
		{is, false},
		{permission.Claim("a", 1), false},
		{permission.Has("a"), false},
		{permission.Scope("a"), false},
		{permission.Role("a"), false},
		{permission.Authenticated(), false},
		{permission.HumanUser(), false},
		{permission.ClientCredentials(), false},
		{permission.FreshLogin(time.Hour), false},
		{permission.ACR("a"), false},
		{own, true},
		{permission.All(is, is), false},
		{permission.All(is, own), true},
		{permission.Any(is, permission.Not(own)), true},
		{permission.Not(permission.Any(is, permission.Not(own))), true},
		{permission.Not(is), false},
		{permission.Func("f", func(context.Context, sso.Access) (bool, error) { return true, nil }), true},
		{yes, true},
		{principalOnly{yes}, false},
		{permission.All(is, permission.Not(principalOnly{yes})), false},
		{nil, true},
	} {
		if got, _ := permission.Reads(test.p); got != test.want {
			t.Errorf("%s: %t", permission.Describe(test.p), got)
		}
	}
}

type timely struct{ sso.Permission }

func (timely) ReadsClock() bool { return true }

func TestReads_Clock(t *testing.T) {
	is, fresh := permission.Is("a", 1), permission.FreshLogin(time.Hour)
	for _, test := range []struct {
		p    sso.Permission
		want bool
	}{
		{is, false},
		{fresh, true},
		{permission.Not(fresh), true},
		{permission.Not(permission.Any(is, permission.Not(fresh))), true},
		{permission.All(is, is), false},
		{permission.All(is, fresh), true},
		{permission.Any(is, fresh), true},
		{yes, false},
		{timely{yes}, true},
		{permission.Not(timely{yes}), true},
		{nil, false},
	} {
		if _, got := permission.Reads(test.p); got != test.want {
			t.Errorf("%s: %t", permission.Describe(test.p), got)
		}
	}
}
