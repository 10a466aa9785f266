// Package compact reads the JWS compact serialisation (RFC 7515, section 7.1) strictly.
//
// It decides about form only: three segments, canonical base64url, JSON objects, bounds. What
// the header and the claims may say is decided in package sso. Exactly one sequence of bytes
// stands for each token that it accepts, so a digest of those bytes identifies the token.
//
// A token is read in steps, so that one which is refused early costs little: [Open] looks at
// nothing but the segments, [Token.ReadHeader] reads the header, [Token.ReadBody] the rest.
package compact

import (
	"encoding/base64"
	"errors"
	"strings"
	"sync"

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

var errLarge = errors.New("larger than 4096 bytes")

// formError is a class of errors and what it came from.
type formError struct{ class, cause error }

func (e *formError) Error() string        { return e.class.Error() + ": " + e.cause.Error() }
func (e *formError) Is(target error) bool { return target == e.class }
func (e *formError) Unwrap() error        { return e.cause }

// Token is a compact token taken apart. Nothing in it has been verified. Its memory is used
// again: after [Token.Release] nothing that came from it may be looked at, but for Header, Claims,
// and strings.
type Token struct {
	RawHeader string        // as it came
	Header    jsondoc.Value // an object, once it has been read
	Claims    jsondoc.Value // an object, once the body has been read; the caller may keep it
	Signed    string        // the signing input: header and payload as they came
	Signature []byte        // once the body has been read

	payload, signature string // as they came
	decoded            []byte
}

var tokens = sync.Pool{New: func() any { return new(Token) }}

// strict refuses set bits after the last full byte, so each byte string has one encoding. It
// still skips line breaks, for which [decode] looks itself.
var strict = base64.RawURLEncoding.Strict()

// segments cuts a token at its dots.
func segments(token string) (header, payload, signature string, err error) {
	switch strings.Count(token, ".") {
	case 2:
	case 4:
		return "", "", "", ErrEncrypted
	default:
		return "", "", "", ErrSegments
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ = strings.Cut(rest, ".")
	if header == "" || signature == "" {
		return "", "", "", ErrSegments
	}
	return header, payload, signature, nil
}

// Open takes a token apart. The caller bounds its length.
func Open(token string) (*Token, error) {
	header, payload, signature, err := segments(token)
	if err != nil {
		return nil, err
	}
	t := tokens.Get().(*Token) //nolint:errcheck // the pool holds nothing else
	t.RawHeader, t.payload, t.signature = header, payload, signature
	t.Signed = token[:len(header)+1+len(payload)]
	return t, nil
}

// ReadHeader decodes the header.
func (t *Token) ReadHeader() error {
	if strict.DecodedLen(len(t.RawHeader)) > MaxHeaderBytes {
		return &formError{ErrHeader, errLarge}
	}
	text, err := t.decode(t.RawHeader)
	if err != nil {
		return err
	}
	t.Header, err = jsondoc.Parse(text)
	t.Header, err = object(t.Header, err, ErrHeader)
	return err
}

// ReadPayload decodes the signature and the payload, which may be anything, or nothing.
func (t *Token) ReadPayload() (payload []byte, err error) {
	if payload, err = t.decode(t.payload); err != nil {
		return nil, err
	}
	if t.Signature, err = t.decode(t.signature); err != nil {
		return nil, err
	}
	return payload, nil
}

// ReadBody decodes signature and payload, which has to be a JSON object as a JWT's is (RFC
// 7519, section 7.2).
func (t *Token) ReadBody() error {
	if t.payload == "" {
		return ErrSegments
	}
	payload, err := t.ReadPayload()
	if err != nil {
		return err
	}
	t.Claims, err = jsondoc.Parse(payload)
	t.Claims, err = object(t.Claims, err, ErrPayload)
	return err
}

// Release gives the token's memory back, without what was in it.
func (t *Token) Release() {
	clear(t.decoded[:cap(t.decoded)]) // what could not be decoded to its end stands behind the rest
	decoded := t.decoded[:0]
	if cap(decoded) > 1<<16 { // one monstrous token must not stay in the pool
		decoded = nil
	}
	*t = Token{decoded: decoded}
	tokens.Put(t)
}

// decode appends what a segment stands for to the memory of the token.
func (t *Token) decode(segment string) ([]byte, error) {
	if strings.IndexByte(segment, '\n') >= 0 || strings.IndexByte(segment, '\r') >= 0 {
		return nil, ErrBase64
	}
	begin := len(t.decoded)
	all, err := strict.AppendDecode(t.decoded, []byte(segment))
	if err != nil {
		return nil, ErrBase64
	}
	t.decoded = all // where it has grown, what was handed out stays in the memory of before
	return all[begin:], nil
}

// object lets through what was read if it is an object.
func object(v jsondoc.Value, err, class error) (jsondoc.Value, error) {
	if err != nil {
		return jsondoc.Value{}, &formError{class, err}
	}
	if v.Kind() != jsondoc.Object {
		return jsondoc.Value{}, &formError{class, kindError(v.Kind())}
	}
	return v, nil
}

// kindError is the kind of JSON that stood where an object is wanted.
type kindError jsondoc.Kind

func (e kindError) Error() string { return "a JSON " + jsondoc.Kind(e).String() }
