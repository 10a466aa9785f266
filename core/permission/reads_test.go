package permission_test

import (
	"context"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// frugal is a permission of one's own that says that it looks at the principal alone.
type frugal struct{ answer }

func (frugal) ReadsRequest() bool { return false }

func TestWhatReadsTheRequestIsKnown(t *testing.T) {
	is, own, get := permission.Is("a", 1), permission.SameAsPath("sub", "id"), permission.Method("GET")
	for _, test := range []struct {
		p    sso.Permission
		want bool
	}{
		{is, false},
		{permission.Claim("a", 1), false},
		{permission.Has("a"), false},
		{permission.Truthy("a"), false},
		{permission.Scope("a"), false},
		{permission.Role("a"), false},
		{permission.Authenticated(), false},
		{permission.HumanUser(), false},
		{permission.ClientCredentials(), false},
		{permission.FreshLogin(time.Hour), false},
		{permission.ACR("a"), false},
		{own, true},
		{get, true},
		{permission.All(is, is), false},
		{permission.All(is, own), true},
		{permission.Any(is, permission.Not(get)), true},
		{permission.Not(permission.Any(is, permission.Not(own))), true},
		{permission.Not(is), false},
		{permission.IfElse(get, is, is), true},
		{permission.IfElse(is, is, own), true},
		{permission.IfElse(is, is, permission.Has("b")), false},
		{permission.Func("f", func(context.Context, sso.Access) (bool, error) { return true, nil }), true},
		{yes, true},
		{frugal{yes}, false},
		{permission.All(is, permission.Not(frugal{yes})), false},
		{nil, true},
	} {
		if got := permission.ReadsRequest(test.p); got != test.want {
			t.Errorf("%s: %t", permission.Describe(test.p), got)
		}
	}
}

type timely struct{ sso.Permission }

func (timely) ReadsClock() bool { return true }

func TestWhatReadsTheClockIsKnown(t *testing.T) {
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
		{permission.IfElse(is, is, fresh), true},
		{permission.IfElse(fresh, is, is), true},
		{permission.IfElse(is, is, permission.Has("b")), false},
		{yes, false},
		{timely{yes}, true},
		{permission.Not(timely{yes}), true},
		{nil, false},
	} {
		if got := permission.ReadsClock(test.p); got != test.want {
			t.Errorf("%s: %t", permission.Describe(test.p), got)
		}
	}
}
