package doctor

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/keys"
)

const (
	// expiryWarning is how long before its expiry a certificate is reported.
	expiryWarning = 14 * 24 * time.Hour
	// slowAnswer is the latency from which an answer is reported.
	slowAnswer = time.Second
	// defaultLeeway is the library's.
	defaultLeeway = time.Minute
)

// An exchange is a request for keys and its outcome.
type exchange struct {
	address  string // redacted
	err      error
	response *http.Response
	began    time.Time
	took     time.Duration
	body     bytes.Buffer // the part that the library read
}

func (x *exchange) status() int {
	if x.response == nil {
		return 0
	}
	return x.response.StatusCode
}

// time parses a header that is a date. It is zero without the header.
func (x *exchange) time(header string) time.Time {
	at, _ := http.ParseTime(x.response.Header.Get(header))
	return at
}

// A recorder is a transport that keeps the exchanges.
type recorder struct {
	next      http.RoundTripper
	now       func() time.Time
	exchanges []*exchange
}

// record returns a client like the given one, or like the library's own, and its recorder.
func record(given *http.Client, now func() time.Time) (*http.Client, *recorder) {
	client, r := http.Client{}, &recorder{now: now}
	if given != nil {
		client, r.next = *given, given.Transport
	}
	if r.next == nil {
		r.next = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true} // as the library's own
	}
	client.Transport = r
	return &client, r
}

// RoundTrip implements [http.RoundTripper].
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	x := &exchange{address: term.Redact(request.URL.String()), began: r.now()}
	r.exchanges = append(r.exchanges, x)
	response, err := r.next.RoundTrip(request)
	x.response, x.err, x.took = response, err, r.now().Sub(x.began)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(response.Body, &x.body), response.Body}
	}
	return response, err
}

// connection reports how the keys were fetched: errors, latency, certificate and clocks.
func (e *examination) connection(exchanges []*exchange, err error) {
	var none *keys.NoKeyError
	if err != nil && !errors.As(err, &none) { // unusable keys are reported with the keys
		e.add(Red, "keys", e.reach(exchanges, err), "%v", err)
	}
	for _, x := range exchanges {
		if x.err != nil {
			continue
		}
		level, remedy := Green, ""
		if x.took > slowAnswer {
			level, remedy = Yellow, "find out what makes the provider or the network slow; after a pause, a service waits up to 1 s before it uses the keys that it has"
		}
		e.add(level, "latency", remedy, "%s answered %d in %v", x.address, x.status(), x.took.Round(time.Millisecond/10))
	}
	if len(exchanges) > 0 && exchanges[len(exchanges)-1].err == nil {
		last := exchanges[len(exchanges)-1]
		e.certificate(last)
		e.clock(last)
	}
}

func (e *examination) certificate(x *exchange) {
	if x.response.TLS == nil || len(x.response.TLS.PeerCertificates) == 0 {
		if strings.HasPrefix(x.address, "http:") {
			e.add(Green, "certificate", "", "none: %s is http, on this machine or allowed by InsecureAllowHTTP", x.address)
		}
		return
	}
	leaf := x.response.TLS.PeerCertificates[0]
	left := leaf.NotAfter.Sub(e.now())
	level, remedy := Green, ""
	if left < expiryWarning {
		level, remedy = Yellow, "ask the provider to renew it: no keys are available once it has expired"
	}
	e.add(level, "certificate", remedy, "of %s, issued by %s, valid until %s, days left: %d", leaf.Subject.CommonName, leaf.Issuer.CommonName, leaf.NotAfter.UTC().Format(time.DateOnly), int(left.Hours()/24))
}

// clock compares this machine's clock with the provider's. The answer's Date is the middle of a
// second between request and response.
func (e *examination) clock(x *exchange) {
	date := x.time("Date")
	if date.IsZero() {
		e.add(Yellow, "clock", "compare the clock by other means, such as chronyc tracking", "the provider's answer has no Date, so the clocks were not compared")
		return
	}
	skew := x.began.Add(x.took / 2).Sub(date.Add(time.Second / 2))
	doubt := x.took/2 + time.Second
	leeway := max(cmp.Or(e.cfg.Leeway, defaultLeeway), 0)
	direction, effect := "ahead of", "tokens are refused as expired too early"
	if skew < 0 {
		direction, effect = "behind", "tokens are refused as issued in the future"
	}
	off := skew.Abs()
	text := fmt.Sprintf("this machine's is %s %s the provider's (± %s), where %s is allowed", span(off), direction, span(doubt), span(leeway))
	const remedy = "set this machine's clock by NTP (timedatectl set-ntp true), or have the provider do so"
	switch {
	case off <= doubt:
		e.add(Green, "clock", "", "this machine's agrees with the provider's (± %s)", span(doubt))
	case off-doubt > leeway:
		e.add(Red, "clock", remedy, "%s: %s", text, effect)
	case off-doubt > leeway/2 && off > 2*time.Second:
		e.add(Yellow, "clock", remedy, "%s", text)
	default:
		e.add(Green, "clock", "", "%s", text)
	}
}

const atAddress = "check that the address names a JWK Set, a PEM public key or a discovery document"

// reach returns the remedy where the keys could not be fetched.
func (e *examination) reach(exchanges []*exchange, err error) string {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
		record    tls.RecordHeaderError
		last      = &exchange{}
	)
	if len(exchanges) > 0 {
		last = exchanges[len(exchanges)-1]
	}
	switch status := last.status(); {
	case errors.As(err, &dns):
		return fmt.Sprintf("check the spelling of the host %q and this machine's name server", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check that the provider runs, and the host and port"
	case errors.As(err, &authority):
		return "this machine does not trust the authority that issued the certificate: install the authority's certificate (SSL_CERT_FILE names a file), or find out which proxy answers"
	case errors.As(err, &invalid):
		return "the certificate is not valid (" + invalid.Error() + "): ask the provider to renew it, and check this machine's clock"
	case errors.As(err, &host):
		return "the certificate is for another host: check the address"
	case errors.As(err, &record):
		return "the server does not speak TLS: check that the port is the one for https"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return fmt.Sprintf("no answer within %v: check firewall, proxy (HTTPS_PROXY, NO_PROXY) and routes of this machine", e.timeout())
	case last.err != nil:
		return "check that the provider runs and that this machine reaches it: curl -v " + last.address
	case status >= 300 && status < 400:
		return "redirects are not followed: set the address to the new one, " + cmp.Or(term.Redact(last.response.Header.Get("Location")), "which the answer does not name")
	case status == http.StatusNotFound:
		return "nothing is at this address: check the path; the discovery document, <issuer>/.well-known/openid-configuration, names an issuer's keys as jwks_uri"
	case status >= 400 && status < 500:
		return "the provider refuses the request: keys are public, so check that this is their address, and whether a proxy requires a login"
	case status >= 500:
		return "the provider has an internal error: try again, and report it to the provider"
	case status == http.StatusOK:
		return e.content(exchanges)
	}
	return atAddress
}

// content returns the remedy for an answer that holds no keys.
func (e *examination) content(exchanges []*exchange) string {
	for _, x := range exchanges {
		var document struct {
			Issuer *string `json:"issuer"`
		}
		if json.Unmarshal(x.body.Bytes(), &document) == nil && document.Issuer != nil && *document.Issuer != e.cfg.Issuer {
			return fmt.Sprintf("the document names the issuer %q: if that is your provider, set SSO_ISSUER to it exactly; if not, the address is another tenant's or environment's", *document.Issuer)
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(exchanges[len(exchanges)-1].body.Bytes()), []byte("<")) {
		return "the answer is a web page: a proxy requires a login, or the address is not that of the keys"
	}
	return atAddress
}

// span formats a duration in whole seconds, without trailing zeros.
func span(d time.Duration) string {
	return strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(d.Round(time.Second).String())
}
