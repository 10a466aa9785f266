// Package settings reads whose tokens a service accepts, as the service would: from the variables
// of its environment, over which flags of the same meaning are laid.
package settings

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/more-retail/moresso-go/core/sso"
)

// A Setting is one that the environment or a flag can hold.
type Setting struct {
	Flag      string   // without the dashes; empty for what has no say in this program
	Field     string   // of sso.Config
	Variables []string // the first that is set counts
	Default   string   // for people
	Usage     string   // of the flag
}

// Name is the variable by which the setting is usually set.
func (s Setting) Name() string { return s.Variables[0] }

// All lists the settings, in the order in which people think of them.
func All() []Setting {
	return []Setting{
		{"keys", "PublicKeyURI", []string{"SSO_PUBLIC_KEY_URI", "PUBLIC_KEY_URI"}, "discovered from the issuer", "where the public `keys` are: URL of a JWK Set, PEM or discovery document, file: and a path, or PEM text"},
		{"issuer", "Issuer", []string{"SSO_ISSUER"}, "what discovery tells, else unchecked", "the `issuer`, exactly as in the tokens' iss; keys are discovered from it unless --keys is given"},
		{"audience", "Audience", []string{"SSO_AUDIENCE", "AUDIENCE"}, "needed", "`names` of the service at the identity provider, separated by commas"},
		{"algorithms", "Algorithms", []string{"SSO_ALGORITHMS"}, "RS256", "accepted `algorithms`, separated by commas (default RS256)"},
		{"leeway", "Leeway", []string{"SSO_LEEWAY"}, "60s", "forgives clocks that differ, a `duration` from 0s to 5m (default 60s)"},
		{"client-ids", "ClientIDs", []string{"SSO_CLIENT_IDS"}, "any", "accepted OAuth `clients`, separated by commas (default any)"},
		{"require-access-token-type", "RequireAccessTokenType", []string{"SSO_REQUIRE_ACCESS_TOKEN_TYPE"}, "false", "only access tokens as in RFC 9068"},
		{"skip-token-kind-checks", "SkipTokenKindChecks", []string{"SSO_SKIP_TOKEN_KIND_CHECKS"}, "none", "accept other `kinds` of token too: id_token, refresh_token, event"},
		{"skip-audience-check", "SkipAudienceCheck", []string{"SSO_SKIP_AUDIENCE_CHECK"}, "false", "aud is not looked at; needs client ids and issuer"},
		{"max-token-bytes", "MaxTokenBytes", []string{"SSO_MAX_TOKEN_BYTES"}, "16384", "the longest token that is read, in `bytes` (default 16384)"},
		{"permissions-claim", "PermissionsClaim", []string{"SSO_PERMISSIONS_CLAIM"}, "permissions", "`path` of the claim that permissions are looked up in (default permissions)"},
		{"roles-claim", "RolesClaim", []string{"SSO_ROLES_CLAIM"}, "roles", "`path` of the claim that roles are looked up in (default roles)"},
		{"disable-wildcard", "DisableWildcard", []string{"SSO_DISABLE_WILDCARD"}, "false", "\"*\" in a token means nothing"},
		{"allowed-key-origins", "AllowedKeyOrigins", []string{"SSO_ALLOWED_KEY_ORIGINS"}, "none", "further `hosts` for discovered keys, separated by commas"},
		{"insecure-allow-http", "InsecureAllowHTTP", []string{"SSO_INSECURE_ALLOW_HTTP"}, "false", "keys over http from other machines, where anybody on the way can replace them"},
		{"", "TokenCache", []string{"SSO_TOKEN_CACHE"}, "10000", ""},
		{"", "Realm", []string{"SSO_REALM"}, "none", ""},
		{"", "TellScopes", []string{"SSO_TELL_SCOPES"}, "false", ""},
		{"", "Refresh", []string{"SSO_REFRESH"}, "by itself", ""},
	}
}

// whence are the settings that say where keys come from. A flag for one of them hides the
// variables of all: a key of one provider beside the issuer of another makes no sense.
var whence = []string{"PublicKeyURI", "Issuer", "AllowedKeyOrigins"}

// Flags are settings given on a command line.
type Flags struct {
	values *pflag.FlagSet
	lookup func(name string) string
}

// NewFlags adds a flag for each setting to a set. Variables that no flag hides are looked up by
// lookup.
func NewFlags(set *pflag.FlagSet, lookup func(name string) string) *Flags {
	f := &Flags{values: set, lookup: lookup}
	for _, s := range All() {
		switch {
		case s.Flag == "":
		case s.Default == "false":
			set.Bool(s.Flag, false, s.Usage)
		default:
			set.String(s.Flag, "", s.Usage)
		}
	}
	return f
}

// Value is what a setting holds, and where that stands: the flag or the variable, empty if it is
// not set.
func (f *Flags) Value(s Setting) (value, where string) {
	if f.given(s) {
		return f.values.Lookup(s.Flag).Value.String(), "--" + s.Flag
	}
	if f.hidden(s) {
		return "", ""
	}
	for _, name := range s.Variables {
		if value := f.lookup(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

func (f *Flags) given(s Setting) bool { return s.Flag != "" && f.values.Changed(s.Flag) }

// hidden reports whether a flag says that keys come from elsewhere than the environment does.
func (f *Flags) hidden(s Setting) bool {
	return slices.Contains(whence, s.Field) && slices.ContainsFunc(All(), func(other Setting) bool {
		return other.Field != "AllowedKeyOrigins" && slices.Contains(whence, other.Field) && f.given(other)
	})
}

// Config is the configuration that flags and environment make together, checked as the service
// would check it. Its error is an [sso.ConfigError], whose faults name what was set, or where
// nothing was, both ways to set it.
func (f *Flags) Config() (sso.Config, error) {
	cfg, err := sso.ConfigFromLookup(func(name string) string {
		for _, s := range All() {
			if slices.Contains(s.Variables, name) {
				value, where := f.Value(s)
				if where == name || strings.HasPrefix(where, "--") && name == s.Name() {
					return value
				}
				return ""
			}
		}
		return f.lookup(name)
	})
	var faults *sso.ConfigError
	if !errors.As(err, &faults) {
		return cfg, err
	}
	renamed := &sso.ConfigError{Problems: slices.Clone(faults.Problems)}
	for i, fault := range renamed.Problems {
		for _, s := range All() {
			if _, where := f.Value(s); slices.Contains(s.Variables, fault.Setting) && s.Flag != "" {
				renamed.Problems[i].Setting = where
				if where == "" {
					renamed.Problems[i].Setting = s.Name() + " (or --" + s.Flag + ")"
				}
			}
		}
	}
	return cfg, renamed
}
