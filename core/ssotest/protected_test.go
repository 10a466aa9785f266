package ssotest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestFillIn(t *testing.T) {
	for pattern, want := range map[string]string{
		"GET /orders":                    "GET /orders",
		"/orders":                        "GET /orders",
		"GET /":                          "GET /",
		"GET /{$}":                       "GET /",
		"POST /orders/{id}":              "POST /orders/x",
		"GET /files/{path...}":           "GET /files/x",
		"GET example.com/orders/{id}":    "GET /orders/x",
		"DELETE /orders/:id/lines/:line": "DELETE /orders/x/lines/x",
		"GET /files/*path":               "GET /files/x",
		"GET /files/*":                   "GET /files/x",
		"GET /files/+":                   "GET /files/x",
		"GET /from-:from-:to.json":       "GET /from-x-x.json",
		"GET /orders/:id?":               "GET /orders/x",
		"GET /orders/:id<int;min(1)>":    "GET /orders/x",
		"GET /orders/:id<int>?/lines":    "GET /orders/x/lines",
	} {
		if method, path := fillIn(pattern); method+" "+path != want {
			t.Errorf("%s: %s %s, want %s", pattern, method, path, want)
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
