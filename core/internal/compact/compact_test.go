package compact_test

import (
	"cmp"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

var b64 = base64.RawURLEncoding

func token(header, payload, signature string) string {
	return b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload)) + "." + b64.EncodeToString([]byte(signature))
}

// parsed is a whole token.
type parsed struct {
	Header    string // JSON
	Claims    jsondoc.Value
	Signed    string
	Signature []byte
}

// parse reads a whole token.
func parse(token string) (p parsed, err error) {
	t, err := compact.Open(token)
	if err != nil {
		return parsed{}, err
	}
	if err := cmp.Or(t.ReadHeader(), t.ReadBody()); err != nil {
		return parsed{}, err
	}
	return parsed{string(t.Header.AppendJSON(nil)), t.Claims, t.Signed, slices.Clone(t.Signature)}, nil
}

func TestToken_Parts(t *testing.T) {
	text := token(`{"alg":"EdDSA","kid":"é"}`, ` {"sub":"ada","n":9007199254740993} `, "\x00\xff\xfe signature")
	got, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.Header != `{"alg":"EdDSA","kid":"é"}` {
		t.Errorf("Header is %s", got.Header)
	}
	if n, _ := got.Claims.Get("n").Number(); n != "9007199254740993" {
		t.Errorf("n is %s", n)
	}
	if want := text[:strings.LastIndexByte(text, '.')]; got.Signed != want {
		t.Errorf("Signed is %q, want %q", got.Signed, want)
	}
	if string(got.Signature) != "\x00\xff\xfe signature" {
		t.Errorf("Signature is %q", got.Signature)
	}
}

func TestToken_Refuses(t *testing.T) {
	const header, payload, signature = `{"alg":"EdDSA"}`, `{"sub":"ada"}`, "0123456789abcdef" // 16 bytes: a stray character leaves stray bits
	good := token(header, payload, signature)
	if _, err := parse(good); err != nil {
		t.Fatal(err)
	}
	segments := strings.Split(good, ".")
	replaced := func(i int, segment string) string {
		list := append([]string(nil), segments...)
		list[i] = segment
		return strings.Join(list, ".")
	}
	type test struct {
		name, token string
		want        error
	}
	tests := []test{
		{"nothing", "", compact.ErrSegments},
		{"one segment", "abc", compact.ErrSegments},
		{"two segments", segments[0] + "." + segments[1], compact.ErrSegments},
		{"four segments", good + ".abcd", compact.ErrSegments},
		{"five segments, as a JWE has", "a.b.c.d.e", compact.ErrEncrypted},
		{"five segments of which some are empty, as a JWE with a direct key has", segments[0] + "..abcd.abcd.abcd", compact.ErrEncrypted},
		{"six segments", "a.b.c.d.e.f", compact.ErrSegments},
		{"dots alone", "..", compact.ErrSegments},
		{"ten thousand dots", strings.Repeat(".", 10_000), compact.ErrSegments},
		{"no header", replaced(0, ""), compact.ErrSegments},
		{"no payload", replaced(1, ""), compact.ErrSegments},
		{"no signature", replaced(2, ""), compact.ErrSegments},
		{"a JWS in JSON serialisation", `{"payload":"` + segments[1] + `"}`, compact.ErrSegments},
		{"a header 33 levels deep", token(`{"a":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+"}", payload, signature), compact.ErrHeader},
		{"altered trailing bits of the signature", good[:len(good)-1] + string(good[len(good)-1]+1), compact.ErrBase64},
		{"a header that is an array", token(`[]`, payload, signature), compact.ErrHeader},
		{"a header that is null", token(`null`, payload, signature), compact.ErrHeader},
		{"a header that is a string", token(`"alg"`, payload, signature), compact.ErrHeader},
		{"a header that is not JSON", token(`alg`, payload, signature), compact.ErrHeader},
		{"a header with a member twice", token(`{"alg":"EdDSA","alg":"none"}`, payload, signature), compact.ErrHeader},
		{"a header with trailing data", token(header+`{}`, payload, signature), compact.ErrHeader},
		{"a payload that is an array", token(header, `[]`, signature), compact.ErrPayload},
		{"a payload that is null", token(header, `null`, signature), compact.ErrPayload},
		{"a payload that is a number", token(header, `1`, signature), compact.ErrPayload},
		{"a payload with a member twice", token(header, `{"sub":"ada","sub":"bob"}`, signature), compact.ErrPayload},
		{"a payload with a member twice deep down", token(header, `{"permissions":{"a":{"b":1,"\u0062":2}}}`, signature), compact.ErrPayload},
		{"a payload with trailing data", token(header, payload+" x", signature), compact.ErrPayload},
		{"a payload after a byte order mark", token(header, "\ufeff"+payload, signature), compact.ErrPayload},
		{"a payload that is not UTF-8", token(header, "{\"sub\":\"\xff\"}", signature), compact.ErrPayload},
		{"a payload with a lone surrogate in a name", token(header, `{"\ud800":"x"}`, signature), compact.ErrPayload},
		{"a header with a lone surrogate", token(`{"alg":"EdDSA","x":"\ud800"}`, payload, signature), compact.ErrHeader},
		{"a payload 33 levels deep", token(header, `{"a":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+"}", signature), compact.ErrPayload},
	}
	for i, name := range []string{"header", "payload", "signature"} {
		s := segments[i]
		for what, segment := range map[string]string{
			"a leading space":           " " + s,
			"a trailing space":          s + " ",
			"a leading line break":      "\n" + s,
			"a leading carriage return": "\r" + s,
			"a line break within":       s[:4] + "\n" + s[4:],
			"a trailing line break":     s + "\n",
			"a carriage return":         s[:4] + "\r\n" + s[4:],
			"a NUL":                     s + "\x00",
			"padding":                   s + "=",
			"double padding":            s + "==",
			"the other alphabet":        "+/" + s[2:],
			"a letter beyond ASCII":     "é" + s[2:],
			"a percent escape":          "%41" + s[1:],
			"an impossible length":      s + strings.Repeat("A", (5-len(s)%4)%4),
		} {
			tests = append(tests, test{name + " with " + what, replaced(i, segment), compact.ErrBase64})
		}
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parse(test.token)
			if !errors.Is(err, test.want) {
				t.Fatalf("error is %v, want %v", err, test.want)
			}
			if got.Header != "" || got.Claims.Kind() != jsondoc.Absent || got.Signed != "" || got.Signature != nil {
				t.Errorf("with an error came %+v", got)
			}
			for segment := range strings.SplitSeq(test.token, ".") {
				if len(segment) > 4 && strings.Contains(err.Error(), segment) {
					t.Errorf("the error holds the segment %q: %v", segment, err)
				}
			}
		})
	}
}

func TestToken_MaxDepth(t *testing.T) {
	deep := func(levels int) string {
		return `{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + "}"
	}
	for _, test := range []struct {
		header, claims int // levels
		want           error
	}{{100, 100, nil}, {101, 1, compact.ErrHeader}, {2, 101, compact.ErrPayload}} {
		opened, err := compact.Open(token(deep(test.header), deep(test.claims), "s"))
		if err != nil {
			t.Fatal(err)
		}
		opened.Limits.Depth = 100
		if err := cmp.Or(opened.ReadHeader(), opened.ReadBody()); !errors.Is(err, test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestToken_JSONErrors(t *testing.T) {
	if _, err := parse(token(`{}`, `{"a":1,"a":2}`, "s")); !errors.Is(err, jsondoc.ErrDuplicate) {
		t.Errorf("error is %v, want ErrDuplicate", err)
	}
	deep := `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}"
	if _, err := parse(token(`{}`, deep, "s")); !errors.Is(err, jsondoc.ErrTooDeep) {
		t.Errorf("error is %v, want ErrTooDeep", err)
	}
}

// Each token has exactly one encoding, so a digest of its bytes identifies it.
func FuzzCompact(f *testing.F) {
	good := token(`{"alg":"EdDSA"}`, `{"sub":"ada"}`, "0123456789abcdef")
	for _, text := range []string{
		good, good + "=", good + "\n", good[:len(good)-1] + "h", good + ".", "a.b.c.d.e", "..", strings.ReplaceAll(good, ".", "\n."),
		token(" {} ", "{}", "s"), token(`{"a":1,"a":2}`, "{}", "s"),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parse(text)
		if err != nil {
			return
		}
		if again := got.Signed + "." + b64.EncodeToString(got.Signature); again != text {
			t.Fatalf("%q is encoded again as %q", text, again)
		}
		segments := strings.Split(text, ".")
		for i, read := range []string{got.Header, string(got.Claims.AppendJSON(nil))} {
			decoded, err := b64.DecodeString(segments[i])
			if err != nil || b64.EncodeToString(decoded) != segments[i] {
				t.Fatalf("%q is not canonical: %v", segments[i], err)
			}
			if read != strings.Trim(string(decoded), " \t\r\n") {
				t.Fatalf("%q was read as %q", decoded, read)
			}
		}
	})
}

func TestToken_RFCExamples(t *testing.T) {
	const signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	const claims = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" // A.3
	got, err := parse(claims + "." + signature)
	if err != nil {
		t.Fatal(err)
	}
	if issuer, _ := got.Claims.Get("iss").Text(); got.Signed != claims || issuer != "joe" || b64.EncodeToString(got.Signature) != signature || len(got.Signature) != 64 {
		t.Errorf("%q, %q, %x", got.Signed, issuer, got.Signature)
	}
	// RFC 7515, appendix A.4, and RFC 8037, appendix A.4. Neither payload is JSON.
	for text, want := range map[string]string{"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwM": "Payload", "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY": "Example of Ed25519 signing"} {
		opened, err := compact.Open(text)
		if err != nil {
			t.Fatal(err)
		}
		if payload, err := opened.ReadPayload(); err != nil || string(payload) != want {
			t.Errorf("%q, %v", payload, err)
		}
		if _, err := parse(text); !errors.Is(err, compact.ErrPayload) {
			t.Errorf("as a token: %v", err)
		}
	}
	// Appendix A.5 is unsecured: it has no signature.
	if _, err := parse("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."); !errors.Is(err, compact.ErrSegments) {
		t.Errorf("unsecured: %v", err)
	}
}
