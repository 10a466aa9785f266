package devissuer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The paths that an issuer serves, below the path of its identifier if that
// has one; what [Issuer.Requests] takes.
const (
	PathJWKS      = "/jwks.json"                        // the published keys
	PathPEM       = "/key.pem"                          // the public half of the signing key
	PathDiscovery = "/.well-known/openid-configuration" // the discovery document
	PathToken     = "/token"                            // where a program gets a token
	PathRotate    = "/rotate"                           // where a program has the key rotated
)

// maxForm bounds the body of a POST, in bytes.
const maxForm = 64 << 10

// counts are what happened since the start or the last ResetCounters.
type counts struct {
	requests map[string]int // by path, known paths only
	refused  int
	strays   []string
}

func (c *counts) reset() { *c = counts{requests: map[string]int{}} }

// Fetches counts the requests for keys: those to the key set and to the PEM.
// A request counts on arrival, whatever becomes of it.
func (i *Issuer) Fetches() int { return i.Requests(PathJWKS) + i.Requests(PathPEM) }

// Requests counts the requests to one path, such as [PathDiscovery], that came
// with the right method. A path that the issuer does not serve has none.
func (i *Issuer) Requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.counts.requests[path]
}

// Refused counts the connections (in memory) or requests (over a real server)
// that were turned away because the issuer was [Issuer.Down]. They count
// nowhere else. [Issuer.ResetCounters] sets it to zero.
func (i *Issuer) Refused() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.counts.refused
}

// ResetCounters sets what [Issuer.Fetches], [Issuer.Requests] and
// [Issuer.Refused] count to zero, and forgets [Issuer.Strays].
func (i *Issuer) ResetCounters() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.counts.reset()
}

func (i *Issuer) count(path string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.counts.requests[path]++
}

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathJWKS, i.published(PathJWKS, "application/jwk-set+json", i.JWKS))
	mux.HandleFunc("GET "+PathPEM, i.published(PathPEM, "application/x-pem-file", i.PublicPEM))
	mux.HandleFunc("GET "+PathDiscovery, i.published(PathDiscovery, "application/json", i.discovery))
	mux.HandleFunc("POST "+PathToken, i.serveToken)
	mux.HandleFunc("POST "+PathRotate, i.serveRotate)
	below := http.StripPrefix(i.base.Path, mux)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.turnedAway() {
			panic(http.ErrAbortHandler) // closes the connection without a word
		}
		if i.loopback && !loopbackHost(r.Host) {
			http.Error(w, "this development issuer answers to localhost, 127.0.0.1 and [::1] only", http.StatusMisdirectedRequest)
			return
		}
		// The request ends with the issuer too, on whichever server it came.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(i.closing, cancel)() //nolint:contextcheck // that the issuer's end is not the request's is the point
		below.ServeHTTP(w, r.WithContext(ctx))
	})
}

// published serves one of the three documents, with whatever faults are set.
func (i *Issuer) published(path, contentType string, content func() []byte) http.HandlerFunc {
	healthy := func(w http.ResponseWriter, r *http.Request) {
		body := content()
		sum := sha256.Sum256(body)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:])+`"`)
		if i.cacheControl != "" {
			w.Header().Set("Cache-Control", i.cacheControl)
		}
		// Knows If-None-Match (RFC 9110, section 13.1.2), HEAD and ranges.
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
	return func(w http.ResponseWriter, r *http.Request) {
		i.count(path)
		i.withFaults(healthy, w, r)
	}
}

func (i *Issuer) discovery() []byte {
	return []byte(encodeOrPanic(map[string]any{
		"issuer":                                i.identifier,
		"jwks_uri":                              i.JWKSURL(),
		"token_endpoint":                        i.base.String() + PathToken,
		"grant_types_supported":                 []string{"client_credentials"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{i.keys.algorithm},
	}))
}

// serveToken is the client credentials grant (RFC 6749, section 4.4) for any
// client with any secret. Beyond the standard's scope it takes what
// [Issuer.asked] reads.
func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	i.count(PathToken)
	w.Header().Set("Cache-Control", "no-store") // RFC 6749, section 5.1
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		answerError(w, http.StatusBadRequest, "invalid_request", "the body is not a form: "+err.Error())
		return
	}
	switch grant := r.PostForm.Get("grant_type"); grant {
	case "client_credentials":
	case "":
		answerError(w, http.StatusBadRequest, "invalid_request", "grant_type is missing")
		return
	default:
		answerError(w, http.StatusBadRequest, "unsupported_grant_type", "this issuer knows client_credentials only")
		return
	}
	persona := r.PostForm.Get("persona")
	client := cmp.Or(clientID(r), persona)
	if client == "" {
		w.Header().Set("WWW-Authenticate", "Basic")
		answerError(w, http.StatusUnauthorized, "invalid_client", "name a client, by HTTP basic authentication or client_id; any secret will do")
		return
	}
	opts, err := i.asked(r.PostForm, client, persona)
	if err != nil {
		answerError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	token, err := i.Token(opts...)
	if err != nil {
		answerError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	answer := map[string]any{"token_type": "Bearer", "access_token": token}
	if seconds, ok := i.expiresIn(token); ok {
		answer["expires_in"] = seconds
	}
	if scope := r.PostForm.Get("scope"); scope != "" {
		answer["scope"] = scope
	}
	answerJSON(w, http.StatusOK, answer)
}

// clientID takes the client's name from basic authentication, where it is
// form-encoded first (RFC 6749, section 2.3.1), or from the form.
func clientID(r *http.Request) string {
	name, _, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id")
	}
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// serveRotate changes the issuer, so other machines and other sites' pages are
// kept out; a form on any page in the developer's browser could post here.
func (i *Issuer) serveRotate(w http.ResponseWriter, r *http.Request) {
	i.count(PathRotate)
	w.Header().Set("Cache-Control", "no-store")
	if r.RemoteAddr != pipeAddr && !loopbackHost(r.RemoteAddr) {
		http.Error(w, "rotation is for this machine only", http.StatusForbidden)
		return
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "rotation is not for other sites' pages: "+err.Error(), http.StatusForbidden)
		return
	}
	answerJSON(w, http.StatusOK, map[string]string{"kid": i.Rotate()})
}

// pipeAddr is what the end of a net.Pipe calls its peer.
const pipeAddr = "pipe"

// answerError is the error response of RFC 6749, section 5.2.
func answerError(w http.ResponseWriter, status int, code, description string) {
	answerJSON(w, status, map[string]string{"error": code, "error_description": description})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(encodeOrPanic(body))) // the client may be gone
}

// loopbackHost tells whether a host, with or without port, is this machine
// without asking any name server.
func loopbackHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}
