// Package frameworks tests real servers in every framework with an adapter, all with the same configuration: Gin,
// Echo, Fiber, net/http, and Lambda with API Gateway's HTTP API and REST API.
//
// All serve the same two routes, /me for any valid token and /admin for the permission pma.role, and answer with
// the principal that the handler was given.
package frameworks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/servers"
)

// The routes of every server, for GET.
const (
	Me    = "/me"    // for any valid token
	Admin = "/admin" // for a token with permissions.pma.role "admin"
)

// requestLimit bounds one request to a server.
const requestLimit = 30 * time.Second

// settings configure every server.
type settings struct {
	PublicKeyURI string
	Issuer       string
	Audience     []string
	Leeway       time.Duration
	// clock is the clock of the servers. If nil, they use the real time.
	Clock *clock
}

// server is a running service.
type server struct {
	*servers.Server
	client   *http.Client
	refusals atomic.Int64 // problem documents
	accepted atomic.Int64 // answers with 200
}

// answer is the answer of a server. Servers behave alike if their answers are equal.
type answer struct {
	Status int
	Header http.Header // without Date
	Body   string
	// Reason is the reason in the service's log. It is empty if nothing was refused.
	Reason string
}

// adminOnly is the permission for [Admin].
func adminOnly() sso.Permission { return permission.Is("pma.role", "admin") }

var service = servers.Routes(
	servers.Route{Path: Me, Handle: greeting},
	servers.Route{Path: Admin, Permission: adminOnly(), Handle: greeting},
)

// greeting is the answer of a handler to a principal.
func greeting(p *sso.Principal, ok bool) string {
	body, err := json.Marshal(map[string]any{
		"known":    ok,
		"subject":  p.Subject(),
		"issuer":   p.Issuer(),
		"audience": p.Audience(),
	})
	if err != nil {
		panic(err) // strings have a JSON form
	}
	return string(body)
}

// runFunction runs the Lambda function that this process was started for, if any. TestMain calls it first.
func runFunction() {
	functions := service.Functions()
	maps.Copy(functions, handlers)
	servers.RunFunction(functions, setClock)
}

// start starts all servers, until the test ends. It then fails if a handler has seen a refused request.
func start(tb testing.TB, s settings) []*server {
	tb.Helper()
	started, stop, err := servers.Start(tb.Context(), options(tb, s), service)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := stop(); err != nil {
			tb.Error(err)
		}
	})
	all := make([]*server, len(started))
	for i, one := range started {
		all[i] = &server{Server: one, client: &http.Client{Transport: &http.Transport{}}}
		tb.Cleanup(func() { all[i].end(tb) })
	}
	return all
}

// options logs into the test.
func options(tb testing.TB, s settings) servers.Options {
	o := servers.Options{Stderr: tb.Output(), Config: sso.Config{
		PublicKeyURI: s.PublicKeyURI, Issuer: s.Issuer, Audience: s.Audience, Leeway: s.Leeway,
		Logger: slog.New(slog.NewJSONHandler(tb.Output(), nil)),
	}}
	if s.Clock != nil {
		o.Config.Now = clockAt(s.Clock.path)
		o.Env = []string{clockVariable + "=" + s.Clock.path}
	}
	return o
}

func (s *server) end(tb testing.TB) {
	handled, err := s.get(context.Background(), servers.Handled) // the test's own has ended
	if want := strconv.FormatInt(s.accepted.Load(), 10); err != nil || handled.Body != want {
		tb.Errorf("%s: the handlers ran %s times (%v), want once for each accepted request, %s", s.Name, handled.Body, err, want)
	}
	s.client.CloseIdleConnections() // the server may wait for that when it ends
}

// Get sends a request with these Authorization fields.
func (s *server) Get(ctx context.Context, path string, authorization ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	a, err := s.get(ctx, path, authorization...)
	if err != nil {
		return a, err
	}
	if a.Status == http.StatusOK {
		s.accepted.Add(1)
	}
	if a.Header.Get("Content-Type") == "application/problem+json" {
		want := s.refusals.Add(1)
		report, err := s.Report(ctx)
		if err != nil || int64(report.Refusals) != want {
			return a, fmt.Errorf("the log has %d refusals, want %d (%w)", report.Refusals, want, err)
		}
		a.Reason = string(report.Reason)
	}
	return a, nil
}

func (s *server) get(ctx context.Context, path string, authorization ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	for _, value := range authorization {
		req.Header.Add("Authorization", value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	res.Header.Del("Date")
	return answer{Status: res.StatusCode, Header: res.Header, Body: string(body)}, err
}
