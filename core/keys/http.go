package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBytes bounds what is read of a key set, a PEM file or a discovery document, after
// decompression.
const maxBytes = 256 << 10

const discoveryPath = "/.well-known/openid-configuration"

// RetryAfterError is what a source wraps into its error when the provider said when to ask
// again (RFC 9110, section 10.2.3). A [Cache] leaves the source alone for so long, up to 30 s.
type RetryAfterError struct {
	After time.Duration // from now
	Err   error         // what went wrong; never nil
}

// Error is that of Err.
func (e *RetryAfterError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// URL is a source that fetches an address. What it finds there tells what it is: a JWK Set,
// PEM text, or a discovery document, which is then followed to its keys.
//
// It accepts https, and http to loopback. A discovery document must name the issuer that
// [Options.Issuer] or its own address says (OpenID Connect Discovery 1.0, section 4.3), and
// keys on its own origin or an allowed one. Redirects are not followed, an answer above 256 KiB is
// refused, and one that is unchanged is not sent again (ETag). URL itself does no network I/O: its
// error is about the address, a [SettingError] where it is known what to write instead.
func URL(address string, o Options) (Source, error) {
	u, err := checkURL(address, o)
	if err != nil {
		return nil, err
	}
	s := &httpSource{address: u, options: o, client: httpClient(o.HTTPClient)}
	if o.Issuer != "" {
		s.implied = []string{o.Issuer}
	} else if issuer, ok := strings.CutSuffix(address, discoveryPath); ok {
		s.implied = []string{issuer, issuer + "/"} // section 4: the slash is dropped before the path is added
	}
	return s, nil
}

// Discovery is a source that finds the keys by an issuer's discovery document (OpenID Connect
// Discovery 1.0, section 4): it is [URL] for the issuer with
// /.well-known/openid-configuration in the place of a slash at its end, or behind it. The document
// must name the issuer to the letter; [Options.Issuer] does not count. An issuer has neither query nor
// fragment (section 3), and is refused with them.
func Discovery(issuer string, o Options) (Source, error) {
	if strings.ContainsAny(issuer, "?#") { // behind which the path of the document would be none
		return nil, &SettingError{Problem: "an issuer with a query or a fragment", Remedy: "write it as the provider does, without ? and #"}
	}
	o.Issuer = issuer
	return URL(strings.TrimSuffix(issuer, "/")+discoveryPath, o)
}

type httpSource struct {
	address *url.URL
	implied []string // the issuers that a discovery document at this address may name
	options Options
	client  *http.Client
}

// origin remembers where a set came from, for the next conditional request.
type origin struct {
	etag map[string]string // by address
	doc  discoveryDocument // what the document said, if there was one
}

type discoveryDocument struct {
	Issuer  string
	JWKSURI string
}

func (s *httpSource) String() string { return redacted(s.address) }

func (s *httpSource) Fetch(ctx context.Context, previous *Set) (*Set, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends what is left of the connection
	ctx = context.WithValue(ctx, fetchKey{}, ctx)
	var known origin
	if previous != nil {
		known = previous.origin
	}
	next := origin{etag: map[string]string{}}
	first, err := s.get(ctx, s.address, known.etag)
	if err != nil {
		if gone := (*statusError)(nil); previous == nil && errors.As(err, &gone) && gone.code == http.StatusNotFound {
			err = fmt.Errorf("%w: %s", err, s.whereElse())
		}
		return nil, err
	}
	answer, address := first, s.address
	switch {
	case first.unchanged:
		next.doc = known.doc
	case !looksLikePEM(first.body):
		if next.doc, err = s.discovery(first.body); err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
	}
	if next.doc.Issuer == "" && strings.HasSuffix(s.address.Path, discoveryPath) {
		return nil, fmt.Errorf("%s: no discovery document, though its address is that of one: the issuer would go unchecked", s)
	}
	next.etag[s.address.String()] = first.etag
	if next.doc.JWKSURI != "" {
		if address, err = s.keysAddress(next.doc.JWKSURI); err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
		if answer, err = s.get(ctx, address, known.etag); err != nil {
			return nil, err
		}
		next.etag[address.String()] = answer.etag
	}
	if answer.unchanged {
		set := *previous // its keys are shared, and immutable
		set.MaxAge, set.Issuer, set.origin = answer.maxAge, next.doc.Issuer, next
		return &set, nil
	}
	set, err := parseKeys(answer.body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", redacted(address), err)
	}
	set.MaxAge, set.Issuer, set.origin = answer.maxAge, next.doc.Issuer, next
	return set, nil
}

// whereElse is for whoever has the wrong address: there never were keys at this one.
func (s *httpSource) whereElse() string {
	if strings.HasSuffix(s.address.Path, discoveryPath) {
		return "is the issuer written as the provider writes it? If it has no discovery document, set PublicKeyURI to the address of its JWK Set"
	}
	return "is this the address of the JWK Set? For discovery set Issuer"
}

// discovery reads a discovery document; a zero one if the text is something else.
func (s *httpSource) discovery(text []byte) (discoveryDocument, error) {
	found, _ := members(text) // whoever reads it next says what is wrong with it
	if found["keys"] != nil || found["issuer"] == nil {
		return discoveryDocument{}, nil
	}
	var doc discoveryDocument
	if doc.Issuer, _ = textOf(found["issuer"]); doc.Issuer == "" {
		return doc, errors.New("a discovery document whose issuer is not a string")
	}
	if doc.JWKSURI, _ = textOf(found["jwks_uri"]); doc.JWKSURI == "" {
		return doc, errors.New("a discovery document without jwks_uri")
	}
	if len(s.implied) == 0 {
		return doc, errors.New("a discovery document, of which this address does not tell the issuer: set Issuer")
	}
	if !slices.Contains(s.implied, doc.Issuer) {
		return doc, fmt.Errorf("the discovery document names the issuer %.256q where %q was expected", doc.Issuer, s.implied[0])
	}
	return doc, nil
}

// keysAddress checks where a discovery document says that the keys are: whoever can point
// there can sign.
func (s *httpSource) keysAddress(address string) (*url.URL, error) {
	u, err := checkURL(address, s.options)
	if err != nil {
		return nil, fmt.Errorf("jwks_uri: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != s.address.Scheme {
		return nil, errors.New("jwks_uri is http:// where the discovery document was had by https")
	}
	allowed := func(host string) bool { return hostPort(u.Scheme, host) == hostPort(u.Scheme, u.Host) }
	if u.Scheme == s.address.Scheme && allowed(s.address.Host) || slices.ContainsFunc(s.options.AllowedOrigins, allowed) {
		return u, nil
	}
	return nil, fmt.Errorf("jwks_uri is on another host, %.256q: if that is right, add it to the allowed key origins", u.Host)
}

// hostPort is a host as it can be compared: in lower case, without the port that goes without saying.
func hostPort(scheme, host string) string {
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	return strings.TrimSuffix(strings.ToLower(host), port)
}

type answer struct {
	body      []byte
	unchanged bool // 304: what the validator stood for is still so
	etag      string
	maxAge    time.Duration
}

func (s *httpSource) get(ctx context.Context, u *url.URL, etags map[string]string) (a answer, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil { // an odd IPv6 zone, which package url writes as it does not read it; the error repeats the query
		return a, fmt.Errorf("%s: an address that cannot be asked", redacted(u))
	}
	request.Close = true // no idle connection may outlive the fetch
	request.Header.Set("Accept", "application/jwk-set+json, application/json, application/x-pem-file;q=0.9, */*;q=0.1")
	known := etags[u.String()]
	if known != "" {
		request.Header.Set("If-None-Match", known)
	}
	response, err := s.client.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // whose prefix repeats the address, query included
		}
		return a, fmt.Errorf("%s: %w", redacted(u), because(ctx, err))
	}
	defer response.Body.Close()
	if a.body, err = s.read(response, known != ""); err != nil {
		err = fmt.Errorf("%s: %w", redacted(u), because(ctx, err))
		if after, ok := retryAfter(response.Header); ok {
			err = &RetryAfterError{After: after, Err: err}
		}
		return answer{}, err
	}
	a.maxAge = maxAge(response.Header)
	if a.unchanged = response.StatusCode == http.StatusNotModified; a.unchanged {
		a.etag = known
	} else {
		a.etag = response.Header.Get("ETag")
	}
	return a, nil
}

// because is why a request failed: not that its connection was closed, if that is what dial did when
// its time was up.
func because(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil && errors.Is(err, net.ErrClosed) {
		return ended
	}
	return err
}

func (s *httpSource) read(response *http.Response, conditional bool) ([]byte, error) {
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		return readBounded(response.Body)
	case code == http.StatusNotModified && conditional:
		return nil, nil
	case code >= 300 && code < 400:
		return nil, fmt.Errorf("answered %d, a redirect, which is not followed: configure the address that holds the keys", code)
	default:
		return nil, &statusError{code}
	}
}

// statusError is an answer without keys.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("answered %d", e.code) }

func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("more than %d KiB", maxBytes>>10)
	}
	return text, nil
}

func looksLikePEM(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] != '{' && text[0] != '[' && bytes.Contains(text, []byte("-----BEGIN"))
}

// maxAge reads Cache-Control (RFC 9111, section 5.2.2); zero if it says nothing useful.
func maxAge(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		age, ok := seconds(strings.Trim(value, `"`))
		if !ok {
			return 0
		}
		return max(age, time.Second) // zero says something, unlike nothing
	}
	return 0
}

// retryAfter reads Retry-After: seconds, or a date, by the provider's own clock.
func retryAfter(h http.Header) (time.Duration, bool) {
	value := h.Get("Retry-After")
	if after, ok := seconds(value); ok {
		return after, true
	}
	at, err := http.ParseTime(value)
	now, noDate := http.ParseTime(h.Get("Date"))
	if err != nil || noDate != nil {
		return 0, false
	}
	return max(0, at.Sub(now)), true
}

// seconds reads delta-seconds (RFC 9111, section 1.2.2); what is too large to hold is very long.
func seconds(text string) (time.Duration, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// fetchKey finds the context of the whole fetch in that of a dial.
type fetchKey struct{}

// dial makes a connection that ends with the fetch it is for, whatever it is busy with then. An
// http.Transport dials, and shakes hands, under a context that outlives the request's, in case a
// later one can use the connection: here that would be a goroutine without work in flight.
func dial(ctx context.Context, network, address string) (net.Conn, error) { //nolint:contextcheck // the other context is the point
	if fetch, ok := ctx.Value(fetchKey{}).(context.Context); ok {
		ctx = fetch
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = conn.Close() })
	}
	return conn, err
}

// httpClient copies the user's client, since redirects must be refused whatever it does.
func httpClient(given *http.Client) *http.Client {
	client := http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    3 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
	if given != nil {
		client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

func checkURL(address string, o Options) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, &SettingError{Problem: fmt.Sprintf("the scheme %.64q is not fetched", u.Scheme), Remedy: "write https://"}
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("a URL without host")
	case u.User != nil:
		return nil, &SettingError{Problem: "a URL with a user or password in it, which would show in logs", Remedy: "give an HTTPClient that authenticates instead"}
	case u.Scheme == "http" && !o.InsecureAllowHTTP && !loopback(u.Hostname()):
		return nil, &SettingError{
			Problem: fmt.Sprintf("http:// to %.256s, where anybody on the way can replace the keys", u.Hostname()),
			Remedy:  "write https://",
			Unless:  "InsecureAllowHTTP",
		}
	}
	return u, nil
}

// loopback goes by the host as written: a name that merely resolves to loopback today is none.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// redacted is an address for people: without the query, which may hold a key.
func redacted(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return shown.String()
}
