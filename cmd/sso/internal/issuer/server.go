// Package issuer runs the development issuer of sso serve: package devissuer's, with private keys and
// personas from files.
package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// DefaultAddress is where sso serve listens and where sso mint looks for it.
const DefaultAddress = "127.0.0.1:9000"

const (
	// anotherAddress is one to try where the usual one is taken.
	anotherAddress = "127.0.0.1:9001"
	// keep is how many keys are published: the one that signs, and those that signed before it.
	keep = 5
	// patience is how long the requests under way have to end when the server does.
	patience = 5 * time.Second
)

// Config says how an issuer is served.
type Config struct {
	// Address to listen on. Only loopback addresses are taken unless InsecureListen: whoever
	// reaches the issuer gets any token they like.
	Address        string
	InsecureListen bool
	// Issuer is the identifier, what tokens carry as iss. Empty: http:// and the address.
	Issuer string
	// KeysFile is where keys are kept. Empty: nowhere, and a restart makes every token bad.
	KeysFile string
	// Algorithm of new keys. Empty: that of the file's keys, RS256 for a new file.
	Algorithm string
	// Options are further ones of the issuer.
	Options []devissuer.Option
}

// Server is an issuer that listens.
type Server struct {
	issuer   *devissuer.Issuer
	listener net.Listener
	keys     *KeyFile // nil: keys are not stored
	insecure bool
	host     string // of the issuer's identifier
	base     string // the path of the issuer's identifier, below which its documents are

	mu sync.Mutex // one rotation at a time, so that the file holds what was published last
}

// Listen prepares everything and listens. [Server.Serve] answers.
func Listen(ctx context.Context, c Config) (*Server, error) {
	host, _, err := net.SplitHostPort(c.Address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %q: write host and port, such as %s", c.Address, DefaultAddress)
	case !c.InsecureListen && !loopback(host):
		return nil, fmt.Errorf("%q can be reached from other machines, and this issuer gives any token to anyone: listen on %s, or say --insecure-listen if the network is yours alone, as between containers", c.Address, DefaultAddress)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: is another sso serve running? Choose another address, such as --listen %s, and say it to sso mint too, by --issuer http://%s or SSO_ISSUER=http://%s", err, anotherAddress, anotherAddress, anotherAddress)
	}
	address := listener.Addr().String()
	if !c.InsecureListen && !loopback(address) { // a name is resolved only now
		return nil, errors.Join(fmt.Errorf("%q turned out to be %s, which can be reached from other machines: write %s", c.Address, address, DefaultAddress), listener.Close())
	}
	s := &Server{listener: listener, insecure: c.InsecureListen}
	if err := s.start(c, "http://"+reachable(address)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// start makes the issuer, with the keys of the file.
func (s *Server) start(c Config, identifier string) error {
	identifier = cmp.Or(c.Issuer, identifier)
	if u, err := url.Parse(identifier); err == nil { // the issuer checks it
		s.host, s.base = u.Hostname(), strings.TrimSuffix(u.Path, "/")
	}
	opts := append([]devissuer.Option{devissuer.WithIssuer(identifier)}, c.Options...)
	if c.Algorithm != "" {
		opts = append(opts, devissuer.WithAlgorithm(c.Algorithm))
	}
	var err error
	if s.issuer, err = devissuer.New(opts...); err != nil || c.KeysFile == "" { // its keys are made when first used
		return err
	}
	if s.keys, err = OpenKeyFile(c.KeysFile, s.issuer.PrivateKeysPEM); err != nil {
		return err
	}
	s.issuer, err = devissuer.New(append(opts, devissuer.WithKeyPEM(s.keys.Keys))...)
	if err != nil {
		return fmt.Errorf("%s cannot be used: %w (for new keys, remove the file or name another one by --keys-file)", c.KeysFile, err)
	}
	return nil
}

// close stops the issuer and unlocks the file of keys.
func (s *Server) close() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if s.issuer != nil {
		err = errors.Join(err, s.issuer.Close())
	}
	if s.keys != nil {
		err = errors.Join(err, s.keys.Close())
	}
	return err
}

// reachable is an address that others can connect to, for one that stands for all of a machine's.
func reachable(address string) string {
	host, port, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// Issuer is the issuer that is served.
func (s *Server) Issuer() *devissuer.Issuer { return s.issuer }

// Serve answers until the context ends; then it lets requests end, for a while, and leaves
// nothing running.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(s.listener) }()
	select {
	case err := <-ended:
		return errors.Join(err, s.close())
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		err = server.Close()
	}
	if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return errors.Join(err, s.close())
}

// changes are the paths of requests that change the issuer.
var changes = []string{"/rotate", "/down", "/up"}

// Handler answers the issuer's paths, and those of this program.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.greet)
	mux.HandleFunc("POST /rotate", s.change(s.rotate))
	mux.HandleFunc("POST /down", s.change(func() (string, error) { s.issuer.Down(); return `{"down":true}`, nil }))
	mux.HandleFunc("POST /up", s.change(func() (string, error) { s.issuer.Up(); return `{"down":false}`, nil }))
	for _, path := range changes {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "send this as POST", http.StatusMethodNotAllowed)
		})
	}
	mux.Handle("/", s.issuer.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A web page can have its own name resolve to this machine, and is then of the same
		// origin as this server to a browser (DNS rebinding). It cannot choose the name.
		if !s.known(r.Host) {
			http.Error(w, "this development issuer answers to localhost, 127.0.0.1 and [::1] only, or with --insecure-listen to addresses and the host of --issuer", http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// Under the path of the issuer's identifier there is no other rotation than this one,
		// which keeps the key.
		if below, ok := strings.CutPrefix(r.URL.Path, s.base); ok && s.base != "" && slices.Contains(changes, below) {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = below, ""
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) known(hostport string) bool {
	if loopback(hostport) {
		return true
	}
	host := hostOf(hostport)
	_, err := netip.ParseAddr(host)
	return s.insecure && (err == nil || strings.EqualFold(host, s.host))
}

// change answers a request that changes the issuer. It has to come from this machine, and not
// from another site's page.
func (s *Server) change(do func() (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if !loopback(r.RemoteAddr) {
			http.Error(w, "this is for the issuer's own machine only", http.StatusForbidden)
			return
		}
		if err := http.NewCrossOriginProtection().Check(r); err != nil {
			http.Error(w, "this is not for other sites' pages", http.StatusForbidden)
			return
		}
		answer, err := do()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer + "\n")) // the client may be gone
	}
}

// rotate signs with a new key from now on, which is kept.
func (s *Server) rotate() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kid := s.issuer.Rotate()
	published := s.issuer.KeyIDs()
	for _, old := range published[:max(0, len(published)-keep)] {
		s.issuer.Retire(old)
	}
	if s.keys != nil {
		if err := s.keys.Save(s.issuer.PrivateKeysPEM()); err != nil {
			return "", fmt.Errorf("the issuer signs with the new key %s, which could not be stored: %w", kid, err)
		}
	}
	return fmt.Sprintf(`{"kid":%q}`, kid), nil
}

func (s *Server) greet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	base := strings.TrimSuffix(s.issuer.JWKSURL(), devissuer.PathJWKS)
	_, _ = fmt.Fprintf(w, `A development issuer: it gives any token to whoever asks. Not for production.

issuer  %[1]s

GET   %[2]s/.well-known/openid-configuration
      discovery document
GET   %[2]s/jwks.json
      public keys
GET   %[2]s/key.pem
      public half of the key that signs
POST  %[2]s/token
      client credentials, any client with any secret; also persona, audience, scope, permissions,
      claims, without, expires_in
POST  %[2]s/rotate
      a new key (this machine only, as the next two)
POST  %[2]s/down
      unreachable
POST  %[2]s/up
      reachable again
`, s.issuer.URL(), base)
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// loopback tells whether a host, with or without a port, is this machine, without asking any
// name server.
func loopback(hostport string) bool {
	host := hostOf(hostport)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
