package sso_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// With GODEBUG=panicnil=1 recover returns nil after panic(nil). Code that takes nil for "no panic" would
// grant a permission that never returned.
func TestAuthorize_PanicNil(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	breaks := permission.Func("breaks", func(context.Context, sso.Access) (bool, error) { panic(nil) }) //nolint:govet // the point
	for name, p := range map[string]sso.Permission{
		"alone":   breaks,
		"negated": permission.All(permission.Scope("a"), permission.Not(breaks)),
	} {
		a := newAuth(t, func(c *sso.Config) { c.Logger = slog.New(slog.DiscardHandler) })
		_, err := a.Authorize(t.Context(), bearer(token("scope", `"a"`)), p)
		if d := sso.DenialOf(err); d.Status != 500 {
			t.Errorf("%s: %d %s (%v)", name, d.Status, d.Code, err)
		}
	}
	a := newAuth(t, func(c *sso.Config) { c.Renderer = func(sso.Request, sso.Denial) sso.Denial { panic(nil) } }) //nolint:govet // the point
	if _, err := a.Authenticate(t.Context(), request{}); sso.DenialOf(err).Status != 401 {
		t.Errorf("the renderer: %v", sso.DenialOf(err))
	}
}
