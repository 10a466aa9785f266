package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	checkBody        = "body"
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
		checkBody, checkDates, checkNames, checkAudience, checkIssuer, checkClient, checkKind, checkKey, checkSignature,
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
		return Pass, fmt.Sprintf("%d bytes in three parts; the header is a JSON object", c.token.Bytes)
	case checkCrit, checkPacking:
		return Pass, "none"
	case checkAlgorithm:
		return Pass, fmt.Sprintf("%s, of the accepted %s", header("alg"), strings.Join(c.algorithms(), ", "))
	case checkType:
		return Pass, "typ " + header("typ") + ", cty " + header("cty")
	case checkKeyID:
		return Pass, header("kid")
	case checkBody:
		return Pass, "payload and signature can be read; no name of a claim stands twice or in other letters"
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
