package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

const (
	// maxBody bounds what is remembered of an answer; the library reads no more either.
	maxBody = 256 << 10
	// soon is how long before its end a certificate is reported.
	soon = 14 * 24 * time.Hour
	// slow is an answer for which an idle service would not wait.
	slow = time.Second
)

// An exchange is a request for keys and what became of it.
type exchange struct {
	address  string // without the query
	err      error
	status   int
	location string
	date     time.Time // the provider's clock; zero if it did not say
	began    time.Time
	took     time.Duration
	tls      *tls.ConnectionState
	modified time.Time
	body     bytes.Buffer
}

// A recorder is a transport that remembers what went over it.
type recorder struct {
	next      http.RoundTripper
	given     *http.Client
	now       func() time.Time
	exchanges []*exchange
}

func record(client *http.Client, now func() time.Time) *recorder {
	r := &recorder{given: client, now: now}
	if client != nil && client.Transport != nil {
		r.next = client.Transport
	} else {
		r.next = &http.Transport{ // as the library's own
			Proxy:                  http.ProxyFromEnvironment,
			DisableKeepAlives:      true,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    keys.DefaultFetchTimeout,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return r
}

func (r *recorder) client() *http.Client {
	client := http.Client{}
	if r.given != nil {
		client = *r.given
	}
	client.Transport = r
	return &client
}

// RoundTrip implements [http.RoundTripper].
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	x := &exchange{address: (&url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: request.URL.Path}).String(), began: r.now()}
	r.exchanges = append(r.exchanges, x)
	response, err := r.next.RoundTrip(request)
	x.took, x.err = r.now().Sub(x.began), err
	if err != nil {
		return response, err
	}
	x.status, x.location, x.tls = response.StatusCode, response.Header.Get("Location"), response.TLS
	x.date, _ = http.ParseTime(response.Header.Get("Date"))
	x.modified, _ = http.ParseTime(response.Header.Get("Last-Modified"))
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(response.Body, &bounded{&x.body}), response.Body}
	return response, nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ *bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), maxBody-b.Len())])
	return len(p), nil
}

// connection reports on the way to the keys: reachable or why not, how fast, by which
// certificate, and what time it is over there.
func (e *examination) connection(exchanges []*exchange, err error) {
	var none *keys.NoKeyError
	if err != nil && !errors.As(err, &none) { // of no use as keys is another matter
		e.add(Red, "keys", e.reach(exchanges, err), "%v", err)
	}
	for _, x := range exchanges {
		if x.err != nil {
			continue
		}
		level, remedy := Green, ""
		if x.took > slow {
			level, remedy = Yellow, "see why the provider is so slow, or what is between; a service that was idle waits for 1 s before it takes the keys that it has"
		}
		e.add(level, "latency", remedy, "%s answered %d in %v", x.address, x.status, x.took.Round(time.Millisecond/10))
	}
	if len(exchanges) == 0 {
		return
	}
	last := exchanges[len(exchanges)-1]
	e.certificate(last)
	e.clock(last)
}

func (e *examination) certificate(x *exchange) {
	if x.tls == nil || len(x.tls.PeerCertificates) == 0 {
		if x.err == nil && strings.HasPrefix(x.address, "http:") {
			e.add(Green, "certificate", "", "none, since %s is http, on this machine or allowed by InsecureAllowHTTP", x.address)
		}
		return
	}
	leaf := x.tls.PeerCertificates[0]
	left := leaf.NotAfter.Sub(e.now())
	level, remedy := Green, ""
	if left < soon {
		level, remedy = Yellow, "tell whoever runs the provider: no keys can be had once it has expired"
	}
	e.add(level, "certificate", remedy, "of %s, by %s, good until %s, %s", leaf.Subject.CommonName, leaf.Issuer.CommonName, leaf.NotAfter.UTC().Format(time.DateOnly), days(left))
}

// clock compares this machine's clock with the provider's. The answer's Date is the middle of a
// second somewhere between question and answer.
func (e *examination) clock(x *exchange) {
	if x.err != nil {
		return
	}
	if x.date.IsZero() {
		e.add(Yellow, "clock", "compare the clock by other means, such as chronyc tracking", "the provider's answer has no Date, so the clocks could not be compared")
		return
	}
	skew := x.began.Add(x.took / 2).Sub(x.date.Add(time.Second / 2))
	doubt := x.took/2 + time.Second
	leeway := e.cfg.Leeway
	switch leeway {
	case 0:
		leeway = sso.DefaultLeeway
	case sso.NoLeeway:
		leeway = 0
	}
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	off := skew.Abs()
	text := fmt.Sprintf("this machine's is %s %s the provider's (± %s), where %s is forgiven", span(off), way, span(doubt), span(leeway))
	if off <= doubt {
		text = fmt.Sprintf("this machine's agrees with the provider's (± %s)", span(doubt))
	}
	const remedy = "set this machine's clock by NTP (timedatectl set-ntp true), or tell whoever runs the provider"
	switch {
	case off-doubt > leeway && skew < 0:
		e.add(Red, "clock", remedy, "%s: tokens are refused as issued in the future", text)
	case off-doubt > leeway:
		e.add(Red, "clock", remedy, "%s: tokens are refused as expired before their time", text)
	case off-doubt > leeway/2 && off > 2*time.Second:
		e.add(Yellow, "clock", remedy, "%s", text)
	default:
		e.add(Green, "clock", "", "%s", text)
	}
}

// reach says what to do where keys could not be had.
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
	switch {
	case errors.As(err, &dns):
		return fmt.Sprintf("see that the host %q is spelled right, and that this machine's name server knows it", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: see that the provider runs, and that host and port are right"
	case errors.As(err, &authority):
		return "the certificate is by an authority that this machine does not know: install the authority's certificate (SSL_CERT_FILE names a file of them), or see who answers in the provider's place"
	case errors.As(err, &invalid):
		return "the certificate is not good (" + invalid.Error() + "): tell whoever runs the provider, and see that this machine's clock is right"
	case errors.As(err, &host):
		return "the certificate is for another host: see that the address is right"
	case errors.As(err, &record):
		return "what answers does not speak TLS: see that the port is that of https"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return fmt.Sprintf("no answer within %v: see that firewall, proxy (HTTPS_PROXY, NO_PROXY) and routes let this machine through", keys.DefaultFetchTimeout)
	case last.err != nil:
		return "see that the provider runs, and that this machine reaches it: curl -v " + last.address
	case last.status >= 300 && last.status < 400:
		return "redirects are not followed: set the address to where it leads, " + orDefault(display(last.location), "which it does not say")
	case last.status == http.StatusNotFound:
		return "there is nothing at this address: see the path; an issuer's keys are named as jwks_uri in its discovery document, <issuer>/.well-known/openid-configuration"
	case last.status >= 400 && last.status < 500:
		return "the provider does not give its keys to this machine: keys are public, so see that the address is that of the keys, and whether something in between asks for a login"
	case last.status >= 500:
		return "the provider is in trouble: try again, and tell whoever runs it"
	case last.status == http.StatusOK:
		return e.content(exchanges)
	}
	return "see that the address names a JWK Set, a PEM public key or a discovery document"
}

// content says what to do about an answer that is none of the kinds that are read.
func (e *examination) content(exchanges []*exchange) string {
	for _, x := range exchanges {
		var doc struct {
			Issuer  *string `json:"issuer"`
			JWKSURI string  `json:"jwks_uri"`
		}
		if json.Unmarshal(x.body.Bytes(), &doc) != nil || doc.Issuer == nil {
			continue
		}
		if e.cfg.Issuer != *doc.Issuer {
			return fmt.Sprintf("the document says that its issuer is %q: if that is your provider, set SSO_ISSUER to it, to the letter; if not, the address is another tenant's or environment's", *doc.Issuer)
		}
		if u, err := url.Parse(doc.JWKSURI); err == nil && u.Host != "" {
			return fmt.Sprintf("the document says that its keys are at %s: if %s is right, add it to SSO_ALLOWED_KEY_ORIGINS, or set SSO_PUBLIC_KEY_URI to the address of the keys", display(doc.JWKSURI), u.Host)
		}
	}
	if body := bytes.TrimSpace(exchanges[len(exchanges)-1].body.Bytes()); bytes.HasPrefix(body, []byte("<")) {
		return "what came is a web page: something in between asks for a login, or the address is that of a page and not of the keys"
	}
	return "see that the address names a JWK Set, a PEM public key or a discovery document"
}

// display is an address for people, without query and password.
func display(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// span is a duration for people: in whole seconds, without the zeros behind its last unit.
func span(d time.Duration) string {
	text := d.Round(time.Second).String()
	if short, cut := strings.CutSuffix(text, "m0s"); cut {
		text = short + "m"
	}
	if short, cut := strings.CutSuffix(text, "h0m"); cut {
		text = short + "h"
	}
	return text
}

// days says how far away a date is.
func days(d time.Duration) string {
	switch n := int(d.Hours() / 24); {
	case d < 0:
		return "which has passed"
	case n == 1:
		return "in a day"
	default:
		return fmt.Sprintf("in %d days", n)
	}
}
