package sso

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/more-retail/moresso-go/core/internal/protect"
)

// SessionStore reports whether a session has ended. A token is valid until it expires, but a session
// ends when the user signs out. With [Config.Sessions] the store is called on every request, also
// for cached tokens; several guards on one request call it once.
//
// Module redisstore has one over Redis. An implementation must be safe for concurrent use. It must
// return within a bounded time, and when ctx ends, because requests wait for it. Return an
// [UnavailableError] to set when clients should try again.
//
// A token names its session by the claims `sub` and `sid` of OpenID Connect, unless the store has a
// method SessionPolicy() [SessionPolicy].
type SessionStore interface {
	// Check returns nil if the session has not ended. It returns an error that matches
	// [ErrSessionEnded] if the session has ended or is unknown (401). Any other error means that the
	// store cannot answer: 503, unless [SessionPolicy.InsecureIgnoreOutage]. Wrap a [ConfigError] for
	// what an operator must fix, such as a wrong password: 503 in any case.
	Check(ctx context.Context, s Session) error
}

// ErrSessionEnded is returned by a [SessionStore] if the session has ended. Wrap it to add details
// for the operator; the client gets `invalid_token`.
var ErrSessionEnded = errors.New("sso: the session has ended")

// Session has the claims of a verified token that identify its session. Strings are empty and times
// zero if the claim is absent. Claims that the policy reads are never empty.
type Session struct {
	Issuer   string // `iss`
	Audience string // the configured one, not the token's: [SessionPolicy.Audience]
	Subject  string // `sub`
	User     string // by [SessionPolicy.UserClaim]
	ID       string // by [SessionPolicy.SessionClaim]
	TokenID  string // `jti`
	IssuedAt time.Time
	// ExpiresAt is `exp`. GoodUntil is `exp` plus the leeway; after it the store may delete its
	// records of the token.
	ExpiresAt, GoodUntil time.Time
}

// Is reports whether the session has an id, in constant time, for stores that keep each user's
// current session. It is false for an empty id.
func (s Session) Is(id string) bool {
	return id != "" && subtle.ConstantTimeCompare([]byte(s.ID), []byte(id)) == 1
}

// SessionPolicy says how a token names its session, for stores with a method SessionPolicy.
type SessionPolicy struct {
	// UserClaim and SessionClaim are the paths of the claims that name the user and the session;
	// see [Value.Lookup]. A token without them, or where one is not a non-empty string, is refused
	// with 401. An empty path is not read, for stores that use the token's id or date alone.
	UserClaim, SessionClaim string

	// Audience is the audience under which the store keeps the sessions, one of
	// [Config.Audience]. Default: the only one; empty if there are several, for stores that do not
	// distinguish audiences.
	Audience string

	// InsecureIgnoreOutage accepts tokens while the store cannot answer, also those of users who
	// have signed out, with a warning in the log and [EventSessionUnknown] for each. It does not
	// apply to an error that matches [ConfigError]. Default false: 503.
	InsecureIgnoreOutage bool
}

// sessionPolicy returns the policy of a store.
func sessionPolicy(store SessionStore) SessionPolicy {
	if s, ok := store.(interface{ SessionPolicy() SessionPolicy }); ok {
		return s.SessionPolicy()
	}
	return SessionPolicy{UserClaim: "sub", SessionClaim: "sid"}
}

// checkSession checks the session of a login.
func (a *Authenticator) checkSession(ctx context.Context, l *login) error {
	i := l.own.issuer
	if i.sessions == nil {
		return nil
	}
	session, err := i.sessionOf(l.principal)
	if err != nil {
		return err
	}
	err = i.sessions.Check(ctx, session)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrSessionEnded):
		return tokenError("session", ReasonSessionEnded, "%v", err) // its text only: see unavailableSessions
	case !i.session.InsecureIgnoreOutage || ctx.Err() != nil || misconfigured(err):
		return unavailableSessions(err)
	}
	_ = protect.Run(func() {
		a.logger.WarnContext(ctx, "sso: session lookup failed, accepting token",
			slog.String("setting", "InsecureIgnoreOutage"), slog.Any("error", err), slog.Any("principal", l.principal))
	})
	a.observe(Event{Kind: EventSessionUnknown, Context: ctx, Err: err})
	return nil
}

// misconfigured reports whether an error is about the configuration, and not an outage.
func misconfigured(err error) bool {
	var e *ConfigError
	return errors.As(err, &e)
}

// sessionOf reads the claims that name the session.
func (i *issuer) sessionOf(p *Principal) (session Session, err error) {
	session = Session{
		Issuer: p.Issuer(), Audience: i.session.Audience, Subject: p.Subject(), TokenID: p.TokenID(),
		IssuedAt: p.IssuedAt(), ExpiresAt: p.ExpiresAt(), GoodUntil: p.ExpiresAt().Add(i.rules.Leeway),
	}
	if session.User, err = requiredText(p, i.session.UserClaim); err != nil {
		return Session{}, err
	}
	session.ID, err = requiredText(p, i.session.SessionClaim)
	return session, err
}

// requiredText returns a claim that must be a non-empty string.
func requiredText(p *Principal, claim string) (string, error) {
	if claim == "" {
		return "", nil
	}
	value := p.Claim(claim)
	text, ok := value.Text()
	switch {
	case !value.Exists():
		return "", tokenError(claim, ReasonNoSession, "the token has no %s, which names its session", claim)
	case !ok || text == "":
		return "", tokenError(claim, ReasonNoSession, "%s is not a non-empty string", claim)
	}
	return text, nil
}

// unavailableSessions wraps the error of a session store that could not answer. It keeps the text and
// a RetryAfter; other errors that it matches must not decide about the response.
func unavailableSessions(err error) error {
	after := time.Second
	if theirs, ok := errors.AsType[*UnavailableError](err); ok {
		after = max(after, theirs.RetryAfter)
	}
	return &UnavailableError{Reason: ReasonSessionsUnavailable, RetryAfter: after, Err: fmt.Errorf("session store: %v", err)} //nolint:errorlint // see above
}
