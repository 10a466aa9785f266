package kmskeys_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	_ "github.com/more-retail/moresso-go/kmskeys"
)

// Names of keys and the region that is configured, unless a test says otherwise.
const (
	region = "eu-central-1"
	uuid   = "1234abcd-12ab-34cd-56ef-1234567890ab"
	mrk    = "mrk-1234abcd12ab34cd56ef1234567890ab"
	arn    = "arn:aws:kms:us-west-2:111122223333:key/" + uuid
	oldKey = "alias/sso-2024"
	newKey = "alias/sso-2025"
)

// Secrets that must not appear in errors.
const (
	secret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	session = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
)

// answer writes the response of KMS for one key.
type answer func(http.ResponseWriter, *http.Request)

// request is a request to KMS.
type request struct {
	keyID  string
	region string // of its signature
}

// kmsServer implements the protocol of KMS (AWS JSON 1.1) on loopback. Like KMS, it refuses
// requests without a valid signature.
type kmsServer struct {
	t       *testing.T
	url     string
	mu      sync.Mutex
	answers map[string]answer // by key id
	asked   []request
	open    int           // connections
	closed  chan struct{} // receives when one has ended
}

// startKMS starts a server and sets the AWS configuration to it. The test fails if it leaves a
// goroutine.
func startKMS(t *testing.T) *kmsServer {
	t.Helper()
	adaptertest.CheckLeaks(t)
	s := &kmsServer{t: t, answers: map[string]answer{}, closed: make(chan struct{}, 100)}
	server := httptest.NewUnstartedServer(s)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch state {
		case http.StateNew:
			s.open++
		case http.StateClosed:
			s.open--
			s.closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS":        s.url,
		"AWS_REGION":                  region,
		"AWS_ACCESS_KEY_ID":           "AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY":       secret,
		"AWS_SESSION_TOKEN":           session,
		"AWS_CONFIG_FILE":             none,
		"AWS_SHARED_CREDENTIALS_FILE": none,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_PROFILE":                 "",
		"AWS_DEFAULT_REGION":          "",
		"AWS_CA_BUNDLE":               "",
	} {
		t.Setenv(name, value)
	}
	return s
}

// say sets the response for a key.
func (s *kmsServer) say(keyID string, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[keyID] = a
}

// requests returns the requests received so far.
func (s *kmsServer) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *kmsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	var input struct{ KeyId string } //nolint:revive // so it is called
	if err := json.Unmarshal(body, &input); err != nil {
		s.t.Errorf("a request whose body is not JSON: %v", err)
	}
	if got := r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Amz-Target") + " " + r.Header.Get("Content-Type"); got != "POST / TrentService.GetPublicKey application/x-amz-json-1.1" {
		s.t.Errorf("the request was %q", got)
	}
	if !r.Close {
		s.t.Error("the request keeps its connection open")
	}
	s.mu.Lock()
	s.asked = append(s.asked, request{input.KeyId, s.signedFor(r.Context(), r, body)})
	say := s.answers[input.KeyId]
	s.mu.Unlock()
	if say == nil {
		say = refuse("NotFoundException", "Key '"+input.KeyId+"' does not exist")
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	say(w, r)
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/\d{8}/([a-z0-9-]+)/kms/aws4_request, SignedHeaders=(\S+), Signature=[0-9a-f]{64}$`)

// signedFor checks a request's signature (Signature Version 4) by signing it once more, and
// returns the region that it is for.
func (s *kmsServer) signedFor(ctx context.Context, r *http.Request, body []byte) string {
	given := r.Header.Get("Authorization")
	parts := authorization.FindStringSubmatch(given)
	if parts == nil {
		s.t.Errorf("the request is not signed for KMS: Authorization is %q", given)
		return ""
	}
	again, err := http.NewRequestWithContext(ctx, r.Method, s.url+r.URL.Path, strings.NewReader(string(body)))
	if err != nil {
		s.t.Error(err)
		return ""
	}
	for name := range strings.SplitSeq(parts[2], ";") {
		if value := r.Header.Get(name); value != "" && name != "content-length" {
			again.Header.Set(name, value)
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		s.t.Error(err)
	}
	credentials := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: secret, SessionToken: session}
	hash := fmt.Sprintf("%x", sha256.Sum256(body))
	if err := v4.NewSigner().SignHTTP(ctx, credentials, again, hash, "kms", parts[1], at); err != nil {
		s.t.Error(err)
	}
	if made := again.Header.Get("Authorization"); made != given {
		s.t.Errorf("the signature is wrong:\n got %s\nwant %s", given, made)
	}
	return parts[1]
}

// allClosed fails the test unless the server's connections end by themselves.
func (s *kmsServer) allClosed() {
	s.t.Helper()
	left := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.open
	}
	for left() > 0 {
		select {
		case <-s.closed:
		case <-time.After(5 * time.Second):
			s.t.Fatal("a connection was left open")
		}
	}
}

// refuse returns an error response of KMS.
func refuse(code, message string) answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		status := http.StatusBadRequest
		if code == "KMSInternalException" {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	}
}

// key has the members of a GetPublicKey response.
type key map[string]any

func (k key) answer(w http.ResponseWriter, _ *http.Request) {
	if err := json.NewEncoder(w).Encode(k); err != nil {
		panic(err)
	}
}

func (k key) with(name string, value any) key {
	other := maps.Clone(k)
	other[name] = value
	return other
}

// signings maps an issuer's algorithm to the key spec and signing algorithms in KMS.
var signings = map[string]struct {
	spec       string
	algorithms []string
}{
	"RS256": {"RSA_2048", rsaAlgorithms},
	"PS256": {"RSA_2048", rsaAlgorithms},
	"ES256": {"ECC_NIST_P256", []string{"ECDSA_SHA_256"}},
	"ES384": {"ECC_NIST_P384", []string{"ECDSA_SHA_384"}},
	"ES512": {"ECC_NIST_P521", []string{"ECDSA_SHA_512"}},
	"EdDSA": {"ECC_NIST_EDWARDS25519", []string{"ED25519_SHA_512", "ED25519_PH_SHA_512"}},
}

var rsaAlgorithms = []string{
	"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
	"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
}

// keyOf returns the response of KMS for an issuer's key.
func keyOf(issuer *devissuer.Issuer) key {
	block, _ := pem.Decode(issuer.PublicPEM())
	signing := signings[issuer.Algorithm()]
	return key{
		"KeyId":             arn,
		"KeyUsage":          "SIGN_VERIFY",
		"KeySpec":           signing.spec,
		"SigningAlgorithms": signing.algorithms,
		"PublicKey":         block.Bytes, // in Base64, as encoding/json does
	}
}

// newIssuer returns an issuer. By default it has a key that is fast to generate.
func newIssuer(t testing.TB, opts ...devissuer.Option) *ssotest.Issuer {
	t.Helper()
	return ssotest.NewIssuer(t, append([]devissuer.Option{devissuer.WithAlgorithm("ES256")}, opts...)...)
}

// configFor returns a configuration that trusts the issuer's tokens by keys in KMS.
func configFor(issuer *ssotest.Issuer, uri string) sso.Config {
	cfg := issuer.Config("api")
	cfg.PublicKeyURI = uri
	cfg.HTTPClient = nil
	return cfg
}

// open returns the source for a PublicKeyURI.
func open(t testing.TB, uri string, algorithms ...string) keys.Source {
	t.Helper()
	source, err := keys.Open(uri, keys.Options{Algorithms: algorithms})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// fetchError returns the error of a fetch, which must fail.
func fetchError(t testing.TB, source keys.Source) error {
	t.Helper()
	set, err := source.Fetch(t.Context(), nil)
	if err == nil {
		t.Fatalf("the fetch returned %+v", set)
	}
	return err
}

// mustSay fails the test unless text contains all parts.
func mustSay(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

// clock is a time that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
