package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/more-retail/moresso-go/core/sso"
)

// errForgotten is what a denylist answers whose epoch is gone.
var errForgotten = errors.New("redisstore: the denylist's epoch is missing: either Store.Begin was never called, or Redis has lost its memory and nobody can tell who was revoked; see docs/SESSIONS.md")

// checkDenied looks for a revocation of the token.
func (s *Store) checkDenied(ctx context.Context, session sso.Session) error {
	var keys [2 * mostRules]query // pairs of a revocation and its epoch
	queries, err := s.denials(session, keys[:0])
	if err != nil {
		return err
	}
	var room [2 * mostRules]answer
	answers := room[:len(queries)]
	if !s.recall(queries, answers) {
		if answers, err = s.askAll(ctx, slices.Clone(queries)); err != nil {
			return err
		}
	}
	forgotten := false
	for i, rule := range s.options.Denylist {
		denied, epoch := answers[2*i], answers[2*i+1]
		forgotten = forgotten || !epoch.found
		if !denied.found {
			continue
		}
		if rule != ByIssuedAt {
			return fmt.Errorf("%w: it was revoked by %s", sso.ErrSessionEnded, rule)
		}
		moment, err := strconv.ParseInt(denied.text, 10, 64)
		if err != nil {
			return unavailable(fmt.Errorf("redisstore: %s holds no moment", queries[2*i].key))
		}
		if session.IssuedAt.UnixMilli() <= moment {
			return fmt.Errorf("%w: what was issued up to then was revoked", sso.ErrSessionEnded)
		}
	}
	if forgotten {
		return unavailable(errForgotten)
	}
	return nil
}

// recall answers out of the cache, if it has everything.
func (s *Store) recall(queries []query, answers []answer) (ok bool) {
	if s.cache == nil {
		return false
	}
	for i, q := range queries {
		if answers[i], ok = s.cache.get(q); !ok {
			return false
		}
	}
	return true
}

// denials says what to look up, and refuses a token of which that cannot be said.
func (s *Store) denials(session sso.Session, queries []query) ([]query, error) {
	if session.Issuer != s.options.Issuer {
		return nil, fmt.Errorf("%w: the token is not of the denylist's issuer", sso.ErrSessionEnded)
	}
	if session.IssuedAt.IsZero() || session.ExpiresAt.Sub(session.IssuedAt) > s.options.MaxTokenAge {
		return nil, fmt.Errorf("%w: the token is good for longer than MaxTokenAge, or does not tell", sso.ErrSessionEnded)
	}
	for _, rule := range s.options.Denylist {
		value := ""
		switch rule {
		case ByTokenID:
			value = session.TokenID
		case BySession:
			value = session.ID
		case ByIssuedAt:
			value = session.Subject
		}
		if value == "" {
			return nil, fmt.Errorf("%w: the token lacks what the rule %s needs", sso.ErrSessionEnded, rule)
		}
		key, epoch := s.layout.denied(rule, value)
		queries = append(queries, query{key: key}, query{key: epoch})
	}
	return queries, nil
}

// needs refuses what is written for a rule that nothing is looked up by.
func (s *Store) needs(what string, rule Rule) error {
	if slices.Contains(s.options.Denylist, rule) {
		return nil
	}
	return fmt.Errorf("redisstore: %s needs Options.Denylist with the rule %q: %w", what, rule, errors.ErrUnsupported)
}

// needsSessions refuses what is for sessions that are written down.
func (s *Store) needsSessions(what string) error {
	if len(s.options.Denylist) == 0 {
		return nil
	}
	return fmt.Errorf("redisstore: %s is for sessions that are written down, and not for a denylist: %w", what, errors.ErrUnsupported)
}
