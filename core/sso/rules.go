package sso

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/signature"
	"github.com/more-retail/moresso-go/core/keys"
)

// rules are what a token must keep, as far as it can be told without a key.
type rules struct {
	algorithms   map[string]signature.Method
	audience     []string // none: not checked
	clientIDs    []string // none: not checked
	accessTokens bool     // RFC 9068's only
	otherKinds   []TokenKind
	claimNames   names
	issuer       string // empty: not checked here
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

// candidate is a token that has kept every rule but the last: nobody has proven it yet.
type candidate struct {
	token     compact.Token
	method    signature.Method
	algorithm string
	keyID     string
	issuer    string
	times     times
}

// parse takes a token apart, if it is not too long.
func parse(token string, most int) (compact.Token, error) {
	if len(token) > most {
		return compact.Token{}, badToken(ReasonTooLarge, "%d bytes; at most %d are read", len(token), most)
	}
	parsed, err := compact.Parse(token)
	switch {
	case errors.Is(err, compact.ErrEncrypted):
		return compact.Token{}, badToken(ReasonEncrypted, "%w", err)
	case err != nil:
		return compact.Token{}, badToken(ReasonMalformed, "%w", err)
	}
	return parsed, nil
}

// read applies the rules that need no key, the cheapest first.
func (r *rules) read(token compact.Token) (*candidate, error) {
	c := &candidate{token: token}
	if err := r.header(c); err != nil {
		return nil, err
	}
	if err := r.claims(c); err != nil {
		return nil, err
	}
	return c, nil
}

// header applies the rules about the JOSE header (RFC 7515, section 4; RFC 8725, section 3).
// `jwk`, `jku`, `x5u` and `x5c` are never looked at: a token does not choose who vouches
// for it.
func (r *rules) header(c *candidate) error {
	h := c.token.Header
	if name, found := headerNames.impostor(h); found {
		return badToken(ReasonMalformed, "the header has %s in other letters", name)
	}
	if kind := h.Get("crit").Kind(); kind != jsondoc.Absent {
		return badToken(ReasonCriticalHeader, "crit demands extensions; none is known here")
	}
	for _, name := range []string{"zip", "b64"} {
		if h.Get(name).Kind() != jsondoc.Absent {
			return badToken(ReasonUnsupportedHeader, "the header has %s", name)
		}
	}
	algorithm, ok := h.Get("alg").Text()
	if !ok {
		return badToken(ReasonAlgorithm, "the header has no string alg")
	}
	if c.method, ok = r.algorithms[algorithm]; !ok {
		return badToken(ReasonAlgorithm, "alg %q is not among the accepted algorithms", clipped(algorithm))
	}
	c.algorithm = algorithm
	if typ := h.Get("typ"); typ.Kind() != jsondoc.Absent {
		name, _ := typ.Text()
		if !slices.ContainsFunc([]string{"JWT", "at+jwt", "application/at+jwt"}, func(known string) bool { return strings.EqualFold(name, known) }) {
			return badToken(ReasonTokenType, "typ %q is not that of an access token", clipped(name))
		}
	}
	if h.Get("cty").Kind() != jsondoc.Absent {
		return badToken(ReasonTokenType, "cty: a token within a token is not read")
	}
	if kid := h.Get("kid"); kid.Kind() != jsondoc.Absent {
		if c.keyID, ok = kid.Text(); !ok || len(c.keyID) > maxKeyIDBytes {
			return badToken(ReasonKeyID, "kid is not a string of at most %d bytes", maxKeyIDBytes)
		}
	}
	return nil
}

// claims applies the rules about registered claims (RFC 7519, section 4.1).
func (r *rules) claims(c *candidate) error {
	if name, found := r.claimNames.impostor(c.token.Claims); found {
		return badToken(ReasonMalformed, "the payload has %s in other letters", name)
	}
	if err := r.dates(c); err != nil {
		return err
	}
	var err error
	if c.issuer, err = identifier(c.token.Claims, "iss"); err != nil {
		return err
	}
	if _, err = identifier(c.token.Claims, "sub"); err != nil {
		return err
	}
	if err := r.forUs(Value{c.token.Claims.Get("aud")}); err != nil {
		return err
	}
	if r.issuer != "" && c.issuer != r.issuer {
		return badToken(ReasonWrongIssuer, "iss is %q where %q is trusted", clipped(c.issuer), r.issuer)
	}
	if err := r.client(c); err != nil {
		return err
	}
	return r.kind(c)
}

// identifier reads a claim that is a non-empty string where it is present at all.
func identifier(claims jsondoc.Value, name string) (string, error) {
	claim := claims.Get(name)
	text, ok := claim.Text()
	if claim.Kind() != jsondoc.Absent && (!ok || text == "") {
		return "", badToken(ReasonMalformedClaim, "%s is not a non-empty string", name)
	}
	return text, nil
}

// dates checks `exp`, `nbf` and `iat`.
func (r *rules) dates(c *candidate) error {
	now := r.now()
	if now.IsZero() {
		return errors.New("sso: Config.Now returned the zero time") // before which nothing has expired
	}
	claims := c.token.Claims
	exp := claims.Get("exp")
	if exp.Kind() == jsondoc.Absent {
		return badToken(ReasonMissingExpiry, "exp is missing: a token without end is not accepted")
	}
	var ok bool
	if c.times.expires, ok = numericDate(exp); !ok || c.times.expires.Unix() <= 0 {
		return badToken(ReasonMalformedClaim, "exp is not a date")
	}
	if nbf := claims.Get("nbf"); nbf.Kind() != jsondoc.Absent {
		if c.times.notBefore, ok = numericDate(nbf); !ok {
			return badToken(ReasonMalformedClaim, "nbf is not a date")
		}
	}
	if iat := claims.Get("iat"); iat.Kind() != jsondoc.Absent {
		if c.times.issued, ok = numericDate(iat); !ok {
			return badToken(ReasonMalformedClaim, "iat is not a date")
		}
	}
	switch t := c.times; {
	case !now.Before(t.expires.Add(r.leeway)):
		return badToken(ReasonExpired, "expired at %s, %v ago", t.expires.UTC().Format(time.RFC3339), now.Sub(t.expires).Round(time.Second))
	case t.notBefore.After(now.Add(r.leeway)):
		return badToken(ReasonNotYetValid, "good from %s, in %v", t.notBefore.UTC().Format(time.RFC3339), t.notBefore.Sub(now).Round(time.Second))
	case t.issued.After(now.Add(r.leeway)):
		return badToken(ReasonIssuedInFuture, "issued at %s, %v ahead of this clock", t.issued.UTC().Format(time.RFC3339), t.issued.Sub(now).Round(time.Second))
	}
	return nil
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

// forUs checks `aud`: a string or an array of strings, one of which is ours, exactly.
func (r *rules) forUs(aud Value) error {
	if aud.Exists() {
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
	}
	if len(r.audience) == 0 {
		return nil
	}
	for name := range texts(aud) {
		if slices.Contains(r.audience, name) {
			return nil
		}
	}
	names, _ := aud.Strings()
	return badToken(ReasonWrongAudience, "aud is %s where one of %q is wanted", clipped(fmt.Sprintf("%+q", names)), r.audience)
}

// clipped bounds what a token can put into a log line.
func clipped(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// verifiedBy reports whether one of the keys proves the token.
func (c *candidate) verifiedBy(candidates []keys.Key) bool {
	return slices.ContainsFunc(candidates, func(k keys.Key) bool {
		return c.method.Verify(c.token.Signed, c.token.Signature, k)
	})
}
