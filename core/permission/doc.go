// Package permission provides the permissions that a route can require.
//
// Build a permission once, at start-up, and pass it to the Require of an adapter, which checks it on
// every request:
//
//	canEdit := permission.Any(
//		permission.Is("orders.role", "admin", "clerk"),
//		permission.Scope("orders:write"),
//	)
//	mux.Handle("PUT /orders/{id}", guard.Require(canEdit)(editOrder)) // package httpsso
//
// A leaf checks one thing:
//
//   - a value in the token's `permissions`: [Is], [Has];
//   - another claim: [Claim], [Scope], [Role];
//   - the caller and the login: [Authenticated], [HumanUser], [ClientCredentials], [FreshLogin], [ACR];
//   - the request: [SameAsPath];
//   - anything else, in a function of yours: [Func].
//
// A permission of your own is any type with the one method of [sso.Permission]. To test one, use
// ssotest.Access of package ssotest.
//
// # Combinations
//
// A permission grants, denies, or fails if it cannot decide. [All], [Any] and [Not] combine
// permissions in three-valued logic.
//
// An error of a function, a panic, and an answer after the request's context has ended are failures. A
// failure never opens a route: the answer is 500, unless something else grants (Any) or denies (All).
//
// # Refusals
//
// The client gets 403 for a denial, or 401 with `insufficient_user_authentication` (RFC 9470) if all
// that is missing is [FreshLogin] or [ACR]. The service's log has the denial as
// [sso.Decision.Explain] returns it: for All every leaf that is missing, for Any the alternatives that
// need the fewest changes, for Not the leaves that forbid.
//
// # Paths and values
//
// Dots separate the names of members, compared exactly; `\.` is a literal dot within a name, and `\\` a
// backslash. A path that leads nowhere, or to null, denies. Values compare by their JSON meaning: types
// never convert, so "1" is not 1 and 1 is not true, but 1 and 1.0 are the same number. The string "*" in
// the token's permissions matches any value if [sso.Config.Wildcard] is set; as an element of a list
// it does not.
//
// # Mistakes
//
// A permission that cannot mean anything (an empty path, no values, a nil part) panics where it is built,
// at start-up, as [net/http.ServeMux] does for an invalid pattern. Nothing panics on a request.
//
// All permissions of this package are immutable and safe for concurrent use.
package permission
