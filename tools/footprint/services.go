package main

import "embed"

// sources are the programs that are measured, services/NAME.go.txt each. They are no packages of this
// module, whose go.mod would have to name every framework.
//
//go:embed services/*.go.txt
var sources embed.FS

// row is a module and what it is measured by: the same service without it and with it.
type row struct {
	module        string
	without, with string // names of programs
	limit         int    // bytes that it may add; 0 for any
}

// limit is what every service may be asked to carry for this library.
const limit = 1_500_000

var rows = []row{
	{"core", "nethttp", "core", limit},
	{"httpsso", "nethttp", "httpsso", limit},
	{"ginsso", "gin", "ginsso", 0},
	{"echosso", "echo", "echosso", 0},
	{"fibersso", "fiber", "fibersso", 0},
	{"lambdasso", "lambda", "lambdasso", 0},
	{"kmskeys", "httpsso", "kmskeys", 0},
	{"redisstore", "httpsso", "redisstore", 0},
}

// client is the program that fetches and logs as core does, with the standard library alone.
const client = "client"

// reproduced is the program that is built a second time, in another place.
const reproduced = "httpsso"
