// Package doctor looks at a configuration and at the provider that it names, before a service
// does.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// Level says how bad a finding is.
type Level string

// The levels, from good to bad.
const (
	Green  Level = "green"  // as it should be
	Yellow Level = "yellow" // it works, and may not tomorrow or not as safely as it could
	Red    Level = "red"    // good tokens are refused, or bad ones would be accepted
)

// Finding is one thing that was found.
type Finding struct {
	Level  Level  `json:"level"`
	Topic  string `json:"topic"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// Setting is what a setting holds.
type Setting struct {
	Name  string `json:"name"`  // the environment variable
	Value string `json:"value"` // without secrets
	From  string `json:"from"`  // the variable or flag that was set; "default"
}

// Report is everything that was found.
type Report struct {
	Level    Level     `json:"level"` // the worst of the findings
	Source   string    `json:"source,omitempty"`
	Settings []Setting `json:"settings"`
	Keys     []Key     `json:"keys"`
	Findings []Finding `json:"findings"`
}

// Question is what is asked: would a service with this configuration work?
type Question struct {
	Config   sso.Config
	Err      error // what reading the configuration ended with
	Settings []Setting
	Client   *http.Client     // nil: one like the library's own
	Now      func() time.Time // nil: time.Now
}

// NewSetting makes a setting for the report, without what could be a secret; usual is for one
// that was not set.
func NewSetting(name, value, from, usual string) Setting {
	if from == "" {
		return Setting{Name: name, Value: usual, From: "default"}
	}
	return Setting{Name: name, Value: shown(value), From: from}
}

// An examination is a report in the making.
type examination struct {
	Report
	cfg sso.Config
	now func() time.Time
}

func (e *examination) add(level Level, topic, remedy, format string, args ...any) {
	e.Findings = append(e.Findings, Finding{Level: level, Topic: topic, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// Examine looks at the configuration, and asks the configured key source once; nobody else is
// asked anything.
func Examine(ctx context.Context, q Question) *Report {
	if q.Now == nil {
		q.Now = time.Now
	}
	e := &examination{cfg: q.Config, now: q.Now, Report: Report{Settings: q.Settings, Keys: []Key{}}}
	e.configuration(q.Err)
	line := record(q.Client, q.Now)
	if source, err := Open(q.Config, line.client()); err == nil { //nolint:contextcheck // it takes none: it reads a key file at once
		e.Source = source.String()
		e.ask(ctx, source, line)
	} else {
		e.add(Red, "keys", "mend the settings above, and ask again", "no keys were asked for, since the settings do not tell where they are")
	}
	e.Level = Green
	for _, f := range e.Findings {
		if f.Level == Red || f.Level == Yellow && e.Level == Green {
			e.Level = f.Level
		}
	}
	return &e.Report
}

// configuration reports what the library refuses, and what it accepts with a frown.
func (e *examination) configuration(err error) {
	var faults *sso.ConfigError
	switch {
	case errors.As(err, &faults):
		for _, f := range faults.Faults {
			e.add(Red, f.Setting, f.Remedy, "%s", f.Problem)
		}
	case err != nil:
		e.add(Red, "settings", "mend what it says", "%v", err)
	default:
		e.add(Green, "settings", "", "a service would start with them")
	}
	c := e.cfg
	if c.InsecureAllowHTTP {
		e.add(Yellow, "InsecureAllowHTTP", "take it away, and write https://", "keys may come over http from other machines: whoever is on the way can replace them, and then sign tokens")
	}
	if c.SkipAudienceCheck {
		e.add(Yellow, "SkipAudienceCheck", "set SSO_AUDIENCE if the provider's access tokens have aud", "tokens are told from those for other services by their client alone")
	}
	if len(c.SkipTokenKindChecks) > 0 {
		e.add(Yellow, "SkipTokenKindChecks", "take it away, unless the provider has no access tokens that can be read", "tokens that are no access tokens are accepted: %v", c.SkipTokenKindChecks)
	}
	if c.Leeway > sso.DefaultLeeway {
		e.add(Yellow, "Leeway", "set the clocks by NTP, and take it away", "tokens are accepted for %s after they have expired", span(c.Leeway))
	}
}

// errNowhere means that the settings name no place of keys.
var errNowhere = errors.New("no setting tells where keys are")

// Open makes the key source that the library would make of a configuration.
func Open(c sso.Config, client *http.Client) (keys.Source, error) {
	options := keys.Options{
		HTTPClient:        client,
		Issuer:            c.Issuer,
		AllowedOrigins:    c.AllowedKeyOrigins,
		InsecureAllowHTTP: c.InsecureAllowHTTP,
		Algorithms:        Algorithms(c),
	}
	switch {
	case c.PublicKeyURI != "":
		return keys.Open(c.PublicKeyURI, options)
	case c.Issuer != "":
		return keys.Discovery(c.Issuer, options)
	}
	return nil, errNowhere
}

func (e *examination) algorithms() []string { return Algorithms(e.cfg) }

// Algorithms are those that a configuration accepts, the default included.
func Algorithms(c sso.Config) []string {
	if len(c.Algorithms) == 0 {
		return []string{"RS256"}
	}
	return c.Algorithms
}

// ask fetches once, as the library would, and reports on what came.
func (e *examination) ask(ctx context.Context, source keys.Source, line *recorder) {
	ctx, cancel := context.WithTimeout(ctx, keys.DefaultFetchTimeout)
	defer cancel()
	set, err := source.Fetch(ctx, nil)
	e.connection(line.exchanges, err)
	var none *keys.NoKeyError
	switch {
	case errors.As(err, &none):
		set = &keys.Set{Skipped: none.Skipped}
	case err != nil:
		return
	}
	e.keys(set, material(source, e.cfg.PublicKeyURI, line.exchanges))
	if err != nil {
		return
	}
	e.issuer(set)
	e.outage(set, source)
}

// issuer reports whether iss can be checked.
func (e *examination) issuer(set *keys.Set) {
	switch {
	case set.Issuer != "":
		e.add(Green, "issuer", "", "%s, as the discovery document says", set.Issuer)
	case e.cfg.Issuer != "":
		e.add(Green, "issuer", "", "%s, which is compared with every token's iss; whether it is right these keys do not tell: try a token with sso explain", shown(e.cfg.Issuer))
	default:
		e.add(Yellow, "issuer", "set SSO_ISSUER to the tokens' iss, to the letter", "a token's iss is not checked: tokens of every issuer that signs by these keys are accepted")
	}
}

// outage says what would happen if the provider could not be reached from now on.
func (e *examination) outage(set *keys.Set, source keys.Source) {
	if set.Fixed {
		e.add(Yellow, "outage", "name an address or a file, if the provider changes its keys", "%s never change: nothing is fetched, and new keys need a new start", source)
		return
	}
	interval := keys.DefaultInterval
	if set.MaxAge > 0 {
		interval = min(interval, max(set.MaxAge, time.Minute))
	}
	e.add(Green, "outage", "", "keys are fetched every %s, ± 10 %%. If that fails, tokens by known keys are accepted for %s more, and refused with 503 afterwards; tokens by keys that nobody knows are 503 at once, and so is everything in a service that starts meanwhile. It is tried again after 1 s to 30 s, each time for %s at most",
		span(interval), span(keys.DefaultStaleFor), span(keys.DefaultFetchTimeout))
}

// shown is a setting for people: without what could be a secret in it or in its place.
func shown(value string) string {
	switch {
	case strings.Contains(value, "-----BEGIN"):
		return fmt.Sprintf("a PEM text of %d bytes", len(value))
	case strings.HasPrefix(strings.TrimSpace(value), "{"):
		return fmt.Sprintf("a JSON text of %d bytes", len(value))
	case len(value) > 30 && !strings.ContainsAny(value, ".:, "): // Base64 or hex, which may be a key in the wrong place
		return fmt.Sprintf("a text of %d bytes", len(value))
	}
	if strings.Contains(strings.ToLower(value), "data:") {
		return fmt.Sprintf("a text of %d bytes", len(value))
	}
	if strings.Contains(value, "://") {
		return address(value)
	}
	before, _, named := strings.Cut(value, "@")
	if len(value) > 200 || named && strings.Contains(before, ":") || strings.ContainsAny(value, "?#\n") {
		return fmt.Sprintf("a text of %d bytes", len(value))
	}
	return value
}

// address is a URL, or a list of those, without user, query and fragment. What comes behind the
// first query or fragment of a list is left out too, since either may hold commas.
func address(value string) string {
	before := value
	if end := strings.IndexAny(value, "?#"); end >= 0 {
		before = value[:end]
	}
	cut := before != value
	list := strings.Split(before, ",")
	for i, element := range list {
		if !strings.Contains(element, "@") {
			continue
		}
		u, err := url.Parse(element)
		if err != nil || u.Host == "" {
			return fmt.Sprintf("a text of %d bytes", len(value))
		}
		cut = cut || u.User != nil
		u.User = nil
		list[i] = u.String()
	}
	switch before = strings.Join(list, ","); {
	case len(before) > 200:
		return fmt.Sprintf("a text of %d bytes", len(value))
	case cut:
		return before + " (and more that is not shown)"
	}
	return before
}

// sorted is a list for people, each once.
func sorted(list []string) string {
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	return strings.Join(list, ", ")
}
