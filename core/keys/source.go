package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// maxBytes bounds a key set, a PEM file or a discovery document, after decompression.
const maxBytes = 256 << 10

// Source is a place that public keys come from. It must be safe for concurrent use.
type Source interface {
	// Fetch returns the current keys. It must return when ctx ends, without a goroutine or an idle
	// connection left. The argument previous is the set of the last successful Fetch, nil at first.
	// A source may return it again if nothing has changed. An error may wrap a [RetryAfterError].
	Fetch(ctx context.Context, previous *Set) (*Set, error)
	// String names the source in logs and errors. It must not contain a secret.
	String() string
}

// Options configure [Open], [URL] and [Discovery].
type Options struct {
	// HTTPClient fetches. If nil, a client is used that keeps no connection open and honors the
	// proxy environment variables. Redirects are refused with any client, and each request closes
	// its connection.
	HTTPClient *http.Client
	// Issuer is the issuer identifier that a discovery document must name, exactly. If empty, it is
	// the one that the document's URL implies.
	Issuer string
	// Algorithms are those that the service accepts. A source may refuse a key that fits none of
	// them. If empty, all are accepted.
	Algorithms []string
	// InsecureAllowHTTP permits http:// to other machines, where an attacker on the network can
	// replace the keys. Loopback needs no permission.
	InsecureAllowHTTP bool
}

// SettingError is an address that cannot be used, with the remedy.
type SettingError struct {
	Problem string
	Remedy  string // what to write instead; never empty
	Unless  string // the field of [Options] that permits the address, if there is one
}

// Error returns the problem and the remedy in one line.
func (e *SettingError) Error() string {
	if e.Unless != "" {
		return e.Problem + "; " + e.Remedy + ", or set " + e.Unless
	}
	return e.Problem + "; " + e.Remedy
}

// opener returns the source for a URI without its scheme.
type opener = func(rest string, o Options) (Source, error)

type registration struct {
	open  opener
	match []func(uri string) bool
}

var registry = struct {
	sync.RWMutex
	schemes map[string]registration
}{schemes: map[string]registration{}}

// Register makes [Open] call a function with the rest of a URI that has the scheme, in any letter
// case, and with a URI without scheme that a match function accepts. It must not do network I/O.
// Modules call Register from an init function, so that importing them is enough. It panics if the
// scheme is empty or taken, as http, https and file are, and if the function is nil.
func Register(scheme string, open func(rest string, o Options) (Source, error), match ...func(uri string) bool) {
	scheme = strings.ToLower(scheme)
	registry.Lock()
	defer registry.Unlock()
	if scheme == "" || open == nil {
		panic("keys: Register needs a scheme and a function")
	}
	if _, taken := registry.schemes[scheme]; taken || slices.Contains([]string{"http", "https", "file"}, scheme) {
		panic(fmt.Sprintf("keys: the scheme %q is registered already", scheme))
	}
	registry.schemes[scheme] = registration{open, match}
}

// registered returns the function for a URI and its argument. It returns nil for an unregistered
// scheme.
func registered(uri string) (opener, string) {
	registry.RLock()
	defer registry.RUnlock()
	scheme, rest, _ := strings.Cut(uri, ":")
	if r, ok := registry.schemes[strings.ToLower(scheme)]; ok {
		return r.open, rest
	}
	for _, r := range registry.schemes {
		if slices.ContainsFunc(r.match, func(match func(string) bool) bool { return match(uri) }) {
			return r.open, uri
		}
	}
	return nil, ""
}

// Open returns the source for a text from a configuration. In this order, the text is: PEM; the
// http(s) URL of a JWK Set, a PEM public key or a discovery document; "file:" and a path to a JWK
// Set or PEM; a JWK Set; or a URI that another module has registered (see [Register]). Open reads
// files at once, so that a missing one is found at start-up, and does no network I/O. An error with a
// known remedy is a [SettingError].
func Open(uri string, o Options) (Source, error) {
	uri = strings.TrimPrefix(uri, byteOrderMark)
	scheme, _, _ := strings.Cut(uri, ":")
	switch {
	case looksLikePEM([]byte(uri)):
		return PEM(uri)
	case strings.EqualFold(scheme, "http"), strings.EqualFold(scheme, "https"):
		return URL(uri, o)
	case strings.EqualFold(scheme, "file"):
		path, err := filePath(uri)
		if err != nil {
			return nil, err
		}
		return File(path)
	case strings.HasPrefix(strings.TrimSpace(uri), "{"):
		return JWKS(uri)
	}
	if open, rest := registered(uri); open != nil {
		return open(rest, o)
	}
	if looksLikeKMS(uri) {
		return nil, &SettingError{
			Problem: "AWS KMS keys are read by another module",
			Remedy:  `add import _ "github.com/more-retail/moresso-go/kmskeys" to the program`,
		}
	}
	return nil, errors.New("neither an https:// URL, nor file: and a path, nor PEM text")
}

// looksLikeKMS reports whether a URI is like the name of a key in AWS KMS, which package kmskeys
// reads, if it is imported.
func looksLikeKMS(uri string) bool {
	for _, prefix := range []string{"awskms:", "arn:aws", "alias/", "mrk-"} {
		if strings.HasPrefix(strings.ToLower(uri), prefix) {
			return true
		}
	}
	return len(uri) >= 36 && strings.Count(uri[:36], "-") == 4 // a UUID
}

// filePath accepts file:/abs, file:///abs and file://localhost/abs (RFC 8089), and file:relative
// for development.
func filePath(uri string) (string, error) {
	path := uri[len("file:"):]
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		host, _, _ := strings.Cut(rest, "/")
		if host != "" && host != "localhost" {
			return "", &SettingError{Problem: fmt.Sprintf("file://%s… names another machine", host), Remedy: "write file:///path"}
		}
		path = rest[len(host):]
	}
	unescaped, err := url.PathUnescape(path)
	if err != nil || unescaped == "" {
		return "", &SettingError{Problem: "no path", Remedy: "write file:/etc/keys/sso.pem"}
	}
	return filepath.FromSlash(unescaped), nil
}

// Static returns a source of keys that the program already has. It fails as [NewSet] does.
func Static(keys ...Key) (Source, error) {
	set, err := NewSet(slices.Clone(keys)...)
	return fixed("keys given in code", set, err)
}

// PEM returns a source of the public keys and certificates in PEM text (RFC 7468): "PUBLIC KEY",
// "RSA PUBLIC KEY" and "CERTIFICATE" blocks. Of a certificate only the key is used. The keys have no
// ids. A block that cannot be used is left out and listed in [Set].Skipped. A text with a private key is
// refused, because the wrong half is in the configuration. If the text has no line break, the two characters \n are
// read as one, as in some environment files.
func PEM(text string) (Source, error) {
	set, err := parsePEM([]byte(text))
	return fixed("a PEM text", set, err)
}

// JWKS returns a source of the keys in the text of a JWK Set (RFC 7517, section 5), or of a JSON object
// of key ids and PEM texts, as Google publishes certificates. A key that cannot be used is left out and
// listed in [Set].Skipped. It fails if the text is something else, has more than 500 keys, or has no
// usable key (a [NoKeyError]).
func JWKS(text string) (Source, error) {
	set, err := parseJWKS([]byte(strings.TrimPrefix(text, byteOrderMark)))
	return fixed("a JWK Set text", set, err)
}

// fixedSource is a set that never changes.
type fixedSource struct {
	name string
	set  *Set
}

func fixed(name string, set *Set, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	set.Fixed = true
	return fixedSource{name, set}, nil
}

func (s fixedSource) Fetch(context.Context, *Set) (*Set, error) { return s.set, nil }
func (s fixedSource) String() string                            { return s.name }

// File returns a source that reads a JWK Set or PEM file, again at every refresh, so that a mounted
// secret can be replaced under a running service. It fails if the file cannot be read now, is not a
// regular file, is larger than 256 KiB or has no usable key. On Unix it also fails if another user could
// replace the file: if a folder of its path is writable by all users and not sticky, or if a symbolic link
// in it belongs to another user than root and that of the process.
func File(path string) (Source, error) {
	s := fileSource(path)
	if _, err := s.Fetch(context.Background(), nil); err != nil {
		return nil, err
	}
	return s, nil
}

type fileSource string

func (s fileSource) Fetch(context.Context, *Set) (*Set, error) {
	info, err := os.Stat(string(s))
	switch {
	case err != nil:
		return nil, err // names the path
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder; name the file in it", s)
	case !info.Mode().IsRegular(): // reading a pipe could block, and works once only
		return nil, fmt.Errorf("%s is not a regular file", s)
	}
	if err := replaceable(string(s), 0); err != nil {
		return nil, err
	}
	f, err := os.Open(string(s))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	text, err := readBounded(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	set, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	return set, nil
}

func (s fileSource) String() string { return "file:" + string(s) }

func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("more than %d KiB", maxBytes>>10)
	}
	return bytes.TrimPrefix(text, []byte(byteOrderMark)), nil
}

// byteOrderMark precedes a text that some editors have written.
const byteOrderMark = "\ufeff"

// parseKeys reads a JWK Set or PEM text.
func parseKeys(text []byte) (*Set, error) {
	if looksLikePEM(text) {
		return parsePEM(text)
	}
	return parseJWKS(text)
}

// WithSnapshot returns a source that starts with the keys of snapshot, a file or text that the
// service was shipped with, and then fetches from refresh. The process serves at once, even while
// the provider is down. A refresh is due at once, and Ready waits for it. A snapshot has no issuer, so
// sso.Config.Issuer is required with it.
func WithSnapshot(snapshot, refresh Source) Source { return snapshotSource{snapshot, refresh} }

type snapshotSource struct{ snapshot, refresh Source }

func (s snapshotSource) Fetch(ctx context.Context, previous *Set) (*Set, error) {
	if previous == nil {
		if set, err := s.snapshot.Fetch(ctx, nil); err == nil && set != nil {
			if _, err := NewSet(set.Keys...); err == nil {
				start := *set
				start.Fixed, start.Snapshot = false, true
				return &start, nil
			}
		}
	}
	return s.refresh.Fetch(ctx, previous)
}

func (s snapshotSource) String() string {
	return s.refresh.String() + ", starting with " + s.snapshot.String()
}
