package redisstore

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// Bounds and defaults of [Options].
const (
	// DefaultMaxStale is how old a cached answer can become.
	DefaultMaxStale = 2 * time.Second
	// DefaultCacheEntries is how many answers a cache holds.
	DefaultCacheEntries = 100_000
	// DefaultPrefix begins the keys of [LayoutHardened].
	DefaultPrefix = "moresso"

	leastStale       = 100 * time.Millisecond
	mostStale        = 30 * time.Second
	mostCacheEntries = 10_000_000
	mostReplicas     = 10
	mostRules        = 3
	mostTokenAge     = 366 * 24 * time.Hour
)

// Layout says how sessions are written in Redis.
type Layout string

// The layouts.
const (
	// LayoutPython is the Python edition's: the key is the audience, a colon and the user, and
	// the value the id of the user's session. Services of both editions share it. What it cannot
	// tell apart are audiences of which one is the other's beginning up to a colon: the user
	// "b:c" of "a" is the user "c" of "a:b".
	LayoutPython Layout = ""
	// LayoutHardened begins keys with [Options.Prefix] and writes the length before each part,
	// so that no two can meet, and the user as a hash tag, so that all that is known of one is
	// in one slot of a Cluster.
	LayoutHardened Layout = "hardened"
)

// Rule says by what a token is looked up in a denylist.
type Rule string

// The rules of a denylist. A token without the claim that a rule needs is refused.
const (
	// ByTokenID refuses the tokens of [Store.RevokeToken]; needs `jti`.
	ByTokenID Rule = "token_id"
	// BySession refuses the tokens of sessions given to [Store.RevokeSession]; needs
	// [sso.SessionPolicy.SessionClaim].
	BySession Rule = "session"
	// ByIssuedAt refuses what was issued to somebody up to a moment, [Store.RevokeIssuedBefore];
	// needs `sub` and `iat`.
	ByIssuedAt Rule = "issued_at"
)

// Options say where Redis is and what is kept there. The zero value is refused: at least
// Addresses, and Audience or Denylist must be given. [New] checks it all.
type Options struct {
	// Addresses are "host:port": of the one Redis, which must not be a replica; of Sentinels, with
	// Sentinel; or of some nodes of a Cluster, with Cluster. One, or up to 16 of the latter two.
	Addresses []string

	// Sentinel is the name under which Sentinels know the primary. Default "": there are none.
	Sentinel string
	// SentinelUsername and SentinelPassword are for the Sentinels themselves, which share TLS.
	SentinelUsername, SentinelPassword string

	// Cluster says that Addresses are those of a Redis Cluster. Default false.
	Cluster bool

	// Username and Password are of a user of Redis' ACL. Without Username the password is the
	// default user's; a Username without Password is refused. Default: neither.
	Username, Password string

	// TLS secures all connections, with the certificates that it holds for this client. The
	// server's is always verified, by RootCAs or else the system's, against ServerName or else
	// the address: InsecureSkipVerify is refused, and so is what is older than TLS 1.2. Nil: no
	// TLS, for this machine only: others are not connected to, whether Addresses, Sentinels or
	// nodes of a Cluster name them.
	TLS *tls.Config
	// InsecureAllowPlaintext permits connections to other machines without TLS, where anybody
	// on the way reads the password and ends or revives sessions. Default false.
	InsecureAllowPlaintext bool

	// Audience is that of the tokens, the one of [sso.Config.Audience] or where there are
	// several [sso.SessionPolicy.Audience]. It is part of the keys. Needed unless Denylist. In
	// LayoutPython neither "moresso" nor what begins with "moresso:", as the store's own keys do.
	Audience string

	// Layout says how sessions are written. Default LayoutPython.
	Layout Layout
	// Prefix begins all keys of LayoutHardened and of a denylist; no braces. With LayoutPython
	// it is refused. Default DefaultPrefix, "moresso".
	Prefix string

	// SeveralSessions lets a user have up to 100 sessions at a time, which are kept in a sorted
	// set; needs LayoutHardened. Signing in beyond that ends the one that would end first.
	// Default false: signing in ends the session before.
	SeveralSessions bool

	// Denylist makes the store one of what was revoked, by these rules: every other token
	// passes, sessions are not written down, and [Store.Login] is not for it. Begin with
	// [Store.Begin]. Default: none.
	Denylist []Rule
	// Issuer is the tokens' `iss`, and part of a denylist's keys; tokens of another are refused.
	// Needed with Denylist and for [Store.Revoker]. Default otherwise: sessions are not told
	// apart by it.
	Issuer string
	// MaxTokenAge is that of [sso.Config.MaxTokenAge], and says for how long a revocation is
	// kept; tokens that are good for longer are refused here too. At most 366 days. Needed with
	// Denylist, and only there.
	MaxTokenAge time.Duration
	// Leeway is the greatest of [sso.Config.Leeway] in the services that share the denylist.
	// Zero means [sso.DefaultLeeway], 60 s; at most [sso.MaxLeeway]. Only with Denylist.
	Leeway time.Duration

	// WaitReplicas is how many replicas must confirm a sign-in or a revocation before it
	// succeeds (the command WAIT), from 0 to 10. Default 0: the primary alone. What a failover
	// can lose even so is in docs/SESSIONS.md.
	WaitReplicas int

	// InsecureReadFromReplicas asks replicas where there are any, with Sentinel or Cluster. They
	// may be behind by any amount of time, MaxStale notwithstanding: a session that was revoked
	// lives on there for so long. Default false.
	InsecureReadFromReplicas bool

	// Cache keeps answers in memory: a session that is asked about often costs one round trip
	// in MaxStale, and Redis tells which answers are no longer true (CLIENT TRACKING, Redis 6 or
	// later). Default false: every lookup is a round trip.
	Cache bool
	// MaxStale is how old a cached answer can become if Redis does not tell, because it hangs or
	// cannot be reached; past that the store counts as unavailable. From 100 ms to 30 s. Default
	// DefaultMaxStale, 2 s. Only with Cache.
	MaxStale time.Duration
	// CacheEntries bounds the answers in memory, each about 300 bytes and its key; beyond that
	// any of them makes room. Default DefaultCacheEntries, 100,000; at most 10,000,000. Only
	// with Cache.
	CacheEntries int

	// Now is the clock by which sessions and revocations are dated. Nil means time.Now. What
	// bounds waiting and staleness goes by the machine's own.
	Now func() time.Time

	// Logger is told when Redis goes away and comes back. Nil means [log/slog.Default].
	Logger *slog.Logger
}

// check finds everything that is wrong and fills in defaults.
func (o *Options) check() error {
	var f faults
	o.checkAddresses(&f)
	o.checkSessions(&f)
	o.checkDenylist(&f)
	o.checkCache(&f)
	if o.WaitReplicas < 0 || o.WaitReplicas > mostReplicas {
		f.add("WaitReplicas", fmt.Sprintf("holds %d", o.WaitReplicas), "write how many replicas must confirm, from 0 to 10")
	}
	if o.InsecureReadFromReplicas && o.Sentinel == "" && !o.Cluster {
		f.add("InsecureReadFromReplicas", "is set, while nothing tells of replicas", "take it away, or give Sentinel or Cluster")
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // this is the clock that Options.Now sets
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return f.err()
}

func (o *Options) checkAddresses(f *faults) {
	o.Addresses = slices.Clone(o.Addresses)
	if len(o.Addresses) == 0 || len(o.Addresses) > 16 {
		f.add("Addresses", fmt.Sprintf("holds %d addresses", len(o.Addresses)), "write one to 16, e.g. redis.internal:6379")
	}
	if len(o.Addresses) > 1 && o.Sentinel == "" && !o.Cluster {
		f.add("Addresses", fmt.Sprintf("holds %d addresses of what is neither Sentinel nor Cluster", len(o.Addresses)), "write one, or give Sentinel or Cluster")
	}
	remote := ""
	for _, address := range o.Addresses {
		host, port, err := net.SplitHostPort(address)
		number, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || bad != nil || number == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
			f.add("Addresses", "holds "+shown(address), "write host:port, e.g. redis.internal:6379; user, password and TLS have settings of their own")
		} else if !loopback(host) {
			remote = address
		}
	}
	if o.Sentinel != "" && o.Cluster {
		f.add("Sentinel", "is given as well as Cluster", "give one of them")
	}
	if o.Sentinel == "" && (o.SentinelUsername != "" || o.SentinelPassword != "") {
		f.add("SentinelPassword", "is given without Sentinel", "give Sentinel, or leave it out")
	}
	if o.Username != "" && o.Password == "" {
		f.add("Password", "is not set, while Username is", "write the user's password")
	}
	switch {
	case o.TLS == nil && remote != "" && !o.InsecureAllowPlaintext:
		f.add("TLS", "is not set, while "+remote+" is another machine", "give at least &tls.Config{}")
	case o.TLS == nil:
	case o.TLS.InsecureSkipVerify:
		f.add("TLS", "holds InsecureSkipVerify, with which anybody on the way can be Redis", "give RootCAs, the certificate of who signed the server's")
	case o.TLS.MinVersion != 0 && o.TLS.MinVersion < tls.VersionTLS12, o.TLS.MaxVersion != 0 && o.TLS.MaxVersion < tls.VersionTLS12:
		f.add("TLS", "holds a version older than 1.2", "leave MinVersion and MaxVersion out")
	}
}

func (o *Options) checkSessions(f *faults) {
	if o.Layout != LayoutPython && o.Layout != LayoutHardened {
		f.add("Layout", "holds "+shown(string(o.Layout)), `write "hardened", or leave it out for the Python edition's`)
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		f.add("Prefix", "holds "+shown(o.Prefix), "write it without braces, which choose a slot")
	}
	if o.Prefix != "" && o.Layout == LayoutPython && len(o.Denylist) == 0 {
		f.add("Prefix", "is given, while the Python edition's layout has none", "leave it out, or give LayoutHardened")
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.SeveralSessions && o.Layout != LayoutHardened {
		f.add("SeveralSessions", "is set, while the Python edition's layout has one session for each user", "give LayoutHardened")
	}
	if len(o.Denylist) > 0 {
		return
	}
	if o.Audience == "" || strings.TrimSpace(o.Audience) != o.Audience {
		f.add("Audience", "holds "+shown(o.Audience), "write the audience of the tokens, as in sso.Config")
	}
	if o.Layout == LayoutPython && strings.HasPrefix(o.Audience+":", o.Prefix+":") { // a user could be "logout:…"
		f.add("Audience", "holds "+shown(o.Audience)+", which begins the store's own keys too", "give LayoutHardened, or the tokens another audience")
	}
	if o.MaxTokenAge != 0 || o.Leeway != 0 {
		f.add("Denylist", "is not set, while MaxTokenAge or Leeway is", "leave them out, or give the denylist's rules")
	}
}

func (o *Options) checkDenylist(f *faults) {
	o.Denylist = slices.Clone(o.Denylist)
	for _, rule := range o.Denylist {
		if rule != ByTokenID && rule != BySession && rule != ByIssuedAt {
			f.add("Denylist", "holds "+shown(string(rule)), `write "token_id", "session" or "issued_at"`)
		}
	}
	if len(o.Denylist) == 0 {
		return
	}
	slices.Sort(o.Denylist)
	if len(slices.Compact(slices.Clone(o.Denylist))) != len(o.Denylist) {
		f.add("Denylist", "holds a rule twice", "write each once")
	}
	if o.Audience != "" || o.Layout != LayoutPython || o.SeveralSessions {
		f.add("Denylist", "is given as well as Audience, Layout or SeveralSessions, which are for sessions that are written down", "leave those out, or Denylist")
	}
	if o.Issuer == "" {
		f.add("Issuer", "is not set, while Denylist is", "write it exactly as it stands in the tokens' iss")
	}
	if o.MaxTokenAge <= 0 || o.MaxTokenAge > mostTokenAge {
		f.add("MaxTokenAge", fmt.Sprintf("holds %v, while Denylist is given", o.MaxTokenAge), "write for how long a token may be good, as in sso.Config.MaxTokenAge, e.g. 1h")
	}
	switch {
	case o.Leeway == 0:
		o.Leeway = sso.DefaultLeeway
	case o.Leeway < 0 || o.Leeway > sso.MaxLeeway:
		f.add("Leeway", fmt.Sprintf("holds %v", o.Leeway), "write the greatest of the services' leeways, at most 5m, or leave it out for 60s")
	}
}

func (o *Options) checkCache(f *faults) {
	if !o.Cache {
		if o.MaxStale != 0 || o.CacheEntries != 0 {
			f.add("Cache", "is not set, while MaxStale or CacheEntries is", "set it, or leave them out")
		}
		return
	}
	switch {
	case o.MaxStale == 0:
		o.MaxStale = DefaultMaxStale
	case o.MaxStale < leastStale || o.MaxStale > mostStale:
		f.add("MaxStale", fmt.Sprintf("holds %v", o.MaxStale), "write from 100ms to 30s, or leave it out for 2s")
	}
	switch {
	case o.CacheEntries == 0:
		o.CacheEntries = DefaultCacheEntries
	case o.CacheEntries < 0 || o.CacheEntries > mostCacheEntries:
		f.add("CacheEntries", fmt.Sprintf("holds %d", o.CacheEntries), "write at most 10000000, or leave it out for 100000")
	}
}

// loopback goes by the host as written: a name that merely resolves to loopback today is none.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// shown is a value as it may appear in a message: not one that could hold a password.
func shown(value string) string {
	if len(value) > 100 || strings.Contains(value, "@") {
		return fmt.Sprintf("a text of %d bytes", len(value))
	}
	return strconv.Quote(value)
}

// faults collects what is wrong.
type faults struct{ list []sso.ConfigFault }

func (f *faults) add(field, problem, remedy string) {
	f.list = append(f.list, sso.ConfigFault{Setting: "redisstore.Options." + field, Problem: problem, Remedy: remedy})
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return &sso.ConfigError{Faults: f.list}
}
