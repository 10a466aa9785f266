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
func ConfigFromEnv() (Config, error) {
	f := &faults{name: func(field string) string {
		if names := envNames[field]; names != nil {
			if _, name := lookupEnv(field); name != "" {
				return name // the one that was set
			}
			return names[0]
		}
		return field
	}}
	leeway := envDuration(f, "Leeway")
	c := Config{
		PublicKeyURI:           envText("PublicKeyURI"),
		Audience:               envList("Audience"),
		SkipAudienceCheck:      envBool(f, "SkipAudienceCheck"),
		ClientIDs:              envList("ClientIDs"),
		Issuer:                 envText("Issuer"),
		RequireAccessTokenType: envBool(f, "RequireAccessTokenType"),
		Algorithms:             envList("Algorithms"),
		Leeway:                 leeway,
		MaxTokenBytes:          envInt(f, "MaxTokenBytes", 1, "write a whole number of bytes above 0"),
		TokenCache:             envTokenCache(f),
		PermissionsClaim:       envText("PermissionsClaim"),
		RolesClaim:             envText("RolesClaim"),
		DisableWildcard:        envBool(f, "DisableWildcard"),
		Realm:                  envText("Realm"),
		TellScopes:             envBool(f, "TellScopes"),
		AllowedKeyOrigins:      envList("AllowedKeyOrigins"),
		InsecureAllowHTTP:      envBool(f, "InsecureAllowHTTP"),
		Refresh:                Refresh(envText("Refresh")),
	}
	for _, kind := range envList("SkipTokenKindChecks") {
		c.SkipTokenKindChecks = append(c.SkipTokenKindChecks, TokenKind(kind))
	}
	checked := c // the checks fill in defaults, which New does again after the caller's changes
	checked.check(f)
	return c, f.err()
}

// lookupEnv returns the value of a field's variable and the variable's name.
func lookupEnv(field string) (value, name string) {
	for _, name := range envNames[field] {
		if value := os.Getenv(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

func envText(field string) string {
	value, _ := lookupEnv(field)
	return value
}

// envList keeps empty elements: the checks name them.
func envList(field string) []string {
	value, name := lookupEnv(field)
	if name == "" {
		return nil
	}
	list := strings.Split(value, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func envBool(f *faults, field string) bool {
	value, name := lookupEnv(field)
	if name == "" {
		return false
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		f.add(field, "holds "+held(value), "write true or false")
	}
	return b
}

// envTokenCache reads 0 as what it says, unlike the field, whose zero value is the default.
func envTokenCache(f *faults) int {
	if _, name := lookupEnv("TokenCache"); name == "" {
		return 0
	}
	if n := envInt(f, "TokenCache", 0, "write how many verified tokens are to be remembered; 0 for none"); n > 0 {
		return n
	}
	return NoTokenCache
}

func envInt(f *faults, field string, least int, remedy string) int {
	value, name := lookupEnv(field)
	if name == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least {
		f.add(field, "holds "+held(value), remedy)
		return 0
	}
	return n
}

func envDuration(f *faults, field string) time.Duration {
	value, name := lookupEnv(field)
	if name == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil:
		f.add(field, fmt.Sprintf("holds %s, which is no duration", held(value)), "write a number with its unit, from 0s to 5m, e.g. 30s")
		return 0
	case d == 0:
		return NoLeeway
	case d == NoLeeway: // -1ns, which nobody means
		return -2
	}
	return d
}
