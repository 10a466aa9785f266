// Package compact reads the JWS compact serialization (RFC 7515, section 7.1) strictly.
//
// It checks the form only: three segments, canonical base64url, JSON objects, bounds. It accepts
// exactly one sequence of bytes for each header, payload and signature. A digest of those bytes does
// not identify what was signed: from a signature by ECDSA another valid one can be computed.
//
// A token is read in steps, so that a refused one costs little: [Open] cuts the segments,
// [Token.ReadHeader] reads the header, [Token.ReadBody] the rest.
package compact

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// Errors about the form of a token. They contain none of its bytes.
var (
	ErrSegments  = errors.New("not three non-empty segments separated by dots")
	ErrEncrypted = errors.New("five segments: an encrypted token (JWE), which is not accepted")
	ErrBase64    = errors.New("a segment is not canonical base64url without padding (RFC 7515, section 2)")
	ErrHeader    = errors.New("the header is not an acceptable JSON object")
	ErrPayload   = errors.New("the payload is not an acceptable JSON object")
)

// formError is a class of errors with its cause. It is formatted when it is logged.
type formError struct{ class, cause error }

func (e *formError) Error() string        { return e.class.Error() + ": " + e.cause.Error() }
func (e *formError) Is(target error) bool { return target == e.class }
func (e *formError) Unwrap() error        { return e.cause }

// Token is a compact token. Nothing in it has been verified.
type Token struct {
	Header    jsondoc.Value  // an object, after ReadHeader
	Claims    jsondoc.Value  // an object, after ReadBody
	Signed    string         // the signing input: header and payload, encoded
	Signature []byte         // after ReadBody or ReadPayload
	Limits    jsondoc.Limits // of Claims; the depth is that of Header too

	header, payload, signature string // encoded
}

// Open cuts a token into its segments. The caller bounds its length.
func Open(token string) (*Token, error) {
	switch strings.Count(token, ".") {
	case 2:
	case 4:
		return nil, ErrEncrypted
	default:
		return nil, ErrSegments
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	if header == "" || signature == "" {
		return nil, ErrSegments
	}
	return &Token{Signed: token[:len(header)+1+len(payload)], Limits: jsondoc.Limits{Depth: jsondoc.MaxDepth, Lenient: true}, header: header, payload: payload, signature: signature}, nil
}

// ReadHeader decodes the header.
func (t *Token) ReadHeader() error {
	text, err := decode(t.header)
	if err == nil {
		t.Header, err = object(text, jsondoc.Limits{Depth: t.Limits.Depth, Values: t.Limits.Values}, ErrHeader)
	}
	return err
}

// ReadPayload decodes the signature and the payload. The payload may be anything, also empty.
func (t *Token) ReadPayload() (payload []byte, err error) {
	if payload, err = decode(t.payload); err != nil {
		return nil, err
	}
	if t.Signature, err = decode(t.signature); err != nil {
		return nil, err
	}
	return payload, nil
}

// ReadBody decodes the signature and the payload, which must be a JSON object as that of a JWT is
// (RFC 7519, section 7.2).
func (t *Token) ReadBody() error {
	if t.payload == "" {
		return ErrSegments
	}
	payload, err := t.ReadPayload()
	if err == nil {
		t.Claims, err = object(payload, t.Limits, ErrPayload)
	}
	return err
}

// strict refuses set bits after the last full byte, so each byte string has one encoding. It
// ignores line breaks, which [decode] refuses.
var strict = base64.RawURLEncoding.Strict()

func decode(segment string) ([]byte, error) {
	if strings.IndexByte(segment, '\n') >= 0 || strings.IndexByte(segment, '\r') >= 0 {
		return nil, ErrBase64
	}
	decoded, err := strict.DecodeString(segment)
	if err != nil {
		return nil, ErrBase64
	}
	return decoded, nil
}

// object reads a JSON object.
func object(text []byte, limits jsondoc.Limits, class error) (jsondoc.Value, error) {
	v, err := jsondoc.ParseWithin(text, limits)
	if err != nil {
		return jsondoc.Value{}, &formError{class, err}
	}
	if v.Kind() != jsondoc.Object {
		return jsondoc.Value{}, &formError{class, kindError(v.Kind())}
	}
	return v, nil
}

// kindError is the kind of JSON value in place of an object.
type kindError jsondoc.Kind

func (e kindError) Error() string { return "a JSON " + jsondoc.Kind(e).String() }
