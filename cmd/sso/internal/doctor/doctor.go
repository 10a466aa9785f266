// Package doctor checks a configuration and the provider that it names.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// Level grades a finding.
type Level string

// The levels.
const (
	Green  Level = "green"  // no problem
	Yellow Level = "yellow" // works, but is fragile or less safe than possible
	Red    Level = "red"    // valid tokens are refused, or invalid ones would be accepted
)

// Finding is the result of one check.
type Finding struct {
	Level  Level  `json:"level"`
	Topic  string `json:"topic"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// Setting is the value of a setting.
type Setting struct {
	Name  string `json:"name"`  // the environment variable
	Value string `json:"value"` // redacted
	From  string `json:"from"`  // the variable or flag that was set; "default"
}

// Report is the result of all checks.
type Report struct {
	Level    Level     `json:"level"` // the worst of the findings
	Source   string    `json:"source,omitempty"`
	Provider *Provider `json:"provider,omitempty"` // nil if it was not recognized
	Settings []Setting `json:"settings"`
	Keys     []Key     `json:"keys"`
	Findings []Finding `json:"findings"`
}

// Question is the configuration to check.
type Question struct {
	Config   sso.Config
	Err      error               // of reading the configuration
	Unknown  []sso.ConfigProblem // variables that a service refuses, because it does not know them
	Settings []Setting
	Token    explain.Input // to check with these settings, unless it is empty
	Client   *http.Client  // nil: a client like the library's own
	Now      func() time.Time
}

// An examination builds a report.
type examination struct {
	Report
	cfg        sso.Config
	input      explain.Input
	algorithms []string
	now        func() time.Time
}

func (e *examination) add(level Level, topic, remedy, format string, args ...any) {
	e.Findings = append(e.Findings, Finding{Level: level, Topic: topic, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// Examine checks the configuration, and fetches the keys once from the configured source.
func Examine(ctx context.Context, q Question) *Report {
	client, line := record(q.Client, q.Now)
	q.Config.HTTPClient, q.Config.Logger = client, slog.New(slog.DiscardHandler)
	e := &examination{cfg: q.Config, input: q.Token, algorithms: q.Config.Algorithms, now: q.Now, Report: Report{Level: Green, Settings: q.Settings, Keys: []Key{}}}
	if len(e.algorithms) == 0 {
		e.algorithms = []string{"RS256"}
	}
	if q.Err == nil {
		var auth *sso.Authenticator
		if auth, q.Err = sso.New(q.Config); q.Err == nil { //nolint:contextcheck // it takes none: it reads a key file at once
			_ = auth.Close()
		}
	}
	e.configuration(q.Err, q.Unknown)
	if source, err := e.open(); err == nil { //nolint:contextcheck // as above
		e.Source = source.String()
		e.fetch(ctx, source, line)
	} else {
		e.add(Red, "keys", "fix the settings above", "no keys were fetched, because the settings do not say where they are")
		e.provider(nil)
	}
	if !q.Token.Empty() && !slices.ContainsFunc(e.Findings, func(f Finding) bool { return f.Topic == "token" }) {
		e.add(Red, "token", "fix what is red above", "the token was not checked, because the settings or the keys are not usable")
	}
	for _, f := range e.Findings {
		if f.Level == Red || f.Level == Yellow && e.Level == Green {
			e.Level = f.Level
		}
	}
	return &e.Report
}

// configuration reports the library's errors, and settings that weaken it.
func (e *examination) configuration(err error, problems []sso.ConfigProblem) {
	if invalid, ok := errors.AsType[*sso.ConfigError](err); ok {
		problems = append(invalid.Problems, problems...)
	} else if err != nil {
		e.add(Red, "settings", "fix what the error names", "%v", err)
	}
	for _, p := range problems {
		e.add(Red, p.Setting, p.Remedy, "%s", p.Problem)
	}
	if err == nil && len(problems) == 0 {
		e.add(Green, "settings", "", "a service starts with them")
	}
	c := e.cfg
	if c.InsecureAllowHTTP {
		e.add(Yellow, "InsecureAllowHTTP", "remove it, and write https://", "keys may be fetched over http from other machines: an attacker on the network can replace them, and then sign tokens")
	}
	for setting, address := range map[string]string{"Issuer": c.Issuer, "PublicKeyURI": c.PublicKeyURI} {
		if u, err := url.Parse(address); err == nil && u.Host != "" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
			e.add(Yellow, setting, "set it to your identity provider in production", "a development issuer on this machine: anyone who can start a program here can sign tokens")
		}
	}
	if c.SkipAudienceCheck {
		e.add(Yellow, "SkipAudienceCheck", "set SSO_AUDIENCE if the provider's access tokens have aud", "only the client distinguishes tokens for this service from those for other services")
	}
	if c.TokenType == sso.AllowIDToken {
		e.add(Yellow, "TokenType", "remove it, unless the provider's access tokens are opaque", "ID tokens are accepted too, which every client of the provider has")
	}
	if c.Leeway > defaultLeeway {
		e.add(Yellow, "Leeway", "set the clocks by NTP, and remove it", "tokens are accepted for %s after they have expired", span(c.Leeway))
	}
}

// open returns the key source that the library makes of the configuration.
func (e *examination) open() (keys.Source, error) {
	c := e.cfg
	options := keys.Options{
		HTTPClient:        c.HTTPClient,
		Issuer:            c.Issuer,
		InsecureAllowHTTP: c.InsecureAllowHTTP,
		Algorithms:        e.algorithms,
	}
	if c.PublicKeyURI != "" {
		return keys.Open(c.PublicKeyURI, options)
	}
	return keys.Discovery(c.Issuer, options)
}

// How the library fetches keys by default (docs/KEYS.md).
const (
	refreshInterval = 5 * time.Minute
	staleFor        = time.Hour
	fetchTimeout    = 10 * time.Second
)

// fetch fetches once, as the library does, and reports the result.
func (e *examination) fetch(ctx context.Context, source keys.Source, line *recorder) {
	timeout, cancel := context.WithTimeout(ctx, e.timeout())
	defer cancel()
	set, err := source.Fetch(timeout, nil)
	e.connection(line.exchanges, err)
	e.provider(line.exchanges)
	var none *keys.NoKeyError
	switch {
	case errors.As(err, &none):
		set = &keys.Set{Skipped: none.Skipped}
	case err != nil:
		return
	}
	e.keys(set, readMaterial(source, e.cfg.PublicKeyURI, line.exchanges))
	if err == nil {
		e.issuer(set)
		e.outage(set, source)
	}
	if err == nil && !e.input.Empty() {
		e.token(ctx, e.input, set, line.exchanges)
	}
}

func (e *examination) timeout() time.Duration { return cmp.Or(e.cfg.KeyFetchTimeout, fetchTimeout) }

// issuer reports whether iss is checked.
func (e *examination) issuer(set *keys.Set) {
	switch {
	case set.Issuer != "":
		e.add(Green, "issuer", "", "%s, from the discovery document", set.Issuer)
	case e.cfg.Issuer != "":
		e.add(Green, "issuer", "", "%s is compared with every token's iss; the keys do not show whether it is right: send a token to try it: sso doctor < token.txt", term.Redact(e.cfg.Issuer))
	default:
		e.add(Yellow, "issuer", "set SSO_ISSUER to the tokens' iss exactly", "a token's iss is not checked: tokens of every issuer that signs with these keys are accepted")
	}
}

// outage reports what happens if the provider becomes unreachable.
func (e *examination) outage(set *keys.Set, source keys.Source) {
	if set.Fixed {
		e.add(Yellow, "outage", "name an address or a file, if the provider changes its keys", "%s never changes: nothing is fetched, and new keys need a restart", source)
		return
	}
	interval := refreshInterval
	if set.MaxAge > 0 {
		interval = min(interval, max(set.MaxAge, time.Minute))
	}
	e.add(Green, "outage", "", "keys are fetched every %s, ± 10 %%. If that fails, tokens signed with the cached keys are accepted for %s more, then refused with 503. Tokens signed with other keys are refused with 503 at once, and so are all tokens in a service that starts during the outage. The fetch is retried after 1 s to 30 s, with a timeout of %s",
		span(interval), span(staleFor), span(e.timeout()))
}
