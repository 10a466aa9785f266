package sso

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Principal is the caller identified by a verified token. Only an [Authenticator] creates principals
// that guards accept. It is immutable, shared between requests and safe for concurrent use; methods
// that return a slice return a copy. A nil Principal has no claims.
type Principal struct {
	claims      jsondoc.Value
	permissions Value
	roles       Value
	moreRoles   []Value // where roles are looked up in several claims
	times       verify.Times
	issuer      *issuer // nil unless an Authenticator made it
}

func newPrincipal(claims jsondoc.Value, t verify.Times, i *issuer) Principal {
	p := Principal{
		claims:      claims,
		permissions: Value{claims}.Lookup(i.permissionsClaim).within(i.grantable),
		roles:       Value{claims}.Lookup(i.rolesPaths[0]),
		times:       t,
		issuer:      i,
	}
	for _, path := range i.rolesPaths[1:] {
		p.moreRoles = append(p.moreRoles, Value{claims}.Lookup(path))
	}
	return p
}

var noPrincipal Principal

// get returns a principal without claims for a nil one.
func (p *Principal) get() *Principal {
	if p == nil {
		return &noPrincipal
	}
	return p
}

func (p *Principal) root() Value { return Value{p.get().claims} }

func (p *Principal) text(claim string) string {
	s, _ := p.root().Get(claim).Text()
	return s
}

// Subject returns `sub` (RFC 7519, section 4.1.2); empty if the token has none.
func (p *Principal) Subject() string { return p.text("sub") }

// Issuer returns `iss` (RFC 7519, section 4.1.1); empty if the token has none.
func (p *Principal) Issuer() string { return p.text("iss") }

// TokenID returns `jti` (RFC 7519, section 4.1.7); empty if the token has none.
func (p *Principal) TokenID() string { return p.text("jti") }

// Audience returns `aud` (RFC 7519, section 4.1.3) as a list; nil if the token has none.
func (p *Principal) Audience() []string {
	list, _ := p.root().Get("aud").Strings()
	return list
}

// HasAudience reports whether the token is intended for an audience, compared exactly.
func (p *Principal) HasAudience(audience string) bool {
	for name := range verify.Texts(p.root().Get("aud").v) {
		if name == audience {
			return true
		}
	}
	return false
}

// ExpiresAt returns `exp`, when the token expires, without the configured leeway (RFC 7519, section
// 4.1.4); the zero time for a nil principal.
func (p *Principal) ExpiresAt() time.Time { return p.get().times.Expires }

// IssuedAt returns `iat` (RFC 7519, section 4.1.6); the zero time if the token has none.
func (p *Principal) IssuedAt() time.Time { return p.get().times.Issued }

// AuthenticatedAt returns `auth_time`, when the user signed in (OpenID Connect Core 1.0, section 2; RFC
// 9068, section 2.2.1); the zero time if the token has none, or not a valid date.
func (p *Principal) AuthenticatedAt() time.Time {
	at, ok := verify.NumericDate(p.root().Get("auth_time").v)
	if !ok || at.Unix() <= 0 {
		return time.Time{}
	}
	return at
}

// HasRole reports whether the token has a role, compared exactly. It reads the claims that
// [Config.RolesClaim] names: a string, which is one role, or the strings of an array. No token has the
// role "".
func (p *Principal) HasRole(role string) bool {
	for name := range p.allRoles {
		if name == role {
			return true
		}
	}
	return false
}

// Roles returns the roles of the token, each once, in the order of the claims that [Config.RolesClaim]
// names; nil if it has none. See [Principal.HasRole].
func (p *Principal) Roles() (roles []string) {
	for role := range p.allRoles {
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// allRoles is an [iter.Seq] of names that are not empty.
func (p *Principal) allRoles(yield func(string) bool) {
	for claim, more := p.get().roles, p.get().moreRoles; ; claim, more = more[0], more[1:] {
		for role := range verify.Texts(claim.v) {
			if role != "" && !yield(role) {
				return
			}
		}
		if len(more) == 0 {
			return
		}
	}
}

var errGroupsOverage = errors.New("groups: left out by Microsoft Entra, because the user is in too many: use app roles, or have Entra issue only those that are assigned to the application")

// groupsOverage reports whether Microsoft Entra left out the groups of the user.
func (p *Principal) groupsOverage() bool {
	overage, _ := p.root().Get("hasgroups").Bool()
	return overage || p.root().Get("_claim_names").Get("groups").Exists()
}

// HasScope reports whether the token was granted an OAuth scope (RFC 8693, section 4.2). It reads
// `scope`, or `scp` if `scope` is absent, null or empty: a string of names separated by spaces, or the strings of an
// array.
func (p *Principal) HasScope(scope string) bool {
	for name := range p.scopes {
		if name == scope {
			return true
		}
	}
	return false
}

// Scopes returns the OAuth scopes that the token was granted; see [Principal.HasScope].
func (p *Principal) Scopes() []string { return slices.Collect(p.scopes) }

// scopes is an [iter.Seq].
func (p *Principal) scopes(yield func(string) bool) {
	claim := p.root().Get("scope")
	if text, ok := claim.Text(); claim.v.Kind() <= jsondoc.Null || ok && text == "" {
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
	for name := range verify.Texts(claim.v) {
		if name != "" && !yield(name) {
			return
		}
	}
}

// Claims returns the object of all claims.
func (p *Principal) Claims() Value { return p.root() }

// Claim returns the claim at a path from the token's root; see [Value.Lookup]. It is absent if the
// token has none; see [Value.Exists].
func (p *Principal) Claim(path string) Value { return p.root().Lookup(path) }

// Permissions returns the claim `permissions`, or the one that [Config.PermissionsClaim] names; absent if
// the token has none. It has one of two shapes: an object, whose members permission.Is and
// permission.Has look up by path, or a list of names such as "read:orders" (Auth0), which permission.Has
// looks for. It is limited to [Config.GrantablePermissions].
func (p *Principal) Permissions() Value {
	return p.get().permissions
}

// Decode stores all claims in what target points to; see [Value.Decode]. It fails for a nil principal,
// and if a claim is of another type than its field.
func (p *Principal) Decode(target any) error { return p.root().Decode(target) }

// LogValue returns the subject and the issuer, and no other claim, for logs: the first 200 bytes of each,
// with line breaks escaped.
func (p *Principal) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", verify.Printable(p.Subject())), slog.String("issuer", verify.Printable(p.Issuer())))
}
