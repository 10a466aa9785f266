package main

// exception is a vulnerability that would fail, and is accepted for the reason that is written beside it: as long as the
// code here comes no nearer to it than that reason says.
type exception struct {
	osv, module string
	nearest     depth
}

func (e exception) covers(f finding) bool {
	return e.osv == f.OSV && e.module == f.Trace[0].Module && f.depth() <= e.nearest
}

// accepted are those that nothing can be done about yet. Look at them again when a new database is pinned.
var accepted = []exception{
	// The mend is in v0.60.0, which asks for Go 1.26, and the released modules build with Go 1.25. They only come to
	// golang.org/x/net/http2 through a server of HTTP/2 without TLS (h2c) that Gin and Echo have, and that a service
	// starts by itself or not at all; one that does raises golang.org/x/net in its own go.mod.
	{"GO-2026-6603", "golang.org/x/net", imported},
	{"GO-2026-6610", "golang.org/x/net", imported},
	{"GO-2026-6611", "golang.org/x/net", imported},
	{"GO-2026-6612", "golang.org/x/net", imported},
	{"GO-2026-6617", "golang.org/x/net", imported},

	// The mend is said to be in v4.16.1, and no release after v4.16.0 is there. It is in Echo's middleware for proxies
	// and bodies, which nothing here uses.
	{"GO-2026-6838", "github.com/labstack/echo/v4", called},
	{"GO-2026-6839", "github.com/labstack/echo/v4", called},
	{"GO-2026-6840", "github.com/labstack/echo/v4", called},
	{"GO-2026-6842", "github.com/labstack/echo/v4", called},

	// Only version 5 has a mend. They concern Echo's rate limiter and proxy, which take a client's word for its address;
	// the reports for version 4 name no function, so that any call counts. No adapter reads such an address.
	{"GO-2026-6872", "github.com/labstack/echo/v4", called},
	{"GO-2026-6875", "github.com/labstack/echo/v4", called},
}
