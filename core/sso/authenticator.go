package sso

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/more-retail/moresso-go/core/internal/configerr"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/internal/tokencache"
	"github.com/more-retail/moresso-go/core/internal/verify"
	"github.com/more-retail/moresso-go/core/keys"
)

// Authenticator accepts or refuses the tokens of requests. Create it with [New], once for each
// configuration. It is safe for concurrent use. A nil or zero Authenticator refuses everything
// with 500.
type Authenticator struct {
	engine     *verify.Engine
	issuers    []*issuer // in the order of engine.Issuers
	tellScopes bool
	logger     *slog.Logger
	observer   func(Event)
	renderer   func(Request, Denial) Denial
	sources    []TokenSource
	keepsToken bool           // in the context
	origin     *Authenticator // the Authenticator of New or Join; TokenFrom copies it
}

// issuer has the rules, settings and cache of one issuer.
type issuer struct {
	rules                        *verify.Rules
	permissionsClaim, rolesClaim string
	rolesPaths                   []string
	grantable                    [][]string // Config.GrantablePermissions, split; nil for all
	home                         string     // the first issuer of Join; empty for one that is not joined
	wildcard                     bool
	sessions                     SessionStore
	session                      SessionPolicy
	cache                        *tokencache.Cache[login]
	inline                       bool // Config.RefreshInline
}

// made reports whether a was created by New or Join.
func (a *Authenticator) made() bool { return a != nil && len(a.issuers) > 0 }

var errNotMade = errors.New("sso: the Authenticator was not created by New")

// New checks a configuration and creates an [Authenticator]. It returns all problems in one
// [ConfigError], each with the setting, what it holds and what to write instead. It reads key files
// and does no network I/O, so a service starts while its identity provider is down.
func New(cfg Config) (*Authenticator, error) {
	l := &configerr.List{}
	cfg.check(l)
	if err := configError(l); err != nil {
		return nil, err
	}
	a := &Authenticator{
		tellScopes: cfg.TellScopes, logger: cfg.Logger, observer: cfg.Observe, renderer: cfg.Renderer, sources: defaultSources,
	}
	a.origin = a
	rules := &verify.Rules{
		Algorithms: cfg.Algorithms, Audience: cfg.Audience, ClientIDs: cfg.ClientIDs, Issuer: cfg.Issuer,
		TokenType: string(cfg.TokenType), AccessClaims: cfg.accessClaims(), MaxAge: cfg.MaxTokenAge, Leeway: cfg.Leeway, Now: cfg.Now,
		MaxBytes: cfg.MaxTokenBytes, Claims: cfg.claims(),
		Keys: keycache.New(cfg.Keys, keycache.Options{
			FetchTimeout: cfg.KeyFetchTimeout, MaxRSABits: cfg.MaxRSABits, StaleFor: cfg.StaleFor, Inline: cfg.RefreshInline, Now: cfg.Now, Logger: cfg.Logger, OnFetch: a.fetched,
		}),
	}
	i := &issuer{
		rules:            rules,
		permissionsClaim: cfg.PermissionsClaim,
		rolesClaim:       cfg.RolesClaim,
		rolesPaths:       cfg.rolesPaths(),
		grantable:        splitPaths(cfg.GrantablePermissions),
		wildcard:         cfg.Wildcard,
		sessions:         cfg.Sessions,
		cache:            tokencache.New[login](cfg.TokenCache, int64(cfg.TokenCache)*cachedTokenBytes),
		inline:           cfg.RefreshInline,
	}
	if cfg.Sessions != nil {
		i.session = sessionPolicy(cfg.Sessions)
		if i.session.Audience == "" && len(cfg.Audience) == 1 {
			i.session.Audience = cfg.Audience[0]
		}
		rules.Sessions = &verify.Sessions{UserClaim: i.session.UserClaim, SessionClaim: i.session.SessionClaim, Audience: i.session.Audience}
	}
	for _, path := range append(cfg.rolesPaths(), cfg.PermissionsClaim, i.session.UserClaim, i.session.SessionClaim) {
		rules.Reads = append(rules.Reads, jsondoc.SplitPath(path)[0])
	}
	a.engine, a.issuers = verify.New(rules), []*issuer{i}
	if cfg.development() {
		a.logger.Warn("sso: the issuer or its keys are on this machine: anyone who can start a program here can sign tokens. Set SSO_ISSUER to your identity provider in production", "issuer", cfg.Issuer, "keys", cfg.Keys.String())
	}
	return a, nil
}

// cachedTokenBytes bounds the average size of a cached token.
const cachedTokenBytes = 4 << 10

// Ready reports whether usable keys are available, fetching them if necessary. Use it in readiness
// probes; at start-up it fills the cache. It waits for at most 3 s, or until ctx ends. With several
// issuers, the keys of one are enough: a partner's outage must not make your service unready. The
// others are fetched in the background. With [Config.RefreshInline] it waits for all. Its error
// matches [ErrUnavailable].
func (a *Authenticator) Ready(ctx context.Context) error {
	if !a.made() {
		return errNotMade
	}
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	failures := make([]error, len(a.issuers))
	var all sync.WaitGroup
	for n, i := range a.issuers {
		all.Go(func() {
			if failures[n] = i.rules.Keys.Ready(ctx); failures[n] == nil && !i.inline {
				enough()
			}
		})
	}
	all.Wait()
	if slices.Contains(failures, nil) {
		return nil
	}
	return public(failures[0])
}

// Status returns the state of the keys of each issuer, in the order of [Join]: which are in use,
// their age, and the last error. It does not wait and fetches nothing.
func (a *Authenticator) Status() []keys.Status {
	if !a.made() {
		return nil
	}
	list := make([]keys.Status, len(a.issuers))
	for n, i := range a.issuers {
		list[n] = i.rules.Keys.Status()
	}
	return list
}

// Close cancels a fetch in flight and waits for it, so no goroutine is left. Call it after the
// server has shut down: later requests are refused with [ErrUnavailable]. Copies by
// [Authenticator.TokenFrom] are closed too. Closing again has no effect.
func (a *Authenticator) Close() error {
	if !a.made() {
		return nil
	}
	var failures []error
	for _, i := range a.issuers {
		failures = append(failures, i.rules.Keys.Close())
	}
	return errors.Join(failures...)
}

// ValidateToken verifies a token (without "Bearer ") that did not come in an HTTP request, such as
// one in a message, and returns its principal. It logs, calls [Config.Observe] and checks the
// session as for requests. Its error matches [ErrInvalidToken] or [ErrUnavailable]; see [DenialOf].
func (a *Authenticator) ValidateToken(ctx context.Context, token string) (*Principal, error) {
	if !a.made() {
		return nil, errNotMade
	}
	var l *login
	err := protect.Call(func() (err error) {
		l, err = a.validate(ctx, token, nil)
		return err
	})
	if err != nil {
		return nil, a.refuse(ctx, nil, err)
	}
	return l.principal, nil
}

// Authenticate requires a valid bearer token. The returned context holds the principal for
// [FromContext]. On an error the request must not proceed; [DenialOf] returns its response, and the
// returned context is ctx. The error belongs to one of the classes at [ErrNoToken]. A token that a
// has already verified for this request is not verified again.
func (a *Authenticator) Authenticate(ctx context.Context, r Request) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) { return a.authenticate(ctx, r) })
}

// AuthenticateOptional accepts a request without credentials (see [Authenticator.TokenFrom]) as
// anonymous: the returned context holds no principal, even if the given one did. Credentials that
// are present are checked as by [Authenticator.Authenticate]; an expired token is refused.
func (a *Authenticator) AuthenticateOptional(ctx context.Context, r Request) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		if a.anonymous(r) {
			return a.withLogin(ctx, &login{by: a.origin}, ""), nil
		}
		return a.authenticate(ctx, r)
	})
}

// Authorize authenticates like [Authenticator.Authenticate] and requires a permission. A denial
// matches [ErrAccessDenied]. A permission that is nil, panics or fails is an internal error (500).
func (a *Authenticator) Authorize(ctx context.Context, r Request, p Permission) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		ctx, err := a.authenticate(ctx, r)
		if err != nil {
			return nil, err
		}
		principal, _ := FromContext(ctx)
		decision := Check(ctx, p, NewAccess(principal, r))
		switch {
		case decision.Granted():
			a.observe(Event{Kind: EventGranted, Context: ctx})
			return ctx, nil
		case decision.Err() != nil:
			return nil, &permissionError{Principal: principal, Decision: decision}
		}
		return nil, &AccessDeniedError{Principal: principal, Decision: decision}
	})
}

// guard returns the refusal for every error of do, and for a panic.
func (a *Authenticator) guard(ctx context.Context, r Request, do func() (context.Context, error)) (context.Context, error) {
	if !a.made() {
		return ctx, errNotMade
	}
	next := ctx
	err := protect.Call(func() (err error) {
		if r == nil || ctx == nil {
			return errors.New("sso: the request or its context is nil")
		}
		next, err = do() //nolint:fatcontext // it is the result
		return err
	})
	if err != nil {
		return ctx, a.refuse(ctx, r, err)
	}
	return next, nil
}

// authenticate reads the credential of a request and validates it, unless ctx holds a valid login
// of a for this credential. The returned context holds the login.
func (a *Authenticator) authenticate(ctx context.Context, r Request) (context.Context, error) {
	token, err := a.credential(r)
	if err != nil {
		return nil, err
	}
	l := loginOf(ctx).login
	if l != nil && l.by == a.origin && l.principal != nil && l.credential == digest(token) {
		current, err := l.current(ctx)
		switch {
		case err != nil:
			return nil, err
		case current && a.sessionChecked(ctx, l):
			return a.withLogin(ctx, l, token), nil
		case current:
			return a.withLogin(ctx, l, token), a.checkSession(ctx, l)
		}
	}
	if l, err = a.validate(ctx, token, r); err != nil {
		return nil, err
	}
	return a.withLogin(ctx, l, token), nil
}

// validate finds a token in the cache or verifies it, and checks its session. r is nil outside of a
// request.
func (a *Authenticator) validate(ctx context.Context, token string, r Request) (*login, error) {
	key := a.cacheKey(token)
	l, err := a.cached(ctx, key)
	cached := l != nil
	if err == nil && !cached {
		if r != nil {
			if err := checkBearerToken(token); err != nil {
				return nil, err
			}
			if _, view := r.(headerViewer); view {
				// The framework may reuse the token's memory. The same bytes must be verified
				// and cached.
				token = strings.Clone(token)
				key = a.cacheKey(token)
			}
		}
		l, err = a.verify(ctx, token, key)
	}
	if err != nil {
		return nil, err
	}
	if err := a.checkSession(ctx, l); err != nil {
		return nil, err
	}
	a.observe(Event{Kind: EventAuthenticated, Context: ctx, Cached: cached})
	return l, nil
}

// verify runs the checks of access tokens, key and signature included, and caches the result.
func (a *Authenticator) verify(ctx context.Context, token string, key [32]byte) (l *login, err error) {
	err = a.engine.Verify(ctx, token, verify.AccessToken, nil, nil, func(t *verify.Token) {
		l = a.newLogin(t, key)
		l.own.issuer.cache.Put(key, l, int64(loginBytes+l.key.Size()+t.Claims().Size()))
	})
	return l, err
}

// newLogin keeps the result of a verification.
func (a *Authenticator) newLogin(t *verify.Token, key [32]byte) *login {
	i := a.issuers[slices.IndexFunc(a.issuers, func(i *issuer) bool { return i.rules == t.Rules })]
	l := &login{by: a.origin, credential: key, own: newPrincipal(t.Claims(), t.Times, i)}
	l.principal = &l.own
	l.key, l.algorithm = t.Key.Clone(), strings.Clone(t.Algorithm)            // not the whole header
	l.match, l.match.Keys = t.Match, append([]keys.Key(nil), t.Match.Keys...) // not the whole set
	l.generation.Store(t.Match.Generation)
	return l
}

// public converts the errors of internal packages into those of this package.
func public(err error) error {
	switch err := err.(type) { //nolint:errorlint // an error around it may be of another class
	case *verify.Error:
		return &TokenError{Name: err.Check.Name, Reason: Reason(err.Check.Reason), Err: err.Err}
	case *keycache.UnavailableError:
		return &UnavailableError{Reason: ReasonKeysUnavailable, RetryAfter: err.RetryAfter, Err: err}
	}
	return err
}
