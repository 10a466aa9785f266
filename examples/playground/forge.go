package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// This file makes the tokens of an attacker, who changes the tokens of the issuer or signs with another key.

// tamper adds a claim to a token that has been signed.
func tamper(_ *devissuer.Issuer, token string) string {
	parts := strings.Split(token, ".")
	payload := must(base64.RawURLEncoding.DecodeString(parts[1]))
	parts[1] = base64.RawURLEncoding.EncodeToString(append(payload[:len(payload)-1], `,"tampered":true}`...))
	return strings.Join(parts, ".")
}

// unsign removes the signature.
func unsign(_ *devissuer.Issuer, token string) string {
	return token[:strings.LastIndexByte(token, '.')+1]
}

// signWithPublicKey replaces the signature by an HMAC, with the public key as the secret.
func signWithPublicKey(issuer *devissuer.Issuer, token string) string {
	input := token[:strings.LastIndexByte(token, '.')]
	mac := hmac.New(sha256.New, issuer.PublicPEM())
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// attacker returns an issuer that no service trusts. It is made once, because keys take long to generate.
var attacker = sync.OnceValue(func() *devissuer.Issuer { return must(devissuer.New()) })

// embedKey returns the options by which a token of the attacker claims to be the issuer's and contains its
// own key.
func embedKey(issuer *devissuer.Issuer) []devissuer.TokenOption {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(attacker().JWKS(), &set); err != nil {
		panic(err) // the attacker has valid keys
	}
	return []devissuer.TokenOption{devissuer.IssuedBy(issuer.URL()), devissuer.Audience(audience), devissuer.Header("jwk", set.Keys[0])}
}
