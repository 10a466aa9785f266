package keys_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

func TestNoKeyError_Skipped(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"keys":[{"kty":"oct","kid":"a","k":"AAAA"},{"kty":"RSA","kid":"b","use":"enc","n":"AQAB","e":"AQAB"}]}`))
	}))
	defer server.Close()
	source, err := keys.URL(server.URL, keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Fetch(context.Background(), nil)
	var none *keys.NoKeyError
	if !errors.As(err, &none) || len(none.Skipped) != 2 || none.Skipped[0].ID != "a" || none.Skipped[1].ID != "b" {
		t.Errorf("%v", err)
	}
	if _, err := keys.JWKS(`{"keys":[]}`); !errors.As(err, &none) || len(none.Skipped) != 0 {
		t.Errorf("%v", err)
	}
}

func TestNoKeyError_Error(t *testing.T) {
	for want, skipped := range map[string][]keys.Skipped{
		"no key in the set":                              nil,
		"no usable key: too short":                       {{Reason: "too short"}},
		`no usable key: key "a": too short`:              {{ID: "a", Reason: "too short"}},
		`no usable key: key "a": too short (and 1 more)`: {{ID: "a", Reason: "too short"}, {ID: "b", Reason: "private"}},
		`no usable key: too short (and 2 more)`:          {{Reason: "too short"}, {}, {}},
	} {
		if got := (&keys.NoKeyError{Skipped: skipped}).Error(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

// Unusable keys of a set take as long to read as usable ones.
func TestJWKS_CountsSkippedKeys(t *testing.T) {
	list := []any{ecJWK("a", elliptic.P256())}
	for range 500 {
		list = append(list, jwk{"kty": "AKP"})
	}
	if set, err := keys.ParseJWKS([]byte(jwks(list[:500]...))); err != nil || len(set.Keys) != 1 || len(set.Skipped) != 499 {
		t.Errorf("500 keys: %v", err)
	}
	if _, err := keys.ParseJWKS([]byte(jwks(list...))); err == nil || !strings.Contains(err.Error(), "501 keys") {
		t.Errorf("501 keys: %v", err)
	}
}

// As many as go into an answer of 256 KiB would take 60 MB to be read one by one and left out.
func TestJWKS_CountsBeforeReading(t *testing.T) {
	const n = 100_000
	text := []byte(jwks("7" + strings.Repeat(",7", n-1)))
	var err error
	each := testing.AllocsPerRun(1, func() { _, err = keys.ParseJWKS(text) }) / n
	if err == nil || !strings.Contains(err.Error(), "100000 keys") {
		t.Error(err)
	}
	if each > 2 { // one is its text's
		t.Errorf("%.1f allocations for each key", each)
	}
}

func TestJWKS_Errors(t *testing.T) {
	for text, says := range map[string]string{
		"{":                                  "not JSON: at byte 1",
		"[]":                                 "a JSON array",
		"{}":                                 `no array "keys"`,
		`{"keys":null}`:                      `no array "keys"`,
		`{"keys":[7]}`:                       "got a JSON number, want a key",
		`{"keys":[{"kty":"EC","kty":"EC"}]}`: "duplicate member name",
		`{"keys":[{"kty":"EC"}],"keys":[]}`:  `duplicate member name "keys"`,
		"7":                                  "a JSON literal",
		`"a"`:                                "a JSON string",
		" \n":                                "empty",
		"\n<!DOCTYPE html><html></html>":     "an HTML or XML page",
	} {
		if _, err := keys.ParseJWKS([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", text, err, says)
		}
	}
	if _, err := keys.ParsePEM([]byte("ssh-rsa AAAA")); err == nil || !strings.Contains(err.Error(), "no -----BEGIN line") {
		t.Error(err)
	}
}
