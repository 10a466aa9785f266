package kmskeys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/kmskeys"
)

// Every name of a key makes sso.New accept its tokens.
func TestOpen_Names(t *testing.T) {
	issuer := newIssuer(t)
	for _, test := range []struct{ name, uri, asked, region string }{
		{"a key id", uuid, uuid, region},
		{"a multi-region key id", mrk, mrk, region},
		{"an alias", "alias/sso/signing_key-1", "alias/sso/signing_key-1", region},
		{"a key ARN, which says the region", arn, arn, "us-west-2"},
		{"an ARN of a multi-region key", "arn:aws-cn:kms:cn-north-1:111122223333:key/" + mrk, "arn:aws-cn:kms:cn-north-1:111122223333:key/" + mrk, "cn-north-1"},
		{"an alias ARN", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/sso", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/sso", "us-gov-west-1"},
		{"a key id with the scheme", "awskms:" + uuid, uuid, region},
		{"an ARN with the scheme", "AWSKMS:" + arn, arn, "us-west-2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := startKMS(t)
			server.say(test.asked, keyOf(issuer.Issuer).answer)
			auth := issuer.Authenticator(configFor(issuer, test.uri))
			if asked := server.requests(); len(asked) != 0 {
				t.Errorf("New requested %v", asked)
			}
			principal, err := auth.ValidateToken(t.Context(), issuer.Token())
			if err != nil {
				t.Fatal(err)
			}
			if principal.Subject() != "ada" {
				t.Errorf("the subject is %q", principal.Subject())
			}
			if want := []request{{test.asked, test.region}}; !slices.Equal(server.requests(), want) {
				t.Errorf("requests %v, want %v", server.requests(), want)
			}
			if _, err := auth.ValidateToken(t.Context(), issuer.Token(devissuer.BadSignature())); !errors.Is(err, sso.ErrInvalidToken) {
				t.Errorf("a forged token: %v", err)
			}
		})
	}
}

func TestSource_Specs(t *testing.T) {
	for algorithm, bound := range map[string]string{"RS256": "", "PS256": "", "ES256": "ES256", "ES384": "ES384", "ES512": "ES512", "EdDSA": "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			server := startKMS(t)
			issuer := newIssuer(t, devissuer.WithAlgorithm(algorithm))
			server.say(uuid, keyOf(issuer.Issuer).answer)
			auth := issuer.Authenticator(configFor(issuer, uuid))
			if _, err := auth.ValidateToken(t.Context(), issuer.Token()); err != nil {
				t.Error(err)
			}
			set, err := open(t, uuid, algorithm).Fetch(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if k := set.Keys[0]; len(set.Keys) != 1 || k.ID != "" || k.Algorithm != bound {
				t.Errorf("the set is %+v", set.Keys)
			}
		})
	}
}

func TestSource_OneSigningAlgorithm(t *testing.T) {
	server := startKMS(t)
	issuer := newIssuer(t, devissuer.WithAlgorithm("RS256"))
	server.say(uuid, keyOf(issuer.Issuer).with("SigningAlgorithms", []string{"RSASSA_PSS_SHA_256"}).answer)
	set, err := open(t, uuid).Fetch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if set.Keys[0].Algorithm != "PS256" {
		t.Errorf("the key is for %q", set.Keys[0].Algorithm)
	}
	mustSay(t, fetchError(t, open(t, uuid, "RS256", "ES256")).Error(), "RSA_2048", "PS256", "Algorithms")
}

func TestSource_Rotation(t *testing.T) {
	server, now := startKMS(t), newClock()
	before := newIssuer(t, devissuer.WithClock(now.Now))
	after := newIssuer(t, devissuer.WithClock(now.Now))
	server.say(oldKey, keyOf(before.Issuer).answer)
	server.say(newKey, keyOf(after.Issuer).answer)
	cfg := configFor(before, "awskms:"+oldKey+", "+newKey)
	cfg.Now, cfg.RefreshInline = now.Now, true
	auth := before.Authenticator(cfg)
	for _, issuer := range []*ssotest.Issuer{before, after} {
		if _, err := auth.ValidateToken(t.Context(), issuer.Token()); err != nil {
			t.Error(err)
		}
	}

	server.say(oldKey, refuse("DisabledException", oldKey+" is disabled."))
	now.advance(6 * time.Minute)
	if _, err := auth.ValidateToken(t.Context(), after.Token()); err != nil {
		t.Errorf("the new key, with the old one disabled: %v", err)
	}
	if _, err := auth.ValidateToken(t.Context(), before.Token()); !errors.Is(err, sso.ErrInvalidToken) {
		t.Errorf("a token of the disabled key: %v", err)
	}
	status := auth.Status()[0]
	if len(status.KeyIDs) != 1 || len(status.Skipped) != 1 || status.Skipped[0].ID != oldKey || status.LastError != "" {
		t.Fatalf("the status is %+v", status)
	}
	mustSay(t, status.Skipped[0].Reason, "disabled: enable it", oldKey+" is disabled.")
}

func TestSource_SkipsUnusableKeys(t *testing.T) {
	server := startKMS(t)
	issuer := newIssuer(t)
	good := keyOf(issuer.Issuer)
	server.say(newKey, good.answer)
	for name, say := range map[string]answer{
		"not found":           refuse("NotFoundException", "Alias is not found."),
		"disabled":            refuse("DisabledException", "The key is disabled."),
		"pending deletion":    refuse("KMSInvalidStateException", "The key is pending deletion."),
		"symmetric":           refuse("UnsupportedOperationException", ""),
		"of another use":      good.with("KeyUsage", "KEY_AGREEMENT").answer,
		"of another spec":     good.with("KeySpec", "ECC_SECG_P256K1").answer,
		"of malformed DER":    good.with("PublicKey", []byte("no DER")).answer,
		"without any members": key{}.answer,
	} {
		t.Run(name, func(t *testing.T) {
			server.say(oldKey, say)
			set, err := open(t, "awskms:"+oldKey+","+newKey).Fetch(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Keys) != 1 || len(set.Skipped) != 1 || set.Skipped[0].ID != oldKey || set.Skipped[0].Reason == "" {
				t.Errorf("the set is %+v", set)
			}
		})
	}
}

func TestSource_UncertainKeyFailsFetch(t *testing.T) {
	server := startKMS(t)
	server.say(newKey, keyOf(newIssuer(t).Issuer).answer)
	for _, code := range []string{"AccessDeniedException", "ThrottlingException", "KMSInternalException", "DependencyTimeoutException", "Unheard"} {
		t.Run(code, func(t *testing.T) {
			server.say(oldKey, refuse(code, ""))
			mustSay(t, fetchError(t, open(t, "awskms:"+newKey+","+oldKey)).Error(), oldKey, code)
		})
	}
}

func TestSource_NoKeyLeft(t *testing.T) {
	server := startKMS(t)
	server.say(newKey, refuse("DisabledException", ""))
	mustSay(t, fetchError(t, open(t, "awskms:"+oldKey+","+newKey)).Error(), oldKey+": not found", newKey+": the key is disabled")
}

func TestSource_Errors(t *testing.T) {
	server := startKMS(t)
	for _, test := range []struct {
		code, message string
		says          []string
		requests      int
		is            any // what errors.As finds
	}{
		{"AccessDeniedException", "User: role/orders is not authorized to perform: kms:GetPublicKey", []string{"access denied: allow", "role/orders is not authorized"}, 1, nil},
		{"NotFoundException", "Key '" + uuid + "' does not exist", []string{"not found: correct", "does not exist"}, 1, new(*types.NotFoundException)},
		{"DisabledException", "The key is disabled.", []string{"disabled: enable it"}, 1, new(*types.DisabledException)},
		{"KMSInvalidStateException", "The key is pending deletion.", []string{"cancel its deletion", "pending deletion."}, 1, new(*types.KMSInvalidStateException)},
		{"UnsupportedOperationException", "", []string{"name an asymmetric key"}, 1, new(*types.UnsupportedOperationException)},
		{"ThrottlingException", "Rate exceeded", []string{"throttled", "Rate exceeded"}, 2, nil},
		{"KMSInternalException", "", []string{`KMS answered "KMSInternalException"`}, 2, new(*types.KMSInternalException)},
	} {
		t.Run(test.code, func(t *testing.T) {
			server.say(uuid, refuse(test.code, test.message))
			before := len(server.requests())
			err := fetchError(t, open(t, uuid))
			mustSay(t, err.Error(), append(test.says, uuid, test.code)...)
			if n := len(server.requests()) - before; n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			if test.is != nil && !errors.As(err, test.is) {
				t.Errorf("the error does not wrap a %T", test.is)
			}
		})
	}
}

func TestSource_UnusableKeys(t *testing.T) {
	server := startKMS(t)
	issuer := newIssuer(t)
	good := keyOf(issuer.Issuer)
	der := func(public any) []byte {
		text, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		key  key
		says []string
	}{
		{"encryption", good.with("KeyUsage", "ENCRYPT_DECRYPT"), []string{"ENCRYPT_DECRYPT", "SIGN_VERIFY"}},
		{"no use", good.with("KeyUsage", nil), []string{"SIGN_VERIFY"}},
		{"secp256k1", good.with("KeySpec", "ECC_SECG_P256K1"), []string{"ECC_SECG_P256K1", "cannot sign tokens"}},
		{"SM2", good.with("KeySpec", "SM2"), []string{"SM2", "cannot sign tokens"}},
		{"ML-DSA", good.with("KeySpec", "ML_DSA_65"), []string{"ML_DSA_65", "cannot sign tokens"}},
		{"malformed DER", good.with("PublicKey", []byte("no DER")), []string{"public key in the answer cannot be read"}},
		{"no key", good.with("PublicKey", nil), []string{"public key in the answer cannot be read"}},
		{"another curve than the spec's", good.with("PublicKey", der(other.Public())), []string{"contradicts", "ECC_NIST_P256"}},
		{"another type than the spec's", good.with("KeySpec", "RSA_2048"), []string{"contradicts", "RSA_2048"}},
		{"a short key", good.with("KeySpec", "RSA_2048").with("PublicKey", der(short.Public())), []string{"1024 bits"}},
		{"signatures of another kind only", good.with("SigningAlgorithms", []string{"SM2DSA"}), []string{"ECC_NIST_P256"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server.say(uuid, test.key.answer)
			mustSay(t, fetchError(t, open(t, uuid)).Error(), append(test.says, uuid)...)
		})
	}
	server.say(uuid, good.answer)
	mustSay(t, fetchError(t, open(t, uuid, "RS256", "PS256")).Error(), "ECC_NIST_P256", "ES256", "Algorithms")
}

// RFC 9864 gives two algorithms names that say their curve.
func TestSource_FullySpecifiedAlgorithm(t *testing.T) {
	for algorithm, name := range map[string]string{"EdDSA": "Ed25519", "ES256": "ESP256"} {
		server := startKMS(t)
		issuer := newIssuer(t, devissuer.WithAlgorithm(algorithm))
		server.say(uuid, keyOf(issuer.Issuer).answer)
		cfg := configFor(issuer, uuid)
		cfg.Algorithms = []string{name}
		if err := issuer.Authenticator(cfg).Ready(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSource_OtherAlgorithm(t *testing.T) {
	server := startKMS(t)
	issuer := newIssuer(t)
	server.say(uuid, keyOf(issuer.Issuer).answer)
	cfg := configFor(issuer, uuid)
	cfg.Algorithms = nil // RS256
	auth := issuer.Authenticator(cfg)
	if err := auth.Ready(t.Context()); !errors.Is(err, sso.ErrUnavailable) {
		t.Errorf("Ready says %v", err)
	}
	mustSay(t, auth.Status()[0].LastError, "ECC_NIST_P256", `"ES256"`, "Algorithms")
}

func TestSource_ErrorsWithoutCredentials(t *testing.T) {
	server := startKMS(t)
	for name, say := range map[string]answer{
		// KMS quotes the request when its signature is wrong.
		"a wrong signature": func(w http.ResponseWriter, r *http.Request) {
			quoted := "The Canonical String should have been 'x-amz-security-token:" + r.Header.Get("X-Amz-Security-Token") + "' " + r.Header.Get("Authorization")
			refuse("InvalidSignatureException", quoted)(w, r)
		},
		"no JSON": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("<html>" + r.Header.Get("X-Amz-Security-Token")))
		},
		"a proxy's page": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>" + r.Header.Get("X-Amz-Security-Token")))
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			server.say(uuid, say)
			text := fetchError(t, open(t, uuid)).Error()
			for _, hidden := range []string{secret, session, "AKIA", "Signature="} {
				if strings.Contains(text, hidden) {
					t.Errorf("%q contains %q", text, hidden)
				}
			}
		})
	}
}

func TestSource_Outage(t *testing.T) {
	server, now := startKMS(t), newClock()
	issuer := newIssuer(t, devissuer.WithClock(now.Now), devissuer.WithLifetime(3*time.Hour))
	server.say(uuid, keyOf(issuer.Issuer).answer)
	cfg := configFor(issuer, uuid)
	cfg.Now, cfg.RefreshInline = now.Now, true
	auth := issuer.Authenticator(cfg)
	token := issuer.Token()
	if _, err := auth.ValidateToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"ThrottlingException", "AccessDeniedException", "KMSInternalException"} {
		server.say(uuid, refuse(code, ""))
		now.advance(10 * time.Minute)
		if _, err := auth.ValidateToken(t.Context(), token); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		mustSay(t, auth.Status()[0].LastError, code)
	}
	now.advance(time.Hour)
	if _, err := auth.ValidateToken(t.Context(), token); !errors.Is(err, sso.ErrUnavailable) {
		t.Errorf("after the bound: %v", err)
	}
	server.say(uuid, keyOf(issuer.Issuer).answer)
	now.advance(time.Minute)
	if _, err := auth.ValidateToken(t.Context(), token); err != nil {
		t.Errorf("after recovery: %v", err)
	}
}

// KMS's own word that the key must not be used is not an outage.
func TestSource_KeyWithdrawn(t *testing.T) {
	for _, code := range []string{"DisabledException", "KMSInvalidStateException", "NotFoundException"} {
		t.Run(code, func(t *testing.T) {
			server, now := startKMS(t), newClock()
			issuer := newIssuer(t, devissuer.WithClock(now.Now))
			server.say(uuid, keyOf(issuer.Issuer).answer)
			cfg := configFor(issuer, uuid)
			cfg.Now, cfg.RefreshInline = now.Now, true
			auth := issuer.Authenticator(cfg)
			token := issuer.Token()
			if _, err := auth.ValidateToken(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			server.say(uuid, refuse(code, ""))
			now.advance(6 * time.Minute)
			if _, err := auth.ValidateToken(t.Context(), token); err != nil {
				t.Errorf("after one answer: %v", err)
			}
			now.advance(35 * time.Second)
			for _, token := range []string{token, issuer.Token(devissuer.Subject("another"))} {
				if _, err := auth.ValidateToken(t.Context(), token); !errors.Is(err, sso.ErrUnavailable) {
					t.Errorf("after two: %v", err)
				}
			}
		})
	}
}

func TestSource_OutageAtStart(t *testing.T) {
	server, now := startKMS(t), newClock()
	issuer := newIssuer(t, devissuer.WithClock(now.Now))
	server.say(uuid, refuse("ThrottlingException", ""))
	cfg := configFor(issuer, uuid)
	cfg.Now = now.Now
	auth := issuer.Authenticator(cfg)
	if _, err := auth.ValidateToken(t.Context(), issuer.Token()); !errors.Is(err, sso.ErrUnavailable) || errors.Is(err, sso.ErrInvalidToken) {
		t.Errorf("never fetched: %v", err)
	}
	server.say(uuid, keyOf(issuer.Issuer).answer)
	now.advance(time.Minute)
	if _, err := auth.ValidateToken(t.Context(), issuer.Token()); err != nil {
		t.Errorf("after the first success: %v", err)
	}
}

func TestSource_ReplacedAlias(t *testing.T) {
	server := startKMS(t)
	before, after := newIssuer(t), newIssuer(t)
	server.say(newKey, keyOf(before.Issuer).answer)
	auth := before.Authenticator(configFor(before, newKey))
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.say(newKey, keyOf(after.Issuer).answer)
	if _, err := auth.ValidateToken(t.Context(), after.Token()); err != nil {
		t.Error(err)
	}
}

// The AWS configuration is loaded at the first fetch, and again after a failure.
func TestSource_LoadsConfiguration(t *testing.T) {
	server := startKMS(t)
	server.say(uuid, keyOf(newIssuer(t).Issuer).answer)
	source := open(t, uuid)
	for _, test := range []struct{ name, value, says string }{
		{"AWS_REGION", "", "names no region: set AWS_REGION"},
		{"AWS_MAX_ATTEMPTS", "several", "AWS configuration cannot be loaded"},
		{"AWS_ENDPOINT_URL_KMS", "http://127.0.0.1.evil.example", "not https://"},
		{"AWS_ENDPOINT_URL_KMS", "http://192.0.2.1", "not https://"},
		{"AWS_ENDPOINT_URL_KMS", "http://localhost.example", "not https://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(test.name, test.value)
			mustSay(t, fetchError(t, source).Error(), test.says)
		})
	}
	if _, err := source.Fetch(t.Context(), nil); err != nil {
		t.Error(err)
	}
	t.Setenv("AWS_REGION", "")
	server.say(arn, keyOf(newIssuer(t).Issuer).answer)
	if _, err := open(t, arn).Fetch(t.Context(), nil); err != nil {
		t.Errorf("an ARN needs no configured region: %v", err)
	}
}

// The endpoint that the client would call is checked. The call itself is not made.
func TestSource_Endpoint(t *testing.T) {
	startKMS(t)
	for endpoint, o := range map[string]keys.Options{
		"":                         {},
		"https://kms.example":      {},
		"http://localhost:1":       {},
		"http://[::1]:1":           {},
		"http://kms.example.local": {InsecureAllowHTTP: true},
	} {
		t.Run(endpoint, func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL_KMS", endpoint)
			source, err := keys.Open("awskms:"+uuid, o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := source.Fetch(ctx, nil); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

func TestSource_CredentialErrors(t *testing.T) {
	startKMS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	mustSay(t, fetchError(t, open(t, uuid)).Error(), uuid+": no AWS credentials: ", "AWS_EC2_METADATA_DISABLED")
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"code":"AccessDeniedException","message":"` + session + `"}`))
	}))
	t.Cleanup(vault.Close)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", vault.URL)
	if got, want := fetchError(t, open(t, uuid)).Error(), uuid+`: no AWS credentials: the answer was "AccessDeniedException"`; got != want {
		t.Errorf("the error is %q, want %q", got, want)
	}
}

func TestSource_ClosesConnections(t *testing.T) {
	server := startKMS(t)
	server.say(uuid, keyOf(newIssuer(t).Issuer).answer)
	keepsAlive := &http.Client{Transport: &http.Transport{}}
	for name, client := range map[string]*http.Client{"its own client": nil, "a client that keeps connections": keepsAlive} {
		t.Run(name, func(t *testing.T) {
			source, err := keys.Open(uuid, keys.Options{HTTPClient: client})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := source.Fetch(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				server.allClosed()
			}
		})
	}
}

func TestSource_ClosesCredentialConnections(t *testing.T) {
	server := startKMS(t)
	server.say(uuid, keyOf(newIssuer(t).Issuer).answer)
	machine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
		if !r.Close {
			t.Errorf("%s %s keeps its connection open", r.Method, r.URL.Path)
		}
		_, _ = w.Write([]byte(map[string]string{
			"/latest/api/token":                                 "token",
			"/latest/meta-data/iam/security-credentials/":       "orders",
			"/latest/meta-data/iam/security-credentials/orders": `{"Code":"Success","AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"` + secret + `","Token":"` + session + `","Expiration":"2100-01-01T00:00:00Z"}`,
		}[r.URL.Path]))
	}))
	t.Cleanup(machine.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.URL)
	if _, err := open(t, uuid).Fetch(t.Context(), nil); err != nil {
		t.Error(err)
	}
	server.allClosed()
}

// hangUntil answers nothing; the fetch is cancelled once it waits.
func hangUntil(cancel context.CancelFunc) answer {
	return func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}
}

func TestSource_HangingServer(t *testing.T) {
	server := startKMS(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server.say(uuid, hangUntil(cancel))
	if _, err := open(t, uuid).Fetch(ctx, nil); err == nil {
		t.Error("the fetch succeeded")
	}
	server.allClosed()
}

// The SDK requests credentials in a context of its own, which does not end with the fetch.
func TestSource_HangingCredentials(t *testing.T) {
	startKMS(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	vault := httptest.NewServer(http.HandlerFunc(hangUntil(cancel)))
	t.Cleanup(vault.Close) // hangs if a connection is left
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", vault.URL)
	if _, err := open(t, uuid).Fetch(ctx, nil); err == nil {
		t.Error("the fetch succeeded")
	}
}

func TestSource_HangingHandshake(t *testing.T) {
	startKMS(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL_KMS", "https://"+listener.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = conn.Read(make([]byte, 1)) // the handshake has begun
			cancel()
			_, err = conn.Read(make([]byte, 64<<10))
			for err == nil {
				_, err = conn.Read(make([]byte, 64<<10))
			}
			_ = conn.Close()
		}
		closed <- listener.Close()
	}()
	if _, err := open(t, uuid).Fetch(ctx, nil); err == nil {
		t.Error("the fetch succeeded")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestSource_RedirectsAndBounds(t *testing.T) {
	server := startKMS(t)
	good := keyOf(newIssuer(t).Issuer)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Error("the redirect was followed")
		good.answer(w, r)
	}))
	t.Cleanup(elsewhere.Close)
	for name, client := range map[string]*http.Client{"its own client": nil, "another client": {Transport: &http.Transport{}}} {
		source, err := keys.Open(uuid, keys.Options{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			for _, status := range []int{http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect} {
				server.say(uuid, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
				_ = fetchError(t, source)
			}
			server.say(uuid, good.with("KeyId", strings.Repeat("k", 256<<10)).answer)
			_ = fetchError(t, source)
		})
	}
}

func TestOpen_InvalidNames(t *testing.T) {
	for _, uri := range []string{
		"awskms:", "awskms:sso-signing", "awskms:alias/", "awskms:alias/a b", "awskms:" + uuid + ",", "awskms:" + uuid + "," + uuid + "x",
		"arn:aws:kms:eu-central-1:111122223333:key/short", "arn:aws:kms::111122223333:key/" + uuid, "awskms:arn:aws:s3:eu-central-1:111122223333:key/" + uuid,
		"awskms:alias/a,alias/b,alias/c,alias/d,alias/e",
	} {
		if source, err := keys.Open(uri, keys.Options{}); err == nil || source != nil {
			t.Errorf("%s was accepted as %v", uri, source)
		}
	}
	_, err := sso.New(sso.Config{PublicKeyURI: "awskms:sso-signing", Audience: []string{"api"}})
	mustSay(t, err.Error(), "PublicKeyURI", `"sso-signing" is not a KMS key; write alias/…`)
}

// The core gives names without scheme to this package, which says what is wrong with them.
func TestOpen_BareNames(t *testing.T) {
	const longARN = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/orders"
	for uri, ours := range map[string]bool{
		mrk: true, mrk[:35]: true, uuid: true, uuid[:35]: true, arn: true, longARN: true, "arn:aws:kms:x": true, "alias/orders": true, "alias/": true,
		"alias/a , alias/b": true, "alias/a,keys.pem": true, "arn:aws:s3:::keys": false, "keys.pem": false, "": false, "aliases/x": false, "x" + uuid: false,
	} {
		_, err := keys.Open(uri, keys.Options{})
		if valid := err == nil; valid && !ours || !valid && strings.Contains(err.Error(), "KMS key; write alias/…") != ours {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestRegister_TakenScheme(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	keys.Register("awskms", func(string, keys.Options) (keys.Source, error) { return nil, nil })
}

// clientFunc is a client of KMS that is not the SDK's.
type clientFunc func(keyID, region string) (*kms.GetPublicKeyOutput, error)

func (f clientFunc) GetPublicKey(_ context.Context, in *kms.GetPublicKeyInput, opts ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	options := kms.Options{Region: region}
	for _, opt := range opts {
		opt(&options)
	}
	return f(*in.KeyId, options.Region)
}

func TestNew_AnyClient(t *testing.T) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	var asked []request
	source, err := kmskeys.New(clientFunc(func(keyID, region string) (*kms.GetPublicKeyOutput, error) {
		asked = append(asked, request{keyID, region})
		return &kms.GetPublicKeyOutput{KeyUsage: types.KeyUsageTypeSignVerify, KeySpec: types.KeySpecEccNistP256, PublicKey: der}, nil
	}), uuid, arn)
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Fetch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 1 || !signer.PublicKey.Equal(set.Keys[0].Public) {
		t.Errorf("the set is %+v; the same key twice counts once", set)
	}
	if want := []request{{uuid, region}, {arn, "us-west-2"}}; !slices.Equal(asked, want) {
		t.Errorf("requests for %v, want %v", asked, want)
	}
	if got, want := source.String(), "awskms:"+uuid+","+arn; got != want {
		t.Errorf("the name is %s, want %s", got, want)
	}
}

func TestSource_FourKeys(t *testing.T) {
	none := clientFunc(func(string, string) (*kms.GetPublicKeyOutput, error) { return nil, nil })
	names := []string{"alias/a", "alias/b", "alias/c", "alias/d", "alias/e"}
	if _, err := kmskeys.New(none, names[:4]...); err != nil {
		t.Error(err)
	}
	_, err := kmskeys.New(none, names...)
	mustSay(t, err.Error(), "5 KMS keys; at most 4")
}

func TestNew_Errors(t *testing.T) {
	none := clientFunc(func(string, string) (*kms.GetPublicKeyOutput, error) { return nil, nil })
	for name, build := range map[string]func() (keys.Source, error){
		"no client":    func() (keys.Source, error) { return kmskeys.New(nil, uuid) },
		"no key":       func() (keys.Source, error) { return kmskeys.New(none) },
		"an empty key": func() (keys.Source, error) { return kmskeys.New(none, uuid, "") },
	} {
		if source, err := build(); err == nil || source != nil {
			t.Errorf("%s was accepted as %v", name, source)
		}
	}
	source, err := kmskeys.New(none, uuid)
	if err != nil {
		t.Fatal(err)
	}
	mustSay(t, fetchError(t, source).Error(), "no answer")
}
