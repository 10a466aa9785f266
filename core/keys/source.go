package keys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is a place that public keys come from. Implementations are safe for concurrent use,
// though a [Cache] asks one question at a time.
type Source interface {
	// Fetch returns the keys as they are now. It must end when ctx does and must leave no
	// goroutine and no idle connection behind. previous is the set that the last successful
	// Fetch returned, nil at first: a source that can ask "has it changed?" may return it
	// again. An error may wrap a [RetryAfterError].
	Fetch(ctx context.Context, previous *Set) (*Set, error)
	// String names the source in logs and errors. It holds no secret.
	String() string
}

// Options are what [Open], [URL] and [Discovery] need to know besides an address.
type Options struct {
	// HTTPClient fetches. Nil: a client of the package's own which keeps no connection open
	// and honours the proxy environment variables. Redirects are refused whatever the client
	// says, and each request is marked to close its connection.
	HTTPClient *http.Client
	// Issuer is the issuer identifier that a discovery document must name, exactly. Empty:
	// the one that the document's own URL implies.
	Issuer string
	// AllowedOrigins lists further hosts ("keys.example.com" or "keys.example.com:8443") on
	// which a discovery document may say that its keys are. The document's own is allowed.
	AllowedOrigins []string
	// Algorithms are those that the service accepts; a source that knows beforehand that its
	// key fits none of them says so. Empty: any.
	Algorithms []string
	// InsecureAllowHTTP permits http:// to other machines, where anybody on the way can
	// replace the keys. Loopback needs no permission.
	InsecureAllowHTTP bool
}

// SettingError is an address that cannot be used, where it is known what to write instead.
type SettingError struct {
	Problem string // what is wrong with it
	Remedy  string // what to write instead; never empty
	Unless  string // the field of [Options] that would permit it; mostly empty
}

// Error is the problem and the remedy in one line.
func (e *SettingError) Error() string {
	if e.Unless != "" {
		return e.Problem + "; " + e.Remedy + ", or set " + e.Unless
	}
	return e.Problem + "; " + e.Remedy
}

// Open makes a source out of what a configuration holds: the http(s) URL of a JWK Set, a PEM
// public key or a discovery document; "file:" and a path to a JWK Set or PEM; the text of a PEM or a
// JWK Set itself; or what another module has registered a scheme for (see [Register]). It reads files
// at once, so that a missing one is found at start-up, and does no network I/O. What a text is, is
// told by what it holds, in this order: PEM, http and https, file, a JWK Set, registered schemes. An
// error that knows what to write instead is a [SettingError].
func Open(uri string, o Options) (Source, error) {
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
	if source, ok, err := openRegistered(uri, o); ok {
		return source, err
	}
	return nil, errors.New("neither an https:// URL, nor file: and a path, nor PEM text")
}

// filePath accepts file:/abs, file:///abs, file://localhost/abs and file:relative (RFC 8089
// knows absolute paths only; the relative form is for development).
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

// Static is a source of keys that the program already has. They never change. It fails as [NewSet]
// does.
func Static(keys ...Key) (Source, error) {
	set, err := NewSet(slices.Clone(keys)...)
	if err != nil {
		return nil, err
	}
	return fixed("keys given in code", set), nil
}

// PEM is a source of public keys or certificates in PEM text. They never change. Text whose
// line breaks arrived as the two characters \n, as they do in some environment files, is read
// as it was meant.
func PEM(text string) (Source, error) {
	if text = strings.TrimSpace(text); !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	set, err := ParsePEM([]byte(text))
	if err != nil {
		return nil, err
	}
	return fixed("a PEM text", set), nil
}

// JWKS is a source of the keys in a JWK Set text. They never change.
func JWKS(text string) (Source, error) {
	set, err := ParseJWKS([]byte(text))
	if err != nil {
		return nil, err
	}
	return fixed("a JWK Set text", set), nil
}

type fixedSource struct {
	name string
	set  *Set
}

func fixed(name string, set *Set) Source {
	set.Fixed = true
	return fixedSource{name, set}
}

func (s fixedSource) Fetch(context.Context, *Set) (*Set, error) { return s.set, nil }
func (s fixedSource) String() string                            { return s.name }

// File is a source that reads a JWK Set or PEM file, anew at every refresh, so that a mounted
// secret can be replaced under a running service. It fails if the file cannot be read now, is no
// regular file, is larger than 256 KiB or holds no usable key.
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
	case !info.Mode().IsRegular(): // a pipe could be waited for without end, and read only once
		return nil, fmt.Errorf("%s is not a regular file", s)
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

// parseKeys tells PEM from a JWK Set by what the text holds.
func parseKeys(text []byte) (*Set, error) {
	if looksLikePEM(text) {
		return ParsePEM(text)
	}
	return ParseJWKS(text)
}
