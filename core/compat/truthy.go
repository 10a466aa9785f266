package compat

import (
	"context"
	"strconv"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Truthy requires that the value at a path within the token's permissions is true, a number other than 0, or a
// non-empty string or object. more-sso-auth grants these if a permission has a path and no value. The strings "false",
// "0" and "*" are not empty, and a list is never true. Replace it by permission.Has when the tokens have true. It
// panics without a path. A denial has the code "missing" or "wrong_value".
func Truthy(path string) sso.Permission {
	if path == "" {
		panic("compat: Truthy with an empty path")
	}
	return truthy(path)
}

type truthy string

// Check implements [sso.Permission].
func (p truthy) Check(ctx context.Context, access sso.Access) sso.Decision {
	if isTruthy(access.Principal().Permissions().Lookup(string(p))) {
		return sso.Grant()
	}
	return permission.Has(string(p)).Check(ctx, access) // denies, because it requires more
}

func isTruthy(v sso.Value) bool {
	switch v.Kind() {
	case "number":
		number, ok := v.Float64() // as Python reads it: 1e-400 is 0
		return number != 0 || !ok
	case "object":
		return v.Len() > 0
	}
	yes, _ := v.Bool()
	text, _ := v.Text()
	return yes || text != ""
}

// ReadsRequest says that the decision depends on the principal alone; see package permission.
func (truthy) ReadsRequest() bool { return false }

// ExplainsItself says that the log need not name the permission.
func (truthy) ExplainsItself() {}

// String implements [fmt.Stringer].
func (p truthy) String() string { return "truthy(" + strconv.Quote(string(p)) + ")" }
