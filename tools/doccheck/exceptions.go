package main

// exceptions are exported functions that need no Example, by folder and name (core/sso.New), or all of
// a folder, each with its reason.
var exceptions = map[string]string{
	"core/ssotest":            "its options are those of core/devissuer, whose Examples show them, and the conformance suite wants a *testing.T, which an Example has not",
	"redisstore/redistest": "its functions want a *testing.T, which an Example has not, and a Redis",
}
