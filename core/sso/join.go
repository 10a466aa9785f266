package sso

import (
	"errors"
	"fmt"
)

// Join makes one authenticator of several, for a service that accepts the tokens of several
// issuers. A token's `iss` chooses exactly one of them, before any key is looked for; from
// then on only that one's rules and keys count, so a key id of one issuer never reaches
// another's key. A token of an issuer that is not among them is refused without a fetch.
//
// Each has to have an Issuer of its own in its configuration (discovery tells it too late), or the
// error says which has not; all that is wrong comes in one error.
// How refusals look, and who is told of them, is the first one's; the longest MaxTokenBytes
// counts. The parts must not be used by themselves afterwards, as Close closes them all.
func Join(auths ...*Authenticator) (*Authenticator, error) {
	if len(auths) == 0 {
		return nil, errors.New("sso: Join of no authenticators: name at least one")
	}
	var faults []error
	joined := &Authenticator{byIssuer: map[string]*verifier{}}
	for i, a := range auths {
		if !a.made() {
			faults = append(faults, fmt.Errorf("sso: Join: the authenticator at position %d was not made by New", i+1))
			continue
		}
		if i == 0 {
			joined.realm, joined.tellScopes = a.realm, a.tellScopes
			joined.logger, joined.observer, joined.renderer = a.logger, a.observer, a.renderer
		}
		joined.maxTokenBytes = max(joined.maxTokenBytes, a.maxTokenBytes)
		for _, v := range a.verifiers {
			switch issuer := v.rules.issuer; {
			case issuer == "":
				faults = append(faults, fmt.Errorf("sso: Join: the authenticator at position %d has no Issuer: write the issuer whose tokens it is for", i+1))
			case joined.byIssuer[issuer] != nil:
				faults = append(faults, fmt.Errorf("sso: Join: two authenticators have the Issuer %q: give each its own", issuer))
			default:
				joined.byIssuer[issuer] = v
				joined.verifiers = append(joined.verifiers, v)
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	joined.origin = joined
	return joined, nil
}
