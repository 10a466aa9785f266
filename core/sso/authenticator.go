package sso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/internal/tokencache"
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
	keys   *keycache.Cache
	inline bool // its fetches end with the request
	// What has been verified already; nil where nothing is remembered.
	known   *tokencache.Cache[login]
	headers headers
	// Whom to ask whether sessions live.
	sessions sessions
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
			algorithms:   cfg.Algorithms,
			audience:     cfg.Audience,
			clientIDs:    cfg.ClientIDs,
			accessTokens: cfg.RequireAccessTokenType,
			otherKinds:   cfg.SkipTokenKindChecks,
			claimNames:   cfg.claimNames(),
			issuer:       cfg.Issuer,
			maxAge:       cfg.MaxTokenAge,
			policy: policy{
				permissionsClaim: cfg.PermissionsClaim,
				rolesClaim:       cfg.RolesClaim,
				wildcard:         !cfg.DisableWildcard,
				leeway:           cfg.Leeway,
				now:              cfg.Now,
			},
		},
		keys: keycache.New(cfg.Keys, keycache.Options{
			Inline:  cfg.Refresh == RefreshInline,
			Now:     cfg.Now,
			Logger:  cfg.Logger,
			OnFetch: a.fetched,
		}),
		inline:   cfg.Refresh == RefreshInline,
		sessions: sessions{cfg.Sessions, cfg.SessionPolicy},
		known:    tokencache.New[login](cfg.TokenCache, int64(cfg.TokenCache)*knownTokenBytes),
	}}
	a.origin = a
	if cfg.Issuer == "" && !strings.HasSuffix(cfg.PublicKeyURI, discoveryPath) {
		cfg.Logger.Warn("sso: Issuer is not set: unless the source turns out to be a discovery document, a token's issuer is not checked", "source", cfg.Keys.String(),
			"remedy", "set Issuer (SSO_ISSUER) to what your tokens have as iss, to the letter, e.g. https://login.example.com")
	}
	return a, nil
}

// Ready reports whether there are usable keys, fetching them if need be; it is made for
// readiness probes, and warms the cache at start-up. Of several issuers one that has keys is
// enough, and the others are not waited for: a partner's outage must not take a service out of
// traffic. Their fetches go on, but where the process may be frozen (RefreshInline), and there
// all are waited for. It waits for 3 s at most, or until ctx ends. Its error matches
// [ErrUnavailable].
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
// wrong last. There is one for each authenticator that was joined, in the order of [Join]. It never
// waits and fetches nothing.
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
// afterwards is refused as [ErrUnavailable], so call it after the server has shut down; a program
// that ends anyway need not. It may be called again. Copies by [Authenticator.TokenFrom] end with it.
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

// ValidateToken proves a token, without a "Bearer " before it, and returns whom it speaks for. It is
// for tokens that come another way than in an HTTP request, such as in a message. It is told to
// [Config.Logger] and [Config.Observe] as requests are, and asks [Config.Sessions] too. Its error
// matches [ErrInvalidToken] or [ErrUnavailable], and [DenialOf] knows its answer.
func (a *Authenticator) ValidateToken(ctx context.Context, token string) (*Principal, error) {
	if !a.made() {
		return nil, errNotMade
	}
	l, err := a.validate(ctx, token, nil)
	if err != nil {
		return nil, a.refuse(ctx, nil, err)
	}
	return l.principal, nil
}

// Authenticate demands a good bearer token of a request. The context that it returns holds the
// principal for [FromContext]. Its error belongs to one of the classes at [ErrNoToken] and has an
// answer by [DenialOf]; the context is then the given one, and nothing of the request may go on. A
// token that this authenticator has already verified for this request is not verified again.
func (a *Authenticator) Authenticate(ctx context.Context, r Request) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		l, err := a.login(ctx, r)
		if err != nil {
			return nil, err
		}
		return a.withLogin(ctx, l), nil
	})
}

// AuthenticateOptional lets a request without any Authorization field (or whatever else was
// chosen by [Authenticator.TokenFrom]) pass as anonymous: the
// context that it returns then holds no principal, whatever the given one held. Anything else
// that is not a good token is refused as by [Authenticator.Authenticate].
func (a *Authenticator) AuthenticateOptional(ctx context.Context, r Request) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		if a.anonymous(r) {
			return a.withLogin(ctx, &login{by: a.origin}), nil
		}
		l, err := a.login(ctx, r)
		if err != nil {
			return nil, err
		}
		return a.withLogin(ctx, l), nil
	})
}

// Authorize demands a permission, after a good token: it is [Authenticator.Authenticate] and more,
// and needs none before it. A denial matches [ErrAccessDenied]; a permission that is nil, panics or
// fails is an internal fault (500).
func (a *Authenticator) Authorize(ctx context.Context, r Request, p Permission) (context.Context, error) {
	return a.guard(ctx, r, func() (context.Context, error) {
		l, err := a.login(ctx, r)
		if err != nil {
			return nil, err
		}
		ctx := a.withLogin(ctx, l)
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
	if r == nil || ctx == nil {
		err = errors.New("sso: no request, or no context")
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
// authenticator has done so for this very credential, and it is still good.
func (a *Authenticator) login(ctx context.Context, r Request) (*login, error) {
	token, err := a.credential(r)
	if err != nil {
		return nil, err
	}
	if l := loginOf(ctx); l != nil && l.by == a.origin && l.principal != nil && l.credential == digest(token) {
		switch good, err := l.stillGood(ctx); {
		case err != nil:
			return nil, err
		case good && a.askedLately(ctx, l):
			return l, nil
		case good:
			return l, a.checkSession(ctx, l)
		}
	}
	l, err := a.validate(ctx, token, r)
	if err == nil && l.credential == ([32]byte{}) { // nobody else has it yet
		l.credential = digest(token)
	}
	return l, err
}

// validate is the whole way from a token to whom it speaks for. The request that it came in, if it
// came in one, says what more it has to be.
func (a *Authenticator) validate(ctx context.Context, token string, r Request) (l *login, err error) {
	done := false // as in guard
	defer func() {
		if v := recover(); !done {
			l, err = nil, fmt.Errorf("sso: panic while verifying: %v", v)
		}
	}()
	l, known, err := a.identify(ctx, token, r)
	if err == nil {
		err = a.checkSession(ctx, l) // of a known token too
	}
	done = true
	if err != nil {
		return nil, err
	}
	a.observe(Event{Kind: EventAuthenticated, Known: known})
	return l, nil
}

// identify finds out whom a token speaks for: it is known already, or has to prove itself.
func (a *Authenticator) identify(ctx context.Context, token string, r Request) (l *login, known bool, err error) {
	if err := a.checkLength(token); err != nil {
		return nil, false, err
	}
	credential, l, err := a.recall(ctx, token)
	if l != nil || err != nil {
		return l, l != nil, err
	}
	if r != nil {
		if err := checkBearerToken(token); err != nil {
			return nil, false, err
		}
		if _, view := r.(HeaderViewer); view {
			// Should its memory be used for something else before we are done, what is verified and
			// what is remembered have to be the same bytes.
			token, credential = strings.Clone(token), [32]byte{}
		}
	}
	if l, err = a.verify(ctx, token); err != nil {
		return nil, false, err
	}
	l.by, l.credential = a.origin, credential
	l.proof.verifier.remember(token, l)
	return l, false, nil
}

// checkLength comes before anything else that is done with a token.
func (a *Authenticator) checkLength(token string) error {
	if len(token) > a.maxTokenBytes {
		return &TokenError{Reason: ReasonTooLarge, Err: lengthError{len(token), a.maxTokenBytes}}
	}
	return nil
}

// verify makes a token prove itself, rule by rule, the cheapest first.
func (a *Authenticator) verify(ctx context.Context, token string) (*login, error) {
	var c candidate
	if err := c.open(token); err != nil {
		return nil, err
	}
	defer c.token.Release()
	v := a.verifiers[0]
	if a.byIssuer == nil {
		if err := v.readHeader(&c); err != nil {
			return nil, err
		}
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	if a.byIssuer != nil { // only now is it known by whose rules the header is judged
		issuer, _ := c.token.Claims.Get("iss").Text()
		if v = a.byIssuer[issuer]; v == nil {
			return nil, badToken(ReasonWrongIssuer, "iss is %q, which is none of the trusted ones", clipped(issuer))
		}
		if err := v.readHeader(&c); err != nil {
			return nil, err
		}
	}
	if err := v.rules.readClaims(&c); err != nil {
		return nil, err
	}
	match, err := v.prove(ctx, &c)
	if err != nil {
		return nil, err
	}
	v.headers.add(&c)
	l := &login{own: newPrincipal(c.token.Claims, c.times, &v.rules.policy)}
	l.principal = &l.own
	l.proof.verifier, l.proof.match, l.proof.keyID, l.proof.algorithm = v, match, c.keyID, c.algorithm
	l.proof.generation.Store(match.Generation)
	return l, nil
}

// readHeader applies the rules about the header, among them that its key exists, as far as that
// is known without asking anybody.
func (v *verifier) readHeader(c *candidate) error {
	if !v.headers.recall(c) {
		if err := v.rules.readHeader(c, &accessTypes); err != nil {
			return err
		}
	}
	if v.keys.Lacks(c.keyID) {
		return unknownKey(c)
	}
	return nil
}

// prove verifies the signature of a token that has passed every rule that needs no key. The
// match that it returns has the one key that did it.
func (v *verifier) prove(ctx context.Context, c *candidate) (keycache.Match, error) {
	algorithm := c.algorithm
	match, err := v.keys.Find(ctx, c.keyID, algorithm)
	if err != nil {
		return match, keyError(err, c)
	}
	if !c.verifiedBy(&match) {
		if !match.Guessed {
			return match, badTokenWith(ReasonBadSignature, "the signature is not by the key %q that the token names", c.keyID)
		}
		// The token named no key. Perhaps the one that signed it has come since.
		match, err = v.keys.FindAgain(ctx, match, c.keyID, algorithm)
		switch {
		case err != nil && !errors.Is(err, keycache.ErrUnknownKey):
			return match, keyError(err, c)
		case err != nil, !c.verifiedBy(&match):
			return match, badToken(ReasonBadSignature, "the signature is not by any key of the provider")
		}
	}
	// An issuer that discovery told is known only now, and enforced all the same.
	if match.Issuer != "" && c.issuer != match.Issuer {
		return match, badToken(ReasonWrongIssuer, "iss is %q where %q is trusted%s", clipped(c.issuer), match.Issuer, bySlash(c.issuer, match.Issuer))
	}
	return match, nil
}

// keyError says what it means for a token that no key could be found.
func keyError(err error, c *candidate) error {
	switch {
	case errors.Is(err, keycache.ErrUnknownKey):
		return unknownKey(c)
	case errors.Is(err, keycache.ErrAmbiguousKey):
		return badToken(ReasonAmbiguousKey, "%w", err)
	case errors.Is(err, keycache.ErrWrongAlgorithm):
		return badToken(ReasonKeyAlgorithm, "the key %q is not for %s", c.keyID, c.algorithm)
	}
	return unavailable(err)
}

func unknownKey(c *candidate) error {
	return badTokenWith(ReasonUnknownKey, "the provider has no key %q", c.keyID)
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	var u *keycache.UnavailableError
	if errors.As(err, &u) {
		return &UnavailableError{RetryAfter: u.RetryAfter, Err: u}
	}
	return &UnavailableError{Err: err}
}
