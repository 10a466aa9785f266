package ssotest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestRequestsOf(t *testing.T) {
	for pattern, want := range map[string]string{
		"GET /orders":                    "GET /orders",
		"/orders":                        "GET /orders, POST /orders, PUT /orders, PATCH /orders, DELETE /orders",
		"GET /":                          "GET /, GET /x",
		"GET /{$}":                       "GET /",
		"POST /orders/{id}":              "POST /orders/x, POST /orders/1",
		"GET /files/{path...}":           "GET /files/x, GET /files/1, GET /files/x/y",
		"GET example.com/orders/{id}":    "GET example.com/orders/x, GET example.com/orders/1",
		"DELETE /orders/:id/lines/:line": "DELETE /orders/x/lines/x, DELETE /orders/1/lines/1",
		"GET /files/*path":               "GET /files/x, GET /files/1",
		"GET /files/*":                   "GET /files/x, GET /files/1, GET /files/x/y",
		"GET /files/+":                   "GET /files/x, GET /files/1",
		"GET /from-:from-:to.json":       "GET /from-x-x.json, GET /from-1-1.json",
		"GET /orders/:id?":               "GET /orders/x, GET /orders/1",
		"GET /orders/:id<int;min(1)>":    "GET /orders/x, GET /orders/1",
		"GET /orders/:id<int>?/lines":    "GET /orders/x/lines, GET /orders/1/lines",
		"USE /admin":                     "GET /admin, GET /admin/x, POST /admin, POST /admin/x",
		"echo_route_not_found /api/*":    "GET /api/x, GET /api/1, GET /api/x/y, POST /api/x, POST /api/1, POST /api/x/y",
	} {
		var got []string
		for _, r := range requestsOf(pattern) {
			got = append(got, r.method+" "+strings.TrimPrefix(r.host, noHost)+r.path)
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s, want %s", pattern, text, want)
		}
	}
}

// recorder is a testing.TB that records its messages.
type recorder struct {
	testing.TB
	notes []string
}

func (r *recorder) Helper() {}

func (r *recorder) Logf(format string, args ...any) {
	r.notes = append(r.notes, "log: "+fmt.Sprintf(format, args...))
}

func (r *recorder) Errorf(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func TestAssertProtected(t *testing.T) {
	answer := func(status int, challenge string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if challenge != "" {
				w.Header().Set("WWW-Authenticate", challenge)
			}
			w.WriteHeader(status)
		}
	}
	var called int
	mux := http.NewServeMux()
	mux.HandleFunc("GET /guarded/{id}", answer(401, "Bearer"))
	mux.HandleFunc("GET /realm", answer(401, `Bearer realm="orders"`))
	mux.HandleFunc("GET /open", answer(200, ""))
	mux.HandleFunc("GET /challenged", answer(200, "Bearer"))
	mux.HandleFunc("GET /own", answer(401, ""))
	mux.HandleFunc("GET /basic", answer(401, "Basic"))
	mux.HandleFunc("GET /bearerish", answer(401, "BearerX"))
	mux.HandleFunc("GET /forbidden", answer(403, `Bearer error="insufficient_scope"`))
	mux.HandleFunc("POST /broken", answer(500, ""))
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) { called++ })
	mux.HandleFunc("GET /panics", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	do := Serve(t, mux)
	for _, test := range []struct {
		name           string
		routes, public []string
		want           []string // what is noted, in order
	}{
		{"guarded routes", []string{"GET /guarded/{id}", "GET /realm"}, nil, nil},
		{"and a public route", []string{"GET /guarded/{id}", "GET /health"}, []string{"GET /health"}, nil},
		{"an open route", []string{"GET /guarded/{id}", "GET /open"}, nil, []string{`"GET /open" is open`}},
		{"an open route beside a public one", []string{"GET /open", "GET /health"}, []string{"GET /health"}, []string{`"GET /open" is open`}},
		{"success with a challenge", []string{"GET /challenged"}, nil, []string{"is open"}},
		{"a handler's own 401", []string{"GET /own"}, nil, []string{"is open"}},
		{"another scheme's 401", []string{"GET /basic", "GET /bearerish"}, nil, []string{"is open", "is open"}},
		{"403", []string{"GET /forbidden"}, nil, []string{"is open"}},
		{"500", []string{"POST /broken"}, nil, []string{"is open"}},
		{"an unknown route", []string{"GET /nowhere"}, nil, []string{`no such route: "GET /nowhere": an anonymous GET /nowhere was answered with 404`}},
		{"a route of another method", []string{"DELETE /realm"}, nil, []string{"no such route: \"DELETE /realm\": an anonymous DELETE /realm was answered with 405"}},
		{"a public route and its HEAD", []string{"GET /health", "HEAD /health", "GET /realm"}, []string{"GET /health"}, nil},
		{"a public HEAD does not include GET", []string{"GET /open", "HEAD /open"}, []string{"HEAD /open"}, []string{`"GET /open" is open`}},
		{"a public POST does not include HEAD", []string{"POST /broken", "HEAD /open"}, []string{"POST /broken"}, []string{`"HEAD /open" is open`}},
		{"a handler that panics", []string{"GET /panics"}, nil, []string{`"GET /panics" is open: an anonymous GET /panics ended the connection (EOF)`}},
		{"a route that is listed twice", []string{"GET /open", "GET /open"}, nil, []string{"is open"}},
		{"an unknown public route", []string{"GET /realm"}, []string{"GET /helth"}, []string{`"GET /helth" is listed as public and is not a route`}},
		{"a public route of another method", []string{"POST /health"}, []string{"GET /health"}, []string{"is not a route", "no such route"}},
		{"no routes", nil, nil, []string{"nothing was checked"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			notes := &recorder{TB: t}
			AssertProtected(notes, test.routes, do, test.public...)
			if len(notes.notes) != len(test.want) {
				t.Fatalf("noted %q, want %q", notes.notes, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(notes.notes[i], want) {
					t.Errorf("noted %q, want %q", notes.notes[i], want)
				}
			}
		})
	}
	if called > 0 {
		t.Error("a public route was called")
	}
	t.Run("a request that fails", func(t *testing.T) {
		notes := &recorder{TB: t}
		AssertProtected(notes, []string{"GET /"}, func(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed })
		if len(notes.notes) != 1 || !strings.Contains(notes.notes[0], "Server closed") {
			t.Errorf("noted %q", notes.notes)
		}
	})
}

func TestAssertProtected_Panic(t *testing.T) {
	do := InProcess(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no principal") }))
	notes := &recorder{TB: t}
	AssertProtected(notes, []string{"POST /orders", "GET /orders"}, do)
	if len(notes.notes) != 2 || !strings.Contains(notes.notes[0], `"POST /orders" is open: its handler was reached by an anonymous POST /orders and panicked (no principal)`) {
		t.Errorf("noted %q", notes.notes)
	}
}

func TestOpenRoutes(t *testing.T) {
	do := InProcess(http.NotFoundHandler())
	notes := &recorder{TB: t}
	if open := OpenRoutes(notes, []string{"GET /orders"}, do); len(open) != 1 { // 404 is not a refusal
		t.Errorf("open: %q", open)
	}
	if len(notes.notes) != 1 || !strings.Contains(notes.notes[0], "no such route") {
		t.Errorf("noted %q", notes.notes)
	}
}

func TestEndpoints(t *testing.T) {
	got := Endpoints([]string{"a", "b", "a"}, func(s string) string { return "GET /" + s })
	if fmt.Sprint(got) != "[GET /a GET /b]" {
		t.Error(got)
	}
}

func reject(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	w.WriteHeader(http.StatusUnauthorized)
}

func accept(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "in ", r.Method) }

// In net/http another pattern may answer a request for a route that is open.
func TestAssertProtected_OtherPattern(t *testing.T) {
	for name, c := range map[string]struct {
		guarded, open string
		around        bool // the open one has other spellings of the guarded one
	}{
		"any method beside GET":          {"GET /orders", "/orders", false},
		"below a path beside its end":    {"/admin/{$}", "/admin/", true},
		"several segments beside one":    {"GET /files/{id}", "GET /files/{path...}", true},
		"any host beside one":            {"example.com/orders", "/orders", false},
		"any value beside one":           {"GET /orders/x", "GET /orders/{id}", false},
		"any value beside another":       {"GET /orders/1", "GET /orders/{id}", false},
		"one value beside any":           {"GET /orders/{id}", "GET /orders/x", false},
		"one host beside any":            {"/orders", "example.org/orders", false},
		"another method":                 {"GET /orders", "POST /orders", false},
		"everything, and everything GET": {"GET /", "/", true},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc(c.guarded, reject)
			mux.HandleFunc(c.open, accept)
			for _, do := range []Do{InProcess(mux), Serve(t, mux)} {
				notes := &recorder{TB: t}
				AssertProtected(notes, []string{c.guarded, c.open}, do)
				if len(notes.notes) == 0 || !strings.Contains(strings.Join(notes.notes, "\n"), fmt.Sprintf("%q is open", c.open)) {
					t.Errorf("noted %q", notes.notes)
				}
				notes = &recorder{TB: t}
				AssertProtected(notes, []string{c.guarded, c.open}, do, c.open)
				if len(notes.notes) > 0 && !c.around {
					t.Errorf("with the open one as public: %q", notes.notes)
				}
			}
		})
	}
}

// No request for the open route may reach it if the other patterns have its usual values, methods or depths.
func TestAssertProtected_ManyPatterns(t *testing.T) {
	for name, c := range map[string]struct {
		guarded []string
		open    string
	}{
		"all usual values":             {[]string{"GET /orders/x", "GET /orders/1"}, "GET /orders/{id}"},
		"all usual values within":      {[]string{"GET /orders/x/lines", "GET /orders/1/lines"}, "GET /orders/{id}/lines"},
		"all usual methods":            {[]string{"GET /orders", "POST /orders", "PUT /orders", "PATCH /orders", "DELETE /orders"}, "/orders"},
		"one and two segments":         {[]string{"GET /files/{a}", "GET /files/{a}/{b}"}, "GET /files/{path...}"},
		"up to three segments, at all": {[]string{"/{a}", "/{a}/{b}", "/{a}/{b}/{c}"}, "/"},
		"the end and one segment":      {[]string{"/admin/{$}", "/admin/{a}"}, "/admin/"},
		"a host":                       {[]string{"example.com/orders/x", "example.com/orders/1", "/orders/{id}"}, "example.com/orders/{id}"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			for _, pattern := range c.guarded {
				mux.HandleFunc(pattern, reject)
			}
			mux.HandleFunc(c.open, accept)
			for _, do := range []Do{InProcess(mux), Serve(t, mux)} {
				notes := &recorder{TB: t}
				AssertProtected(notes, append(c.guarded, c.open), do)
				if !strings.Contains(strings.Join(notes.notes, "\n"), fmt.Sprintf("%q is open: ", c.open)) {
					t.Errorf("noted %q", notes.notes)
				}
			}
			mux = http.NewServeMux()
			for _, pattern := range append(c.guarded, c.open) {
				mux.HandleFunc(pattern, reject)
			}
			AssertProtected(t, append(c.guarded, c.open), InProcess(mux))
		})
	}
}

// The page of an app for every unknown path does not make a guarded route an open one.
func TestAssertProtected_Fallback(t *testing.T) {
	for name, c := range map[string]struct {
		routes   []string // the last one may be public
		rejected []string
		want     int
	}{
		"a path that ends with a slash": {[]string{"GET /api/", "GET /app/:page"}, []string{"/api/{$}"}, 0},
		"the root":                      {[]string{"GET /", "GET /app/:page"}, []string{"/{$}"}, 0},
		"values that do not fit":        {[]string{"GET /orders/:id<int>", "GET /*"}, []string{"/orders/1"}, 0},
		"middleware of a prefix":        {[]string{"USE /legacy", "GET /*"}, []string{"/legacy"}, 0},
		"values that all reach it":      {[]string{"GET /orders/:id", "GET /app/:page"}, nil, 1},
		"an open path":                  {[]string{"GET /orders", "GET /app/:page"}, nil, 1},
		"net/http, below a path":        {[]string{"/admin/{$}", "/admin/", "/"}, []string{"/admin/{$}"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "the app") })
			for _, path := range c.rejected {
				mux.HandleFunc(path, reject)
			}
			notes := &recorder{TB: t}
			AssertProtected(notes, c.routes, InProcess(mux), c.routes[len(c.routes)-1])
			if len(notes.notes) != c.want {
				t.Errorf("noted %q", notes.notes)
			}
		})
	}
}

// Each slash of a path is tried, and a handler of Use below its path.
func TestAssertProtected_EachSlash(t *testing.T) {
	for _, open := range []string{"/api//admin/users", "/api/./admin/users", "/api%2Fadmin/users", "/api/x/%2e%2e/admin/users", "/api/admin%2Fusers", "//api/admin/users"} {
		notes := &recorder{TB: t}
		AssertProtected(notes, []string{"GET /api/admin/users"}, InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.EscapedPath() {
			case open:
				accept(w, r)
			case "/api/admin/users":
				reject(w, r)
			default:
				http.NotFound(w, r)
			}
		})))
		if len(notes.notes) != 1 || !strings.Contains(notes.notes[0], "another spelling") {
			t.Errorf("%s: noted %q", open, notes.notes)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", accept)
	mux.HandleFunc("HEAD /{$}", reject)
	AssertProtected(t, []string{"HEAD /", "GET /health", "GET /*"}, InProcess(mux), "GET /health", "GET /*")
	mux.HandleFunc("/legacy/{page}", accept)
	notes := &recorder{TB: t}
	AssertProtected(notes, []string{"USE /legacy"}, InProcess(mux))
	if len(notes.notes) != 1 {
		t.Errorf("a handler of Use that answers below its path: %q", notes.notes)
	}
}

// A tree of files, or a router that decodes or cleans paths after the guard, opens other spellings.
func TestAssertProtected_Bypass(t *testing.T) {
	guarded := func(bypass func(*http.Request) bool, fallback http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case bypass(r):
				accept(w, r)
			case r.URL.EscapedPath() == "/admin/users":
				reject(w, r)
			default:
				fallback(w, r)
			}
		})
	}
	never := func(*http.Request) bool { return false }
	spelled := func(path string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.URL.EscapedPath() == path }
	}
	count := 0
	for name, c := range map[string]struct {
		handler http.Handler
		want    string
	}{
		"404 for others":        {guarded(never, http.NotFound), ""},
		"a page for every path": {guarded(never, accept), ""},
		"a page that changes":   {guarded(never, func(w http.ResponseWriter, _ *http.Request) { count++; _, _ = fmt.Fprint(w, count) }), "another spelling"},
		"two slashes":           {guarded(spelled("//admin/users"), http.NotFound), "another spelling"},
		"two slashes within":    {guarded(spelled("/admin//users"), http.NotFound), "another spelling"},
		"a dot":                 {guarded(spelled("/./admin/users"), http.NotFound), "another spelling"},
		"an encoded slash":      {guarded(spelled("/admin%2Fusers"), http.NotFound), "another spelling"},
		"encoded dots":          {guarded(spelled("/x/%2e%2e/admin/users"), http.NotFound), "another spelling"},
		"a header":              {guarded(func(r *http.Request) bool { return r.Header.Get("X-HTTP-Method-Override") == "DELETE" }, http.NotFound), "an override"},
		"another header, by GET": {guarded(func(r *http.Request) bool {
			return r.Method == http.MethodGet && r.Header.Get("X-Method-Override") == "DELETE"
		}, http.NotFound), "an override"},
		"a parameter, by POST": {guarded(func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.URL.Query().Get("_method") == "DELETE"
		}, http.NotFound), "an override"},
		"GET is public": {guarded(func(r *http.Request) bool { return r.Method == http.MethodGet }, http.NotFound), ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, do := range []Do{InProcess(c.handler), Serve(t, c.handler)} {
				notes := &recorder{TB: t}
				AssertProtected(notes, []string{"DELETE /admin/users"}, do)
				if (len(notes.notes) > 0) != (c.want != "") || c.want != "" && !strings.Contains(notes.notes[0], c.want) {
					t.Errorf("noted %q, want %q", notes.notes, c.want)
				}
			}
		})
	}
	handler := guarded(spelled("//admin/users"), http.NotFound)
	panicking := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spelled("//admin/users")(r) {
			panic("no principal")
		}
		handler.ServeHTTP(w, r)
	})
	notes := &recorder{TB: t}
	AssertProtected(notes, []string{"DELETE /admin/users"}, InProcess(panicking))
	if len(notes.notes) != 1 {
		t.Errorf("a handler that panics: %q", notes.notes)
	}
}

func TestAssertProtected_Middleware(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/guarded", reject)
	mux.HandleFunc("/open", accept)
	for route, want := range map[string]bool{"USE /nothing": true, "USE /guarded": true, "USE /open": false, "echo_route_not_found /nothing": true, "echo_route_not_found /open": false} {
		notes := &recorder{TB: t}
		AssertProtected(notes, []string{route}, InProcess(mux))
		if (len(notes.notes) == 0) != want {
			t.Errorf("%s: %q", route, notes.notes)
		}
	}
}
