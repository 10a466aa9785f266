package doctor

import (
	_ "embed" // providers.md
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
)

// Provider is an identity provider that was recognized.
type Provider struct {
	Name     string   `json:"name"`
	Page     string   `json:"page"`     // of the documentation
	Notes    []string `json:"notes"`    // what is special about it
	Settings []string `json:"settings"` // to copy, for a shell
}

// A product recognizes a provider by its address, or by a member of its discovery document that ends so. A
// host that begins or ends with a dot is the end or the beginning of one. If a host and a path are given,
// both must match.
type product struct {
	name           string
	hosts          []string
	path           string // a part of the path
	member, suffix string // of the document
}

// products are checked in this order, first by the addresses.
var products = []product{
	{name: "Microsoft Entra, v2 tokens", hosts: []string{"login.microsoftonline.", "login.partner.microsoftonline.cn", ".ciamlogin.com"}, path: "/v2.0"},
	{name: "Microsoft Entra, v1 tokens", hosts: []string{"login.microsoftonline.", "login.partner.microsoftonline.cn", "sts.windows.net", "sts.chinacloudapi.cn", "login.windows.net"}},
	{name: "Azure AD B2C", hosts: []string{".b2clogin.com"}, member: "jwks_uri", suffix: "/discovery/v2.0/keys"},
	{name: "Auth0", hosts: []string{".auth0.com"}, member: "mfa_challenge_endpoint", suffix: "/mfa/challenge"},
	{name: "Okta", hosts: []string{".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com"}, member: "jwks_uri", suffix: "/v1/keys"},
	{name: "Amazon Cognito", hosts: []string{"cognito-idp."}},
	{name: "Google", hosts: []string{"accounts.google.com"}},
	{name: "Firebase", hosts: []string{"securetoken.google.com"}},
	{name: "Cloudflare Access", hosts: []string{".cloudflareaccess.com"}},
	{name: "Keycloak", path: "/realms/", member: "authorization_endpoint", suffix: "/protocol/openid-connect/auth"},
	{name: "AD FS", path: "/adfs/", member: "access_token_issuer"},
	{name: "Zitadel", hosts: []string{".zitadel.cloud"}, member: "authorization_endpoint", suffix: "/oauth/v2/authorize"},
	{name: "Kubernetes", hosts: []string{"kubernetes.default", "kubernetes.default.", "oidc.eks.", "container.googleapis.com", ".oic.prod-aks.azure.com"}, member: "jwks_uri", suffix: "/openid/v1/jwks"},
	{name: "Kubernetes", member: "authorization_endpoint", suffix: "urn:kubernetes:programmatic_authorization"},
	{name: "GitHub Actions", hosts: []string{"token.actions."}},
	{name: "GitHub Actions", path: "/_services/token/"},
	{name: "GitLab", hosts: []string{"gitlab.com", "gitlab."}, member: "jwks_uri", suffix: "/oauth/discovery/keys"},
	{name: "Ory Hydra", member: "authorization_endpoint", suffix: "/oauth2/auth"},
	{name: "oidc-provider", member: "pushed_authorization_request_endpoint", suffix: "/request"},
	{name: "Dex", path: "/dex/", member: "device_authorization_endpoint", suffix: "/device/code"},
}

func (p product) serves(address *url.URL) bool {
	host := strings.ToLower(address.Hostname())
	hosted := slices.ContainsFunc(p.hosts, func(h string) bool {
		return h == host || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h) || strings.HasSuffix(h, ".") && strings.HasPrefix(host, h)
	})
	return (hosted || p.hosts == nil && p.path != "") && strings.Contains(address.Path+"/", p.path)
}

func (p product) describes(document map[string]json.RawMessage) bool {
	var value string
	return p.member != "" && json.Unmarshal(document[p.member], &value) == nil && strings.HasSuffix(value, p.suffix)
}

// recognize returns the name of the provider, or "".
func recognize(document map[string]json.RawMessage, addresses ...string) string {
	for _, text := range addresses {
		if !strings.Contains(text, "://") {
			text = "https://" + text // Google's issuer in older tokens
		}
		address, err := url.Parse(text)
		if err != nil {
			continue
		}
		for _, p := range products {
			if p.serves(address) {
				return p.name
			}
		}
	}
	for _, p := range products {
		if p.describes(document) {
			return p.name
		}
	}
	return ""
}

// page has the settings and notes of docs/PROVIDERS.md. Its test writes it.
//
//go:embed providers.md
var page string

// provider recognizes the provider. The settings to copy have the names that are set, and else those of
// the page.
func (e *examination) provider(exchanges []*exchange) {
	var document map[string]json.RawMessage
	if len(exchanges) > 0 {
		_ = json.Unmarshal(exchanges[0].body.Bytes(), &document) // it may be a key set
	}
	issuer := e.cfg.Issuer
	if issuer == "" {
		_ = json.Unmarshal(document["issuer"], &issuer)
	}
	name := recognize(document, issuer, e.cfg.PublicKeyURI)
	_, section, found := strings.Cut(page, "\n## "+name+"\n")
	if !found {
		return
	}
	section, _, _ = strings.Cut(section, "\n## ")
	own := map[string]string{
		"SSO_ISSUER": issuer, "SSO_AUDIENCE": strings.Join(e.cfg.Audience, ","),
		"SSO_CLIENT_IDS": strings.Join(e.cfg.ClientIDs, ","), "SSO_PUBLIC_KEY_URI": e.cfg.PublicKeyURI,
	}
	p := &Provider{Name: name, Page: "docs/PROVIDERS.md#" + strings.NewReplacer(",", "", " ", "-").Replace(strings.ToLower(name))}
	var names []string // of the page, each with the one that replaces it
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if note, ok := strings.CutPrefix(line, "- "); ok {
			p.Notes = append(p.Notes, strings.NewReplacer("**", "", "`", "").Replace(note))
		}
		setting, ok := strings.CutPrefix(line, "export ")
		if !ok {
			continue
		}
		variable, value, _ := strings.Cut(setting, "=")
		value = strings.Trim(value, "'")
		if set := own[variable]; set != "" {
			if term.Redact(set) != set {
				continue // it may be a secret, and stays as it is
			}
			if theirs, ours := strings.Split(value, "/"), strings.Split(set, "/"); len(theirs) == len(ours) {
				for i := range theirs {
					if len(theirs[i]) > len("https:") {
						names = append(names, theirs[i], ours[i])
					}
				}
			}
			value = set
		} else {
			value = strings.NewReplacer(names...).Replace(value)
		}
		p.Settings = append(p.Settings, "export "+variable+"="+quote(value))
	}
	e.Provider = p
}

// quote returns a value for a shell.
func quote(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.:/@%+,-", r)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }) {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}
