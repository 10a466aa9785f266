package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

const (
	mostTokenAge = 366 * 24 * time.Hour
	// clockSkew allows for the clocks of services: a revocation outlives its tokens by this much.
	clockSkew = time.Minute
	// buckets divides the keys of a denylist. Each bucket has an epoch key in the same slot of a
	// Cluster, which is lost with the revocations of a node.
	buckets = 64
)

// Rule says by what a [Denylist] looks up a token.
type Rule string

// The rules. A token without the claims that a rule needs is rejected.
const (
	// ByTokenID looks for [Denylist.RevokeToken]. It needs `jti`.
	ByTokenID Rule = "token_id"
	// BySession looks for [Denylist.RevokeSession]. It needs [DenylistOptions.SessionClaim].
	BySession Rule = "session"
	// ByIssuedAt looks for [Denylist.RevokeIssuedBefore] and [Denylist.RevokeSubject]. It needs `sub`
	// and `iat`.
	ByIssuedAt Rule = "issued_at"
)

// DenylistOptions configures a [Denylist]. All programs that share a denylist must have the same
// Issuer, Rules, MaxTokenAge and Leeway: lookups with others fail until [Denylist.Begin] is called with
// them.
type DenylistOptions struct {
	// Issuer is the `iss` of the tokens. Tokens of another issuer are rejected. Required.
	Issuer string

	// Rules are the rules by which tokens are looked up, all in one round trip. Required.
	Rules []Rule

	// MaxTokenAge is [sso.Config.MaxTokenAge], at most 366 days. Revocations are kept for this time,
	// so tokens that are valid for longer are rejected. Required.
	MaxTokenAge time.Duration

	// Leeway is the greatest [sso.Config.Leeway] of the services that share the denylist, at most
	// [5*time.Minute]. A service with a greater one gets an [*sso.UnavailableError]. Default
	// [time.Minute].
	Leeway time.Duration

	// SessionClaim is the claim that [BySession] reads. Default "sid".
	SessionClaim string

	// InsecureIgnoreOutage accepts tokens while Redis is unavailable, also revoked ones. It does not
	// apply to errors that match [sso.ConfigError], such as a loss of data. Default false: 503.
	InsecureIgnoreOutage bool

	// CacheTTL works as [SessionsOptions.CacheTTL].
	CacheTTL time.Duration
}

// Denylist keeps revocations of tokens, sessions and users. Create it with [NewDenylist], once for
// each process and issuer, and begin it with [Denylist.Begin]. Its methods may be called concurrently.
type Denylist struct {
	*store
	options DenylistOptions
	field   string // of the epochs, which other denylists of the issuer do not begin
	seenMu  sync.Mutex
	seen    map[string][]int64 // the latest epoch of each bucket
}

var _ sso.SessionStore = (*Denylist)(nil)

// The errors of a denylist that has lost data.
var (
	errNoEpoch  = refusal("Denylist.Begin", "was never called with this Issuer, Rules, MaxTokenAge and Leeway, or Redis has lost the revocations: an epoch is missing", "see docs/SESSIONS.md")
	errRollback = refusal("Denylist.Begin", "must be called again, because Redis has gone back to an earlier epoch and has lost revocations", "see docs/SESSIONS.md")
)

// NewDenylist checks the options and does not connect: the first lookup does, or Ready. Everything
// that is wrong is in one [*sso.ConfigError].
func NewDenylist(c Conn, o DenylistOptions) (*Denylist, error) {
	var f faults
	c.check(&f)
	f.addCacheTTL("DenylistOptions.CacheTTL", o.CacheTTL)
	o.Rules = slices.Compact(slices.Sorted(slices.Values(o.Rules)))
	if len(o.Rules) == 0 {
		f.add("DenylistOptions.Rules", "is empty", "set ByTokenID, BySession, ByIssuedAt or several of them")
	}
	for _, rule := range o.Rules {
		if rule != ByTokenID && rule != BySession && rule != ByIssuedAt {
			f.add("DenylistOptions.Rules", "has "+redact(string(rule)), "set ByTokenID, BySession or ByIssuedAt")
		}
	}
	if o.Issuer == "" {
		f.add("DenylistOptions.Issuer", "is empty", "set the iss of the tokens")
	}
	if o.MaxTokenAge <= 0 || o.MaxTokenAge > mostTokenAge {
		f.add("DenylistOptions.MaxTokenAge", fmt.Sprintf("is %v", o.MaxTokenAge), "set that of sso.Config.MaxTokenAge, e.g. 1h")
	}
	o.Leeway = cmp.Or(o.Leeway, time.Minute)
	if o.Leeway < 0 || o.Leeway > 5*time.Minute {
		f.add("DenylistOptions.Leeway", fmt.Sprintf("is %v", o.Leeway), "set the greatest leeway of the services, at most 5m, or 0 for 60s")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	field := fmt.Sprintf("%v %v %v", o.Rules, o.MaxTokenAge, o.Leeway)
	return &Denylist{store: newStore(&c, o.CacheTTL), options: o, field: field, seen: map[string][]int64{}}, nil
}

// SessionPolicy returns how tokens name their session: it has only the claims that the rules need.
func (d *Denylist) SessionPolicy() sso.SessionPolicy {
	policy := sso.SessionPolicy{InsecureIgnoreOutage: d.options.InsecureIgnoreOutage}
	if d.has(BySession) {
		policy.SessionClaim = cmp.Or(d.options.SessionClaim, "sid")
	}
	if d.has(ByIssuedAt) {
		policy.UserClaim = "sub"
	}
	return policy
}

func (d *Denylist) has(rule Rule) bool { return slices.Contains(d.options.Rules, rule) }

// Check implements [sso.SessionStore]: it rejects a token that was revoked. It ends within 100 ms,
// and does not end early with ctx, since other requests may wait for the same answer.
func (d *Denylist) Check(ctx context.Context, session sso.Session) error {
	queries, err := d.queries(session)
	if err != nil {
		return err
	}
	if leeway := session.GoodUntil.Sub(session.ExpiresAt); leeway < 0 || leeway > d.options.Leeway {
		return unavailable(refusal("DenylistOptions.Leeway", fmt.Sprintf("is %v, and that of the service is %v", d.options.Leeway, leeway), "set the greatest of all services"))
	}
	answers, err := d.query(ctx, queries...)
	if err != nil {
		return err
	}
	var lost error
	for i, rule := range d.options.Rules {
		denied := answers[2*i]
		lost = cmp.Or(lost, d.checkEpoch(ctx, queries[2*i+1], answers[2*i+1]))
		if !denied.found {
			continue
		}
		if rule != ByIssuedAt {
			return fmt.Errorf("%w: revoked by %s", sso.ErrSessionEnded, rule)
		}
		moment, err := strconv.ParseInt(denied.text, 10, 64)
		if err != nil {
			return unavailable(refusal("Denylist", "has the key "+queries[2*i].key+" with an invalid time", "delete it"))
		}
		if session.IssuedAt.UnixMilli() <= moment {
			return fmt.Errorf("%w: revoked by the time of issue", sso.ErrSessionEnded)
		}
	}
	return lost
}

// checkEpoch returns an error if an epoch is missing or is earlier than another lookup has seen. An answer
// from the cache, or one that another has overtaken, can be earlier, so it reads the epoch again.
func (d *Denylist) checkEpoch(ctx context.Context, q query, a answer) error {
	earliest := d.latest(q.key, nil)
	for len(a.epoch) == 2 && a.epoch[0] > 0 {
		if slices.Compare(a.epoch, earliest) >= 0 {
			d.latest(q.key, a.epoch)
			return nil
		}
		if q.fresh { // until the next epoch
			d.latest(q.key, []int64{earliest[0], math.MaxInt64})
			return unavailable(errRollback)
		}
		q.fresh = true
		answers, err := d.query(ctx, q)
		if err != nil {
			return err
		}
		a = answers[0]
	}
	return unavailable(errNoEpoch)
}

// latest returns the latest epoch of a bucket that was seen before, and records another.
func (d *Denylist) latest(key string, epoch []int64) []int64 {
	d.seenMu.Lock()
	defer d.seenMu.Unlock()
	seen := d.seen[key]
	if slices.Compare(epoch, seen) > 0 {
		d.seen[key] = epoch
	}
	return seen
}

// queries returns two queries for each rule: one for a revocation, and one for the epoch of its
// bucket.
func (d *Denylist) queries(session sso.Session) ([]query, error) {
	if session.Issuer != d.options.Issuer {
		return nil, fmt.Errorf("%w: the issuer is not DenylistOptions.Issuer", sso.ErrSessionEnded)
	}
	if session.IssuedAt.IsZero() || session.ExpiresAt.IsZero() || session.ExpiresAt.Sub(session.IssuedAt) > d.options.MaxTokenAge {
		return nil, fmt.Errorf("%w: the token has no iat, or is valid for longer than MaxTokenAge", sso.ErrSessionEnded)
	}
	queries := make([]query, 0, 2*len(d.options.Rules))
	for _, rule := range d.options.Rules {
		value := session.TokenID
		switch rule {
		case BySession:
			value = session.ID
		case ByIssuedAt:
			value = session.Subject
		}
		if value == "" {
			return nil, fmt.Errorf("%w: the token lacks the claim that the rule %s needs", sso.ErrSessionEnded, rule)
		}
		key, bucket := d.key(rule, value)
		queries = append(queries, query{key: key}, query{key: d.epochKey(bucket), epoch: d.field})
	}
	return queries, nil
}

// key returns the key of a revocation, and the bucket that it is in by FNV-1a.
func (d *Denylist) key(rule Rule, value string) (key string, bucket int) {
	hash := uint32(2166136261)
	for i := range len(value) {
		hash = (hash ^ uint32(value[i])) * 16777619
	}
	bucket = int(hash % buckets)
	return bucketKey(bucket) + string(rule) + ":" + sized(d.options.Issuer) + ":" + sized(value), bucket
}

func bucketKey(bucket int) string { return ownKeys + "denied:{" + strconv.Itoa(bucket) + "}:" }

func (d *Denylist) epochKey(bucket int) string {
	return bucketKey(bucket) + sized(d.options.Issuer) + ":epoch"
}

// Begin begins an epoch of the denylist with this Issuer, Rules, MaxTokenAge and Leeway. If an epoch is
// missing, or is earlier than one that this process has seen, Redis has lost revocations, and lookups
// return an [*sso.UnavailableError]. Call it once, from a program that an operator runs, not from a
// service, which would hide a loss. After a loss call it once all tokens that may have been revoked
// have expired, or the revocations are written again. It has the errors of Ready, and writes 64 keys
// one after the other, each with the errors of [Sessions.Login].
func (d *Denylist) Begin(ctx context.Context) error {
	if err := d.Ready(ctx); err != nil {
		return err
	}
	for bucket := range buckets {
		if err := d.write(ctx, begin, []string{d.epochKey(bucket)}, d.field); err != nil {
			return err
		}
	}
	return nil
}

// RevokeToken rejects the token with this `jti` until it has expired. expires is its `exp`; zero means
// that it is unknown. If that has passed, the revocation is kept for MaxTokenAge, since a clock may be
// wrong. It needs [ByTokenID]. Its errors are those of [Sessions.Login].
func (d *Denylist) RevokeToken(ctx context.Context, tokenID string, expires time.Time) error {
	if err := d.requires("RevokeToken", ByTokenID, tokenID); err != nil {
		return err
	}
	return d.deny(ctx, ByTokenID, tokenID, "1", d.retention(), expires.Add(d.options.Leeway+clockSkew))
}

// RevokeSession rejects the tokens of this session until the last of them has expired. It needs
// [BySession]. Its errors are those of [Sessions.Login].
func (d *Denylist) RevokeSession(ctx context.Context, session string) error {
	return d.revokeSession(ctx, session, 0)
}

func (d *Denylist) revokeSession(ctx context.Context, session string, atLeast time.Duration) error {
	if err := d.requires("RevokeSession", BySession, session); err != nil {
		return err
	}
	return d.deny(ctx, BySession, session, "1", max(d.retention(), atLeast), time.Time{})
}

// RevokeIssuedBefore rejects the tokens of the subject whose `iat` is not after the moment. The moment
// may be at most a minute in the future, or Leeway if that is more. A moment before that of an earlier
// call changes nothing. It needs [ByIssuedAt]. Its errors are those of [Sessions.Login].
//
// `iat` is the provider's time, in whole seconds. If the provider's clock is ahead, time.Now() does not
// cover the tokens of the last seconds: to sign a user out everywhere, call [Denylist.RevokeSubject].
func (d *Denylist) RevokeIssuedBefore(ctx context.Context, subject string, moment time.Time) error {
	if ahead := moment.Sub(d.now()); ahead > d.mostAhead() {
		return fmt.Errorf("redisstore: RevokeIssuedBefore a moment %v ahead, want at most %v", ahead.Round(time.Second), d.mostAhead())
	}
	return d.denyBefore(ctx, "RevokeIssuedBefore", subject, moment, time.Time{})
}

// RevokeSubject signs the subject out everywhere: it rejects the tokens that were issued until now, by
// the clock of Redis or of this program. The provider's clock may be ahead by Leeway, so tokens that are dated up to Leeway from now are
// rejected too. If it is not, signing in works again after that time. It needs [ByIssuedAt]. Its
// errors are those of [Sessions.Login].
func (d *Denylist) RevokeSubject(ctx context.Context, subject string) error {
	return d.denyBefore(ctx, "RevokeSubject", subject, d.now().Add(d.options.Leeway), time.Time{}, milliseconds(d.options.Leeway))
}

// denyBefore rejects tokens until the last of them has expired, and at least until then. With ahead, the
// moment is at least so far ahead of Redis's clock.
func (d *Denylist) denyBefore(ctx context.Context, method, subject string, moment, atLeast time.Time, ahead ...string) error {
	if err := d.requires(method, ByIssuedAt, subject); err != nil {
		return err
	}
	until := moment.Add(d.options.MaxTokenAge + d.options.Leeway + clockSkew)
	if atLeast.After(until) {
		until = atLeast
	}
	return d.deny(ctx, ByIssuedAt, subject, millis(moment), max(d.retention(), until.Sub(d.now())), until, ahead...)
}

func (d *Denylist) deny(ctx context.Context, rule Rule, value, moment string, keep time.Duration, until time.Time, ahead ...string) error {
	key, bucket := d.key(rule, value)
	return d.write(ctx, deny, []string{key, d.epochKey(bucket)}, moment, milliseconds(keep), millis(until), millis(d.now()), strings.Join(ahead, ""), d.field)
}

// requires checks that the rule is configured and its value is not empty.
func (d *Denylist) requires(method string, rule Rule, value string) error {
	if !d.has(rule) {
		return fmt.Errorf("redisstore: %s requires the rule %q in DenylistOptions.Rules: %w", method, rule, errors.ErrUnsupported)
	}
	if value == "" {
		return fmt.Errorf("redisstore: %s without a value for the rule %q", method, rule)
	}
	return nil
}

// mostAhead returns how far in the future a revocation can be dated. The provider's clock may be ahead
// by the leeway, and dates of tokens are in whole seconds.
func (d *Denylist) mostAhead() time.Duration { return max(clockSkew, d.options.Leeway) + time.Second }

// retention is how long a token that is accepted now can be accepted. Its issuer's clock may be ahead by
// the leeway, and it is accepted for the leeway after its `exp`.
func (d *Denylist) retention() time.Duration {
	return d.options.MaxTokenAge + 2*d.options.Leeway + clockSkew
}
