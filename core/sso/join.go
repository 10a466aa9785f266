package sso

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Join returns one authenticator for a service that accepts the tokens of several issuers. A token's
// `iss` selects the authenticator before any key is looked up. Only its rules and keys apply: a key
// id of one issuer never selects another issuer's key. A token of another issuer is refused without a
// fetch.
//
// Each authenticator needs its own [Config.Issuer], because a discovered issuer is not available at
// start-up, and its own [Config.Sessions]. All problems are returned in one error. Logger, Observe,
// Renderer and TellScopes are those of the first one, and MaxTokenBytes is the largest. Do not use the given authenticators afterwards:
// Close closes them.
//
// Subjects, roles and permissions of two issuers can have the same names. Permissions grant to all of them,
// except that permission.SameAsPath means the subjects of the first issuer: use permission.IssuedBy
// and [Config.GrantablePermissions], and compare [Principal.Issuer] as well as [Principal.Subject].
func Join(auths ...*Authenticator) (*Authenticator, error) {
	if len(auths) == 0 {
		return nil, errors.New("sso: Join needs at least one authenticator")
	}
	var problems []error
	joined := &Authenticator{sources: defaultSources}
	joined.origin = joined
	seen := map[string]bool{}
	var rules []*verify.Rules
	for n, a := range auths {
		if !a.made() {
			problems = append(problems, fmt.Errorf("sso: Join: the authenticator at position %d was not created by New", n+1))
			continue
		}
		if n == 0 {
			joined.tellScopes, joined.logger, joined.observer, joined.renderer = a.tellScopes, a.logger, a.observer, a.renderer
		}
		for _, i := range a.issuers {
			shared := func(o *issuer) bool { return sameStore(o.sessions, i.sessions) }
			switch name := i.rules.Issuer; {
			case name == "":
				problems = append(problems, fmt.Errorf("sso: Join: the authenticator at position %d has no Issuer: set it to the issuer of its tokens", n+1))
			case seen[name]:
				problems = append(problems, fmt.Errorf("sso: Join: two authenticators have the Issuer %q: give each its own", name))
			case slices.ContainsFunc(joined.issuers, shared):
				problems = append(problems, fmt.Errorf("sso: Join: the issuer %q has the session store of another, in which users of both would share sessions: give each its own", name))
			default:
				seen[name] = true
				joined.issuers = append(joined.issuers, i)
				rules = append(rules, i.rules)
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for _, i := range joined.issuers {
		i.home = rules[0].Issuer
	}
	joined.engine = verify.Join(rules)
	return joined, nil
}

// sameStore reports whether two session stores are one.
func sameStore(s, t SessionStore) bool {
	return s != nil && t != nil && reflect.ValueOf(s).Comparable() && reflect.ValueOf(t).Comparable() && s == t
}
