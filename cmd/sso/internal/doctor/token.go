package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// fetched is a source of keys that were fetched before.
type fetched struct {
	set  keys.Set
	name string
}

func (f fetched) Fetch(context.Context, *keys.Set) (*keys.Set, error) { return &f.set, nil }
func (f fetched) String() string                                      { return f.name }

// token reports whether a service with these settings accepts a token, and if not, with which it would.
func (e *examination) token(ctx context.Context, input explain.Input, set *keys.Set, exchanges []*exchange) {
	q := explain.Question{Config: e.cfg, Input: input, Now: e.now}
	if q.Config.PublicKeyURI == "" && len(exchanges) > 0 {
		q.KeysAt = exchanges[len(exchanges)-1].address
	}
	q.Config.Issuer, q.Config.Algorithms = cmp.Or(e.cfg.Issuer, set.Issuer), e.algorithms
	source := fetched{*set, e.Source}
	source.set.Issuer = "" // q.Config.Issuer is compared
	q.Config.PublicKeyURI, q.Config.Keys = "", source
	trials, _ := explain.Try(ctx, q) // the error is about the settings, and is reported with them
	for _, t := range trials {
		with := ""
		if t.With != nil {
			with = "with " + strings.Join(t.With, " and ") + ", it would be "
		}
		if t.Verdict == explain.Accepted {
			e.accepted(t.Principal, with)
			continue
		}
		remedy := t.Remedy
		if t.Change != "" && trials[len(trials)-1].Verdict == explain.Accepted {
			remedy += " It passes this check with " + t.Change + "."
		}
		e.add(Red, "token", remedy, "%srefused, reason %s: %s", with, t.Reason, t.Cause)
	}
}

// accepted reports what permissions can read of a valid token.
func (e *examination) accepted(p *sso.Principal, with string) {
	kind := map[bool]string{true: "a JSON " + p.Permissions().Kind(), false: "none"}[p.Permissions().Exists()]
	e.add(Green, "token", "", "%saccepted: subject %q, roles %q, scopes %q, permissions %s", with, p.Subject(), p.Roles(), p.Scopes(), kind)
	if len(p.Roles()) > 0 || e.Provider == nil {
		return
	}
	for _, setting := range e.Provider.Settings {
		paths, ok := strings.CutPrefix(setting, "export SSO_ROLES_CLAIM=")
		for path := range strings.SplitSeq(strings.Trim(paths, "'"), ",") {
			if path = strings.TrimSpace(path); ok && p.Claim(path).Exists() {
				e.add(Yellow, "roles", fmt.Sprintf("set SSO_ROLES_CLAIM=%s if permissions require roles", strings.TrimPrefix(setting, "export SSO_ROLES_CLAIM=")), "the token has roles at %s, which SSO_ROLES_CLAIM does not name", path)
				return
			}
		}
	}
}
