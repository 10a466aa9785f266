package main

// exceptions are exported functions that need no Example, by folder and name (core/sso.New), or all of
// a folder, each with its reason.
var exceptions = map[string]string{
	"core/ssotest":            "its functions want a *testing.T, which an Example has not, or make an option for those that do; docs/TESTING.md shows them",
	"redissessions/redistest": "its functions want a *testing.T, which an Example has not, and a Redis",
}
