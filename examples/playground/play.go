package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/servers"
)

const (
	audience = "orders-api"

	maxClaims   = 8 << 10 // in bytes; the tokens then fit into every service's limits
	maxAnswer   = 64 << 10
	sendLimit   = 30 * time.Second
	reportLimit = 2 * time.Second
)

// A playground is an issuer and the five services that accept its tokens.
type playground struct {
	issuer   *devissuer.Issuer
	services []*servers.Server
	client   *http.Client
	stop     func() error

	sending sync.Mutex // one request at a time, so that a refusal's reason is its own

	mu   sync.Mutex
	down bool
}

// start starts everything except the page.
func start(ctx context.Context) (*playground, error) {
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		return nil, err
	}
	config := sso.Config{PublicKeyURI: issuer.JWKSURL(), Audience: []string{audience}, Issuer: issuer.URL(), Wildcard: true}
	list, stop, err := servers.Start(ctx, servers.Options{Config: config}, service)
	if err != nil {
		return nil, errors.Join(err, issuer.Close())
	}
	client := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &playground{issuer: issuer, services: list, client: client, stop: stop}, nil
}

func (p *playground) close() {
	p.client.CloseIdleConnections()
	_ = p.stop()
	_ = p.issuer.Close()
}

// An order is one request that the page wants sent to all services.
type order struct {
	Claims json.RawMessage `json:"claims"`
	Flaw   string          `json:"flaw"`
	Route  string          `json:"route"`
}

// An outcome is the result of an order, as the page shows it.
type outcome struct {
	Path    string            `json:"path"`
	Sent    []string          `json:"sent"`  // the Authorization fields
	Token   string            `json:"token"` // the one in them; empty without one
	Answers []answer          `json:"answers"`
	Differ  []string          `json:"differ"` // empty: all five agree
	Why     explanation       `json:"why"`
	Code    map[string]string `json:"code"` // by server
	Curl    map[string]string `json:"curl"` // by server
}

// An answer is the answer of one service, and the reason in its log.
type answer struct {
	Server string      `json:"server"`
	Status int         `json:"status"`
	Title  string      `json:"title"` // the status in words
	Header [][2]string `json:"header"`
	Body   string      `json:"body"`
	Reason sso.Reason  `json:"reason,omitempty"`
	Error  string      `json:"error,omitempty"` // set without an answer

	cause error
}

// orderError is an error of the page or of the user who edits claims.
type orderError struct{ text string }

func (e *orderError) Error() string { return e.text }

func (p *playground) send(ctx context.Context, o order) (*outcome, error) {
	wrong, known := find(flaws, func(f flaw) bool { return f.ID == o.Flaw })
	if !known {
		return nil, &orderError{fmt.Sprintf("unknown flaw %q", o.Flaw)}
	}
	to, known := find(routes, func(r route) bool { return r.ID == o.Route })
	if !known {
		return nil, &orderError{fmt.Sprintf("unknown route %q", o.Route)}
	}
	token, err := p.mint(o.Claims, wrong)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	p.sending.Lock()
	defer p.sending.Unlock()

	out := &outcome{Path: to.Path, Sent: wrong.fields(token), Code: map[string]string{}, Curl: map[string]string{}}
	if slices.ContainsFunc(out.Sent, func(field string) bool { return strings.Contains(field, token) }) {
		out.Token = token
	}
	out.Answers = p.sendAll(ctx, to.Path, out.Sent)
	out.Differ = differences(out.Answers)
	out.Why = p.explain(ctx, to, out.Sent, out.Answers[0])
	for _, s := range p.services {
		out.Code[s.Name] = snippet(s.Name, to.Pattern)
		out.Curl[s.Name] = curl(s.URL+to.Path, out.Sent)
	}
	return out, nil
}

// mint makes a token of the claims, with the flaw.
func (p *playground) mint(text json.RawMessage, wrong flaw) (string, error) {
	if len(text) > maxClaims {
		return "", &orderError{fmt.Sprintf("these claims have %d bytes; at most %d go into a token here", len(text), maxClaims)}
	}
	var raw map[string]json.RawMessage // raw, so that numbers stay as they were written
	if err := json.Unmarshal(text, &raw); err != nil || raw == nil {
		return "", &orderError{"the claims are not a JSON object, such as {\"sub\": \"ada\"}"}
	}
	issuer, opts := p.issuer, []devissuer.TokenOption{}
	if wrong.embedsKey {
		issuer, opts = attacker(), embedKey(p.issuer)
	}
	for name, value := range raw {
		opts = append(opts, devissuer.Claim(name, value))
	}
	token, err := issuer.Token(append(opts, wrong.options...)...)
	if err != nil {
		return "", &orderError{err.Error()}
	}
	if wrong.forge != nil {
		token = wrong.forge(p.issuer, token)
	}
	return token, nil
}

func (f flaw) fields(token string) []string {
	if f.send == nil {
		return []string{"Bearer " + token}
	}
	return f.send(token)
}

// sendAll sends the same request to all services at once.
func (p *playground) sendAll(ctx context.Context, path string, authorization []string) []answer {
	answers := make([]answer, len(p.services))
	var all sync.WaitGroup
	for i, s := range p.services {
		all.Go(func() {
			answers[i] = answer{Server: s.Name, Header: [][2]string{}}
			if err := p.sendOne(ctx, s, path, authorization, &answers[i]); err != nil {
				answers[i].Error = err.Error()
			}
		})
	}
	all.Wait()
	return answers
}

func (p *playground) sendOne(ctx context.Context, s *servers.Server, path string, authorization []string, a *answer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		return err
	}
	if len(authorization) > 0 {
		request.Header["Authorization"] = authorization
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	a.Status, a.Title, a.Body = response.StatusCode, http.StatusText(response.StatusCode), string(body)
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		for _, value := range response.Header[name] {
			a.Header = append(a.Header, [2]string{name, value})
		}
	}
	if a.Status == http.StatusOK {
		return nil
	}
	report, err := s.Report(ctx)
	a.Reason, a.cause = report.Reason, report.Cause
	return err
}

// differences lists where services answered differently from the first one.
func differences(answers []answer) []string {
	list := []string{}
	first := answers[0]
	if first.Error != "" {
		list = append(list, fmt.Sprintf("%s did not answer: %s", first.Server, first.Error))
	}
	for _, a := range answers[1:] {
		switch {
		case a.Error != "":
			list = append(list, fmt.Sprintf("%s did not answer: %s", a.Server, a.Error))
		case a.Status != first.Status:
			list = append(list, fmt.Sprintf("%s answered %d where %s answered %d", a.Server, a.Status, first.Server, first.Status))
		case a.Body != first.Body:
			list = append(list, fmt.Sprintf("%s has another body than %s", a.Server, first.Server))
		case !slices.Equal(plain(a.Header), plain(first.Header)):
			list = append(list, fmt.Sprintf("%s has other headers than %s", a.Server, first.Server))
		case a.Reason != first.Reason:
			list = append(list, fmt.Sprintf("%s logs %q where %s logs %q", a.Server, a.Reason, first.Server, first.Reason))
		}
	}
	return list
}

// plain is a header without the values that may differ: the date, and how long to wait, because each service has its
// own back-off.
func plain(header [][2]string) [][2]string {
	list := slices.Clone(header)
	for i, field := range list {
		if field[0] == "Date" || field[0] == "Retry-After" {
			list[i][1] = "…"
		}
	}
	return list
}

// curl is a command that sends the same request.
func curl(url string, authorization []string) string {
	var b strings.Builder
	b.WriteString("curl -i")
	for _, field := range authorization {
		b.WriteString(" -H " + quoted("Authorization: "+field))
	}
	return b.String() + " " + url
}

// quoted quotes a text for a shell.
func quoted(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return strings.ContainsRune("\"$`\\!", r) }) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return `"` + text + `"`
}

// A state is the content of the page's live strip.
type state struct {
	Now    time.Time     `json:"now"`
	Issuer issuerState   `json:"issuer"`
	Caches []cacheStatus `json:"caches"`
}

type issuerState struct {
	URL       string   `json:"url"`
	Down      bool     `json:"down"`
	Signing   string   `json:"signing"`
	Published []string `json:"published"`
	Fetches   int      `json:"fetches"` // requests for keys that it saw, those it turned away included
}

type cacheStatus struct {
	Server string `json:"server"`
	Error  string `json:"error,omitempty"` // it could not be queried
	keys.Status
}

func (p *playground) state(ctx context.Context) state {
	ctx, cancel := context.WithTimeout(ctx, reportLimit)
	defer cancel()
	s := state{Now: time.Now(), Issuer: issuerState{
		URL: p.issuer.URL(), Down: p.isDown(), Signing: p.issuer.KeyID(), Published: p.issuer.KeyIDs(),
		Fetches: p.issuer.Stats().Fetches + p.issuer.Stats().Refused,
	}}
	for _, server := range p.services {
		report, err := server.Report(ctx)
		c := cacheStatus{Server: server.Name, Status: report.Keys}
		if err != nil {
			c.Error = err.Error()
		}
		s.Caches = append(s.Caches, c)
	}
	return s
}

func (p *playground) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *playground) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down = down; down {
		p.issuer.Down()
	} else {
		p.issuer.Up()
	}
}

// readJSON reads one JSON value and nothing after it.
func readJSON(r io.Reader, into any) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}
