package adapter_test

import (
	"testing"

	"github.com/more-retail/moresso-go/core/adapter"
)

func TestEventRequest(t *testing.T) {
	for _, test := range []struct {
		name  string
		r     adapter.EventRequest
		field string
		first string
		n     int
	}{
		{"a field", adapter.EventRequest{Fields: map[string]string{"x-a": "1"}}, "X-A", "1", 1},
		{"a field in mixed case", adapter.EventRequest{Fields: map[string]string{"xA": "1"}}, "Xa", "1", 1},
		{"no such field", adapter.EventRequest{Fields: map[string]string{"x-a": "1"}}, "X-B", "", 0},
		{"one field under two spellings", adapter.EventRequest{Fields: map[string]string{"x-a": "1", "X-A": "1"}}, "X-A", "1", 2},
		{"several values, of which one is in both", adapter.EventRequest{Fields: map[string]string{"x-a": "2"}, MultiFields: map[string][]string{"x-a": {"1", "2"}}}, "X-A", "1", 2},
		{"a field that has no values", adapter.EventRequest{Fields: map[string]string{"x-a": "2"}, MultiFields: map[string][]string{"x-a": {}}}, "X-A", "2", 1},
		{"credentials joined by a comma", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"authorization": "Bearer a,Bearer b"}}, "Authorization", "Bearer a,Bearer b", 2},
		{"credentials of another scheme, with a comma of their own", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"authorization": "Digest a=b, c=d"}}, "Authorization", "Digest a=b, c=d", 1},
		{"another scheme joined with ours", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"authorization": "Digest a=b,Bearer c"}}, "Authorization", "Digest a=b,Bearer c", 2},
		{"two words joined by a comma", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"authorization": "a,b"}}, "Authorization", "a,b", 2},
		{"two schemes joined by a comma", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"authorization": "Basic,Digest a=b"}}, "Authorization", "Basic,Digest a=b", 2},
		{"no scheme before a comma", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"authorization": " a,b"}}, "Authorization", " a,b", 2},
		{"a comma without joining", adapter.EventRequest{Fields: map[string]string{"authorization": "Bearer a,Bearer b"}}, "Authorization", "Bearer a,Bearer b", 1},
		{"a comma in another field", adapter.EventRequest{JoinsFields: true, Fields: map[string]string{"accept": "a,b"}}, "Accept", "a,b", 1},
		{"separate cookies", adapter.EventRequest{Cookies: []string{"a=1", "b=2"}}, "cookie", "a=1; b=2", 1},
		{"cookies in pieces", adapter.EventRequest{MultiFields: map[string][]string{"cookie": {"a=1", "b=2"}}}, "Cookie", "a=1; b=2", 1},
	} {
		if first, n := test.r.Header(test.field); first != test.first || n != test.n {
			t.Errorf("%s: %q %d, want %q %d", test.name, first, n, test.first, test.n)
		}
	}
	r := adapter.EventRequest{HTTPMethod: "PUT", Route: "/a/{id}", PathValues: map[string]string{"id": "7"}, Path: "/a/7", Query: "b=c", Fields: map[string]string{"HOST": "h:1"}}
	if r.Method() != "PUT" || r.Pattern() != "/a/{id}" || r.PathValue("id") != "7" || r.PathValue("x") != "" || r.Host() != "h:1" || r.RequestURI() != "/a/7?b=c" {
		t.Errorf("%+v", r)
	}
	if uri := (adapter.EventRequest{Path: "/a"}).RequestURI(); uri != "/a" {
		t.Error(uri)
	}
}
