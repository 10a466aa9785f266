// Package permission has the permissions that a route can demand.
//
// A leaf looks at one thing: [Is], [Has] and [Truthy] at the value which a dotted path leads
// to within the token's `permissions`, [Scope] at its OAuth scopes, [Func] at whatever a
// function of yours looks at. [All], [Any] and [Not] combine them.
//
//	permission.Any(
//		permission.Is("orders.role", "admin", "clerk"),
//		permission.Scope("orders:write"),
//	)
//
// A permission of your own is any type with the one method of [sso.Permission].
//
// # Paths
//
// Dots separate the names of members, compared exactly; `\.` is a literal dot within a name. A
// path that leads nowhere, or to null, denies. Values compare by their JSON meaning:
// types never convert, so "1" is not 1 and 1 is not true.
//
// # Mistakes
//
// A permission that cannot mean anything (an empty path, no values, a nil child) is a mistake
// in the program: the function panics where the permission is built, at start-up, as
// [net/http.ServeMux] does for a bad pattern. Nothing panics when a request is decided.
//
// All permissions of this package are immutable and safe for concurrent use.
package permission
