package adapter_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/adapter"
)

func TestHTTPRequest_Decode(t *testing.T) {
	for name, test := range map[string]struct{ target, value, want string }{
		"plain":                            {"/users/ada", "ada", "ada"},
		"decoded by the router":            {"/users/a%2Fda", "a/da", "a/da"},
		"as it was sent":                   {"/users/a%2Fda", "a%2Fda", "a/da"},
		"decoded, with a per cent":         {"/users/a%2525%2Fda", "a%25/da", "a%25/da"},
		"not to be decoded":                {"/users/a%2Fda", "%zz", ""},
		"of neither form, in a plain path": {"/users/ada", "%61da", "%61da"},
		"plain, twice in an encoded path":  {"/users/ada/files/ada%2F1", "ada", "ada"},
		"of neither form":                  {"/users/a%2Fda", "b%61", ""},
		"a copy elsewhere makes it doubt":  {"/users/%61da/files/%2561da", "%61da", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := adapter.HTTPRequest{R: httptest.NewRequest(http.MethodGet, test.target, http.NoBody)}
			if got := r.Decode(test.value); got != test.want {
				t.Errorf("%q in %q is %q, want %q", test.value, test.target, got, test.want)
			}
		})
	}
}

func TestHTTPRequest_Header(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://orders.example/", http.NoBody)
	r.Header["Cookie"] = []string{"a=1", "b=2"}
	r.Header["X-Twice"] = []string{"1", "2"}
	for name, want := range map[string]struct {
		first string
		n     int
	}{"host": {"orders.example", 1}, "COOKIE": {"a=1; b=2", 1}, "x-twice": {"1", 2}, "X-None": {"", 0}} {
		if first, n := (adapter.HTTPRequest{R: r}).Header(name); first != want.first || n != want.n {
			t.Errorf("%s: %q, %d", name, first, n)
		}
	}
}
