package devissuer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The paths that an issuer serves, below the path of its identifier if that has one.
const (
	pathJWKS      = "/jwks.json"
	pathPEM       = "/key.pem"
	pathDiscovery = "/.well-known/openid-configuration"
	pathToken     = "/token"
	pathRotate    = "/rotate"
	pathDown      = "/down"
	pathUp        = "/up"
)

// maxForm bounds the body of a POST, in bytes.
const maxForm = 64 << 10

// Stats are the counters of an issuer; see [Issuer.Stats].
type Stats struct {
	// Requests counts requests by path, such as "/jwks.json", on arrival. Requests with another method
	// or path are not counted. A path has no prefix from the issuer's identifier.
	Requests map[string]int
	// Fetches counts the requests for keys: those for the key set and for the PEM.
	Fetches int
	// Refused counts the connections (in memory) or requests (over a server) that were refused
	// because the issuer was [Issuer.Down]. They are counted nowhere else.
	Refused int
	// Strays are the other addresses ("host:port", in order) that [Issuer.Client] was used for. All
	// of them failed. A test finds here whether a redirect, a jku header or a second provider was
	// followed. Plain http to an https issuer is a stray as well.
	Strays []string
}

// Stats returns what has been counted since the start.
func (i *Issuer) Stats() Stats {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.stats
	s.Requests = maps.Clone(s.Requests)
	s.Strays = slices.Clone(s.Strays)
	s.Fetches = s.Requests[pathJWKS] + s.Requests[pathPEM]
	return s
}

func (i *Issuer) count(path string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stats.Requests[path]++
}

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathJWKS, i.published(pathJWKS, "application/jwk-set+json", i.JWKS))
	mux.HandleFunc("GET "+pathPEM, i.published(pathPEM, "application/x-pem-file", i.PublicPEM))
	mux.HandleFunc("GET "+pathDiscovery, i.published(pathDiscovery, "application/json", i.discovery))
	mux.HandleFunc("POST "+pathToken, i.serveToken)
	documents := http.StripPrefix(i.base.Path, mux)
	changes := map[string]func() (any, error){
		pathRotate: func() (any, error) { err := i.rotate(i); return map[string]string{"kid": i.KeyID()}, err },
		pathDown:   func() (any, error) { i.Down(); return map[string]bool{"down": true}, nil },
		pathUp:     func() (any, error) { i.Up(); return map[string]bool{"down": false}, nil },
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.started && r.RemoteAddr != pipeAddr && !i.answersTo(r.Host) {
			http.Error(w, "this development issuer answers to localhost, 127.0.0.1 and [::1] only, or with WithInsecureListen to IP addresses and the host of its identifier", http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		path := strings.TrimPrefix(r.URL.Path, i.base.Path)
		if change := changes[path]; change != nil {
			i.serveChange(w, r, path, change) // reachable while the issuer is down
			return
		}
		if i.started && r.URL.Path == "/" {
			i.describe(w)
			return
		}
		if i.refuses() {
			panic(http.ErrAbortHandler) // closes the connection without a response
		}
		// The request is also canceled by Close, on any server.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(i.closing, cancel)() //nolint:contextcheck // the issuer's end is not the request's
		documents.ServeHTTP(w, r.WithContext(ctx))
	})
}

// published serves one of the three documents, or the fault that is set.
func (i *Issuer) published(path, contentType string, content func() []byte) http.HandlerFunc {
	healthy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := content()
		sum := sha256.Sum256(body)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:])+`"`)
		// Handles If-None-Match (RFC 9110, section 13.1.2), HEAD and ranges.
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
	return func(w http.ResponseWriter, r *http.Request) {
		i.count(path)
		i.withFaults(healthy, w, r)
	}
}

func (i *Issuer) discovery() []byte {
	return []byte(mustEncode(map[string]any{
		"issuer":                                i.issuer,
		"jwks_uri":                              i.JWKSURL(),
		"token_endpoint":                        i.base.String() + pathToken,
		"grant_types_supported":                 []string{"client_credentials"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{i.keys.algorithm},
	}))
}

// serveToken is the client credentials grant (RFC 6749, section 4.4) for any client with any secret.
func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	i.count(pathToken)
	w.Header().Set("Cache-Control", "no-store") // RFC 6749, section 5.1
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		answerError(w, http.StatusForbidden, "invalid_request", "the form is from another site: "+err.Error())
		return
	}
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
		answerError(w, http.StatusBadRequest, "unsupported_grant_type", "only client_credentials is supported")
		return
	}
	persona := r.PostForm.Get("persona")
	client := cmp.Or(clientID(r), persona)
	if client == "" {
		w.Header().Set("WWW-Authenticate", "Basic")
		answerError(w, http.StatusUnauthorized, "invalid_client", "name a client, by HTTP basic authentication or client_id; any secret will do")
		return
	}
	opts, err := i.requested(r.PostForm, client, persona)
	if err != nil {
		answerError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	var minted *draft
	token, err := i.Token(append(opts, func(d *draft) { minted = d })...)
	if err != nil {
		answerError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	answer := map[string]any{"token_type": "Bearer", "access_token": token}
	if seconds, ok := minted.expiresIn(); ok {
		answer["expires_in"] = seconds
	}
	if scope := r.PostForm.Get("scope"); scope != "" {
		answer["scope"] = scope
	}
	answerJSON(w, http.StatusOK, answer)
}

// clientID returns the client's name from basic authentication, where it is form-encoded (RFC 6749,
// section 2.3.1), or from the form.
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

// serveChange serves a request that changes the issuer. It rejects requests of other machines and of
// other sites' pages: a form on any page in the developer's browser could post here.
func (i *Issuer) serveChange(w http.ResponseWriter, r *http.Request, path string, change func() (any, error)) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST is allowed", http.StatusMethodNotAllowed)
		return
	}
	i.count(path)
	if r.RemoteAddr != pipeAddr && !loopbackHost(r.RemoteAddr) {
		http.Error(w, "only requests from the issuer's own machine are allowed", http.StatusForbidden)
		return
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "cross-site requests are not allowed: "+err.Error(), http.StatusForbidden)
		return
	}
	answer, err := change()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answerJSON(w, http.StatusOK, answer)
}

// describe lists the paths for a person who opens the address in a browser.
func (i *Issuer) describe(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, `A development issuer: it gives any token to any client. Not for production.

issuer  %[1]s

GET   %[2]s/.well-known/openid-configuration
GET   %[2]s/jwks.json
GET   %[2]s/key.pem
POST  %[2]s/token    client credentials, any client with any secret; also persona, audience, scope,
      permissions, claims, without, expires_in
POST  %[2]s/rotate   a new key (from this machine only, as the next two)
POST  %[2]s/down     unreachable
POST  %[2]s/up       reachable again
`, i.issuer, i.base)
}

// pipeAddr is the remote address of a net.Pipe.
const pipeAddr = "pipe"

// answerError is the error response of RFC 6749, section 5.2.
func answerError(w http.ResponseWriter, status int, code, description string) {
	answerJSON(w, status, map[string]string{"error": code, "error_description": description})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(mustEncode(body))) // the client may be gone
}

// answersTo reports whether a Host header names this issuer.
func (i *Issuer) answersTo(hostport string) bool {
	if loopbackHost(hostport) {
		return true
	}
	host := hostOf(hostport)
	_, err := netip.ParseAddr(host)
	return i.insecure && (err == nil || strings.EqualFold(host, i.base.Hostname()))
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// loopbackHost reports whether a host, with or without port, is this machine. It does
// not resolve names.
func loopbackHost(hostport string) bool {
	host := hostOf(hostport)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
