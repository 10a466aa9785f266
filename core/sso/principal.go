package sso

import (
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// Principal is who a verified token speaks for. Only an [Authenticator] makes one that opens
// routes. It is immutable, shared between requests and safe for concurrent use; whatever hands
// out a slice or a map hands out a copy.
type Principal struct {
	claims      jsondoc.Value
	permissions Value
	wildcard    bool
	times       times
}

// times are the moments that a token names; zero where it does not.
type times struct{ expires, notBefore, issued time.Time }

func newPrincipal(claims jsondoc.Value, t times, p *policy) *Principal {
	return &Principal{
		claims:      claims,
		permissions: Value{claims}.Lookup(p.permissionsClaim),
		wildcard:    p.wildcard,
		times:       t,
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

// Audience returns `aud` (RFC 7519, section 4.1.3) as a list.
func (p *Principal) Audience() []string {
	list, _ := p.root().Get("aud").Strings()
	return list
}

// HasAudience reports whether the token is meant for an audience, by exact comparison.
func (p *Principal) HasAudience(audience string) bool {
	for name := range audiences(p.root().Get("aud")) {
		if name == audience {
			return true
		}
	}
	return false
}

// audiences yields the strings of an `aud` claim, be it one or several.
func audiences(aud Value) iter.Seq[string] {
	return func(yield func(string) bool) {
		if text, ok := aud.Text(); ok {
			yield(text)
			return
		}
		for e := range aud.Elements() {
			if text, ok := e.Text(); ok && !yield(text) {
				return
			}
		}
	}
}

// ExpiresAt returns `exp`, the moment from which the token is no longer good, the configured
// leeway not counted (RFC 7519, section 4.1.4). The zero time for a nil principal.
func (p *Principal) ExpiresAt() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.times.expires
}

// IssuedAt returns `iat` (RFC 7519, section 4.1.6); the zero time if the token names none.
func (p *Principal) IssuedAt() time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.times.issued
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

// Claim returns the claim at a path from the token's root; see [Value.Lookup].
func (p *Principal) Claim(path string) Value { return p.root().Lookup(path) }

// Permissions returns the object that permissions are looked up in: the claim `permissions`,
// or the one that [Config.PermissionsClaim] names.
func (p *Principal) Permissions() Value {
	if p == nil {
		return Value{}
	}
	return p.permissions
}

// Decode stores all claims in what target points to, as [encoding/json.Unmarshal] does.
func (p *Principal) Decode(target any) error { return p.root().Decode(target) }

// LogValue tells logs who the principal is, and nothing else of the token.
func (p *Principal) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", p.Subject()), slog.String("issuer", p.Issuer()))
}
