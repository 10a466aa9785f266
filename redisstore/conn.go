package redisstore

import (
	"crypto/tls"
	"errors"
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

const (
	mostAddresses = 16
	mostReplicas  = 10
	leastCacheTTL = 100 * time.Millisecond
	mostCacheTTL  = 30 * time.Second
)

// Conn says where Redis is and how to connect to it. Every constructor of this package takes one
// and makes connections of its own.
type Conn struct {
	// Addresses are "host:port". One is the address of a single Redis, which must not be a replica.
	// With Sentinel they are those of Sentinels, with Cluster those of some nodes: up to 16. Required.
	Addresses []string

	// Sentinel is the name of the primary at the Sentinels. If empty, Sentinels are not used.
	Sentinel string
	// SentinelUsername and SentinelPassword authenticate to the Sentinels. TLS applies to them too.
	SentinelUsername string
	SentinelPassword string `json:"-"`

	// Cluster says that Addresses belong to a Redis Cluster. It excludes Sentinel.
	Cluster bool

	// Username and Password are those of a Redis ACL user. Without Username the password is that of
	// the default user.
	Username string
	Password string `json:"-"`

	// TLS secures every connection. The server's certificate is always verified: InsecureSkipVerify
	// is an error, and so are versions before TLS 1.2. If nil, only this machine can be connected to,
	// even if a Sentinel or a node of a Cluster names another.
	TLS *tls.Config
	// InsecureAllowPlaintext allows connections to other machines without TLS. An attacker on the
	// network can then read the password, and end or revive sessions.
	InsecureAllowPlaintext bool

	// WaitReplicas is how many replicas must confirm a write before it succeeds (the command WAIT),
	// from 0 to 10. docs/SESSIONS.md says what a failover can lose.
	WaitReplicas int

	// InsecureAllowEviction allows a maxmemory-policy other than noeviction, or one that Redis does not
	// report. Redis can then drop revocations, so that tokens are accepted again, and sign users out.
	InsecureAllowEviction bool

	// Logger logs when Redis becomes unavailable, when it is available again, and once if it does not
	// have `appendonly yes`. If nil, it is [slog.Default].
	Logger *slog.Logger
}

// Format implements [fmt.Formatter], so that no verb prints a password.
func (c Conn) Format(f fmt.State, verb rune) {
	type plain Conn
	for _, password := range []*string{&c.Password, &c.SentinelPassword} {
		if *password != "" {
			*password = "REDACTED"
		}
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(c))
}

// check adds what is wrong with c to f.
func (c Conn) check(f *faults) {
	if n := len(c.Addresses); n == 0 || n > mostAddresses {
		f.add("Conn.Addresses", fmt.Sprintf("has %d addresses", n), "set 1 to 16, e.g. redis.internal:6379")
	} else if n > 1 && c.Sentinel == "" && !c.Cluster {
		f.add("Conn.Addresses", fmt.Sprintf("has %d addresses, without Sentinel or Cluster", n), "set one, or set Sentinel or Cluster")
	}
	remote := ""
	for _, address := range c.Addresses {
		host, port, err := net.SplitHostPort(address)
		number, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || number == 0 || host == "" || strings.ContainsAny(host, "/@ ") {
			f.add("Conn.Addresses", "has "+redact(address), "write host:port, e.g. redis.internal:6379; user, password and TLS have fields of their own")
		} else if !loopback(host) {
			remote = address
		}
	}
	if c.Sentinel != "" && c.Cluster {
		f.add("Conn.Sentinel", "is set, and so is Cluster", "set one of them")
	}
	if c.Sentinel == "" && (c.SentinelUsername != "" || c.SentinelPassword != "") {
		f.add("Conn.SentinelPassword", "is set without Sentinel", "set Sentinel, or remove it")
	}
	if c.Username != "" && c.Password == "" {
		f.add("Conn.Password", "is empty, while Username is set", "set the user's password")
	}
	switch {
	case c.TLS == nil && remote != "" && !c.InsecureAllowPlaintext:
		f.add("Conn.TLS", "is nil, and "+remote+" is another machine", "set at least &tls.Config{}")
	case c.TLS == nil:
	case c.TLS.InsecureSkipVerify:
		f.add("Conn.TLS", "has InsecureSkipVerify, so that an attacker on the network can be Redis", "set RootCAs to the authority of the server's certificate")
	case c.TLS.MinVersion != 0 && c.TLS.MinVersion < tls.VersionTLS12, c.TLS.MaxVersion != 0 && c.TLS.MaxVersion < tls.VersionTLS12:
		f.add("Conn.TLS", "allows a version before 1.2", "remove MinVersion and MaxVersion")
	}
	if c.WaitReplicas < 0 || c.WaitReplicas > mostReplicas {
		f.add("Conn.WaitReplicas", fmt.Sprintf("is %d", c.WaitReplicas), "set how many replicas must confirm, from 0 to 10")
	}
}

// faults collects everything that is wrong, for one [*sso.ConfigError].
type faults []sso.ConfigProblem

func (f *faults) add(field, problem, remedy string) {
	*f = append(*f, sso.ConfigProblem{Setting: "redisstore." + field, Problem: problem, Remedy: remedy})
}

func (f *faults) addCacheTTL(field string, ttl time.Duration) {
	if ttl != 0 && (ttl < leastCacheTTL || ttl > mostCacheTTL) {
		f.add(field, fmt.Sprintf("is %v", ttl), "set 100ms to 30s, e.g. 2s; or 0 for no cache")
	}
}

func (f *faults) err() error {
	if len(*f) == 0 {
		return nil
	}
	return &sso.ConfigError{Problems: slices.Clone(*f)}
}

// refusal returns an error that is not an outage, so that InsecureIgnoreOutage does not apply to it.
func refusal(field, problem, remedy string) error {
	var f faults
	f.add(field, problem, remedy)
	return f.err()
}

func isRefusal(err error) bool {
	var e *sso.ConfigError
	return errors.As(err, &e)
}

// loopback checks the host as it is written: a name that only resolves to loopback is not one.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// redact quotes a value for a message, unless it could contain a password.
func redact(value string) string {
	if len(value) > 100 || strings.Contains(value, "@") {
		return fmt.Sprintf("a text of %d bytes", len(value))
	}
	return strconv.Quote(value)
}
