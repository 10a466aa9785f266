package sso

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/configerr"
)

// Setting is a field of [Config] that the environment or a flag can set.
type Setting struct {
	Field    string              // of Config
	Variable string              // for [ConfigFromEnv]
	Flag     string              // for command-line tools, without dashes
	Default  string              // for people; "false" for switches
	Text     string              // what it does
	field    func(c *Config) any // a pointer to it
}

// Settings returns the table of settings: the one source of what [ConfigFromEnv] reads, of the
// tool's flags and of the reference of settings.
func Settings() []Setting { return slices.Clone(settings) }

var settings = []Setting{
	{"Issuer", "SSO_ISSUER", "issuer", "from discovery, else required", "`issuer` of the tokens, exactly as in their iss; keys are discovered from it", func(c *Config) any { return &c.Issuer }},
	{"Audience", "SSO_AUDIENCE", "audience", "required", "`names` of the service at the identity provider, separated by commas", func(c *Config) any { return &c.Audience }},
	{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", "keys", "discovered from the issuer", "where the public `keys` are: URL of a JWK Set, PEM or discovery document, file: and a path, or PEM text", func(c *Config) any { return &c.PublicKeyURI }},
	{"Algorithms", "SSO_ALGORITHMS", "algorithms", "RS256", "accepted `algorithms`, separated by commas", func(c *Config) any { return &c.Algorithms }},
	{"MaxRSABits", "SSO_MAX_RSA_BITS", "max-rsa-bits", "4096", "longest RSA key, in `bits` up to 8192", func(c *Config) any { return &c.MaxRSABits }},
	{"ClientIDs", "SSO_CLIENT_IDS", "client-ids", "any", "accepted OAuth `clients`, separated by commas", func(c *Config) any { return &c.ClientIDs }},
	{"TokenType", "SSO_TOKEN_TYPE", "token-type", "any access token", "at+jwt: only access tokens as in RFC 9068; id_token: ID tokens as well", func(c *Config) any { return &c.TokenType }},
	{"SkipAudienceCheck", "SSO_SKIP_AUDIENCE_CHECK", "skip-audience-check", "false", "accept any aud; requires client ids and issuer", func(c *Config) any { return &c.SkipAudienceCheck }},
	{"SkipIssuerCheck", "SSO_SKIP_ISSUER_CHECK", "skip-issuer-check", "false", "accept any iss of tokens that the keys verify", func(c *Config) any { return &c.SkipIssuerCheck }},
	{"SkipAccessTokenCheck", "SSO_SKIP_ACCESS_TOKEN_CHECK", "skip-access-token-check", "false", "accept tokens of Entra, Okta and Cognito without the claims of their access tokens", func(c *Config) any { return &c.SkipAccessTokenCheck }},
	{"Leeway", "SSO_LEEWAY", "leeway", "60s", "allowed clock skew, a `duration` from 0s to 5m", func(c *Config) any { return &c.Leeway }},
	{"MaxTokenAge", "SSO_MAX_TOKEN_AGE", "max-token-age", "unbounded", "longest lifetime of a token, a `duration`", func(c *Config) any { return &c.MaxTokenAge }},
	{"MaxTokenBytes", "SSO_MAX_TOKEN_BYTES", "max-token-bytes", "16384", "longest token, in `bytes`", func(c *Config) any { return &c.MaxTokenBytes }},
	{"TokenCache", "SSO_TOKEN_CACHE", "token-cache", "10000", "`number` of verified tokens that are cached; 0: none", func(c *Config) any { return &c.TokenCache }},
	{"PermissionsClaim", "SSO_PERMISSIONS_CLAIM", "permissions-claim", "permissions", "`path` of the claim that permissions are looked up in", func(c *Config) any { return &c.PermissionsClaim }},
	{"GrantablePermissions", "SSO_GRANTABLE_PERMISSIONS", "grantable-permissions", "all", "`paths` within the permissions that tokens may grant, separated by commas", func(c *Config) any { return &c.GrantablePermissions }},
	{"RolesClaim", "SSO_ROLES_CLAIM", "roles-claim", "roles", "`path` of the claim that roles are looked up in, or several separated by commas", func(c *Config) any { return &c.RolesClaim }},
	{"Wildcard", "SSO_WILDCARD", "wildcard", "false", "\"*\" in a token's permissions matches any value", func(c *Config) any { return &c.Wildcard }},
	{"TellScopes", "SSO_TELL_SCOPES", "tell-scopes", "false", "name the missing scopes in the challenge of a 403", func(c *Config) any { return &c.TellScopes }},
	{"KeyFetchTimeout", "SSO_KEY_FETCH_TIMEOUT", "key-fetch-timeout", "10s", "time that a fetch of keys may take, a `duration` up to 30s", func(c *Config) any { return &c.KeyFetchTimeout }},
	{"StaleFor", "SSO_STALE_FOR", "stale-for", "1h", "time that keys serve while the provider cannot be reached, a `duration` up to 24h; 0s: none", func(c *Config) any { return &c.StaleFor }},
	{"RefreshInline", "SSO_REFRESH_INLINE", "refresh-inline", "false", "fetch keys within requests, for processes that are frozen in between; always on in AWS Lambda", func(c *Config) any { return &c.RefreshInline }},
	{"InsecureAllowHTTP", "SSO_INSECURE_ALLOW_HTTP", "insecure-allow-http", "false", "fetch keys over http from other machines, where an attacker on the network can replace them", func(c *Config) any { return &c.InsecureAllowHTTP }},
}

// read parses a value into the field. In TokenCache and Leeway zero is the default, so a value of
// zero becomes a negative number, which means none.
func (s Setting) read(c *Config, value string) (problem, remedy string) {
	problem = "holds " + configerr.Quote(value)
	switch field := s.field(c).(type) {
	case *string:
		*field = value
	case *TokenType:
		*field = TokenType(value)
	case *[]string: // check reports empty elements
		for element := range strings.SplitSeq(value, ",") {
			*field = append(*field, strings.TrimSpace(element))
		}
	case *bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return problem, "write true or false"
		}
		*field = b
	case *int:
		least := 1
		if field == &c.TokenCache {
			least = 0
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < least {
			return problem, "write a whole number from " + strconv.Itoa(least)
		}
		*field = cmp.Or(n, -1)
	case *time.Duration:
		bounds := ""
		if field == &c.Leeway {
			bounds = ", from 0s to 5m"
		}
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return problem + ", which is not a duration", "write a number with its unit" + bounds + ", e.g. 30s"
		}
		if *field = d; field == &c.Leeway || field == &c.StaleFor {
			*field = cmp.Or(d, -1)
		}
	}
	return "", ""
}

// ConfigFromEnv reads a configuration from the environment variables of [Settings], of which
// SSO_ISSUER and SSO_AUDIENCE are enough. An empty variable counts as not set. Elements of lists may
// have white space around them. Switches are read by [strconv.ParseBool], durations by
// [time.ParseDuration].
//
// It fails with a [ConfigError] that names every variable with a problem, its value and what to
// write. It then returns the configuration without the invalid settings. Like New it reads key files
// and does no network I/O. Set what the environment cannot hold (an HTTP client, a logger) before
// you pass the configuration to [New].
//
// Every other variable that begins with SSO_ is refused: with SSO_ISSUR the issuer would silently
// not be checked. SSO_TOKEN is allowed; it belongs to the command-line tool.
func ConfigFromEnv() (Config, error) { return configFrom(os.Getenv, os.Environ()) }

// ConfigFromLookup is [ConfigFromEnv] for variables that are kept elsewhere, such as in a parameter
// store. Lookup returns the value of a variable, empty if it is not set, and may be called several
// times for one name. Unknown names are not detected.
func ConfigFromLookup(lookup func(name string) string) (Config, error) {
	return configFrom(lookup, nil)
}

// configFrom reads a configuration. Environ are all variables, as [os.Environ] returns them.
func configFrom(lookup func(name string) string, environ []string) (Config, error) {
	l := &configerr.List{Name: variableOf, Raw: func(field string) string { return lookup(variableOf(field)) }}
	refuseUnknown(l, environ)
	var c Config
	for _, s := range settings {
		value := lookup(s.Variable)
		if value == "" {
			continue
		}
		if problem, remedy := s.read(&c, value); problem != "" {
			l.Add(s.Field, problem, remedy)
		}
	}
	checked := c // check fills in defaults, which New does again after the caller's changes
	checked.check(l)
	return c, configError(l)
}

// variableOf returns the variable of a field; the field if it has none.
func variableOf(field string) string {
	for _, s := range settings {
		if s.Field == field {
			return s.Variable
		}
	}
	return field
}

const variablePrefix = "SSO_"

func refuseUnknown(l *configerr.List, environ []string) {
	for _, line := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(line, "=")
		known := name == "SSO_TOKEN" || slices.ContainsFunc(settings, func(s Setting) bool { return s.Variable == name })
		if value == "" || known || !strings.HasPrefix(strings.ToUpper(name), variablePrefix) {
			continue
		}
		l.Add(name, "is not a known setting", "write "+strings.Join(nearest(strings.ToUpper(name)), " or ")+", or choose a name without "+variablePrefix)
	}
}

// nearest returns the variables that have the longest prefix in common with a name.
func nearest(name string) (variables []string) {
	longest := 0
	for _, s := range settings {
		n := 0
		for n < min(len(name), len(s.Variable)) && name[n] == s.Variable[n] {
			n++
		}
		if n > longest {
			longest, variables = n, nil
		}
		if n == longest && len(variables) < 3 {
			variables = append(variables, s.Variable)
		}
	}
	return variables
}
