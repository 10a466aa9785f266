package sso

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// envNames are the environment variables that [ConfigFromEnv] reads, by the field they fill.
// Where there are two, the second is the Python edition's and counts if the first is not set.
var envNames = map[string][]string{
	"PublicKeyURI":           {"SSO_PUBLIC_KEY_URI", "PUBLIC_KEY_URI"},
	"Audience":               {"SSO_AUDIENCE", "AUDIENCE"},
	"SkipAudienceCheck":      {"SSO_SKIP_AUDIENCE_CHECK"},
	"ClientIDs":              {"SSO_CLIENT_IDS"},
	"Issuer":                 {"SSO_ISSUER"},
	"RequireAccessTokenType": {"SSO_REQUIRE_ACCESS_TOKEN_TYPE"},
	"SkipTokenKindChecks":    {"SSO_SKIP_TOKEN_KIND_CHECKS"},
	"Algorithms":             {"SSO_ALGORITHMS"},
	"Leeway":                 {"SSO_LEEWAY"},
	"MaxTokenBytes":          {"SSO_MAX_TOKEN_BYTES"},
	"TokenCache":             {"SSO_TOKEN_CACHE"},
	"PermissionsClaim":       {"SSO_PERMISSIONS_CLAIM"},
	"RolesClaim":             {"SSO_ROLES_CLAIM"},
	"DisableWildcard":        {"SSO_DISABLE_WILDCARD"},
	"Realm":                  {"SSO_REALM"},
	"TellScopes":             {"SSO_TELL_SCOPES"},
	"AllowedKeyOrigins":      {"SSO_ALLOWED_KEY_ORIGINS"},
	"InsecureAllowHTTP":      {"SSO_INSECURE_ALLOW_HTTP"},
	"Refresh":                {"SSO_REFRESH"},
}

// ConfigFromEnv reads a configuration from the environment:
//
//	SSO_PUBLIC_KEY_URI       where the public keys are (or PUBLIC_KEY_URI)
//	SSO_AUDIENCE             this service's audiences, separated by commas (or AUDIENCE)
//	SSO_ISSUER               the issuer, exactly as in the tokens
//	SSO_ALGORITHMS           accepted algorithms, separated by commas
//	SSO_LEEWAY               a duration such as 30s; 0s forgives nothing
//	SSO_MAX_TOKEN_BYTES      the longest token
//	SSO_TOKEN_CACHE          how many verified tokens are remembered; 0: none
//	SSO_PERMISSIONS_CLAIM    the path of the claim that holds the permissions
//	SSO_ROLES_CLAIM          the path of the claim that holds the roles
//	SSO_DISABLE_WILDCARD     true: "*" in a token means nothing
//	SSO_REALM                named in challenges
//	SSO_TELL_SCOPES          true: a 403 names the missing scopes
//	SSO_ALLOWED_KEY_ORIGINS  further hosts for discovered keys, separated by commas
//	SSO_REFRESH              background or inline
//	SSO_CLIENT_IDS           accepted OAuth clients, separated by commas
//	SSO_REQUIRE_ACCESS_TOKEN_TYPE  true: only access tokens as in RFC 9068
//	SSO_SKIP_TOKEN_KIND_CHECKS  id_token, refresh_token, event: accepted all the same
//	SSO_SKIP_AUDIENCE_CHECK  true: aud is not looked at; needs client ids and issuer
//	SSO_INSECURE_ALLOW_HTTP  true: keys over http from other machines
//
// Each means what the field of [Config] with its name says. A variable that is empty counts as
// not set. PUBLIC_KEY_URI and AUDIENCE are those of the Python edition, and count where the one with
// SSO_ is not set. White space around the elements of a list means nothing. Switches are read by
// [strconv.ParseBool], durations by [time.ParseDuration].
//
// It fails with a [ConfigError] that names every variable at fault, what it held and what to
// write; the configuration as far as it could be read is returned with it. What the
// environment cannot hold (an HTTP client, a logger) can be set before it goes to [New]. Like New it
// reads key files and does no network I/O.
//
// A variable that begins with SSO_, is none of these and looks like one of them that is not set, is
// at fault too: SSO_ISSUR would leave the issuer unchecked, and nobody would notice.
func ConfigFromEnv() (Config, error) {
	return configFrom(os.Getenv, os.Environ())
}

// ConfigFromLookup is [ConfigFromEnv] for variables that are kept elsewhere, in a parameter
// store for instance: lookup returns the value of a variable by its name, empty if it is not
// set. It may be asked for a name several times, also for PUBLIC_KEY_URI and AUDIENCE. Names that
// look like a setting and are none are not found here.
func ConfigFromLookup(lookup func(name string) string) (Config, error) {
	return configFrom(lookup, nil)
}

// configFrom reads a configuration. All are the variables that there are, as [os.Environ] has them.
func configFrom(lookup func(name string) string, all []string) (Config, error) {
	e := environment{lookup: lookup}
	e.faults = &faults{name: func(field string) string {
		if names := envNames[field]; names != nil {
			if _, name := e.find(field); name != "" {
				return name // the one that was set
			}
			return names[0]
		}
		return field
	}}
	e.raw = e.text
	e.checkSpelling(all)
	leeway := e.duration("Leeway")
	c := Config{
		PublicKeyURI:           e.text("PublicKeyURI"),
		Audience:               e.list("Audience"),
		SkipAudienceCheck:      e.bool("SkipAudienceCheck"),
		ClientIDs:              e.list("ClientIDs"),
		Issuer:                 e.text("Issuer"),
		RequireAccessTokenType: e.bool("RequireAccessTokenType"),
		Algorithms:             e.list("Algorithms"),
		Leeway:                 leeway,
		MaxTokenBytes:          e.int("MaxTokenBytes", 1, "write a whole number of bytes above 0"),
		TokenCache:             e.tokenCache(),
		PermissionsClaim:       e.text("PermissionsClaim"),
		RolesClaim:             e.text("RolesClaim"),
		DisableWildcard:        e.bool("DisableWildcard"),
		Realm:                  e.text("Realm"),
		TellScopes:             e.bool("TellScopes"),
		AllowedKeyOrigins:      e.list("AllowedKeyOrigins"),
		InsecureAllowHTTP:      e.bool("InsecureAllowHTTP"),
		Refresh:                Refresh(e.text("Refresh")),
	}
	for _, kind := range e.list("SkipTokenKindChecks") {
		c.SkipTokenKindChecks = append(c.SkipTokenKindChecks, TokenKind(kind))
	}
	checked := c // the checks fill in defaults, which New does again after the caller's changes
	checked.check(e.faults)
	return c, e.err()
}

// environment is where variables are looked up, and what is wrong with them.
type environment struct {
	*faults
	lookup func(name string) string
}

// otherVariables begin as ours do and are for somebody else: SSO_TOKEN is the command-line tool's.
var otherVariables = []string{"SSO_TOKEN"}

// checkSpelling finds variables that are meant for us and would count for nothing.
func (e environment) checkSpelling(all []string) {
	for _, line := range slices.Sorted(slices.Values(all)) {
		name, value, _ := strings.Cut(line, "=")
		if value == "" || len(name) > 64 || !strings.HasPrefix(strings.ToUpper(name), "SSO_") || slices.Contains(otherVariables, name) {
			continue
		}
		if meant := lookalike(strings.ToUpper(name)); meant != "" && meant != name && e.lookup(meant) == "" {
			e.faults.list = append(e.faults.list, ConfigFault{name, "is no setting, and looks like " + meant, "write " + meant + ", or name your own variable otherwise"})
		}
	}
}

// lookalike is the variable of ours that a name equals, or else the one that it is nearest to; empty
// if none is near.
func lookalike(name string) (meant string) {
	nearest := 3
	for _, field := range slices.Sorted(maps.Keys(envNames)) {
		known := envNames[field][0]
		if d := distance(name, known); d < nearest && (d < 2 || len(known) > len("SSO_REALM")) {
			meant, nearest = known, d
		}
	}
	return meant
}

// distance counts the letters that have to be put in, left out, replaced or swapped with the next to
// make one name of another (the optimal string alignment distance).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			other := 1
			if a[i-1] == b[j-1] {
				other = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+other)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// find returns the value of a field's variable and the variable's name.
func (e environment) find(field string) (value, name string) {
	for _, name := range envNames[field] {
		if value := e.lookup(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

func (e environment) text(field string) string {
	value, _ := e.find(field)
	return value
}

// list keeps empty elements: the checks name them.
func (e environment) list(field string) []string {
	value, name := e.find(field)
	if name == "" {
		return nil
	}
	list := strings.Split(value, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func (e environment) bool(field string) bool {
	value, name := e.find(field)
	if name == "" {
		return false
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		e.add(field, "holds "+held(value), "write true or false")
	}
	return b
}

// tokenCache reads 0 as what it says, unlike the field, whose zero value is the default.
func (e environment) tokenCache() int {
	if _, name := e.find("TokenCache"); name == "" {
		return 0
	}
	if n := e.int("TokenCache", 0, "write how many verified tokens are to be remembered; 0 for none"); n > 0 {
		return n
	}
	return NoTokenCache
}

func (e environment) int(field string, least int, remedy string) int {
	value, name := e.find(field)
	if name == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least {
		e.add(field, "holds "+held(value), remedy)
		return 0
	}
	return n
}

func (e environment) duration(field string) time.Duration {
	value, name := e.find(field)
	if name == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		e.add(field, fmt.Sprintf("holds %s, which is no duration", held(value)), "write a number with its unit, from 0s to 5m, e.g. 30s")
		return 0
	case d == 0:
		return NoLeeway
	case d == NoLeeway: // -1ns, which nobody means
		return -2
	}
	return d
}
