package devissuer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// An Issuer publishes keys and mints tokens. Make one with [New] or [Start]; the zero value does
// not work. All methods are safe for concurrent use. A setter applies from the next
// request on.
type Issuer struct {
	config
	base    *url.URL // the identifier without a trailing slash; the documents are below it
	started bool     // by Start

	keys    keyring
	handler http.Handler
	server  *http.Server
	client  *http.Transport

	closing context.Context // done when Close begins; ends hanging responses
	close   func() error    // runs once
	open    sync.WaitGroup  // connections being served

	mu     sync.Mutex // guards audience and the fields below
	closed bool
	faults faults
	stats  Stats
}

// An Option is a setting of [New] and [Start]. A later option overrides an earlier one of the same
// kind. One error reports all options that are invalid.
type Option func(*config)

type config struct {
	issuer    string
	addr      string
	insecure  bool // WithInsecureListen
	audience  []string
	algorithm string
	now       func() time.Time
	keyPEM    []byte
	lifetime  time.Duration
	personas  map[string][]TokenOption
	rotate    func(*Issuer) error
}

// WithIssuer sets the issuer identifier: the iss of tokens and of the discovery document. It is an
// absolute http or https URL without query and fragment (OpenID Connect Discovery 1.0, section 3).
// If it has a path, the documents are below that path.
//
// Default: "https://issuer.example" for [New], the address for [Start]. An identifier given to Start
// has to lead to the address, for instance through a proxy: other programs fetch the keys by it.
func WithIssuer(id string) Option { return func(c *config) { c.issuer = id } }

// WithAddr sets the address that [Start] listens on, such as "127.0.0.1:9000". Port 0 is any free
// port. The address must be a loopback address, unless [WithInsecureListen] is set. Default:
// "127.0.0.1:0". [New] rejects the option.
func WithAddr(addr string) Option { return func(c *config) { c.addr = addr } }

// WithInsecureListen lets [Start] listen on addresses that other machines can reach, as between
// containers. Every machine that can reach the issuer gets any token that it requests. The Host of
// a request may then be any IP address, or the host of [WithIssuer].
func WithInsecureListen() Option { return func(c *config) { c.insecure = true } }

// WithAudience sets the aud of tokens without the option [Audience]: a string for one audience, an
// array for several (RFC 7519, section 4.1.3). At least one is required. Default: "api".
func WithAudience(aud ...string) Option {
	return func(c *config) { c.audience = append([]string{}, aud...) }
}

// WithAlgorithm sets the signature algorithm of every key that the issuer generates: RS256, RS384,
// RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA (with Ed25519). The keys of [WithKeyPEM]
// must be of its kind. Default: the algorithm of those keys, or RS256.
func WithAlgorithm(alg string) Option { return func(c *config) { c.algorithm = alg } }

// WithClock sets the clock that tokens are dated by. It must be safe for concurrent use.
// [Issuer.Slow] waits in real time, or in the time of the synctest bubble. Default: [time.Now].
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithKeyPEM sets the first keys: PKCS #8 blocks ("PRIVATE KEY") as [Issuer.PrivateKeyPEM] returns them.
// All are published, and the last one signs. A program that stores them has the same keys and key ids
// after a restart, so that earlier tokens stay valid. All keys must be for one algorithm. Default: a new
// key each time, RSA keys with 2048 bits.
func WithKeyPEM(pkcs8 []byte) Option {
	return func(c *config) { c.keyPEM = append([]byte{}, pkcs8...) }
}

// WithLifetime sets how long tokens are valid, if no option of the token says so. The minimum is one
// second. Default: one hour.
func WithLifetime(d time.Duration) Option { return func(c *config) { c.lifetime = d } }

// WithPersona defines a person: the name is the subject of their tokens, and the options are applied
// to them. The option [Persona] or the parameter persona of the token endpoint mints such a token. A
// persona may include others by the option Persona, at most 16 deep. The name must not be empty.
func WithPersona(name string, opts ...TokenOption) Option {
	return func(c *config) {
		if c.personas == nil {
			c.personas = map[string][]TokenOption{}
		}
		c.personas[name] = append([]TokenOption{Subject(name)}, opts...)
	}
}

// WithRotate sets what POST /rotate calls instead of [Issuer.Rotate], for a program that stores the
// keys. If it returns an error, the response has status 500 and the text of the error.
func WithRotate(rotate func(*Issuer) error) Option { return func(c *config) { c.rotate = rotate } }

// New makes an issuer in memory. It opens no port: use [Issuer.Client], or mount [Issuer.Handler] on
// a server of your own. Keys are generated when first needed. The caller must close the issuer.
func New(opts ...Option) (*Issuer, error) {
	c := newConfig(opts)
	var misplaced error
	if c.addr != "" {
		misplaced = fmt.Errorf("WithAddr(%q) has no meaning for New, which opens no port; use Start", c.addr)
	}
	i, err := build(c)
	if err = errors.Join(misplaced, err); err != nil {
		return nil, fmt.Errorf("devissuer: %w", err)
	}
	i.prepare("https://issuer.example")
	return i, nil
}

// Start makes an issuer and listens until [Issuer.Close]. Requests with another Host header than
// this machine's are answered with 421: otherwise a web page could reach the issuer by resolving its
// own host name to 127.0.0.1 (DNS rebinding).
func Start(opts ...Option) (*Issuer, error) {
	c := newConfig(opts)
	if c.addr == "" {
		c.addr = "127.0.0.1:0"
	}
	addrErr := c.checkAddr()
	i, err := build(c)
	if err = errors.Join(addrErr, err); err != nil {
		return nil, fmt.Errorf("devissuer: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", c.addr)
	if err != nil {
		return nil, fmt.Errorf("devissuer: %w", err)
	}
	address := listener.Addr().String()
	if !c.insecure && !loopbackHost(address) { // a name is resolved only now
		_ = listener.Close()
		return nil, fmt.Errorf("devissuer: WithAddr(%q) resolved to %s, which is not a loopback address", c.addr, address)
	}
	i.started = true
	i.prepare("http://" + reachable(address))

	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = i.server.Serve(listener) // ends with http.ErrServerClosed
	}()
	closeServer := i.close
	i.close = sync.OnceValue(func() error {
		err := closeServer()
		<-served
		// A connection accepted during Close is known to the server only now.
		return errors.Join(err, i.server.Close())
	})
	return i, nil
}

// reachable returns an address to connect to. The given one may be unspecified, as 0.0.0.0 is.
func reachable(address string) string {
	host, port, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

func newConfig(opts []Option) *config {
	c := &config{
		audience: []string{"api"},
		now:      time.Now, //nolint:forbidigo // this is the clock that WithClock sets
		lifetime: time.Hour,
		rotate:   func(i *Issuer) error { i.Rotate(); return nil },
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// build checks the settings that New and Start share.
func build(c *config) (*Issuer, error) {
	var errs []error
	if c.issuer != "" {
		errs = append(errs, checkIdentifier(c.issuer))
	}
	if len(c.audience) == 0 {
		errs = append(errs, errors.New("WithAudience() is empty; name at least one audience, or mint with WithoutClaim(\"aud\")"))
	}
	if c.now == nil {
		errs = append(errs, errors.New("WithClock(nil): give a function, or leave the option out for time.Now"))
	}
	if c.lifetime < time.Second {
		errs = append(errs, fmt.Errorf("WithLifetime(%v): at least 1s; for a token that has expired use Expired()", c.lifetime))
	}
	if _, nameless := c.personas[""]; nameless {
		errs = append(errs, errors.New(`WithPersona(""): give a name, which becomes the subject of the tokens`))
	}
	i := &Issuer{config: *c}
	errs = append(errs, i.keys.configure(c))
	return i, errors.Join(errs...)
}

// prepare sets up the server.
func (i *Issuer) prepare(identifier string) {
	if i.issuer == "" {
		i.issuer = identifier
	}
	i.base, _ = url.Parse(strings.TrimSuffix(i.issuer, "/")) // checked by build
	i.stats.Requests = map[string]int{}
	i.client = i.memoryTransport()
	i.handler = i.routes()
	i.server = &http.Server{
		Handler:           i.handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ConnState:         i.track,
		// No ReadTimeout and no WriteTimeout: they would cut short the responses that Slow and
		// Fault delay on purpose. Those end with the request or with Close.
	}
	var stop context.CancelFunc
	i.closing, stop = context.WithCancel(context.Background())
	i.close = sync.OnceValue(func() error {
		stop()
		return i.server.Close()
	})
}

// track counts connections, so that Close can wait for their goroutines. The server calls it with
// StateNew before it starts a connection's goroutine, and with one of the others at its end.
func (i *Issuer) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		i.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		i.open.Done()
	}
}

// Close ends the issuer: hanging responses end, connections are closed, and further ones are
// refused. It returns when no goroutine of the issuer is left. A function of [Issuer.Fault] must
// therefore return when its request is cancelled. A second Close has no effect. Token still works afterwards.
func (i *Issuer) Close() error {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	err := i.close()
	i.open.Wait()
	return err
}

// Now returns the time by the issuer's clock; see [WithClock].
func (i *Issuer) Now() time.Time { return i.now() }

// Audience returns the aud of tokens without the option [Audience], as set by [WithAudience] or the
// latest [Issuer.SetAudience]. The caller owns the slice.
func (i *Issuer) Audience() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string{}, i.audience...)
}

// SetAudience sets the aud of further tokens without the option [Audience]; see [WithAudience]. It
// panics without an audience: WithoutClaim("aud") makes a token without one.
func (i *Issuer) SetAudience(aud ...string) {
	if len(aud) == 0 {
		panic(`devissuer: SetAudience() is empty; name at least one audience, or mint with WithoutClaim("aud")`)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.audience = append([]string{}, aud...)
}

// URL returns the issuer identifier: the iss of tokens.
func (i *Issuer) URL() string { return i.issuer }

// DiscoveryURL returns the URL of the discovery document: [Issuer.URL] with
// "/.well-known/openid-configuration" appended, after a trailing slash has been removed (OpenID
// Connect Discovery 1.0, section 4).
func (i *Issuer) DiscoveryURL() string { return i.base.String() + pathDiscovery }

// JWKSURL returns the URL of the published keys (RFC 7517).
func (i *Issuer) JWKSURL() string { return i.base.String() + pathJWKS }

// Handler returns the handler of the issuer's paths, to mount on a server of your own. Do not mount
// it where others can reach it: it gives any token to any client. While the issuer is [Issuer.Down],
// the handler panics with [http.ErrAbortHandler], and an http.Server closes the connection.
func (i *Issuer) Handler() http.Handler { return i.handler }

// Client returns a client that reaches the issuer and no other host, without a network; see
// [Stats.Strays]. It has no keep-alive, so that nothing runs between requests once the body is
// closed. Each call returns a new client, whose timeout and redirect policy may be set.
func (i *Issuer) Client() *http.Client { return &http.Client{Transport: i.client} }

func checkIdentifier(id string) error {
	u, err := url.Parse(id)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(id, "#") {
		return fmt.Errorf("WithIssuer(%q) is not an http or https URL without user, query and fragment, such as %q; for another iss in a token use IssuedBy", id, "https://issuer.example")
	}
	return nil
}

func (c *config) checkAddr() error {
	host, _, err := net.SplitHostPort(c.addr)
	if err != nil {
		return fmt.Errorf("WithAddr(%q): %w; write host and port, such as 127.0.0.1:9000", c.addr, err)
	}
	if !c.insecure && !loopbackHost(host) {
		return fmt.Errorf("WithAddr(%q) can be reached from other machines, and the issuer gives any token to any client; use a loopback address such as 127.0.0.1:9000", c.addr)
	}
	return nil
}
