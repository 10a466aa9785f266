package main

// allowed are the licences that a dependency may have, by their SPDX identifiers. Each lets a company build the code
// into a closed service, change it and pass it on, and asks for nothing but that the notice is kept.
//
// Left out on purpose: MPL-2.0, which asks whoever passes a program on for the source of the files that were changed:
// a duty that this library has no need to lay on anybody, as nothing here wants a module under it. LGPL, GPL and AGPL
// ask for more of that kind. A text in the public domain (Unlicense, CC0) gives nothing in some countries.
var allowed = map[string]bool{
	"Apache-2.0":   true,
	"BSD-2-Clause": true,
	"BSD-3-Clause": true,
	"ISC":          true, // the same in fewer words
	"MIT":          true,
	"MIT-0":        true, // not even that
}

// enough is how much of a file, in percent, must be the text of known licences. What is left is the name of who holds
// the copyright, and a title. pkg.go.dev asks for as much.
const enough = 75
