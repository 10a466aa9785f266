package sso

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/configerr"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/internal/netaddr"
	"github.com/more-retail/moresso-go/core/internal/verify"
	"github.com/more-retail/moresso-go/core/keys"
)

// Bounds and defaults of a [Config].
const (
	defaultLeeway           = 60 * time.Second
	maxLeeway               = 5 * time.Minute
	maxKeyFetchTimeout      = 30 * time.Second
	maxStaleFor             = 24 * time.Hour
	defaultMaxTokenBytes    = 16 << 10
	maxTokenBytes           = 1 << 20
	defaultTokenCache       = 10_000
	maxTokenCache           = 1_000_000
	defaultPermissionsClaim = "permissions"
	defaultRolesClaim       = "roles"
	discoveryPath           = "/.well-known/openid-configuration"
)

const issuerRemedy = "write it exactly as in the tokens' iss, e.g. https://login.example.com"

// configError returns the problems of a list as an error; nil for an empty list.
func configError(l *configerr.List) error {
	if len(l.Problems()) == 0 {
		return nil
	}
	e := &ConfigError{}
	for _, p := range l.Problems() {
		e.Problems = append(e.Problems, ConfigProblem(p))
	}
	return e
}

// check reports everything that is wrong, fills in defaults and opens the key source.
func (c *Config) check(l *configerr.List) {
	for _, s := range []struct{ field, value string }{
		{"PublicKeyURI", c.PublicKeyURI},
		{"Audience", strings.Join(c.Audience, ",")},
		{"Issuer", c.Issuer},
		{"PermissionsClaim", c.PermissionsClaim},
		{"RolesClaim", c.RolesClaim},
	} {
		l.CheckQuotes(s.field, s.value)
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"RS256"}
	}
	c.checkKeys(l)
	c.checkAudience(l)
	c.checkAlgorithms(l)
	c.checkSessions(l)
	c.checkIssuer(l)
	c.PermissionsClaim = cmp.Or(c.PermissionsClaim, defaultPermissionsClaim)
	c.RolesClaim = cmp.Or(c.RolesClaim, defaultRolesClaim)
	checkPaths(l, "PermissionsClaim", c.PermissionsClaim, c.PermissionsClaim)
	checkPaths(l, "RolesClaim", c.RolesClaim, c.rolesPaths()...)
	l.CheckList("GrantablePermissions", c.GrantablePermissions, "write each path within the permissions, without empty ones and surrounding white space")
	c.checkBounds(l)
	c.RefreshInline = c.RefreshInline || os.Getenv("AWS_LAMBDA_RUNTIME_API") != ""
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // this is the clock that Config.Now sets
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// isNil reports whether an interface holds a nil pointer.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

func (c *Config) checkKeys(l *configerr.List) {
	u, err := url.Parse(c.Issuer)
	malformed := err != nil || strings.TrimSpace(c.Issuer) != c.Issuer || (u.Scheme == "https" && u.Host == "")
	if malformed {
		l.Add("Issuer", "holds "+netaddr.Redact(c.Issuer)+", which is not a valid issuer", issuerRemedy)
	}
	switch {
	case c.Keys != nil && c.PublicKeyURI != "":
		l.Add("PublicKeyURI", "is set as well as Keys", "set one of them")
	case c.Keys != nil:
		c.checkSource(l)
	case c.PublicKeyURI != "":
		c.open(l)
	case malformed:
	case c.Issuer == "":
		l.Add("PublicKeyURI", "is not set", "set "+l.Setting("Issuer")+" to the iss of the tokens, e.g. https://login.example.com, and the keys are discovered; or write the URL of the keys here, e.g. https://login.example.com/.well-known/jwks.json")
	default:
		c.discover(l)
	}
}

// checkIssuer requires an issuer, or the word that it is not checked.
func (c *Config) checkIssuer(l *configerr.List) {
	skip := l.Setting("SkipIssuerCheck")
	switch {
	case c.SkipIssuerCheck && c.Issuer != "":
		l.Add("Issuer", "is set as well as "+skip, "set one of them")
	case c.Issuer == "" && !c.SkipIssuerCheck && !isDiscovery(c.PublicKeyURI) && (c.PublicKeyURI != "" || c.Keys != nil) && !l.Has("Issuer"):
		l.Add("Issuer", "is not set, so tokens of every issuer that signs with these keys would be accepted", issuerRemedy+"; or set "+skip+" to true if they are all yours")
	}
}

// isDiscovery reports whether package keys accepts nothing but a discovery document from a URI, and
// derives the issuer from it. A query or a fragment does not imply one.
func isDiscovery(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && strings.HasSuffix(u.Path, discoveryPath) && strings.HasSuffix(uri, discoveryPath)
}

// checkSource checks Config.Keys.
func (c *Config) checkSource(l *configerr.List) {
	if isNil(c.Keys) {
		l.Add("Keys", fmt.Sprintf("holds a nil %T", c.Keys), "set a key source, or "+l.Setting("PublicKeyURI")+" instead")
		return
	}
	c.checkTenant(l, c.Keys.String())
}

func (c *Config) keyOptions() keys.Options {
	return keys.Options{HTTPClient: c.HTTPClient, Issuer: c.Issuer, InsecureAllowHTTP: c.InsecureAllowHTTP, Algorithms: c.Algorithms}
}

func (c *Config) discover(l *configerr.List) {
	var err error
	if c.Keys, err = keys.Discovery(c.Issuer, c.keyOptions()); err != nil {
		problem, _ := describe(l, err, "")
		l.Add("Issuer", fmt.Sprintf("holds %s, from which keys cannot be discovered (%s)", netaddr.Redact(c.Issuer), problem), "write an https:// issuer, or set "+l.Setting("PublicKeyURI")+" to where its keys are")
	} else if tenant, _ := entraTenant(c.Issuer); slices.Contains(sharedTenants, tenant) {
		l.Add("Issuer", "holds "+netaddr.Redact(c.Issuer)+", which serves many tenants", tenantRemedy)
	}
}

func (c *Config) open(l *configerr.List) {
	if !strings.Contains(c.PublicKeyURI, "\n") && strings.TrimSpace(c.PublicKeyURI) != c.PublicKeyURI {
		l.Add("PublicKeyURI", "has white space around it", "remove it")
		return
	}
	var err error
	if c.Keys, err = keys.Open(c.PublicKeyURI, c.keyOptions()); err != nil {
		problem, remedy := describe(l, err, "write the https:// URL of a JWK Set, PEM or discovery document, file: and a path, or a PEM public key")
		l.Add("PublicKeyURI", fmt.Sprintf("holds %s, which cannot be used: %s", netaddr.Redact(c.PublicKeyURI), problem), remedy)
		return
	}
	c.checkTenant(l, c.PublicKeyURI)
}

// describe returns problem and remedy of an error of package keys.
func describe(l *configerr.List, err error, usual string) (problem, remedy string) {
	var known *keys.SettingError
	if !errors.As(err, &known) {
		return err.Error(), usual
	}
	if known.Unless != "" {
		return known.Problem, known.Remedy + ", or, on a trusted network, set " + l.Setting(known.Unless) + " to true"
	}
	return known.Problem, known.Remedy
}

const tenantRemedy = "write your own tenant's issuer, https://login.microsoftonline.com/<tenant id>/v2.0"

// checkTenant requires Issuer for keys that many tenants share. All tenants of Microsoft Entra share
// their keys; only a tenant's discovery document names its issuer.
func (c *Config) checkTenant(l *configerr.List, source string) {
	tenant, entra := entraTenant(source)
	if c.Issuer == "" && entra && (slices.Contains(sharedTenants, tenant) || !isDiscovery(source)) {
		l.Add("Issuer", "is not set, and the keys at "+netaddr.Redact(source)+" serve many tenants", tenantRemedy)
	}
}

// sharedTenants are the tenants under which Microsoft Entra serves all tenants.
var sharedTenants = []string{"common", "organizations", "consumers"}

// entraTenant returns the tenant in an address of Microsoft Entra, including its national clouds and
// former hosts; entra is false for all others.
func entraTenant(address string) (tenant string, entra bool) {
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
	cleaned := path.Clean("/" + u.Path) // as the server reads it
	tenant, _, _ = strings.Cut(cleaned[1:], "/")
	return strings.ToLower(tenant), true
}

// development reports whether the issuer or the keys are those of a development issuer.
func (c *Config) development() bool {
	return slices.ContainsFunc([]string{c.Issuer, c.Keys.String()}, func(address string) bool {
		u, err := url.Parse(address)
		return err == nil && u.Host != "" && netaddr.Loopback(u.Hostname())
	})
}

// accessClaims returns the claims of which every access token of a provider has one, by its documentation;
// nil for other providers.
func (c *Config) accessClaims() []string {
	address := cmp.Or(c.Issuer, c.Keys.String())
	u, err := url.Parse(address)
	if err != nil || c.SkipAccessTokenCheck {
		return nil
	}
	host := "." + strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	under := func(domain string) bool { return strings.HasSuffix(host, domain) }
	_, entra := entraTenant(address)
	switch {
	case entra, under(".ciamlogin.com"):
		return []string{"scp", "roles", "idtyp"}
	case slices.ContainsFunc([]string{".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com"}, under):
		return []string{"cid"}
	case strings.HasPrefix(host, ".cognito-idp."):
		return []string{"token_use"}
	}
	return nil
}

func (c *Config) checkAudience(l *configerr.List) {
	c.Audience, c.ClientIDs = slices.Clone(c.Audience), slices.Clone(c.ClientIDs)
	skip := l.Setting("SkipAudienceCheck")
	switch {
	case !c.SkipAudienceCheck && len(c.Audience) == 0:
		l.Add("Audience", "is not set", "write the name of this service at the identity provider, e.g. orders-api")
	case c.SkipAudienceCheck && len(c.Audience) > 0:
		l.Add("Audience", "is set as well as "+skip, "set one of them")
	}
	if c.SkipAudienceCheck && len(c.ClientIDs) == 0 {
		l.Add("ClientIDs", "is not set, and "+skip+" accepts tokens for other services", "write the OAuth clients whose tokens are intended for this service")
	}
	if c.SkipAudienceCheck && c.Issuer == "" {
		l.Add("Issuer", "is not set, and "+skip+" accepts tokens for other services", issuerRemedy)
	}
	l.CheckList("ClientIDs", c.ClientIDs, "write each client as in the tokens' client_id, azp, appid or cid, without empty ones and surrounding white space")
	l.CheckList("Audience", c.Audience, "write each audience as in the tokens' aud, without empty ones and surrounding white space")
	if !slices.Contains([]TokenType{AnyAccessToken, StrictAccessToken, AllowIDToken}, c.TokenType) {
		l.Add("TokenType", "holds "+configerr.Quote(string(c.TokenType)), "write at+jwt or id_token, or leave it out")
	}
	if c.MaxTokenAge < 0 {
		l.Add("MaxTokenAge", fmt.Sprintf("holds %v", c.MaxTokenAge), "write the longest lifetime of a token, or leave it out")
	}
}

func (c *Config) checkAlgorithms(l *configerr.List) {
	for _, algorithm := range c.Algorithms {
		if slices.Contains(keys.Algorithms(), algorithm) {
			if err := verify.SelfTest(algorithm); err != nil {
				l.Add("Algorithms", "holds "+configerr.Quote(algorithm)+", which "+err.Error(), "remove the import that changes the signing methods of golang-jwt")
			}
			continue
		}
		problem := "is not a supported algorithm"
		switch upper := strings.ToUpper(algorithm); {
		case upper == "NONE":
			problem = "accepts unsigned tokens"
		case strings.HasPrefix(upper, "HS"):
			problem = "is symmetric: every service that can verify could also sign"
		}
		l.Add("Algorithms", "holds "+configerr.Quote(algorithm)+", which "+problem, "write RS256, or others of "+strings.Join(keys.Algorithms(), ", "))
	}
}

// checkSessions checks how sessions are looked up.
func (c *Config) checkSessions(l *configerr.List) {
	if c.Sessions == nil {
		return
	}
	if isNil(c.Sessions) {
		l.Add("Sessions", fmt.Sprintf("holds a nil %T", c.Sessions), "set a store, or leave it out")
		return
	}
	p := sessionPolicy(c.Sessions)
	for _, claim := range []string{p.UserClaim, p.SessionClaim} {
		if strings.TrimSpace(claim) != claim {
			l.Add("Sessions", "reads the claim "+configerr.Quote(claim), "write the claim's path without surrounding white space")
		}
	}
	if p.Audience != "" && len(c.Audience) > 0 && !slices.Contains(c.Audience, p.Audience) {
		l.Add("Sessions", "has the audience "+configerr.Quote(p.Audience)+", which is not in Audience", "set the audience of the store to one of them")
	}
}

// checkPaths checks the paths of claims that a field holds.
func checkPaths(l *configerr.List, field, held string, paths ...string) {
	if strings.TrimSpace(held) != held || slices.Contains(paths, "") {
		l.Add(field, "holds "+configerr.Quote(held), "write the claim's path, not empty and without surrounding white space")
	}
	for _, path := range paths {
		if name := verify.ClaimNames.Lookalike(jsondoc.SplitPath(path)[0]); name != "" {
			l.Add(field, fmt.Sprintf("holds %s, which case-insensitive readers treat as %s", configerr.Quote(path), name), "rename the claim at the identity provider")
		}
	}
}

// splitPaths splits each path into names; nil for none.
func splitPaths(paths []string) (split [][]string) {
	for _, path := range paths {
		split = append(split, jsondoc.SplitPath(path))
	}
	return split
}

// rolesPaths returns the paths in RolesClaim.
func (c *Config) rolesPaths() []string {
	paths := strings.Split(c.RolesClaim, ",")
	for i, path := range paths {
		paths[i] = strings.TrimSpace(path)
	}
	return paths
}

// claims returns the claims that this configuration reads in addition to the registered ones. "roles"
// is among them only if it was configured: services that never read roles must not refuse a claim
// "Roles".
func (c *Config) claims() verify.Names {
	names := []string{jsondoc.SplitPath(c.PermissionsClaim)[0]}
	if len(c.ClientIDs) > 0 {
		names = append(names, "azp", "appid", "cid")
	}
	for _, path := range c.rolesPaths() {
		if c.RolesClaim != defaultRolesClaim {
			names = append(names, jsondoc.SplitPath(path)[0])
		}
	}
	return verify.NewNames(names...)
}

func (c *Config) checkBounds(l *configerr.List) {
	switch {
	case c.Leeway == 0:
		c.Leeway = defaultLeeway
	case c.Leeway < 0:
		c.Leeway = 0
	case c.Leeway > maxLeeway:
		l.Add("Leeway", fmt.Sprintf("holds %v, which accepts expired tokens", c.Leeway), "write at most 5m, and set the clocks")
	}
	checkBound(l, "TokenCache", &c.TokenCache, math.MinInt, maxTokenCache, defaultTokenCache)
	checkBound(l, "MaxRSABits", &c.MaxRSABits, 2048, 8192, 4096)
	checkBound(l, "KeyFetchTimeout", &c.KeyFetchTimeout, 1, maxKeyFetchTimeout, keycache.DefaultFetchTimeout)
	checkBound(l, "StaleFor", &c.StaleFor, math.MinInt64, maxStaleFor, keycache.DefaultStaleFor)
	checkBound(l, "MaxTokenBytes", &c.MaxTokenBytes, 1, maxTokenBytes, defaultMaxTokenBytes)
}

func checkBound[N int | time.Duration](l *configerr.List, field string, n *N, least, most, usual N) {
	if *n = cmp.Or(*n, usual); *n < least || *n > most {
		l.Add(field, fmt.Sprintf("holds %v", *n), fmt.Sprintf("write at most %v, or leave it out for %v", most, usual))
	}
}
