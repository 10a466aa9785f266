// Package verify decides whether a token is valid. Each rule is a row of a table ([Check]); a kind
// of token is a table ([AccessToken], [LogoutToken]). The same table with a trace explains
// why a token was refused.
//
// The package knows tokens and keys. It knows nothing of requests, sessions or permissions.
package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/keycache"
)

// Check is one rule about a token.
type Check struct {
	// Name of the header member or claim that the rule is about, or of the step: "token",
	// "header", "payload", "key", "signature".
	Name string
	// Reason of the refusal, one of package sso's closed list.
	Reason string
	// Clause of the standard that the rule protects.
	Clause string
	// Do applies the rule. It returns nil if the token passes, [ErrSkipped] if the configuration
	// does not enable the rule, and an error made by fail if the token is to be refused. Any
	// other error means that the question cannot be answered.
	Do func(context.Context, *Token) error
}

// ErrSkipped is returned by a [Check] that the configuration switches off.
var ErrSkipped = errors.New("not required by the configuration")

// Error is the refusal of a token by one check.
type Error struct {
	Check *Check
	Err   error // what the token holds and what is wanted; never the token itself
}

// Error describes the refusal for the operator.
func (e *Error) Error() string { return e.Check.Reason + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A detail says why a token was refused. It is formatted when it is read, so that a flood of
// invalid tokens costs little.
type detail struct {
	format string
	args   []any
}

// fail refuses a token. Strings that come from the token are bounded.
func fail(format string, args ...any) error {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = Clip(text)
		}
	}
	return &detail{format, args}
}

func (d *detail) Error() string { return d.err().Error() }
func (d *detail) Unwrap() error { return errors.Unwrap(d.err()) }
func (d *detail) err() error    { return fmt.Errorf(d.format, d.args...) }

// Kinds of tokens that [Rules] accept.
const (
	AnyAccessToken    = ""         // not recognizably another kind
	StrictAccessToken = "at+jwt"   // RFC 9068 only
	AllowIDToken      = "id_token" // ID tokens as well
)

// Rules are the requirements for the tokens of one issuer.
type Rules struct {
	Algorithms []string
	Audience   []string // empty: not checked
	ClientIDs  []string // empty: not checked
	Issuer     string   // empty: only a discovered issuer is checked
	TokenType  string
	// AccessClaims are those of which each access token of the provider has one; nil: not checked.
	AccessClaims []string
	MaxAge       time.Duration // zero: not checked
	Leeway       time.Duration
	Now          func() time.Time
	MaxBytes     int
	// Claims that are read in addition to the registered ones: none may differ from a member of
	// the payload by letter case alone.
	Claims Names
	// Reads are the claims that decide something beside the registered ones.
	Reads []string
	Keys  *keycache.Cache
	// Sessions says how tokens name their session; nil without a session store.
	Sessions *Sessions
}

// Sessions are the claims by which a token names its session. An empty claim is not read.
type Sessions struct{ UserClaim, SessionClaim, Audience string }

// Engine verifies the tokens of one or of several issuers. It is immutable.
type Engine struct {
	issuers  []*Rules
	byIssuer map[string]*Rules // nil for one issuer whose `iss` selects nothing
}

// New returns an engine for one issuer.
func New(r *Rules) *Engine { return &Engine{issuers: []*Rules{r}} }

// Join returns an engine in which `iss` selects the rules. Issuers must be set and distinct.
func Join(issuers []*Rules) *Engine {
	e := &Engine{issuers, map[string]*Rules{}}
	for _, r := range issuers {
		e.byIssuer[r.Issuer] = r
	}
	return e
}

// Issuers returns the rules of each issuer, in order.
func (e *Engine) Issuers() []*Rules { return e.issuers }

// MaxBytes bounds a token before its issuer is known.
func (e *Engine) MaxBytes() (most int) {
	for _, r := range e.issuers {
		most = max(most, r.MaxBytes)
	}
	return most
}

// Times are the dates of a token; zero where it has none.
type Times struct{ Expires, NotBefore, Issued time.Time }

// A Token is verified by [Engine.Verify]. It is untrusted until that has returned without error.
type Token struct {
	*Rules           // of its issuer
	Issuer    string // `iss`
	Algorithm string
	Key       keycache.Ref
	Times     Times
	Match     keycache.Match // with the one key that verified the signature

	engine   *Engine
	raw      string
	form     *compact.Token
	formErr  error
	keyErr   error
	audience []string // accepted; nil: the rules'
	now      time.Time
}

// Claims returns the payload. The caller may keep it.
func (t *Token) Claims() jsondoc.Value { return t.form.Claims }

func (t *Token) header(name string) jsondoc.Value { return member(t.form.Header, name) }
func (t *Token) claim(name string) jsondoc.Value  { return member(t.form.Claims, name) }

// Trace is called for each check that ran, with its result.
type Trace func(c *Check, err error)

// Verify runs a table of checks over a token and calls use with it if all passed. Audience replaces the accepted
// audiences unless it is nil. Trace may be nil. A refusal is an [*Error]; any other error means
// that the question cannot be answered.
func (e *Engine) Verify(ctx context.Context, raw string, table []Check, audience []string, trace Trace, use func(*Token)) error {
	t := &Token{Rules: e.issuers[0], engine: e, raw: raw, audience: audience}
	for i := range table {
		check := &table[i]
		err := check.Do(ctx, t)
		if trace != nil {
			trace(check, err)
		}
		if err == nil || err == ErrSkipped { //nolint:errorlint // the checks return it as it is
			continue
		}
		if refusal, ok := err.(*detail); ok { //nolint:errorlint // made by fail
			return &Error{check, refusal}
		}
		return err
	}
	use(t)
	return nil
}

// InTime reports whether a token with these dates is valid at a moment.
func (r *Rules) InTime(t Times, now time.Time) bool {
	return !r.expired(t, now) && !r.ahead(t.NotBefore, now) && !r.ahead(t.Issued, now)
}

func (r *Rules) expired(t Times, now time.Time) bool { return !now.Before(t.Expires.Add(r.Leeway)) }

// ahead reports whether a date lies in the future, the leeway considered.
func (r *Rules) ahead(date, now time.Time) bool { return date.After(now.Add(r.Leeway)) }

const maxClip = 200

// Printable is [Clip] for a log line of its own: line breaks and what cannot be printed are escaped.
func Printable(s string) string {
	s = Clip(s)
	if strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) || c == utf8.RuneError }) {
		quoted := strconv.Quote(s)
		return quoted[1 : len(quoted)-1]
	}
	return s
}

// Clip bounds what a token can add to a message.
func Clip(s string) string {
	if len(s) > maxClip {
		return s[:maxClip] + "…"
	}
	return s
}
