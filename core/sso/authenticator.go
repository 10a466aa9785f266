package sso

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/more-retail/moresso-go/core/internal/signature"
	"github.com/more-retail/moresso-go/core/keys"
)

// Authenticator accepts or refuses the tokens of requests. It is made by [New], once for each
// set of rules, and is safe for concurrent use. A nil or zero one refuses everything with 500.
type Authenticator struct {
	verifiers     []*verifier          // one, or one for each issuer
	byIssuer      map[string]*verifier // of several; nil for one
	maxTokenBytes int
	realm         string
	tellScopes    bool
	logger        *slog.Logger
	observer      func(Event)
	renderer      func(Request, Denial) Denial
	sources       []TokenSource  // none: the Authorization field
	origin        *Authenticator // the one that New or Join made, of which this may be a copy
}

// A verifier is one set of rules with the keys that belong to it.
type verifier struct {
	rules  rules
	keys   *keys.Cache
	inline bool // its fetches end with the request
}

// made tells an Authenticator that New or Join made from a nil or zero one.
func (a *Authenticator) made() bool { return a != nil && len(a.verifiers) > 0 }

// errNotMade is what a nil or zero Authenticator answers with.
var errNotMade = errors.New("sso: an Authenticator that was not made by New")

// New checks a configuration and makes an [Authenticator] of it. All faults come back in one
// [ConfigError], each naming the setting, what it held and what to write instead. It reads key
// files, and does no network I/O: an identity provider that is down does not keep a service
// from starting.
func New(cfg Config) (*Authenticator, error) {
	f := &faults{name: func(field string) string { return field }}
	cfg.check(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	a := &Authenticator{
		maxTokenBytes: cfg.MaxTokenBytes,
		realm:         cfg.Realm,
		tellScopes:    cfg.TellScopes,
		logger:        cfg.Logger,
		observer:      cfg.Observe,
		renderer:      cfg.Renderer,
	}
	a.verifiers = []*verifier{{
		rules: rules{
			algorithms:   signature.Methods(cfg.Algorithms),
			audience:     cfg.Audience,
			clientIDs:    cfg.ClientIDs,
			accessTokens: cfg.RequireAccessTokenType,
			otherKinds:   cfg.SkipTokenKindChecks,
			claimNames:   cfg.claimNames(),
			issuer:       cfg.Issuer,
			policy: policy{
				permissionsClaim: cfg.PermissionsClaim,
				rolesClaim:       cfg.RolesClaim,
				wildcard:         !cfg.DisableWildcard,
				leeway:           cfg.Leeway,
				now:              cfg.Now,
			},
		},
		keys: keys.NewCache(cfg.Keys, keys.CacheOptions{
			Inline:  cfg.Refresh == RefreshInline,
			Now:     cfg.Now,
			Logger:  cfg.Logger,
			OnFetch: a.fetched,
		}),
		inline: cfg.Refresh == RefreshInline,
	}}
	a.origin = a
	if cfg.Issuer == "" && !strings.HasSuffix(cfg.PublicKeyURI, discoveryPath) {
		cfg.Logger.Warn("sso: Issuer is not set: unless the source turns out to be a discovery document, a token's issuer is not checked", "source", cfg.Keys.String())
	}
	return a, nil
}

// Ready reports whether there are usable keys, fetching them if need be; it is made for
// readiness probes, and warms the cache at start-up. Of several issuers one that has keys is
// enough, and the others are not waited for: a partner's outage must not take a service out of
// traffic. Their fetches go on, but where the process may be frozen (RefreshInline), and there
// all are waited for. Its error matches [ErrUnavailable].
func (a *Authenticator) Ready(ctx context.Context) error {
	if !a.made() {
		return errNotMade
	}
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	failures := make([]error, len(a.verifiers))
	var all sync.WaitGroup
	for i, v := range a.verifiers {
		all.Go(func() {
			if failures[i] = v.keys.Ready(ctx); failures[i] == nil && !v.inline {
				enough()
			}
		})
	}
	all.Wait()
	if slices.Contains(failures, nil) {
		return nil
	}
	return unavailable(failures[0])
}

// Status tells how the keys stand, source by source: which are in force, how old, what went
// wrong last. It never waits and fetches nothing.
func (a *Authenticator) Status() []keys.Status {
	if !a.made() {
		return nil
	}
	list := make([]keys.Status, len(a.verifiers))
	for i, v := range a.verifiers {
		list[i] = v.keys.Status()
	}
	return list
}

// Close ends a fetch in flight and waits for it; no goroutine is left. Every request
// afterwards is refused as [ErrUnavailable].
func (a *Authenticator) Close() error {
	if !a.made() {
		return nil
	}
	var failures []error
	for _, v := range a.verifiers {
		failures = append(failures, v.keys.Close())
	}
	return errors.Join(failures...)
}

// ValidateToken proves a token and returns whom it speaks for. It is for tokens that come
// another way than in an HTTP request. Its error matches [ErrInvalidToken] or
// [ErrUnavailable], and [DenialOf] knows its answer.
func (a *Authenticator) ValidateToken(ctx context.Context, token string) (*Principal, error) {
	if !a.made() {
		return nil, errNotMade
	}
	principal, err := a.validate(ctx, token)
	if err != nil {
		return nil, a.refuse(ctx, nil, err)
	}
	return principal, nil
}

// Authenticate demands a good bearer token of a request. The context that it returns holds the
// principal for [FromContext]. Its error has an answer by [DenialOf]; the context is then the
// given one.
func (a *Authenticator) Authenticate(ctx context.Context, r Request) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		l, err := a.login(ctx, r)
		if err != nil {
			return nil, err
		}
		return withLogin(ctx, l), nil
	})
}

// AuthenticateOptional lets a request without any Authorization field (or whatever else was
// chosen by [Authenticator.TokenFrom]) pass as anonymous: the
// context that it returns then holds no principal, whatever the given one held. Anything else
// that is not a good token is refused as by [Authenticator.Authenticate].
func (a *Authenticator) AuthenticateOptional(ctx context.Context, r Request) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		if a.anonymous(r) {
			return withLogin(ctx, &login{by: a.origin}), nil
		}
		l, err := a.login(ctx, r)
		if err != nil {
			return nil, err
		}
		return withLogin(ctx, l), nil
	})
}

// Authorize demands a permission, after a good token. A token that this authenticator has
// already verified for this request is not verified again.
func (a *Authenticator) Authorize(ctx context.Context, r Request, p Permission) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		l, err := a.login(ctx, r)
		if err != nil {
			return nil, err
		}
		ctx := withLogin(ctx, l)
		decision := Check(ctx, p, NewAccess(l.principal, r))
		switch {
		case decision.Granted():
			a.observe(Event{Kind: EventGranted})
			return ctx, nil
		case decision.Err() != nil:
			return nil, &permissionError{principal: l.principal, decision: decision}
		}
		return nil, &AccessDeniedError{Principal: l.principal, Decision: decision}
	})
}

// guard draws the refusal for whatever goes wrong in do, panics included: nothing unforeseen
// may open a route.
func (a *Authenticator) guard(ctx context.Context, r Request, do func() (context.Context, error)) (next context.Context, err error) {
	if !a.made() {
		return ctx, errNotMade
	}
	done := false // and not what recover returns, which can be nil after a panic too
	defer func() {
		if v := recover(); !done {
			next, err = ctx, a.refuse(ctx, r, fmt.Errorf("sso: panic: %v", v))
		}
	}()
	if r == nil {
		err = errors.New("sso: no request")
	} else {
		next, err = do()
	}
	if err != nil {
		next, err = ctx, a.refuse(ctx, r, err)
	}
	done = true
	return next, err
}

// login verifies the credential of a request, unless the context shows that this very
// authenticator has done so for this very credential.
func (a *Authenticator) login(ctx context.Context, r Request) (*login, error) {
	token, err := a.credential(r)
	if err != nil {
		return nil, err
	}
	credential := sha256.Sum256([]byte(token))
	if l := loginOf(ctx); l != nil && l.by == a.origin && l.principal != nil && l.credential == credential {
		return l, nil
	}
	principal, err := a.validate(ctx, token)
	if err != nil {
		return nil, err
	}
	return &login{by: a.origin, credential: credential, principal: principal}, nil
}

// validate is the whole way from a token to a principal.
func (a *Authenticator) validate(ctx context.Context, token string) (principal *Principal, err error) {
	done := false // as in guard
	defer func() {
		if v := recover(); !done {
			principal, err = nil, fmt.Errorf("sso: panic while verifying: %v", v)
		}
	}()
	principal, err = a.verify(ctx, token)
	done = true
	return principal, err
}

func (a *Authenticator) verify(ctx context.Context, token string) (*Principal, error) {
	parsed, err := parse(token, a.maxTokenBytes)
	if err != nil {
		return nil, err
	}
	v, err := a.verifierOf(parsed)
	if err != nil {
		return nil, err
	}
	c, err := v.rules.read(parsed)
	if err != nil {
		return nil, err
	}
	if err := v.prove(ctx, c); err != nil {
		return nil, err
	}
	a.observe(Event{Kind: EventAuthenticated})
	return newPrincipal(c.token.Claims, c.times, &v.rules.policy), nil
}

// prove verifies the signature of a token that has passed every rule that needs no key.
func (v *verifier) prove(ctx context.Context, c *candidate) error {
	match, err := v.keys.Find(ctx, c.keyID, c.algorithm)
	if err != nil {
		return keyError(err, c)
	}
	if !c.verifiedBy(match.Keys) {
		if !match.Guessed {
			return badToken(ReasonBadSignature, "the signature is not by the key %q that the token names", c.keyID)
		}
		// The token named no key. Perhaps the one that signed it has come since.
		match, err = v.keys.FindAgain(ctx, match, c.keyID, c.algorithm)
		switch {
		case err != nil && !errors.Is(err, keys.ErrUnknownKey):
			return keyError(err, c)
		case err != nil, !c.verifiedBy(match.Keys):
			return badToken(ReasonBadSignature, "the signature is not by any key of the provider")
		}
	}
	// An issuer that discovery told is known only now, and enforced all the same.
	if match.Issuer != "" && c.issuer != match.Issuer {
		return badToken(ReasonWrongIssuer, "iss is %q where %q is trusted", clipped(c.issuer), match.Issuer)
	}
	return nil
}

// keyError says what it means for a token that no key could be found.
func keyError(err error, c *candidate) error {
	switch {
	case errors.Is(err, keys.ErrUnknownKey):
		return badToken(ReasonUnknownKey, "the provider has no key %q", c.keyID)
	case errors.Is(err, keys.ErrAmbiguousKey):
		return badToken(ReasonAmbiguousKey, "%w", err)
	case errors.Is(err, keys.ErrWrongAlgorithm):
		return badToken(ReasonKeyAlgorithm, "the key %q is not for %s", c.keyID, c.algorithm)
	}
	return unavailable(err)
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	var u *keys.UnavailableError
	if errors.As(err, &u) {
		return &UnavailableError{RetryAfter: u.RetryAfter, Err: u}
	}
	return &UnavailableError{Err: err}
}
