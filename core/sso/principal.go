package sso

import (
	"log/slog"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Principal is who a verified token speaks for. Only an [Authenticator] makes one that opens
// routes. It is immutable, shared between requests and safe for concurrent use; whatever hands
// out a slice or a map hands out a copy. A nil Principal answers every question with nothing.
type Principal struct {
	claims      jsondoc.Value
	permissions Value
	roles       Value
	times       verify.Times
	policy      *policy // nil unless an Authenticator made it
}

func newPrincipal(claims jsondoc.Value, t verify.Times, p *policy) Principal {
	return Principal{
		claims:      claims,
		permissions: Value{claims}.Lookup(p.permissionsClaim),
		roles:       Value{claims}.Lookup(p.rolesClaim),
		times:       t,
		policy:      p,
	}
}

// root is the object of all claims. A nil principal has none.
func (p *Principal) root() Value {
	if p == nil {
		return Value{}
	}
	return Value{p.claims}
}

func (p *Principal) text(claim string) string {
	s, _ := p.root().Get(claim).Text()
	return s
}

// Subject returns `sub` (RFC 7519, section 4.1.2); empty if the token names none.
func (p *Principal) Subject() string { return p.text("sub") }

// Issuer returns `iss` (RFC 7519, section 4.1.1); empty if the token names none.
func (p *Principal) Issuer() string { return p.text("iss") }

// TokenID returns `jti` (RFC 7519, section 4.1.7); empty if the token has none.
func (p *Principal) TokenID() string { return p.text("jti") }

// Audience returns `aud` (RFC 7519, section 4.1.3) as a list; nil if the token names none.
func (p *Principal) Audience() []string {
	list, _ := p.root().Get("aud").Strings()
	return list
}

// HasAudience reports whether the token is meant for an audience, by exact comparison.
func (p *Principal) HasAudience(audience string) bool {
	for name := range verify.Texts(p.root().Get("aud").v) {
		if name == audience {
			return true
		}
	}
	return false
}

// ExpiresAt returns `exp`, the moment from which the token is no longer good, the configured
// leeway not counted (RFC 7519, section 4.1.4). The zero time for a nil principal.
func (p *Principal) ExpiresAt() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.times.Expires
}

// IssuedAt returns `iat` (RFC 7519, section 4.1.6); the zero time if the token names none.
func (p *Principal) IssuedAt() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.times.Issued
}

// AuthenticatedAt returns `auth_time`, when the person signed in (OpenID Connect Core 1.0,
// section 2; RFC 9068, section 2.2.1); the zero time if the token does not tell, or tells no
// date.
func (p *Principal) AuthenticatedAt() time.Time {
	at, ok := verify.NumericDate(p.root().Get("auth_time").v)
	if !ok || at.Unix() <= 0 {
		return time.Time{}
	}
	return at
}

// HasRole reports whether the token names a role, by exact comparison. It reads the claim that
// [Config.RolesClaim] names: a string, which is one role, or an array of strings, of which other
// elements are passed over. No token has the role "".
func (p *Principal) HasRole(role string) bool {
	if p == nil || role == "" {
		return false
	}
	for name := range verify.Texts(p.roles.v) {
		if name == role {
			return true
		}
	}
	return false
}

// HasScope reports whether the token was granted an OAuth scope (RFC 8693, section 4.2). It
// reads `scope`, or `scp` where there is no `scope`; either may be a space-separated string
// or an array of strings.
func (p *Principal) HasScope(scope string) bool {
	for name := range p.scopes {
		if name == scope {
			return true
		}
	}
	return false
}

// Scopes returns the OAuth scopes that the token was granted; see [Principal.HasScope].
func (p *Principal) Scopes() []string {
	var list []string
	for name := range p.scopes {
		list = append(list, name)
	}
	return list
}

// scopes is an [iter.Seq].
func (p *Principal) scopes(yield func(string) bool) {
	claim := p.root().Get("scope")
	if !claim.Exists() {
		claim = p.root().Get("scp")
	}
	if text, ok := claim.Text(); ok {
		for name := range strings.SplitSeq(text, " ") {
			if name != "" && !yield(name) {
				return
			}
		}
		return
	}
	for e := range claim.Elements() {
		if name, ok := e.Text(); ok && name != "" && !yield(name) {
			return
		}
	}
}

// Claims returns the object of all claims.
func (p *Principal) Claims() Value { return p.root() }

// Claim returns the claim at a path from the token's root; see [Value.Lookup]. It is absent
// ([Value.Exists]) where there is none.
func (p *Principal) Claim(path string) Value { return p.root().Lookup(path) }

// Permissions returns the object that permissions are looked up in: the claim `permissions`,
// or the one that [Config.PermissionsClaim] names; absent if the token has none.
func (p *Principal) Permissions() Value {
	if p == nil {
		return Value{}
	}
	return p.permissions
}

// Decode stores all claims in what target points to, as [encoding/json.Unmarshal] does; see
// [Value.Decode]. It fails for a nil principal, and where a claim is of another type than its field.
func (p *Principal) Decode(target any) error { return p.root().Decode(target) }

// LogValue tells logs who the principal is, and nothing else of the token.
func (p *Principal) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", p.Subject()), slog.String("issuer", p.Issuer()))
}
