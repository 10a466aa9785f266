// Package testkit is the door by which the test kit, core/ssotest, and nobody else, has principals
// made without a token. It is here so that the public surface of core/sso has no such door: package
// sso puts the functions in place, and what they make satisfies no authenticator.
package testkit

import (
	"context"
	"time"
)

var (
	// Principal makes an *sso.Principal of the text of a token's claims, by the default settings
	// and a clock. Nobody has verified them.
	Principal func(claims []byte, now func() time.Time) (principal any, err error)
	// Context puts an *sso.Principal into a context, for sso.FromContext. No authenticator counts
	// it as a login.
	Context func(ctx context.Context, principal any) context.Context
)
