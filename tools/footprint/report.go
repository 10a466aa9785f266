package main

import (
	"fmt"
	"strconv"
	"strings"
)

// report is what was measured, with which Go.
type report struct {
	programs  map[string]footprint
	same      bool // whether two builds of one program are
	goVersion string
}

// added is how much larger the service is with a row's module.
func (r *report) added(row row) int {
	return int(r.programs[row.with].size - r.programs[row.without].size)
}

// faults is what is wrong, nothing if all is well.
func (r *report) faults() []string {
	var found []string
	for _, row := range rows {
		if added := r.added(row); row.limit > 0 && added > row.limit {
			found = append(found, fmt.Sprintf("%s adds %s bytes to a small service, %s more than it may: build the programs in tools/footprint/services (%s, %s) without -s -w and compare them by go tool nm -size -sort size, and by go list -deps",
				row.module, number(added), number(added-row.limit), row.without, row.with))
		}
	}
	if !r.same {
		found = append(found, "two builds of "+reproduced+" in different folders differ: something of the machine or the folder gets into the binary")
	}
	return found
}

// table has a line for each row.
func (r *report) table() string {
	lines := [][]string{
		{"module", "beside", "without", "with", "adds", "packages", "modules compiled in", "modules in go.sum"},
		{"---", "---", "--:", "--:", "--:", "--:", "--:", "--:"},
	}
	for _, row := range rows {
		without, with := r.programs[row.without], r.programs[row.with]
		lines = append(lines, []string{
			row.module, beside[row.without], number(int(without.size)), number(int(with.size)), number(r.added(row)),
			change(without.packages, with.packages), change(without.modules, with.modules), change(without.sums, with.sums),
		})
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString("| " + strings.Join(line, " | ") + " |\n")
	}
	return text.String()
}

// beside is what the programs without a module are called in the table.
var beside = map[string]string{
	"nethttp": "net/http", "gin": "Gin", "echo": "Echo", "fiber": "Fiber", "lambda": "Lambda", "httpsso": "net/http with `httpsso`",
}

func change(without, with int) string { return fmt.Sprintf("%d → %d", without, with) }

// number writes 1500000 as 1,500,000.
func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (r *report) document() string {
	plain, fetching, core := r.programs["nethttp"].size, r.programs[client].size, r.programs["core"].size
	reproduces := "The two are the same, byte for byte."
	if !r.same {
		reproduces = "**The two differ.**"
	}
	return fmt.Sprintf(page, strings.Join(flags[:2], " "), r.goVersion, r.table(),
		number(int(fetching-plain)), number(int(core-plain)), number(int(core-fetching)), number(limit), reproduces)
}

const page = "# What this library adds to a service\n" + `
Written by ` + "`make footprint`" + `; do not edit.

Each row is one small service, built twice: with its framework alone and one open route, and with this library as the README begins,
where the route demands a permission. Both stand in [tools/footprint/services](../../tools/footprint/services). They are built as by
somebody who requires the modules, from a proxy, with the frameworks at the same versions, for linux/amd64 by
` + "`CGO_ENABLED=0 go build %s -ldflags=\"-s -w\"`" + `, with %s. Sizes are in bytes of the binary.

%s
` + "`kmskeys` and `redisstore`" + ` are beside a service that has ` + "`httpsso`" + ` already; most of what they add is AWS' SDK and
the client of Redis.
Packages are those that are compiled in, the standard library's and the service's own among them; modules do not count the service's own, but those of this repository.
What go.sum names is what the go command has looked at, some of it only to choose versions or for tests.

## What the first row is measured by

A server of net/http and nothing else: [nethttp.go.txt](../../tools/footprint/services/nethttp.go.txt) has a mux, a route and
` + "`ListenAndServe`" + `. Such a program carries TLS, but the linker leaves out most of net/http's client, which fetches keys, and all of log/slog,
to which refusals go. A service that calls another one over https, and logs by slog, has both already: the same server with one
` + "`http.Get`" + ` and one ` + "`slog.Info`" + ` ([client.go.txt](../../tools/footprint/services/client.go.txt)) is %s bytes larger than without. So of the
%s bytes that core adds to the barest server, such a service pays %s. Gin, Echo and Lambda bring part of that
themselves, and the rows say what is left; Fiber, which speaks HTTP by a library of its own, brings little of it.

The command fails if ` + "`core` or `httpsso`" + ` adds more than %s bytes to the barest server.

## The same bytes from the same source

The service with ` + "`httpsso`" + ` is built a second time, in another folder, with another module cache and an empty build cache. %s
`
