package devissuer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// An Issuer publishes keys and mints tokens. Make one with [New] or [Start];
// the zero value is of no use. All methods may be called from any number of
// goroutines at once, and what a setter changes holds for the next request.
type Issuer struct {
	identifier string   // what tokens say in iss
	base       *url.URL // where the documents are; differs from identifier only in Start with WithIssuer
	loopback   bool     // started by Start

	lifetime     time.Duration
	now          func() time.Time
	cacheControl string
	personas     map[string][]TokenOption

	keys    keyring
	handler http.Handler
	server  *http.Server
	client  *http.Transport

	closing context.Context // done from the moment Close begins; ends hanging answers
	close   func() error    // runs once, however often called
	open    sync.WaitGroup  // connections being served

	mu       sync.Mutex // guards what follows
	audience []string
	closed   bool
	faults   faults
	counts   counts
}

// An Option is a setting of [New] and [Start]. Of several of one kind the
// later wins. All faults of all options are reported in one error.
type Option func(*config)

type config struct {
	issuer       string
	addr         string
	audience     []string
	algorithm    string
	now          func() time.Time
	keyPEM       []byte
	lifetime     time.Duration
	rsaBits      int
	withoutKids  bool
	cacheControl string
	personas     map[string][]TokenOption
}

// WithIssuer sets the issuer identifier: what tokens carry as iss and what the
// discovery document declares. It is an absolute http or https URL without
// query and fragment (OpenID Connect Discovery 1.0, section 3), and may have a
// path; the documents then live below that path.
//
// Default: "https://issuer.example" in memory, the address in loopback mode.
// Set in loopback mode, it changes the identifier only: the documents stay at
// the address, as behind a proxy.
func WithIssuer(id string) Option { return func(c *config) { c.issuer = id } }

// WithAddr sets the address that [Start] listens on, such as
// "127.0.0.1:9000"; port 0 takes any free one. Only loopback addresses are
// taken, since whoever reaches the issuer gets any token they like.
// Default: "127.0.0.1:0". [New] refuses it, having no address.
func WithAddr(addr string) Option { return func(c *config) { c.addr = addr } }

// WithAudience sets the aud of tokens that do not say otherwise: a string for
// one audience, an array for more (RFC 7519, section 4.1.3). At least one is
// needed. Default: "api".
func WithAudience(aud ...string) Option {
	return func(c *config) { c.audience = append([]string{}, aud...) }
}

// WithAlgorithm sets the signature algorithm of every key the issuer makes:
// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA (with
// Ed25519). A key of [WithKeyPEM] has to be of its kind. Default: RS256, or
// what fits that key.
func WithAlgorithm(alg string) Option { return func(c *config) { c.algorithm = alg } }

// WithClock sets the clock that tokens are dated by. It has no say in
// [Issuer.Slow] and [Drip], which wait in real time (or the time of the
// synctest bubble). It must be safe for concurrent use. Default: [time.Now].
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithKeyPEM sets the first signing key: one PKCS #8 block ("PRIVATE KEY") as
// [Issuer.PrivateKeyPEM] gives it, or several as [Issuer.PrivateKeysPEM] does:
// the last one signs, all are published. A program that keeps it in a file has
// the same keys and key ids after a restart, and the tokens of yesterday still
// hold. All keys have to be for one algorithm, that of [WithAlgorithm] if it is
// given. Default: a new key each time.
func WithKeyPEM(pkcs8 []byte) Option {
	return func(c *config) { c.keyPEM = append([]byte{}, pkcs8...) }
}

// WithLifetime sets how long tokens are valid that do not say otherwise; at
// least one second. Default: one hour.
func WithLifetime(d time.Duration) Option { return func(c *config) { c.lifetime = d } }

// WithRSABits sets the size of the RSA keys the issuer makes, from 1024 (which
// a careful verifier refuses) to 8192. Each doubling takes about ten times as
// long to generate. With PS512 at least 1040. It says nothing of the keys of
// [WithKeyPEM]. Default: 2048.
func WithRSABits(bits int) Option { return func(c *config) { c.rsaBits = bits } }

// WithoutKeyIDs leaves kid out of the key set and of the tokens, as providers
// with a single key may (RFC 7517, section 4.5: kid is optional). Methods of
// this package that take or give a key id go on doing so.
func WithoutKeyIDs() Option { return func(c *config) { c.withoutKids = true } }

// WithPersona introduces somebody: their name is the subject of their tokens,
// and the options say what else is said of them. A token about them is minted
// by the option [Persona], or by the token endpoint for a request with the
// parameter persona. One may be made of others by Persona, at most 16 deep.
// Later ones of the same name win, and a name that is empty is refused.
// Default: nobody.
func WithPersona(name string, opts ...TokenOption) Option {
	return func(c *config) {
		if c.personas == nil {
			c.personas = map[string][]TokenOption{}
		}
		c.personas[name] = append([]TokenOption{Subject(name)}, opts...)
	}
}

// WithCacheControl sets the Cache-Control header of the key set, the PEM and
// the discovery document, such as "max-age=300". Default: no such header.
func WithCacheControl(value string) Option { return func(c *config) { c.cacheControl = value } }

// New makes an issuer in memory. It opens no port: [Issuer.Client] is the way
// to it, or [Issuer.Handler] on a server of the caller's. Nothing runs until
// there is a request, and keys are generated when first needed. The error
// names all options that cannot work. Close it when done.
func New(opts ...Option) (*Issuer, error) {
	c := newConfig(opts)
	var misplaced error
	if c.addr != "" {
		misplaced = fmt.Errorf("WithAddr(%q) has no meaning for New, which opens no port; use Start", c.addr)
	}
	if c.issuer == "" {
		c.issuer = "https://issuer.example"
	}
	i, err := build(c)
	if err = errors.Join(misplaced, err); err != nil {
		return nil, fmt.Errorf("devissuer: %w", err)
	}
	i.base, _ = url.Parse(strings.TrimSuffix(i.identifier, "/")) // build has parsed it before
	i.client = i.memoryTransport()
	i.prepare()
	return i, nil
}

// Start makes an issuer and listens on the loopback interface until
// [Issuer.Close]. Requests whose Host header names anything but this machine
// are answered 421: otherwise a web page could reach the issuer by having its
// own host name resolve to 127.0.0.1 (DNS rebinding). The error names all
// options that cannot work, or says that the address cannot be had.
func Start(opts ...Option) (*Issuer, error) {
	c := newConfig(opts)
	if c.addr == "" {
		c.addr = "127.0.0.1:0"
	}
	addrErr := checkLoopback(c.addr)
	i, err := build(c)
	if err = errors.Join(addrErr, err); err != nil {
		return nil, fmt.Errorf("devissuer: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", c.addr)
	if err != nil {
		return nil, fmt.Errorf("devissuer: %w", err)
	}
	// The name "localhost" has been resolved only now.
	if !loopbackHost(listener.Addr().String()) {
		_ = listener.Close()
		return nil, fmt.Errorf("devissuer: WithAddr(%q) resolved to %s, which is not a loopback address", c.addr, listener.Addr())
	}
	i.loopback = true
	i.base = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	if i.identifier == "" {
		i.identifier = i.base.String()
	}
	i.client = &http.Transport{DisableKeepAlives: true}
	i.prepare()

	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = i.server.Serve(listener) // ends with http.ErrServerClosed
	}()
	closeServer := i.close
	i.close = sync.OnceValue(func() error {
		err := closeServer()
		<-served
		// A connection accepted while the server was closing is known to it
		// only now.
		return errors.Join(err, i.server.Close())
	})
	return i, nil
}

func newConfig(opts []Option) *config {
	c := &config{
		audience: []string{"api"},
		now:      time.Now, //nolint:forbidigo // this is the clock that WithClock sets
		lifetime: time.Hour,
		rsaBits:  2048,
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// build checks every setting that both modes share.
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
	i := &Issuer{
		identifier:   c.issuer,
		audience:     c.audience,
		lifetime:     c.lifetime,
		now:          c.now,
		cacheControl: c.cacheControl,
		personas:     c.personas,
	}
	errs = append(errs, i.keys.configure(c))
	return i, errors.Join(errs...)
}

// prepare sets up what serves requests, in either mode.
func (i *Issuer) prepare() {
	i.counts.reset()
	i.handler = i.routes()
	i.server = &http.Server{
		Handler:           i.handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ConnState:         i.track,
		// Neither ReadTimeout nor WriteTimeout: they would cut short the
		// answers that Slow, Hang and Drip delay on purpose. The ends of those
		// are the request's cancellation and Close.
	}
	var stop context.CancelFunc
	i.closing, stop = context.WithCancel(context.Background())
	i.close = sync.OnceValue(func() error {
		stop()
		return i.server.Close()
	})
}

// track lets Close wait for the goroutines of connections. The server calls it
// with StateNew before it starts a connection's goroutine and with one of the
// others as the last thing that goroutine does.
func (i *Issuer) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		i.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		i.open.Done()
	}
}

// Close ends the issuer: hanging answers end, connections are closed, further
// ones are refused. It returns when no goroutine of the issuer is left, for
// which a [Fault] of the caller's has to return when its request is cancelled.
// It may be called again, to no effect. Minting tokens still works afterwards.
func (i *Issuer) Close() error {
	i.mu.Lock()
	i.closed = true
	i.mu.Unlock()
	err := i.close()
	i.open.Wait()
	return err
}

// Now is the time by the issuer's clock, that of [WithClock].
func (i *Issuer) Now() time.Time { return i.now() }

// Audience is the aud of tokens that do not say otherwise: that of
// [WithAudience] or of the latest [Issuer.SetAudience]. The slice is the
// caller's own.
func (i *Issuer) Audience() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string{}, i.audience...)
}

// SetAudience sets the aud of tokens from now on that do not say otherwise; see
// [WithAudience]. It panics without an audience: for a token without one there
// is WithoutClaim("aud").
func (i *Issuer) SetAudience(aud ...string) {
	if len(aud) == 0 {
		panic(`devissuer: SetAudience() is empty; name at least one audience, or mint with WithoutClaim("aud")`)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.audience = append([]string{}, aud...)
}

// URL is the issuer identifier: what tokens carry as iss.
func (i *Issuer) URL() string { return i.identifier }

// DiscoveryURL is where the discovery document is: [Issuer.URL] with
// "/.well-known/openid-configuration" appended, a trailing slash removed
// first (OpenID Connect Discovery 1.0, section 4). If [Start] was given
// [WithIssuer], it is at the address instead, as all documents are.
func (i *Issuer) DiscoveryURL() string { return i.base.String() + PathDiscovery }

// JWKSURL is where the published keys are as a JWK set (RFC 7517).
func (i *Issuer) JWKSURL() string { return i.base.String() + PathJWKS }

// PEMURL is where the public half of the signing key is as PEM, as some
// providers with a single key publish it.
func (i *Issuer) PEMURL() string { return i.base.String() + PathPEM }

// Handler serves the issuer's paths, for mounting on a server of the caller's.
// While the issuer is [Issuer.Down] it panics with [http.ErrAbortHandler],
// which makes an http.Server drop the connection. Never mount it where
// strangers can reach it: it gives any token to anyone.
func (i *Issuer) Handler() http.Handler { return i.handler }

// Client is an HTTP client that reaches the issuer, without keep-alive: a
// connection ends with its response, so that nothing lives between requests
// once the body has been closed. In memory it reaches nothing but the issuer;
// see [Issuer.Strays]. Each call gives a client of its own, so its timeout and
// redirect policy may be set.
func (i *Issuer) Client() *http.Client { return &http.Client{Transport: i.client} }

func checkIdentifier(id string) error {
	u, err := url.Parse(id)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(id, "#") {
		return fmt.Errorf("WithIssuer(%q) is not an http or https URL without user, query and fragment, such as %q; for an odd iss in a token use IssuedBy", id, "https://issuer.example")
	}
	return nil
}

func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("WithAddr(%q): %w; write host and port, such as 127.0.0.1:9000", addr, err)
	}
	if !loopbackHost(host) {
		return fmt.Errorf("WithAddr(%q) can be reached from other machines, and the issuer gives any token to anyone; use a loopback address such as 127.0.0.1:9000", addr)
	}
	return nil
}
