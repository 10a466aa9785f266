package sso

import (
	"fmt"
	"os"
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
// not set. PUBLIC_KEY_URI and AUDIENCE are those of the Python edition.
//
// It fails with a [ConfigError] that names every variable at fault, what it held and what to
// write; the configuration as far as it could be read is returned with it. What the
// environment cannot hold (an HTTP client, a logger) can be set before it goes to [New].
func ConfigFromEnv() (Config, error) { return ConfigFromLookup(os.Getenv) }

// ConfigFromLookup is [ConfigFromEnv] for variables that are kept elsewhere, in a parameter
// store for instance: lookup returns the value of a variable by its name, empty if it is not
// set. It may be asked for a name several times.
func ConfigFromLookup(lookup func(name string) string) (Config, error) {
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
