package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/more-retail/moresso-go/core/internal/netaddr"
)

const (
	discoveryPath = "/.well-known/openid-configuration"
	userAgent     = "moresso-go (+https://github.com/more-retail/moresso-go)" // firewalls block Go's own
)

// RetryAfterError is wrapped by a source's error if the provider said when to retry (RFC 9110,
// section 10.2.3). The source is not queried again for that long, at most 30 s.
type RetryAfterError struct {
	After time.Duration
	Err   error // never nil
}

// Error returns the text of Err.
func (e *RetryAfterError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// URL returns a source that fetches a URL: that of a JWK Set, of PEM text, or of a discovery
// document, whose jwks_uri it then fetches.
//
// The URL must be https, or http to loopback. A discovery document must name the issuer of
// [Options.Issuer], or the one that its URL implies (OpenID Connect Discovery 1.0, section 4.3). Its
// jwks_uri may be on any host. Redirects are not followed, an answer above 256 KiB is refused, and
// an unchanged one is not sent again (ETag). URL does no network I/O. Its error is about the URL, and
// is a [SettingError] if the remedy is known.
func URL(address string, o Options) (Source, error) {
	u, err := checkURL(address, o)
	if err != nil {
		return nil, err
	}
	s := &httpSource{address: u, options: o}
	if o.Issuer != "" {
		s.issuers = []string{o.Issuer}
	} else if issuer, ok := strings.CutSuffix(address, discoveryPath); ok {
		s.issuers = []string{issuer, issuer + "/"} // section 4: the slash is dropped before the path is added
	}
	return s, nil
}

// Discovery returns the [URL] source of an issuer's discovery document (OpenID Connect Discovery
// 1.0, section 4), which must name the issuer exactly. [Options.Issuer] is ignored. An issuer has no
// query and no fragment (section 3).
func Discovery(issuer string, o Options) (Source, error) {
	if strings.ContainsAny(issuer, "?#") {
		return nil, &SettingError{Problem: "an issuer with a query or a fragment", Remedy: "write it as the provider does, without ? and #"}
	}
	o.Issuer = issuer
	return URL(strings.TrimSuffix(issuer, "/")+discoveryPath, o)
}

type httpSource struct {
	address *url.URL
	issuers []string // that a discovery document at this address may name
	options Options

	// read is the document of an attempt that ended before it had the keys. The next attempt uses it,
	// once, so that a slow provider can be read in two attempts.
	read atomic.Pointer[origin]
}

// origin is where a set came from, for the next conditional request.
type origin struct {
	etag            map[string]string // by address
	issuer, jwksURI string            // of the discovery document; empty without one
	read            time.Time         // of a document that was read ahead
}

// documentAge bounds the age of a document that was read by an earlier attempt.
const documentAge = time.Minute

func (s *httpSource) String() string { return redact(s.address) }

func (s *httpSource) Fetch(ctx context.Context, previous *Set) (*Set, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // closes the connections
	client := httpClient(ctx, s.options.HTTPClient)
	var last origin
	if previous != nil {
		last = previous.origin
	}
	var answer answer
	var err error
	next := s.read.Swap(nil)
	again := next != nil && time.Since(next.read) < documentAge //nolint:forbidigo // see below
	if !again {
		if answer, next, err = s.document(ctx, client, previous, last); err != nil {
			return nil, err
		}
	}
	address := s.address
	if next.jwksURI != "" {
		if address, err = s.keysAddress(next.jwksURI); err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
		if answer, err = get(ctx, client, address, last.etag); err != nil {
			if ctx.Err() != nil && !again {
				next.read = time.Now() //nolint:forbidigo // an age is measured in real time
				s.read.Store(next)
			}
			return nil, err
		}
		next.etag[address.String()] = answer.etag
	}
	var set *Set
	if answer.unchanged {
		unchanged := *previous // its keys are shared, and immutable
		set = &unchanged
	} else if set, err = parseKeys(answer.body); err != nil {
		return nil, fmt.Errorf("%s: %w", redact(address), err)
	}
	set.Snapshot = false
	set.MaxAge, set.Issuer, set.origin = answer.maxAge, next.issuer, *next
	return set, nil
}

// document fetches the source's address: a discovery document, or the keys themselves.
func (s *httpSource) document(ctx context.Context, client *http.Client, previous *Set, last origin) (answer, *origin, error) {
	answer, err := get(ctx, client, s.address, last.etag)
	if err != nil {
		if status := (*statusError)(nil); previous == nil && errors.As(err, &status) && status.code == http.StatusNotFound {
			err = fmt.Errorf("%w: %s", err, s.notFoundHint())
		}
		return answer, nil, err
	}
	next := &origin{etag: map[string]string{s.address.String(): answer.etag}}
	switch {
	case answer.unchanged:
		next.issuer, next.jwksURI = last.issuer, last.jwksURI
	case !looksLikePEM(answer.body):
		if next.issuer, next.jwksURI, err = s.discovery(answer.body); err != nil {
			return answer, nil, fmt.Errorf("%s: %w", s, err)
		}
	}
	if next.issuer == "" && strings.HasSuffix(s.address.Path, discoveryPath) {
		return answer, nil, fmt.Errorf("%s: not a discovery document, though its address is that of one: the issuer would not be checked", s)
	}
	return answer, next, nil
}

// notFoundHint says what to do about an address that never had keys.
func (s *httpSource) notFoundHint() string {
	if strings.HasSuffix(s.address.Path, discoveryPath) {
		return "is the issuer written as the provider writes it? If it has no discovery document, set PublicKeyURI to the address of its JWK Set"
	}
	return "is this the address of the JWK Set? For discovery set Issuer"
}

// discovery reads a discovery document. It returns nothing if the text is something else.
func (s *httpSource) discovery(text []byte) (issuer, jwksURI string, err error) {
	found, err := members(text)
	if err != nil {
		return "", "", err
	}
	if found["keys"] != nil || found["issuer"] == nil {
		return "", "", nil
	}
	issuer, _ = textOf(found["issuer"])
	jwksURI, _ = textOf(found["jwks_uri"])
	switch {
	case issuer == "":
		err = errors.New("a discovery document whose issuer is not a string")
	case jwksURI == "":
		err = errors.New("a discovery document without jwks_uri")
	case len(s.issuers) == 0:
		err = errors.New("a discovery document at an address that does not imply its issuer: set Issuer")
	case slices.Contains(s.issuers, issuer):
	case s.options.Issuer != "" && ofTenant(issuer, s.options.Issuer) && s.address.String() != strings.TrimSuffix(s.options.Issuer, "/")+discoveryPath:
		issuer = s.options.Issuer
	default:
		err = fmt.Errorf("the discovery document names the issuer %.256q where %q was expected", issuer, s.issuers[0])
	}
	return issuer, jwksURI, err
}

// ofTenant reports whether an issuer is that of one tenant of Microsoft Entra ID, whose document for
// several tenants names https://login.microsoftonline.com/{tenantid}/v2.0.
func ofTenant(template, issuer string) bool {
	before, after, found := strings.Cut(template, "{tenantid}")
	rest, begins := strings.CutPrefix(issuer, before)
	tenant, ends := strings.CutSuffix(rest, after)
	return found && begins && ends && tenant != "" && !strings.Contains(tenant, "/")
}

// keysAddress checks a jwks_uri. It may be on any host, because the document came from the issuer
// over TLS, but must be as well protected as the document.
func (s *httpSource) keysAddress(address string) (*url.URL, error) {
	u, err := checkURL(address, s.options)
	if err != nil {
		return nil, fmt.Errorf("jwks_uri: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != s.address.Scheme {
		return nil, errors.New("jwks_uri is http:// in a discovery document that was fetched by https")
	}
	return u, nil
}

type answer struct {
	body      []byte
	unchanged bool // 304
	etag      string
	maxAge    time.Duration
}

func get(ctx context.Context, client *http.Client, u *url.URL, etags map[string]string) (a answer, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil { // an IPv6 zone that package url does not read as it writes it; the error repeats the query
		return a, fmt.Errorf("%s: not a valid address", redact(u))
	}
	request.Close = true // an idle connection would outlive the fetch
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept", "application/jwk-set+json, application/json, application/x-pem-file;q=0.9, */*;q=0.1")
	etag := etags[u.String()]
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	response, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the prefix repeats the address, query included
		}
		return a, fmt.Errorf("%s: %w", redact(u), cause(ctx, err))
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusOK, code == http.StatusNonAuthoritativeInfo: // 203: a proxy changed it
		a.body, err = readBounded(response.Body)
		a.etag = response.Header.Get("ETag")
	case code == http.StatusNotModified && etag != "":
		a.unchanged, a.etag = true, etag
	case code == http.StatusNotModified:
		err = errors.New("answered 304 to a request without a condition: a cache in between is at fault")
	case code >= 300 && code < 400:
		err = fmt.Errorf("answered %d, a redirect, which is not followed: configure the address that holds the keys", code)
	default:
		err = &statusError{code, response.Header.Get("Content-Type")}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", redact(u), cause(ctx, err))
		if after, ok := retryAfter(response.Header); ok {
			err = &RetryAfterError{After: after, Err: err}
		}
		return answer{}, err
	}
	a.maxAge = maxAge(response.Header)
	return a, nil
}

// statusError is an answer without keys.
type statusError struct {
	code        int
	contentType string
}

// Gone reports that the provider has withdrawn the address for good (RFC 9110, section 15.5.11).
func (e *statusError) Gone() bool { return e.code == http.StatusGone }

func (e *statusError) Error() string {
	text := fmt.Sprintf("answered %d", e.code)
	switch e.code {
	case http.StatusProxyAuthRequired:
		text += ": the proxy wants credentials: check HTTPS_PROXY"
	case http.StatusForbidden, http.StatusUnauthorized:
		text += ": a proxy or firewall may refuse this service; the request needs no credentials, and its User-Agent is moresso-go"
	}
	if strings.Contains(strings.ToLower(e.contentType), "html") {
		text += " (with an HTML page)"
	}
	return text
}

// cause returns why a request failed: that its time was up, if its connection was closed for that.
func cause(ctx context.Context, err error) error {
	ended := ctx.Err()
	switch {
	case ended != nil && errors.Is(err, net.ErrClosed):
		return ended
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the connection was closed before the end of the answer: %w", err)
	}
	return err
}

// maxAge reads Cache-Control (RFC 9111, section 5.2.2). It returns zero without a valid max-age.
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
		return max(age, time.Second) // zero means no max-age
	}
	return 0
}

// retryAfter reads Retry-After: seconds, or a date by the provider's own clock.
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

// seconds reads delta-seconds (RFC 9111, section 1.2.2). A value that is too large is the largest.
func seconds(text string) (time.Duration, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// httpClient returns the client of one fetch: a copy of the user's, which refuses redirects, or one
// whose connections end with the fetch. An [http.Transport] dials, and shakes hands, under a context
// that outlives the request's, which would leave a goroutine behind.
func httpClient(ctx context.Context, given *http.Client) *http.Client {
	client := http.Client{Transport: &http.Transport{
		Proxy:              http.ProxyFromEnvironment,
		ProxyConnectHeader: http.Header{"User-Agent": {userAgent}},
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, r *http.Response) error {
			if r.StatusCode == http.StatusOK {
				return nil
			}
			return fmt.Errorf("the proxy %s: %w", redact(proxy), &statusError{r.StatusCode, r.Header.Get("Content-Type")})
		},
		DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
			addresses := []string{address}
			if host, port, _ := net.SplitHostPort(address); strings.EqualFold(host, "localhost") { // no resolver may say otherwise
				addresses = []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
			}
			var failures []error
			for _, address := range addresses {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				if err == nil {
					context.AfterFunc(ctx, func() { _ = conn.Close() })
					return conn, nil
				}
				failures = append(failures, err)
			}
			return nil, errors.Join(failures...)
		},
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
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
	case u.Scheme == "http" && !o.InsecureAllowHTTP && !netaddr.Loopback(u.Hostname()):
		return nil, &SettingError{
			Problem: fmt.Sprintf("http:// to %.256s, where an attacker on the network can replace the keys", u.Hostname()),
			Remedy:  "write https://",
			Unless:  "InsecureAllowHTTP",
		}
	}
	return u, nil
}

// redact returns an address without its query, which may hold a secret, and cut where it is long.
func redact(u *url.URL) string {
	redacted := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return fmt.Sprintf("%.500s", redacted.String())
}
