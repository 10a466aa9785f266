package sso

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
)

// Bounds and defaults of a [Config].
const (
	// DefaultLeeway is what a [Config.Leeway] of zero means.
	DefaultLeeway = 60 * time.Second
	// MaxLeeway is the most that [Config.Leeway] may be.
	MaxLeeway = 5 * time.Minute
	// NoLeeway is the value of [Config.Leeway] that forgives nothing.
	NoLeeway time.Duration = -1
	// DefaultMaxTokenBytes is what a [Config.MaxTokenBytes] of zero means: 16 KiB. Most tokens have
	// between 0.5 and 3 KiB.
	DefaultMaxTokenBytes = 16 << 10

	// DefaultTokenCache is what a [Config.TokenCache] of zero means.
	DefaultTokenCache = 10_000
	// NoTokenCache is the value of [Config.TokenCache] that remembers none.
	NoTokenCache = -1

	mostKnownTokens         = 1_000_000
	knownTokenBytes         = 4 << 10 // on average
	defaultPermissionsClaim = "permissions"
	defaultRolesClaim       = "roles"
	discoveryPath           = "/.well-known/openid-configuration"
	mostTokenBytes          = 1 << 20
)

// Refresh says when keys that are due are fetched again.
type Refresh string

// Ways to refresh.
const (
	// RefreshAuto, the zero value, is RefreshInline where the process is an AWS Lambda function (by
	// AWS_LAMBDA_RUNTIME_API in its environment), else RefreshBackground.
	RefreshAuto Refresh = ""
	// RefreshBackground fetches behind the request that notices, which does not wait.
	RefreshBackground Refresh = "background"
	// RefreshInline fetches within the request that notices, which waits at most a second:
	// for processes that are frozen between requests.
	RefreshInline Refresh = "inline"
)

// Config says whose tokens a service accepts. The zero value accepts none: Issuer and Audience are
// enough, and PublicKeyURI instead of Issuer where the provider has no discovery document. [New]
// checks it all, and refuses what is out of bounds, numbers and durations below zero among it.
type Config struct {
	// PublicKeyURI is where the identity provider's public keys are: the https URL of a JWK
	// Set (RFC 7517), of a PEM public key or of a discovery document, told apart by what is
	// found there; "file:" and the path of a JWK Set or PEM file; or the text of a PEM or a JWK
	// Set itself. http is accepted for loopback only, unless InsecureAllowHTTP. Empty: the keys are
	// discovered from Issuer. A private key is refused. Files are read by New, and again at every
	// refresh; addresses are fetched when the first request or [Authenticator.Ready] needs keys.
	// Where the program has import _ "github.com/more-retail/moresso-go/kmskeys", it may also be what
	// AWS KMS calls a key: awskms: and an id, an ARN, an alias or an id alone.
	PublicKeyURI string

	// Keys is a source of keys instead of PublicKeyURI: a static set, or one of your own (see
	// package keys). Giving both is refused. HTTPClient, AllowedKeyOrigins and InsecureAllowHTTP
	// do not reach it. Nil: PublicKeyURI counts.
	Keys keys.Source

	// Audience lists the names by which this service is known to the identity provider; a
	// token must be meant for at least one of them (`aud`, RFC 7519, section 4.1.3), compared
	// exactly. At least one is needed unless SkipAudienceCheck; giving both is refused.
	Audience []string

	// SkipAudienceCheck accepts tokens whatever `aud` says, which is for providers whose
	// access tokens have none, such as Amazon Cognito. Something else then has to tell your
	// tokens from those for other services: ClientIDs and Issuer are needed with it, and Audience
	// has to be empty. Default false.
	SkipAudienceCheck bool

	// ClientIDs lists the OAuth clients whose tokens are accepted, by `client_id` (RFC 9068,
	// section 2.2), compared exactly; a token without `client_id` is none of theirs. Empty: any
	// client's, and tokens without one.
	ClientIDs []string

	// Issuer is the identity provider's identifier; the token's `iss` must equal it to the
	// letter (RFC 7519, section 4.1.1). Where keys are discovered it defaults to what the
	// discovery document says, and is always enforced; where it is set, the document must say the
	// same, or there are no keys (503). Empty with a bare key source: `iss` is not checked, and New
	// logs one warning. Key sources that serve many tenants (Microsoft Entra's /common,
	// /organizations and /consumers) are refused without it.
	Issuer string

	// Algorithms lists the accepted signature algorithms (RFC 7518, section 3.1), of those that
	// [keys.Algorithms] names. Default RS256 alone. Symmetric algorithms and "none" are refused.
	Algorithms []string

	// RequireAccessTokenType demands access tokens as RFC 9068 defines them: `typ` at+jwt, and
	// the claims iss, exp, aud, sub, client_id, iat and jti. Default false, since many
	// providers do not issue them yet.
	RequireAccessTokenType bool

	// SkipTokenKindChecks accepts tokens that by their claims are of another kind than access
	// tokens. Google's access tokens are opaque, so services behind Google verify ID tokens:
	// []TokenKind{KindIDToken}. Default: none is accepted.
	SkipTokenKindChecks []TokenKind

	// Leeway forgives clocks that differ, when `exp`, `nbf` and `iat` are judged, and an
	// `auth_time` that lies ahead: a token is good until `exp` plus this. Zero means
	// DefaultLeeway, 60 s; for none at all say NoLeeway. At most MaxLeeway, 5 min.
	Leeway time.Duration

	// MaxTokenBytes bounds the length of a token; longer ones are refused unread. Zero means
	// DefaultMaxTokenBytes, 16 KiB. At most 1 MiB; your server's own bound on header fields
	// may come first.
	MaxTokenBytes int

	// TokenCache is how many verified tokens are remembered, so that a token which comes again
	// costs a digest and no signature. Its dates, its key and its session are judged on every
	// request all the same; what does not come from a remembered token is not changed by this.
	// No token is kept, only its SHA-256 digest and its claims: 4 KiB for each at most, on
	// average; the bound holds in bytes too. Zero means DefaultTokenCache, 10,000; for none
	// at all say NoTokenCache. At most 1,000,000.
	TokenCache int

	// Sessions is asked on every request whether the token's session lives on, so that signing
	// out means out; several guards on one request ask once. It is asked after the signature and
	// before any permission. Default nil: a token is good until it expires.
	Sessions SessionStore

	// SessionPolicy says how a token names its session; without Sessions it is refused. The zero
	// value reads the claims `user_id` and `session_id`.
	SessionPolicy SessionPolicy

	// MaxTokenAge bounds for how long a token may be good, from `iat` to `exp`: one that is good
	// for longer, or does not tell, is refused. A store that remembers what was revoked can
	// forget it after so long. Leeway is not counted. Zero: no bound; less is refused.
	MaxTokenAge time.Duration

	// PermissionsClaim is the path of the claim that permissions are looked up in; see
	// [Value.Lookup] for its syntax. Default "permissions".
	PermissionsClaim string

	// RolesClaim is the path of the claim that roles are looked up in: a string or an array of
	// strings. Default "roles"; others are "groups", "cognito:groups" (Amazon Cognito) and
	// "realm_access.roles" (Keycloak).
	RolesClaim string

	// DisableWildcard takes its meaning from "*" in a token's permissions, where it otherwise
	// stands for any value. Default false.
	DisableWildcard bool

	// Realm is named in challenges (RFC 9110, section 11.5): printable ASCII without quotes and
	// backslashes. Default: none.
	Realm string

	// TellScopes names the scopes that are missing in the challenge of a 403 (RFC 6750,
	// section 3.1). Default false: the client learns that something is missing, not what.
	TellScopes bool

	// AllowedKeyOrigins lists further hosts on which a discovery document may say that its
	// keys are; its own host is always allowed. A host stands as in an address, with the port if
	// that is not the scheme's own: "www.googleapis.com" (Google's), "keys.example.com:8443".
	// Default: none.
	AllowedKeyOrigins []string

	// InsecureAllowHTTP permits keys to be fetched over http from other machines, where
	// anybody on the way can replace them and then sign tokens. Default false.
	InsecureAllowHTTP bool

	// Refresh says when keys that are due are fetched again. Default RefreshAuto.
	Refresh Refresh

	// HTTPClient fetches keys. Nil means a client without idle connections that honours the
	// proxy environment variables. Redirects are refused whatever the client says, and an attempt
	// ends after 3 s.
	HTTPClient *http.Client

	// Now is the clock by which tokens and keys are judged. It must be safe for concurrent use;
	// while it returns the zero time, requests are answered with 500. Nil means time.Now.
	Now func() time.Time

	// Logger is told why requests were refused (info; 503 as warning, 500 as error), and of
	// keys. Nil means [log/slog.Default]. Tokens are never logged.
	Logger *slog.Logger

	// Observe is told of each outcome, for metrics. It is called within requests, and of keys by
	// whatever fetches them, so it must be safe for concurrent use and must not block. A panic
	// in it is logged and decides nothing. Nil means nobody is told.
	Observe func(Event)

	// Renderer redraws refusals for all front doors at once: see [RenderText], [RenderSignIn] and
	// their like. It gets the request and the standard answer. What it returns goes out if its
	// status is from 300 to 599; if not, and if it panics, the standard answer does, and the log
	// says so. A 401 keeps its challenge. It must be safe for concurrent use, and is not asked
	// where there is no request. Nil means problem documents (RFC 9457).
	Renderer func(Request, Denial) Denial
}

// TokenKind names a kind of JWT that is no access token, for [Config.SkipTokenKindChecks].
type TokenKind string

// The kinds that are told by their claims.
const (
	// KindIDToken is an OpenID Connect ID token: `at_hash` or `c_hash`; a payload `typ` of ID
	// (Keycloak); `token_use` of id (Amazon Cognito); or a `nonce` without anything that an
	// access token has (`scope`, `scp`, a payload `typ` of Bearer).
	KindIDToken TokenKind = "id_token"
	// KindRefreshToken is Keycloak's: a payload `typ` of Refresh or Offline.
	KindRefreshToken TokenKind = "refresh_token"
	// KindEvent is a logout token or another security event (RFC 8417): `events`, or a payload
	// `typ` of Logout.
	KindEvent TokenKind = "event"
)

// ConfigError lists everything that is wrong with a configuration; get at it with [errors.As].
type ConfigError struct {
	Faults []ConfigFault // at least one
}

// ConfigFault is one thing that is wrong with a configuration.
type ConfigFault struct {
	Setting string // the field or the environment variable
	Problem string // what it held and why that cannot be
	Remedy  string // what to write instead
}

// Error has a line for each fault, fit to be printed where a program ends. What could be a key or a
// password is not repeated.
func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("%s %s: %s", f.Setting, f.Problem, f.Remedy)
	}
	if len(lines) == 1 {
		return "sso: configuration: " + lines[0]
	}
	return fmt.Sprintf("sso: configuration: %d faults:\n  %s", len(lines), strings.Join(lines, "\n  "))
}

// faults collects what is wrong, naming each setting as its reader knows it.
type faults struct {
	list   []ConfigFault
	name   func(field string) string
	raw    func(field string) string // what a list was written as; nil for a configuration in code
	quoted map[string]bool           // fields with quotes around them, which is all that is wrong with them
}

// add takes a fault down, once.
func (f *faults) add(field, problem, remedy string) {
	fault := ConfigFault{f.name(field), problem, remedy}
	if !f.quoted[field] && !slices.Contains(f.list, fault) {
		f.list = append(f.list, fault)
	}
}

// addList takes down those elements of a list that cannot be, in one fault, and what the list was
// written as if that is known: what is between two commas cannot be seen.
func (f *faults) addList(field string, bad []string, remedy string) {
	if len(bad) == 0 {
		return
	}
	slices.Sort(bad)
	shown := make([]string, 0, len(bad))
	for _, element := range slices.Compact(bad) {
		shown = append(shown, held(element))
	}
	problem := "holds " + strings.Join(shown, " and ")
	if f.raw != nil {
		problem += " in " + held(f.raw(field))
	}
	f.add(field, problem, remedy)
}

// inCode chooses between words for who writes Go and for who sets variables.
func (f *faults) inCode(code, environment string) string {
	if f.raw == nil {
		return code
	}
	return environment
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return &ConfigError{f.list}
}

// check finds everything that is wrong, fills in defaults, and opens the key source.
func (c *Config) check(f *faults) {
	f.quoted = map[string]bool{}
	for _, s := range []struct{ field, value string }{
		{"PublicKeyURI", c.PublicKeyURI},
		{"Audience", strings.Join(c.Audience, ",")},
		{"Issuer", c.Issuer},
		{"PermissionsClaim", c.PermissionsClaim},
		{"RolesClaim", c.RolesClaim},
	} {
		if wrapped(s.value) {
			f.add(s.field, "has quotes around it", "write it without; most files of environment variables take quotes literally")
			f.quoted[s.field] = true
		}
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"RS256"}
	}
	c.checkKeys(f)
	c.checkClaims(f)
	c.checkBounds(f)
	if strings.IndexFunc(c.Realm, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '"' || r == '\\' }) >= 0 {
		f.add("Realm", fmt.Sprintf("holds %s, with a character that cannot stand in a header", held(c.Realm)), "write printable ASCII without quotes and backslashes")
	}
	switch c.Refresh {
	case RefreshBackground, RefreshInline:
	case RefreshAuto:
		c.Refresh = RefreshBackground
		if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
			c.Refresh = RefreshInline
		}
	default:
		f.add("Refresh", "holds "+held(string(c.Refresh)), `write "background" or "inline", or leave it out`)
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // this is the clock that Config.Now sets
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// wrapped tells a value that kept the quotes of the file it came from.
func wrapped(value string) bool {
	value = strings.TrimSpace(value)
	return len(value) > 1 && value[0] == value[len(value)-1] && strings.ContainsRune(`"'`, rune(value[0]))
}

func (c *Config) checkKeys(f *faults) {
	u, err := url.Parse(c.Issuer)
	badIssuer := err != nil || strings.TrimSpace(c.Issuer) != c.Issuer || (u.Scheme == "https" && u.Host == "")
	if badIssuer {
		f.add("Issuer", fmt.Sprintf("holds %s, which is no issuer identifier", shown(c.Issuer)), "write it exactly as it stands in the tokens' iss, e.g. https://login.example.com")
	}
	switch {
	case c.Keys != nil && c.PublicKeyURI != "":
		f.add("PublicKeyURI", "is given as well as Keys", "give one of them")
		return
	case c.Keys != nil:
		if v := reflect.ValueOf(c.Keys); v.Kind() == reflect.Pointer && v.IsNil() {
			f.add("Keys", fmt.Sprintf("holds a nil %T", c.Keys), "give a source of keys, or "+f.name("PublicKeyURI")+" instead")
			return
		}
		c.checkTenant(f, c.Keys.String())
		if s, ok := c.Keys.(interface{ RequiresIssuer() bool }); ok && s.RequiresIssuer() && c.Issuer == "" {
			f.add("Issuer", "is not set, while the keys start with a snapshot, which tells no issuer", "write it exactly as it stands in the tokens' iss, e.g. https://login.example.com")
		}
		return
	case c.PublicKeyURI == "" && badIssuer:
		return
	case c.PublicKeyURI == "" && c.Issuer == "":
		f.add("PublicKeyURI", "is not set", "set "+f.name("Issuer")+" to the identity provider's address as it stands in the tokens' iss, e.g. https://login.example.com, from which the keys are discovered; or, where that cannot be, write here where its public key is, e.g. https://login.example.com/.well-known/jwks.json")
		return
	}
	options := keys.Options{
		HTTPClient:        c.HTTPClient,
		Issuer:            c.Issuer,
		AllowedOrigins:    slices.Clone(c.AllowedKeyOrigins),
		InsecureAllowHTTP: c.InsecureAllowHTTP,
		Algorithms:        c.Algorithms,
	}
	if c.PublicKeyURI == "" {
		if c.Keys, err = keys.Discovery(c.Issuer, options); err != nil {
			problem, _ := f.told(err, "")
			f.add("Issuer", fmt.Sprintf("holds %s, from which keys cannot be discovered (%s)", shown(c.Issuer), problem), "write an https:// issuer, or say where its keys are in "+f.name("PublicKeyURI"))
		} else if manyTenants(c.Issuer) {
			f.add("Issuer", fmt.Sprintf("holds %s, which stands for many tenants", shown(c.Issuer)), tenantRemedy)
		}
		return
	}
	if !strings.Contains(c.PublicKeyURI, "\n") && strings.TrimSpace(c.PublicKeyURI) != c.PublicKeyURI {
		f.add("PublicKeyURI", "has white space around it", "write it without")
		return
	}
	if c.Keys, err = keys.Open(c.PublicKeyURI, options); err != nil {
		problem, remedy := f.told(err, "write the https:// URL of a JWK Set, PEM or discovery document, file: and a path, or a PEM public key")
		f.add("PublicKeyURI", fmt.Sprintf("holds %s, which cannot be used: %s", shown(c.PublicKeyURI), problem), remedy)
		return
	}
	c.checkTenant(f, c.PublicKeyURI)
}

// told takes an error of package keys apart, so that the reader is told one remedy: its own, or else
// the usual one.
func (f *faults) told(err error, usual string) (problem, remedy string) {
	var known *keys.SettingError
	if !errors.As(err, &known) {
		return err.Error(), usual
	}
	if known.Unless != "" {
		return known.Problem, known.Remedy + ", or, where nobody else is on the way, set " + f.name(known.Unless) + " to true"
	}
	return known.Problem, known.Remedy
}

const tenantRemedy = "write your own tenant's issuer, https://login.microsoftonline.com/<tenant id>/v2.0"

// checkTenant sees to it that keys which sign for everybody come with somebody's name. Entra's
// keys do, whichever tenant's address they are fetched from; a tenant's discovery document
// tells its issuer, which is enforced.
func (c *Config) checkTenant(f *faults, source string) {
	_, entra := entraPath(source)
	if c.Issuer == "" && entra && (manyTenants(source) || !strings.HasSuffix(source, discoveryPath)) {
		f.add("Issuer", fmt.Sprintf("is not set, while the keys at %s serve many tenants", shown(source)), tenantRemedy)
	}
}

// manyTenants knows the addresses under which Microsoft Entra stands for every tenant alike.
func manyTenants(address string) bool {
	cleaned, entra := entraPath(address)
	first, _, _ := strings.Cut(strings.TrimPrefix(cleaned, "/"), "/")
	return entra && slices.Contains([]string{"common", "organizations", "consumers"}, strings.ToLower(first))
}

// entraPath is the path of an address of Microsoft Entra, its national clouds and former hosts
// included; entra is false for all others.
func entraPath(address string) (cleaned string, entra bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	switch host := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."); {
	case strings.HasPrefix(host, "login.microsoftonline."), host == "login.partner.microsoftonline.cn":
	case host == "login.microsoft.com", host == "login.windows.net", host == "sts.windows.net":
	default:
		return "", false
	}
	return path.Clean("/" + u.Path), true // as the server reads it
}

// shown is an address as it may appear in a message: no query, no password, and nothing that
// could be a key in the wrong place. What is not an address is shown only if it is short, in
// one piece, and has a dot or a colon, as file names and ARNs have and Base64 and hex have not.
func shown(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Host != "" {
		return held((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String())
	}
	if len(uri) > 200 || strings.HasPrefix(strings.ToLower(strings.TrimSpace(uri)), "data:") || strings.ContainsAny(uri, "?#@{\n") || !strings.ContainsAny(uri, ".:") {
		return fmt.Sprintf("a text of %d bytes", len(uri))
	}
	return held(uri)
}

// held is any other setting as it may appear in a message.
func held(value string) string {
	if strings.Contains(value, "-----BEGIN") {
		return "a key text"
	}
	return strconv.Quote(clipped(value))
}

func (c *Config) checkClaims(f *faults) {
	c.Audience = slices.Clone(c.Audience)
	switch {
	case len(c.Audience) == 0 && !c.SkipAudienceCheck:
		f.add("Audience", "is not set", "write the name by which the identity provider knows this service, e.g. orders-api")
	case len(c.Audience) > 0 && c.SkipAudienceCheck:
		f.add("Audience", "is given as well as "+f.name("SkipAudienceCheck"), "give one of them")
	}
	if c.SkipAudienceCheck && len(c.ClientIDs) == 0 {
		f.add("ClientIDs", "is not set, while "+f.name("SkipAudienceCheck")+" lets tokens for other services in", "write the OAuth clients whose tokens are meant for this service")
	}
	if c.SkipAudienceCheck && c.Issuer == "" {
		f.add("Issuer", "is not set, while "+f.name("SkipAudienceCheck")+" lets tokens for other services in", "write it exactly as it stands in the tokens' iss, e.g. https://login.example.com")
	}
	c.ClientIDs = slices.Clone(c.ClientIDs)
	f.addList("ClientIDs", odd(c.ClientIDs), "write each client as it stands in the tokens' client_id, none of them empty, without white space around it")
	c.SkipTokenKindChecks = slices.Clone(c.SkipTokenKindChecks)
	for _, kind := range c.SkipTokenKindChecks {
		if !slices.Contains([]TokenKind{KindIDToken, KindRefreshToken, KindEvent}, kind) {
			f.add("SkipTokenKindChecks", "holds "+held(string(kind)), "write id_token, refresh_token or event")
		}
	}
	f.addList("Audience", odd(c.Audience), "write each audience as it stands in the tokens' aud, none of them empty, without white space around it")
	for _, algorithm := range c.Algorithms {
		if slices.Contains(keys.Algorithms(), algorithm) {
			continue
		}
		problem := fmt.Sprintf("holds %s, which is not an algorithm known here", held(algorithm))
		switch upper := strings.ToUpper(algorithm); {
		case upper == "NONE":
			problem = fmt.Sprintf("holds %q, with which anybody could write tokens", algorithm)
		case strings.HasPrefix(upper, "HS"):
			problem = fmt.Sprintf("holds %s, a symmetric algorithm, with which whoever can verify could also sign", held(algorithm))
		}
		f.add("Algorithms", problem, "write RS256, or others of "+strings.Join(keys.Algorithms(), ", "))
	}
	c.checkSessions(f)
	checkClaim(f, "PermissionsClaim", &c.PermissionsClaim, defaultPermissionsClaim)
	checkClaim(f, "RolesClaim", &c.RolesClaim, defaultRolesClaim)
}

// odd are those elements of a list that are empty or have white space around them.
func odd(list []string) (bad []string) {
	for _, element := range list {
		if element == "" || strings.TrimSpace(element) != element {
			bad = append(bad, element)
		}
	}
	return bad
}

// checkSessions checks how sessions are looked up.
func (c *Config) checkSessions(f *faults) {
	if c.MaxTokenAge < 0 {
		f.add("MaxTokenAge", fmt.Sprintf("holds %v", c.MaxTokenAge), "write for how long a token may be good, or leave it out")
	}
	p := &c.SessionPolicy
	if v := reflect.ValueOf(c.Sessions); c.Sessions != nil && v.Kind() == reflect.Pointer && v.IsNil() {
		f.add("Sessions", fmt.Sprintf("holds a nil %T", c.Sessions), "give a store, or leave it out")
		return
	}
	if c.Sessions == nil {
		if *p != (SessionPolicy{}) {
			f.add("SessionPolicy", "is given without Sessions", "give the store that is to be asked")
		}
		return
	}
	p.UserClaim, p.SessionClaim = cmp.Or(p.UserClaim, "user_id"), cmp.Or(p.SessionClaim, "session_id")
	for field, claim := range map[string]string{"SessionPolicy.UserClaim": p.UserClaim, "SessionPolicy.SessionClaim": p.SessionClaim} {
		if strings.TrimSpace(claim) != claim {
			f.add(field, "holds "+held(claim), "write the claim's path without white space around it")
		}
	}
	switch {
	case p.Audience == "" && len(c.Audience) == 1:
		p.Audience = c.Audience[0]
	case p.Audience == "" && len(c.Audience) > 1:
		f.add("SessionPolicy.Audience", "is not set, while Audience names several", "write the one under which sessions are kept")
	case p.Audience != "" && len(c.Audience) > 0 && !slices.Contains(c.Audience, p.Audience):
		f.add("SessionPolicy.Audience", "holds "+held(p.Audience)+", which is not in Audience", "write one of them")
	}
}

// checkClaim checks the path of a claim.
func checkClaim(f *faults, field string, claim *string, usual string) {
	if *claim == "" {
		*claim = usual
	}
	if strings.TrimSpace(*claim) != *claim {
		f.add(field, "holds "+held(*claim), "write the claim's path without white space around it")
	}
	if name, taken := claimNames.double(SplitPath(*claim)[0]); taken {
		f.add(field, fmt.Sprintf("holds %s, which some readers take for %s", held(*claim), name), "have the identity provider call the claim otherwise")
	}
}

// claimNames are the claims that are read under this configuration. "roles" is among them only
// where somebody said so: every token with a claim "Roles" would be refused otherwise, by
// services that never look at roles too.
func (c *Config) claimNames() *names {
	list := claimNames.with(SplitPath(c.PermissionsClaim)[0])
	if c.RolesClaim != defaultRolesClaim {
		list = list.with(SplitPath(c.RolesClaim)[0])
	}
	return list
}

func (c *Config) checkBounds(f *faults) {
	switch {
	case c.Leeway == 0:
		c.Leeway = DefaultLeeway
	case c.Leeway == NoLeeway:
		c.Leeway = 0
	case c.Leeway < 0:
		f.add("Leeway", fmt.Sprintf("holds %v", c.Leeway), f.inCode("write a duration up to 5m, or NoLeeway for none", "write a duration from 0s to 5m"))
	case c.Leeway > MaxLeeway:
		f.add("Leeway", fmt.Sprintf("holds %v, for which expired tokens would be accepted", c.Leeway), "write at most 5m, and set the clocks")
	}
	switch {
	case c.TokenCache == 0:
		c.TokenCache = DefaultTokenCache
	case c.TokenCache < NoTokenCache || c.TokenCache > mostKnownTokens:
		f.add("TokenCache", fmt.Sprintf("holds %d", c.TokenCache), fmt.Sprintf("write how many verified tokens are to be remembered, at most %d; leave it out for %d, or %s", mostKnownTokens, DefaultTokenCache, f.inCode("write NoTokenCache for none", "switch it off")))
	}
	switch {
	case c.MaxTokenBytes == 0:
		c.MaxTokenBytes = DefaultMaxTokenBytes
	case c.MaxTokenBytes < 0 || c.MaxTokenBytes > mostTokenBytes:
		f.add("MaxTokenBytes", fmt.Sprintf("holds %d", c.MaxTokenBytes), fmt.Sprintf("write at most %d, or leave it out for %d", mostTokenBytes, DefaultMaxTokenBytes))
	}
}
