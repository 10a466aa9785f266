// Package compact reads the JWS compact serialisation (RFC 7515, section 7.1) strictly.
//
// It decides about form only: three segments, canonical base64url, JSON objects, bounds. What
// the header and the claims may say is decided in package sso. Exactly one sequence of bytes
// stands for each token that it accepts, so a digest of those bytes identifies the token.
package compact

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// MaxHeaderBytes bounds the decoded JOSE header.
const MaxHeaderBytes = 4 << 10

// Errors about the form of a token. They never hold any of its bytes.
var (
	ErrSegments  = errors.New("not three non-empty segments separated by dots")
	ErrEncrypted = errors.New("five segments: an encrypted token (JWE), which is not accepted")
	ErrBase64    = errors.New("a segment is not canonical base64url without padding (RFC 7515, section 2)")
	ErrHeader    = errors.New("the header is not an acceptable JSON object")
	ErrPayload   = errors.New("the payload is not an acceptable JSON object")
)

// Token is a compact token taken apart. Nothing in it has been verified.
type Token struct {
	Header    jsondoc.Value // an object
	Claims    jsondoc.Value // an object
	Signed    string        // the signing input: header and payload as they came
	Signature []byte
}

// strict refuses set bits after the last full byte, so each byte string has one encoding.
// (It still skips line breaks; the alphabet is checked before.)
var strict = base64.RawURLEncoding.Strict()

// Parse takes a token apart, whose payload has to be a JSON object as a JWT's is (RFC 7519,
// section 7.2). The caller bounds its length.
func Parse(token string) (Token, error) {
	t, payload, err := Split(token)
	if err != nil {
		return Token{}, err
	}
	if len(payload) == 0 {
		return Token{}, ErrSegments
	}
	if t.Claims, err = object(payload, ErrPayload); err != nil {
		return Token{}, err
	}
	return t, nil
}

// Split takes a token apart whose payload may be anything, or nothing. It leaves Claims absent.
func Split(token string) (t Token, payload []byte, err error) {
	switch strings.Count(token, ".") {
	case 2:
	case 4:
		return Token{}, nil, ErrEncrypted
	default:
		return Token{}, nil, ErrSegments
	}
	first, rest, _ := strings.Cut(token, ".")
	second, third, _ := strings.Cut(rest, ".")
	if first == "" || third == "" {
		return Token{}, nil, ErrSegments
	}
	if strict.DecodedLen(len(first)) > MaxHeaderBytes {
		return Token{}, nil, fmt.Errorf("%w: larger than %d bytes", ErrHeader, MaxHeaderBytes)
	}
	if !alphabet(first) || !alphabet(second) || !alphabet(third) {
		return Token{}, nil, ErrBase64
	}
	header, err := strict.DecodeString(first)
	if err != nil {
		return Token{}, nil, ErrBase64
	}
	if payload, err = strict.DecodeString(second); err != nil {
		return Token{}, nil, ErrBase64
	}
	if t.Signature, err = strict.DecodeString(third); err != nil {
		return Token{}, nil, ErrBase64
	}
	if t.Header, err = object(header, ErrHeader); err != nil {
		return Token{}, nil, err
	}
	t.Signed = token[:len(first)+1+len(second)]
	return t, payload, nil
}

func object(text []byte, class error) (jsondoc.Value, error) {
	v, err := jsondoc.Parse(text)
	if err != nil {
		return jsondoc.Value{}, fmt.Errorf("%w: %w", class, err)
	}
	if v.Kind() != jsondoc.Object {
		return jsondoc.Value{}, fmt.Errorf("%w: a JSON %s", class, v.Kind())
	}
	return v, nil
}

// inAlphabet marks the bytes of base64url (RFC 4648, section 5).
var inAlphabet = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		set[c] = true
	}
	return set
}()

func alphabet(s string) bool {
	for i := range len(s) {
		if !inAlphabet[s[i]] {
			return false
		}
	}
	return true
}
