package ssotest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// What the options do is tested in devissuer. Here each has to be the one of its own name.

func TestAFaultAnswersAsTheDevelopmentIssuersOwn(t *testing.T) {
	for name, c := range map[string]struct{ fault, own ssotest.Fault }{
		"Healthy":          {ssotest.Healthy, devissuer.Healthy},
		"TooManyRequests":  {ssotest.TooManyRequests("7"), devissuer.TooManyRequests("7")},
		"HTMLFault":        {ssotest.HTMLFault(), devissuer.HTMLFault()},
		"TruncatedJSON":    {ssotest.TruncatedJSON(), devissuer.TruncatedJSON()},
		"WrongContentType": {ssotest.WrongContentType(), devissuer.WrongContentType()},
		"EmptySet":         {ssotest.EmptySet(), devissuer.EmptySet()},
		"RedirectTo":       {ssotest.RedirectTo("https://elsewhere.example"), devissuer.RedirectTo("https://elsewhere.example")},
		"Hang":             {ssotest.Hang(), devissuer.Hang()},
		"Drip":             {ssotest.Drip(time.Second), devissuer.Drip(time.Second)},
		"Oversized":        {ssotest.Oversized(1000), devissuer.Oversized(1000)},
		"GzipBomb":         {ssotest.GzipBomb(1000), devissuer.GzipBomb(1000)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := ssotest.NewIssuer(t, ssotest.FastKeys())
				iss.Fault(c.fault)
				got := keysOf(t, iss)
				iss.Fault(c.own)
				if want := keysOf(t, iss); got != want {
					t.Errorf("answered as\n%s\nand devissuer's own as\n%s", got, want)
				}
			})
		})
	}
}

// keysOf asks for the key set, and says in what words, how long after and how the issuer answered. It runs in a bubble.
func keysOf(t *testing.T, iss *ssotest.Issuer) string {
	t.Helper()
	client := iss.Client()
	client.Timeout = time.Hour
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	begun := time.Now()
	response, err := client.Get(iss.JWKSURL())
	if err != nil {
		return fmt.Sprintf("%s: %v", time.Since(begun), errors.Unwrap(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	response.Header.Del("Date")
	return fmt.Sprintf("%s: %s %v, unpacked %v\n%s, %v", time.Since(begun), response.Status, response.Header, response.Uncompressed, body, err)
}

func TestAnOptionOfATokenIsTheDevelopmentIssuersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where both tokens are of one moment
		iss := ssotest.NewIssuer(t, ssotest.FastKeys())
		first := iss.KeyID()
		iss.Rotate()
		soon := time.Now().Add(time.Minute)
		for name, c := range map[string]struct{ option, own ssotest.TokenOption }{
			"Claims":       {ssotest.Claims(map[string]any{"a": 1, "b": nil}), devissuer.Claims(map[string]any{"a": 1, "b": nil})},
			"AudienceList": {ssotest.AudienceList("a"), devissuer.AudienceList("a")},
			"ExpiresAt":    {ssotest.ExpiresAt(soon), devissuer.ExpiresAt(soon)},
			"NotBefore":    {ssotest.NotBefore(soon), devissuer.NotBefore(soon)},
			"SignedBy":     {ssotest.SignedBy(first), devissuer.SignedBy(first)},
		} {
			unique := ssotest.WithoutClaim("jti") // else no two tokens are alike
			got, want := iss.Token(c.option, unique), iss.Token(c.own, unique)
			if got != want {
				t.Errorf("%s makes\n%s\nand devissuer's own\n%s", name, got, want)
			}
			if got == iss.Token(unique) {
				t.Errorf("%s makes a token like any other", name)
			}
		}
	})
}

func TestAnOptionOfAnIssuerReachesIt(t *testing.T) {
	key := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, c := range map[string]struct {
		options []ssotest.Option
		told    func(*ssotest.Issuer) any
		want    any
	}{
		"a key of one's own":   {[]ssotest.Option{ssotest.WithKeyPEM(key.PrivateKeyPEM())}, func(iss *ssotest.Issuer) any { return iss.KeyID() }, key.KeyID()},
		"a lifetime":           {[]ssotest.Option{ssotest.FastKeys(), ssotest.WithLifetime(time.Minute)}, lifetime, time.Minute},
		"another size of keys": {[]ssotest.Option{ssotest.WithRSABits(1024)}, modulus, 1024},
		"keys without an id":   {[]ssotest.Option{ssotest.FastKeys(), ssotest.WithoutKeyIDs()}, func(iss *ssotest.Issuer) any { return strings.Contains(string(iss.JWKS()), "kid") }, false},
		"a time to keep keys":  {[]ssotest.Option{ssotest.FastKeys(), ssotest.WithCacheControl("max-age=300")}, cacheControl, "max-age=300"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.told(ssotest.NewIssuer(t, c.options...)); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func lifetime(iss *ssotest.Issuer) any {
	who := iss.Principal()
	return who.ExpiresAt().Sub(who.IssuedAt())
}

// modulus is the size of the key in the key set, in bits.
func modulus(iss *ssotest.Issuer) any {
	var set struct{ Keys []struct{ N string } }
	if err := json.Unmarshal(iss.JWKS(), &set); err != nil {
		return err
	}
	n, err := base64.RawURLEncoding.DecodeString(set.Keys[0].N)
	if err != nil {
		return err
	}
	return 8 * len(n)
}

func cacheControl(iss *ssotest.Issuer) any {
	response, err := iss.Client().Get(iss.JWKSURL())
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	return response.Header.Get("Cache-Control")
}
