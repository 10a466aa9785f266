package sso

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/keycache"
)

// rules are what a token must keep, as far as it can be told without a key.
type rules struct {
	algorithms   []string
	audience     []string // none: not checked
	clientIDs    []string // none: not checked
	accessTokens bool     // RFC 9068's only
	otherKinds   []TokenKind
	claimNames   *names
	issuer       string        // empty: not checked here
	maxAge       time.Duration // zero: not checked
	policy
}

// policy is what a principal needs to know of the configuration.
type policy struct {
	permissionsClaim string
	rolesClaim       string
	wildcard         bool
	leeway           time.Duration
	now              func() time.Time
}

const (
	maxKeyIDBytes = 256
	maxAudiences  = 64
	// latestDate is the last second of the year 9999. A date beyond it is a mistake, or an
	// attempt to overflow somebody's arithmetic.
	latestDate = 253402300799
)

// candidate is a token on its way through the rules: nobody has proven it yet.
type candidate struct {
	token *compact.Token
	headerFacts
	claims claims // once the body has been read
	issuer string
	times  times
}

// headerFacts is what is needed of a header that has kept the rules.
type headerFacts struct {
	algorithm string // one of the accepted ones
	keyID     string
	typ       string
}

// open takes a token apart.
func (c *candidate) open(token string) (err error) {
	if c.token, err = compact.Open(token); err != nil {
		return malformed(err)
	}
	return nil
}

// readBody takes it apart to its end.
func (c *candidate) readBody() error {
	if err := c.token.ReadBody(); err != nil {
		return malformed(err)
	}
	return nil
}

// lengthError is that of a token which is too long, and the most that is read.
type lengthError struct{ bytes, most int }

func (e lengthError) Error() string {
	return fmt.Sprintf("%d bytes; at most %d are read", e.bytes, e.most)
}

func malformed(err error) error {
	if errors.Is(err, compact.ErrEncrypted) {
		return &TokenError{Reason: ReasonEncrypted, Err: err}
	}
	return &TokenError{Reason: ReasonMalformed, Err: err}
}

// tokenTypes are what `typ` may say of a kind of token, in any letter case (RFC 7515, section
// 4.1.9).
type tokenTypes struct {
	kind  string
	names []string
}

func (t *tokenTypes) have(typ string) bool {
	for _, name := range t.names {
		if strings.EqualFold(typ, name) {
			return true
		}
	}
	return false
}

// accessTypes are those of access tokens (RFC 9068, section 2.1).
var accessTypes = tokenTypes{"an access token", []string{"JWT", "at+jwt", "application/at+jwt"}}

// readHeader applies the rules about the JOSE header (RFC 7515, section 4; RFC 8725, section
// 3). `jwk`, `jku`, `x5u` and `x5c` are never looked at: a token does not choose who vouches
// for it.
func (r *rules) readHeader(c *candidate, types *tokenTypes) error {
	if err := c.token.ReadHeader(); err != nil {
		return malformed(err)
	}
	var h header
	if name := headerNames.find(c.token.Header, h[:]); name != "" {
		return badToken(ReasonMalformed, "the header has %s in other letters", name)
	}
	if h[headerCrit].Kind() != jsondoc.Absent {
		return badToken(ReasonCriticalHeader, "crit demands extensions; none is known here")
	}
	for _, place := range []int{headerZip, headerB64} {
		if h[place].Kind() != jsondoc.Absent {
			return badToken(ReasonUnsupportedHeader, "the header has %s", headerNames.list[place])
		}
	}
	algorithm, ok := h[headerAlg].Text()
	if !ok {
		return badToken(ReasonAlgorithm, "the header has no string alg")
	}
	if !slices.Contains(r.algorithms, algorithm) {
		return badTokenWith(ReasonAlgorithm, "alg %q is not among the accepted algorithms", algorithm)
	}
	c.algorithm = algorithm
	if typ := h[headerTyp]; typ.Kind() != jsondoc.Absent {
		if c.typ, _ = typ.Text(); !types.have(c.typ) {
			return badToken(ReasonTokenType, "typ %q is not that of %s", clipped(c.typ), types.kind)
		}
	}
	if h[headerCty].Kind() != jsondoc.Absent {
		return badToken(ReasonTokenType, "cty: a token within a token is not read")
	}
	if kid := h[headerKid]; kid.Kind() != jsondoc.Absent {
		if c.keyID, ok = kid.Text(); !ok || len(c.keyID) > maxKeyIDBytes {
			return badToken(ReasonKeyID, "kid is not a string of at most %d bytes", maxKeyIDBytes)
		}
	}
	return nil
}

// readClaims applies the rules about registered claims (RFC 7519, section 4.1).
func (r *rules) readClaims(c *candidate) (err error) {
	if name := r.claimNames.find(c.token.Claims, c.claims[:]); name != "" {
		return badToken(ReasonMalformed, "the payload has %s in other letters", name)
	}
	if err := r.dates(c); err != nil {
		return err
	}
	if c.issuer, err = c.identifier(claimIss); err != nil {
		return err
	}
	if _, err = c.identifier(claimSub); err != nil {
		return err
	}
	if err := r.forUs(Value{c.claims[claimAud]}); err != nil {
		return err
	}
	if r.issuer != "" && c.issuer != r.issuer {
		return badToken(ReasonWrongIssuer, "iss is %q where %q is trusted%s", clipped(c.issuer), r.issuer, bySlash(c.issuer, r.issuer))
	}
	if err := r.client(c); err != nil {
		return err
	}
	return r.kind(c)
}

// identifier reads a claim that is a non-empty string where it is present at all.
func (c *candidate) identifier(place int) (string, error) {
	claim := c.claims[place]
	text, ok := claim.Text()
	if claim.Kind() != jsondoc.Absent && (!ok || text == "") {
		return "", badToken(ReasonMalformedClaim, "%s is not a non-empty string", claimNames.list[place])
	}
	return text, nil
}

// dates checks `exp`, `nbf` and `iat`.
func (r *rules) dates(c *candidate) error {
	if c.claims[claimExp].Kind() == jsondoc.Absent {
		return badToken(ReasonMissingExpiry, "exp is missing: a token without end is not accepted")
	}
	if err := c.readDates(); err != nil {
		return err
	}
	if r.maxAge > 0 && (c.times.issued.IsZero() || c.times.expires.Sub(c.times.issued) > r.maxAge) {
		return badToken(ReasonTooLongLived, "good from %s to %s, where %v is the most", c.times.issued.UTC().Format(time.RFC3339), c.times.expires.UTC().Format(time.RFC3339), r.maxAge)
	}
	return r.judgeDates(c.times)
}

// readDates reads those that the token has.
func (c *candidate) readDates() error {
	var ok bool
	if exp := c.claims[claimExp]; exp.Kind() != jsondoc.Absent {
		if c.times.expires, ok = numericDate(exp); !ok || c.times.expires.Unix() <= 0 {
			return badToken(ReasonMalformedClaim, "exp is not a date")
		}
	}
	if nbf := c.claims[claimNbf]; nbf.Kind() != jsondoc.Absent {
		if c.times.notBefore, ok = numericDate(nbf); !ok {
			return badToken(ReasonMalformedClaim, "nbf is not a date")
		}
	}
	if iat := c.claims[claimIat]; iat.Kind() != jsondoc.Absent {
		if c.times.issued, ok = numericDate(iat); !ok {
			return badToken(ReasonMalformedClaim, "iat is not a date")
		}
	}
	return nil
}

// judgeDates holds the dates of a token against the clock.
func (r *rules) judgeDates(t times) error {
	now := r.now()
	if now.IsZero() {
		return errors.New("sso: Config.Now returned the zero time") // before which nothing has expired
	}
	switch {
	case r.inTime(t, now):
		return nil
	case !now.Before(t.expires.Add(r.leeway)):
		return badToken(ReasonExpired, "expired at %s, %v ago", t.expires.UTC().Format(time.RFC3339), now.Sub(t.expires).Round(time.Second))
	case t.notBefore.After(now.Add(r.leeway)):
		return badToken(ReasonNotYetValid, "good from %s, in %v", t.notBefore.UTC().Format(time.RFC3339), t.notBefore.Sub(now).Round(time.Second))
	default:
		return badToken(ReasonIssuedInFuture, "issued at %s, %v ahead of this clock", t.issued.UTC().Format(time.RFC3339), t.issued.Sub(now).Round(time.Second))
	}
}

// inTime reports whether a token is good at a moment, by its dates.
func (p *policy) inTime(t times, now time.Time) bool {
	latest := now.Add(p.leeway)
	return now.Before(t.expires.Add(p.leeway)) && !t.notBefore.After(latest) && !t.issued.After(latest)
}

// numericDate reads a NumericDate (RFC 7519, section 2): seconds since 1970, fractions allowed.
func numericDate(v jsondoc.Value) (time.Time, bool) {
	if seconds, ok := v.Int64(); ok {
		return time.Unix(seconds, 0), seconds >= 0 && seconds <= latestDate
	}
	seconds, ok := v.Float64()
	if !ok || math.Signbit(seconds) || seconds > latestDate { // -1e-400 is -0
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second))), true
}

// forUs checks `aud`, if it is to be checked.
func (r *rules) forUs(aud Value) error {
	if len(r.audience) == 0 {
		return readAudience(aud)
	}
	return forAnyOf(aud, r.audience)
}

// forAnyOf checks that `aud` names one of those who are wanted, exactly.
func forAnyOf(aud Value, wanted []string) error {
	if err := readAudience(aud); err != nil {
		return err
	}
	for name := range texts(aud) {
		if slices.Contains(wanted, name) {
			return nil
		}
	}
	return badToken(ReasonWrongAudience, "aud is [%s] where one of %q is wanted", listed(texts(aud)), wanted)
}

// readAudience checks that `aud`, if there is one, is a string or an array of strings.
func readAudience(aud Value) error {
	if !aud.Exists() {
		return nil
	}
	if _, single := aud.Text(); !single && aud.v.Kind() != jsondoc.Array {
		return badToken(ReasonMalformedClaim, "aud is a JSON %s", aud.Kind())
	}
	if aud.Len() > maxAudiences {
		return badToken(ReasonMalformedClaim, "aud names %d audiences; at most %d are read", aud.Len(), maxAudiences)
	}
	for e := range aud.Elements() {
		if _, ok := e.Text(); !ok {
			return badToken(ReasonMalformedClaim, "aud holds a JSON %s", e.Kind())
		}
	}
	return nil
}

// listed shows as many of some texts as a log line can hold. Nobody may have us write them all.
func listed(list iter.Seq[string]) string {
	var line []byte
	for text := range list {
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = strconv.AppendQuoteToASCII(line, clipped(text))
		if len(line) > mostShown {
			break
		}
	}
	return clipped(string(line))
}

const mostShown = 200

// clipped bounds what a token can put into a log line.
func clipped(s string) string {
	if len(s) > mostShown {
		return s[:mostShown] + "…"
	}
	return s
}

// verifiedBy narrows a match to the one of its keys that proves the token.
func (c *candidate) verifiedBy(match *keycache.Match) bool {
	for i, key := range match.Keys {
		if key.Verify(c.algorithm, c.token.Signed, c.token.Signature) {
			match.Keys = match.Keys[i : i+1 : i+1]
			return true
		}
	}
	return false
}
