// Package permission has the permissions that a route can demand.
//
// A permission is built once, at start-up, and handed to the Require of an adapter, which asks it
// on every request:
//
//	canEdit := permission.Any(
//		permission.Is("orders.role", "admin", "clerk"),
//		permission.Scope("orders:write"),
//	)
//	mux.Handle("PUT /orders/{id}", guard.Require(canEdit)(editOrder)) // package httpsso
//
// # Leaves
//
// A leaf looks at one thing:
//
//   - at the value to which a path leads within the token's `permissions`: [Is], [Has], [Truthy];
//   - at another claim: [Claim], [Scope], [Role];
//   - at who calls, and how they signed in: [Authenticated], [HumanUser], [ClientCredentials],
//     [FreshLogin], [ACR];
//   - at the request: [Method], [SameAsPath];
//   - at whatever a function of yours looks at: [Func].
//
// A permission of your own is any type with the one method of [sso.Permission]. To test one there
// is ssotest.Access in package ssotest.
//
// # Combinations
//
// A permission grants, denies, or fails where it cannot tell; so does each combination:
//
//   - [All] denies if one denies, else fails if one fails, else grants. It asks all of them, so
//     that a denial names everything that is missing.
//   - [Any] grants if one grants, else fails if one failed, else denies. It asks in order, up to
//     the first grant.
//   - [Not] grants where its permission denies, and the other way round; a failure stays one.
//   - [IfElse] asks its condition, and then one of its two branches, which decides; a condition
//     that fails, fails.
//
// An error of a function, a panic, and an answer that comes after the request's context has ended
// are failures. A failure never opens a route: it is answered with 500 unless something else
// grants (Any) or denies (All) without it.
//
// # What a refusal says
//
// A client gets 403 for a denial, and is not told which (but for missing scopes, if
// [sso.Config.TellScopes] says so). It gets 401 with
// `insufficient_user_authentication` (RFC 9470) if another login alone would turn the denial into a
// grant: if all that is missing for All, or for the first such alternative of Any, is [FreshLogin]
// or [ACR]. The service's log has the denial itself, as [sso.Decision.Explain] writes it: for All
// every leaf that is missing, for Any those alternatives that need the least, for Not what forbids,
// for IfElse the branch that counted.
//
// # Paths and values
//
// Dots separate the names of members, compared exactly; `\.` is a literal dot within a name, and
// `\\` a backslash. A path that leads nowhere, or to null, denies. Values compare by their JSON
// meaning: types never convert, so "1" is not 1 and 1 is not true, while 1 and 1.0 are the same
// number. The string "*" in the token's permissions stands for any value, unless
// [sso.Config.DisableWildcard]; as an element of a list it means nothing.
//
// # Permissions as text
//
// [Describe] writes a permission as text, which [Parse] reads: for configuration, audits and the
// command line. See Parse for the syntax.
//
// # Mistakes
//
// A permission that cannot mean anything (an empty path, no values, a nil child) is a mistake
// in the program: the function panics where the permission is built, at start-up, as
// [net/http.ServeMux] does for a bad pattern. Nothing panics when a request is decided.
//
// All permissions of this package are immutable and safe for concurrent use.
package permission
