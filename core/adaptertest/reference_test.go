package adaptertest_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// mutationVariable names a mutation of the reference adapter, which is the smallest that passes the suite.
// The mutations are common mistakes of adapters. The suite must find each.
const mutationVariable = "ADAPTERTEST_MUTATION"

type mutation struct {
	name string
	want string // the case that must fail, as in the name of its subtest
}

var mutations = []mutation{
	{"runs the handler of a refused request", "no_token"},
	{"reads only the first Authorization field", "two_Authorization_fields"},
	{"drops the request's context", "a_valid_token"},
	{"leaves the framework's store empty", "a_valid_token"},
	{"answers 400 for a missing token", "no_token"},
	{"puts the cause into the body", "a_permission_that_fails"},
	{"omits the challenge", "an_expired_token"},
	{"omits Cache-Control", "an_expired_token"},
	{"omits Retry-After", "no_keys"},
	{"ignores TokenFrom", "a_token_in_a_cookie"},
	{"ignores TokenInContext", "a_token_for_the_handler"},
	{"reports another host", "a_cookie_by_POST,_with_the_Origin_of_another_site"},
	{"omits the query", "a_token_in_the_query"},
	{"accepts an invalid token if Optional", "Optional:_an_invalid_token"},
	{"does not check the permission", "a_permission_that_is_not_granted"},
	{"does not decode path values", "what_a_permission_sees_of_the_request"},
	{"decodes path values twice", "a_path_value_that_is_encoded_twice"},
	{"calls a nil Denied", "a_permission_that_is_not_granted"},
	{"keeps the first principal", "principals_do_not_mix"},
	{"sends nothing if Denied writes nothing", "WithDenied_that_writes_nothing"},
	{"does not recover a panic of Denied", "WithDenied_that_panics"},
}

func TestReferenceAdapter(t *testing.T) {
	adaptertest.TestAdapter(t, openReference)
}

func TestReferenceAdapter_Mutations(t *testing.T) {
	if os.Getenv(mutationVariable) != "" {
		t.Skip("this is a mutated run itself")
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReferenceAdapter$", "-test.v")
			run.Env = append(os.Environ(), mutationVariable+"="+m.name)
			output, err := run.CombinedOutput()
			if err == nil {
				t.Fatal("the suite passed")
			}
			if !strings.Contains(string(output), "--- FAIL: TestReferenceAdapter/"+m.want+" ") {
				t.Errorf("the case %s passed:\n%s", m.want, output)
			}
		})
	}
}

func openReference(tb testing.TB, routes []adaptertest.Route) ssotest.Do {
	tb.Helper()
	mux := http.NewServeMux()
	for _, route := range routes {
		handler := func(w http.ResponseWriter, r *http.Request, stored *sso.Principal) {
			_, _ = io.WriteString(w, route.Handle(r.Context(), stored, stored != nil))
		}
		for i := range route.Layers {
			handler = reference{route.Layers[len(route.Layers)-1-i], os.Getenv(mutationVariable)}.guard(handler)
		}
		mux.HandleFunc(route.Path, func(w http.ResponseWriter, r *http.Request) { handler(w, r, nil) })
	}
	return ssotest.Serve(tb, mux)
}

// handler is a handler of the reference framework, whose store is an argument.
type handler = func(w http.ResponseWriter, r *http.Request, stored *sso.Principal)

type reference struct {
	layer  adaptertest.Layer
	broken string
}

var firstPrincipal *sso.Principal // for the mutation that keeps it

func (g reference) guard(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request, _ *sso.Principal) {
		ctx, err := g.check(r.Context(), request{adapter.HTTPRequest{R: r}, g.broken})
		if err != nil {
			g.refuse(w, err)
			if g.broken == "runs the handler of a refused request" {
				next(w, r, nil)
			}
			return
		}
		principal, _ := sso.FromContext(ctx)
		switch g.broken {
		case "drops the request's context":
			ctx = r.Context()
		case "leaves the framework's store empty":
			principal = nil
		case "keeps the first principal":
			if firstPrincipal == nil {
				firstPrincipal = principal
			}
			principal = firstPrincipal
		}
		next(w, r.WithContext(ctx), principal)
	}
}

func (g reference) check(ctx context.Context, r sso.Request) (context.Context, error) {
	auth := g.layer.Auth
	if len(g.layer.TokenFrom) > 0 && g.broken != "ignores TokenFrom" {
		auth = auth.TokenFrom(g.layer.TokenFrom...)
	}
	if g.layer.TokenInContext && g.broken != "ignores TokenInContext" {
		auth = auth.TokenInContext()
	}
	switch {
	case g.layer.Permission != nil:
		if g.broken == "does not check the permission" {
			return auth.Authenticate(ctx, r)
		}
		return auth.Authorize(ctx, r, g.layer.Permission)
	case g.layer.Optional:
		next, err := auth.AuthenticateOptional(ctx, r)
		if err != nil && g.broken == "accepts an invalid token if Optional" {
			return ctx, nil
		}
		return next, err
	default:
		return auth.Authenticate(ctx, r)
	}
}

func (g reference) refuse(w http.ResponseWriter, cause error) {
	d := sso.DenialOf(cause)
	switch g.broken {
	case "answers 400 for a missing token":
		if d.Code == sso.CodeMissingToken {
			d.Status = http.StatusBadRequest
		}
	case "puts the cause into the body":
		d.Body = append(d.Body, cause.Error()...)
	case "omits the challenge":
		d.Header.Del("WWW-Authenticate")
	case "omits Cache-Control":
		d.Header.Del("Cache-Control")
	case "omits Retry-After":
		d.Header.Del("Retry-After")
	}
	write := func(body string) {
		maps.Copy(w.Header(), d.Header)
		w.WriteHeader(d.Status)
		_, _ = io.WriteString(w, body)
	}
	if g.layer.Denied == nil && g.broken != "calls a nil Denied" {
		write(string(d.Body))
		return
	}
	written := false
	custom := func() { g.layer.Denied(d, func(body string) { written = true; write(body) }) }
	if g.broken == "does not recover a panic of Denied" {
		custom()
		return
	}
	sent := func() bool { return written || g.broken == "sends nothing if Denied writes nothing" }
	adapter.Draw(g.layer.Auth, custom, sent, sent, func() { write(string(d.Body)) })
}

type request struct {
	adapter.HTTPRequest
	broken string
}

func (r request) Pattern() string { return r.R.Pattern }

func (r request) PathValue(name string) string {
	switch value := r.R.PathValue(name); r.broken {
	case "does not decode path values":
		return strings.ReplaceAll(value, " ", "%20")
	case "decodes path values twice":
		decoded, _ := url.PathUnescape(value)
		return decoded
	default:
		return value
	}
}

func (r request) Header(name string) (string, int) {
	first, n := r.HTTPRequest.Header(name)
	if r.broken == "reads only the first Authorization field" {
		n = min(n, 1)
	}
	return first, n
}

func (r request) Host() string {
	if r.broken == "reports another host" {
		return "evil.example"
	}
	return r.HTTPRequest.Host()
}

func (r request) RequestURI() string {
	if r.broken == "omits the query" {
		return r.R.URL.Path
	}
	return r.HTTPRequest.RequestURI()
}
