package explain

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// Result says how a check ended.
type Result string

// The results.
const (
	Pass       Result = "pass"
	Fail       Result = "fail"
	Skipped    Result = "skipped"     // the configuration does not ask for it
	NotReached Result = "not reached" // another failed before
)

// Check is one thing that the library looks at.
type Check struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	Detail string `json:"detail,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// The names of the checks.
const (
	checkCredentials = "credentials"
	checkForm        = "form"
	checkCrit        = "crit"
	checkPacking     = "zip, b64"
	checkAlgorithm   = "alg"
	checkType        = "typ, cty"
	checkKeyID       = "kid"
	checkClaims      = "claims"
	checkDates       = "dates"
	checkNames       = "iss, sub"
	checkAudience    = "audience"
	checkIssuer      = "issuer"
	checkClient      = "client"
	checkKind        = "kind"
	checkKey         = "key"
	checkSignature   = "signature"
)

// An inquiry is what is known when the library has answered.
type inquiry struct {
	cfg        sso.Config
	input      Input
	now        time.Time
	token      Token
	parts      segments
	reason     sso.Reason // empty: accepted
	err        error
	principal  *sso.Principal // nil unless accepted
	discovered string         // the issuer that discovery told
}

// order is that in which the library looks at things. An issuer that only discovery tells is
// known, and compared, last.
func (c *inquiry) order() []string {
	list := []string{
		checkForm, checkCrit, checkPacking, checkAlgorithm, checkType, checkKeyID,
		checkClaims, checkDates, checkNames, checkAudience, checkIssuer, checkClient, checkKind, checkKey, checkSignature,
	}
	if c.input.Fields != nil {
		list = append([]string{checkCredentials}, list...)
	}
	if c.cfg.Issuer == "" {
		list = append(slices.DeleteFunc(list, func(name string) bool { return name == checkIssuer }), checkIssuer)
	}
	return list
}

// checks lists what passed, what failed, and what the library did not get to.
func (c *inquiry) checks() []Check {
	failed := c.failed()
	list := make([]Check, 0, 16)
	before := true
	for _, name := range c.order() {
		check := Check{Name: name}
		switch {
		case name == failed:
			check.Result, check.Detail, check.Remedy = Fail, cause(c.err), c.remedy()
			before = false
		case !before:
			check.Result = NotReached
		default:
			check.Result, check.Detail = c.passed(name)
		}
		list = append(list, check)
	}
	return list
}

// placed says which check a reason belongs to, where that is plain.
var placed = map[sso.Reason]string{
	sso.ReasonMissingToken:      checkCredentials,
	sso.ReasonBadCredentials:    checkCredentials,
	sso.ReasonCrossOrigin:       checkCredentials,
	sso.ReasonTooLarge:          checkForm,
	sso.ReasonEncrypted:         checkForm,
	sso.ReasonCriticalHeader:    checkCrit,
	sso.ReasonUnsupportedHeader: checkPacking,
	sso.ReasonAlgorithm:         checkAlgorithm,
	sso.ReasonKeyID:             checkKeyID,
	sso.ReasonMissingExpiry:     checkDates,
	sso.ReasonExpired:           checkDates,
	sso.ReasonNotYetValid:       checkDates,
	sso.ReasonIssuedInFuture:    checkDates,
	sso.ReasonWrongAudience:     checkAudience,
	sso.ReasonWrongIssuer:       checkIssuer,
	sso.ReasonWrongClient:       checkClient,
	sso.ReasonTokenKind:         checkKind,
	sso.ReasonBoundToken:        checkKind,
	sso.ReasonMissingClaim:      checkKind,
	sso.ReasonUnknownKey:        checkKey,
	sso.ReasonAmbiguousKey:      checkKey,
	sso.ReasonKeyAlgorithm:      checkKey,
	sso.ReasonKeysUnavailable:   checkKey,
	sso.ReasonBadSignature:      checkSignature,
}

// failed names the check that the library's reason belongs to. Three reasons stand for several
// checks; which one it was the library itself tells, asked about parts of the token.
func (c *inquiry) failed() string {
	switch c.reason {
	case "":
		return ""
	case sso.ReasonMalformed:
		if c.formed() {
			return checkClaims
		}
		return checkForm
	case sso.ReasonMalformedClaim:
		return c.malformedClaim()
	case sso.ReasonTokenType:
		lenient := c.cfg
		lenient.RequireAccessTokenType = false
		if c.ask(lenient, c.parts[0], c.good(nil), "AA") == sso.ReasonTokenType {
			return checkType
		}
		return checkKind
	}
	if name, ok := placed[c.reason]; ok {
		return name
	}
	return c.order()[0] // a fault of the service, which judged nothing
}

// formed reports whether each part of the token is in order by itself, as far as form goes: then
// the library has got as far as the names of the claims.
func (c *inquiry) formed() bool {
	if len(c.parts) != 3 {
		return false
	}
	unsigned := segment(map[string]any{"alg": "none"}) // which is looked at after the form, and before the claims
	return c.ask(c.cfg, unsigned, c.parts[1], "AA") == sso.ReasonAlgorithm &&
		c.ask(c.cfg, unsigned, c.good(nil), c.parts[2]) == sso.ReasonAlgorithm &&
		c.ask(c.cfg, c.parts[0], c.good(nil), "AA") != sso.ReasonMalformed
}

// malformedClaim asks about one claim after the other, in a token that has nothing else wrong.
func (c *inquiry) malformedClaim() string {
	for _, claim := range []struct{ name, check string }{
		{"exp", checkDates},
		{"nbf", checkDates},
		{"iat", checkDates},
		{"iss", checkNames},
		{"sub", checkNames},
		{"aud", checkAudience},
		{"client_id", checkClient},
	} {
		value := member(c.token.Claims, claim.name)
		if value == "" {
			continue
		}
		payload := c.good(map[string]any{claim.name: json.RawMessage(value)})
		if c.ask(c.cfg, segment(map[string]any{"alg": c.algorithms()[0]}), payload, "AA") == sso.ReasonMalformedClaim {
			return claim.check
		}
	}
	return checkKind // jti, which RFC 9068 demands
}

// ask has the library judge a token made of parts, with no key to be had.
func (c *inquiry) ask(cfg sso.Config, header, payload, signature string) sso.Reason {
	cfg.PublicKeyURI, cfg.Keys, cfg.HTTPClient = "", noKeys{}, nil
	cfg.Now = func() time.Time { return c.now }
	cfg.Logger, cfg.Observe = slog.New(slog.DiscardHandler), nil
	auth, err := sso.New(cfg)
	if err != nil {
		return sso.ReasonInternal
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight
	_, err = auth.ValidateToken(context.Background(), header+"."+payload+"."+signature)
	var token *sso.TokenError
	if errors.As(err, &token) {
		return token.Reason
	}
	return sso.ReasonKeysUnavailable
}

// good is the payload of a token that keeps the rules, but for what is changed in it.
func (c *inquiry) good(change map[string]any) string {
	claims := map[string]any{"exp": c.now.Add(time.Hour).Unix(), "sub": "somebody"}
	if len(c.cfg.Audience) > 0 {
		claims["aud"] = c.cfg.Audience[0]
	}
	if c.cfg.Issuer != "" {
		claims["iss"] = c.cfg.Issuer
	}
	if len(c.cfg.ClientIDs) > 0 {
		claims["client_id"] = c.cfg.ClientIDs[0]
	}
	maps.Copy(claims, change)
	return segment(claims)
}

func segment(object map[string]any) string {
	text, err := json.Marshal(object)
	if err != nil {
		return "" // of what was JSON before, so it does not happen
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// noKeys is a source that is never asked, or asked in vain.
type noKeys struct{}

func (noKeys) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	return nil, errors.New("no keys are asked for")
}
func (noKeys) String() string { return "no keys" }

func (c *inquiry) algorithms() []string {
	if len(c.cfg.Algorithms) == 0 {
		return []string{"RS256"}
	}
	return c.cfg.Algorithms
}

// passed says what was found in order.
func (c *inquiry) passed(name string) (Result, string) {
	header := func(name string) string {
		if value := member(c.token.Header, name); value != "" {
			return value
		}
		return "none"
	}
	switch name {
	case checkCredentials:
		return Pass, "one Authorization field, of the scheme Bearer"
	case checkForm:
		return Pass, fmt.Sprintf("%d bytes in three parts; header and payload are JSON objects", c.token.Bytes)
	case checkCrit, checkPacking:
		return Pass, "none"
	case checkAlgorithm:
		return Pass, fmt.Sprintf("%s, of the accepted %s", header("alg"), strings.Join(c.algorithms(), ", "))
	case checkType:
		return Pass, "typ " + header("typ") + ", cty " + header("cty")
	case checkKeyID:
		return Pass, header("kid")
	case checkClaims:
		return Pass, "no name in other letters than it should be"
	case checkDates:
		return Pass, c.dates()
	case checkNames:
		return Pass, "iss " + or(member(c.token.Claims, "iss"), "none") + ", sub " + or(member(c.token.Claims, "sub"), "none")
	case checkAudience:
		if c.cfg.SkipAudienceCheck {
			return Skipped, "SkipAudienceCheck is set; aud is " + or(member(c.token.Claims, "aud"), "missing")
		}
		return Pass, fmt.Sprintf("%s, where one of %s is wanted", member(c.token.Claims, "aud"), quoted(c.cfg.Audience))
	case checkIssuer:
		iss := or(member(c.token.Claims, "iss"), "missing")
		if c.cfg.Issuer == "" && c.discovered == "" {
			return Skipped, "no Issuer is set, and none was discovered: iss is " + iss + ", which anybody may say whose key is trusted"
		}
		return Pass, iss
	case checkClient:
		if len(c.cfg.ClientIDs) == 0 {
			return Skipped, "any client is accepted; client_id is " + or(member(c.token.Claims, "client_id"), "missing")
		}
		return Pass, member(c.token.Claims, "client_id")
	case checkKind:
		return Pass, "nothing in it says that it is another kind of token than an access token"
	case checkKey:
		return Pass, "the provider has a key for it" + c.ownKeys()
	case checkSignature:
		return Pass, "the provider's key proves it"
	}
	return Pass, ""
}

// ownKeys names what the token brings along to be verified by, which is never looked at.
func (c *inquiry) ownKeys() string {
	var list []string
	for _, name := range []string{"jwk", "jku", "x5u", "x5c"} {
		if member(c.token.Header, name) != "" {
			list = append(list, name)
		}
	}
	if list == nil {
		return ""
	}
	return "; " + strings.Join(list, ", ") + " in its header was not looked at"
}

func (c *inquiry) dates() string {
	var list []string
	for _, m := range Members(c.token.Claims, c.now) {
		if label := map[string]string{"exp": "expires ", "nbf": "good from ", "iat": "issued "}[m.Name]; label != "" {
			list = append(list, label+or(m.Note, m.Value))
		}
	}
	return strings.Join(list, "; ")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func quoted(list []string) string { return fmt.Sprintf("%q", list) }
