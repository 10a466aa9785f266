package adaptertest

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// headerAttacks use header parameters that change the meaning of a token.
func headerAttacks() []Attack {
	l := &attacks{group: "header", source: "RFC 7515, section 4.1.11; RFC 8725, section 3.10"}
	for name, crit := range map[string]string{
		"an unknown extension": `["https://attacker.example/ext"]`, "exp": `["exp"]`, "b64": `["b64"]`, "alg": `["alg"]`,
		"an empty list": `[]`, "null": `null`, "a string": `"exp"`, "an object": `{}`, "a number in the list": `[1]`, "a name twice": `["exp","exp"]`,
	} {
		l.minted("crit: "+name, "A token that requires an unknown extension is rejected.", devissuer.Header("crit", json.RawMessage(crit)), devissuer.Header("exp", 1)).from("RFC 7515, section 4.1.11; CVE-2025-59420")
	}
	l.minted("b64 false", "An unencoded payload is another format.", devissuer.Header("b64", false)).from("RFC 7797, section 6")
	l.minted("b64 false, in crit", "An unencoded payload is another format.", devissuer.Header("b64", false), devissuer.Header("crit", []string{"b64"})).from("RFC 7797, section 6")
	l.minted("zip", "A token is not decompressed.", devissuer.Header("zip", "DEF")).from("RFC 8725, section 3.6; CVE-2024-33664")
	l.token("zip, packed payload", "A token is not decompressed.", func(i *devissuer.Issuer) string {
		p := split(i.MustToken(devissuer.Header("zip", "DEF")))
		return seal(i, encoded(p.header), encoded(deflated(p.payload)))
	}).from("RFC 8725, section 3.6; CVE-2024-33664")
	l.token("zip, bomb of 1 MiB", "A token is not decompressed.", func(i *devissuer.Issuer) string {
		p := split(i.MustToken(devissuer.Header("zip", "DEF")))
		return seal(i, encoded(p.header), encoded(deflated(bytes.Repeat([]byte(" "), 1<<20))))
	}).from("RFC 8725, section 3.6; CVE-2024-28176, CVE-2024-33664")
	for _, cty := range []string{"JWT", "application/jwt", "at+jwt"} {
		l.minted("cty "+cty, "A token within a token is not read.", devissuer.Header("cty", cty)).from("RFC 7519, section 5.2")
	}
	for name, member := range map[string]string{
		"ALG": `"ALG":"none"`, "Alg": `"Alg":"HS256"`, "Kid": `"Kid":"x"`, "CRIT": `"CRIT":["x"]`, "Typ": `"Typ":"logout+jwt"`, "K of Kelvin in kid": `"\u212aid":"x"`,
	} {
		l.token("the name "+name, "Some parsers treat other letter cases as the same name.", rawHeader(after(member))).from("RFC 7515, section 4; RFC 8725, section 2.6 class")
	}
	sortByName(l.list) // maps have no order
	return l.list
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// typeAttacks are tokens whose typ is another kind.
func typeAttacks() []Attack {
	l := &attacks{group: "typ", source: "RFC 8725, section 3.11"}
	for _, typ := range []string{
		"logout+jwt", "dpop+jwt", "secevent+jwt", "id_token+jwt", "rt+jwt", "entity-statement+jwt", "oauth-authz-req+jwt", "token-introspection+jwt",
		"client-authentication+jwt", "kb+jwt", "dc+sd-jwt", "vp+jwt", "JWE", "JOSE+JSON", "passport",
	} {
		l.minted(typ, "A token of another kind is not an access token.", devissuer.Header("typ", typ))
	}
	for _, typ := range []string{"JWT ", "at+jwt; v=1", "JWT\x00", "at+jwt,logout+jwt", "application/at+jwt+x"} {
		l.minted(fmt.Sprintf("%q", typ), "typ matches exactly, in any letter case.", devissuer.Header("typ", typ))
	}
	for _, value := range []string{"1", "true", `["JWT"]`, `{}`} {
		l.minted("of type "+kindOfJSON(value), "typ is a string.", devissuer.Header("typ", json.RawMessage(value))).from("RFC 7515, section 4.1.9")
	}
	return l.list
}

// formAttacks are not encoded as in RFC 7515, section 7.1.
func formAttacks() []Attack {
	l := &attacks{group: "form", source: "RFC 7515, section 7.1"}
	segments := "A token has three segments, none of them empty."
	of := func(change func(token string) string) func(*devissuer.Issuer) string {
		return func(i *devissuer.Issuer) string { return change(i.MustToken()) }
	}
	l.token("nothing", segments, of(func(string) string { return "" })).badRequest()
	l.token("one segment", segments, of(func(s string) string { return strings.ReplaceAll(s, ".", "") }))
	l.token("two segments", segments, of(func(s string) string { return s[:strings.LastIndexByte(s, '.')] }))
	l.token("four segments", segments, of(func(s string) string { return s + ".AAAA" }))
	l.token("four segments, the first empty", segments, of(func(s string) string { return "." + s }))
	l.token("four segments, the last empty", segments, of(func(s string) string { return s + "." }))
	l.token("five segments", segments, of(func(s string) string { return s + ".AAAA.AAAA" })).from("RFC 7516, section 7.1")
	l.token("six segments", segments, of(func(s string) string { return s + "." + s }))
	l.token("one dot", segments, of(func(string) string { return "." }))
	l.token("two dots", segments, of(func(string) string { return ".." }))
	l.token("no header", segments, of(func(s string) string { return s[strings.IndexByte(s, '.'):] }))
	l.token("no payload", "A detached payload is not supported.", rawPayload(constant(""))).from("RFC 7515, appendix F")
	l.token("payload taken out", "A detached payload is not supported.", of(func(s string) string {
		p := strings.Split(s, ".")
		return p[0] + ".." + p[2]
	})).from("RFC 7515, appendix F")
	l.token("no header, signed", segments, rawHeader(constant("")))
	l.token("encrypted", "An encrypted token proves nothing: its key is public.", encrypted).from("RFC 7516, section 7.1; RFC 8725, section 3.2").by("RS256")
	l.token("flattened JSON", "Only the compact serialisation is read.", of(flattened)).from("RFC 7519, section 1; CVE-2022-39227").badRequest()
	l.token("general JSON", "Only the compact serialisation is read.", of(general)).from("RFC 7519, section 1").badRequest()
	l.token("in quotes", "A token has no quotes.", of(func(s string) string { return `"` + s + `"` })).badRequest()
	l.token("percent-encoded", "A token is not unescaped.", of(func(s string) string { return strings.ReplaceAll(s, ".", "%2E") })).badRequest()
	l.token("a word", segments, of(func(string) string { return "undefined" }))

	spelling := "base64url has one encoding for each sequence of bytes: no padding, its own alphabet, no white space, no unused bits."
	l.source = "RFC 7515, section 2; RFC 4648, sections 3.2, 3.3 and 3.5"
	l.token("padding in the signature", spelling, of(padded))
	l.token("padding in the payload", spelling, func(i *devissuer.Issuer) string { return respelledAs(i, same, padded) }).badRequest()
	l.token("padding in the header", spelling, func(i *devissuer.Issuer) string { return respelledAs(i, padded, same) }).badRequest()
	l.token("standard alphabet in the signature", spelling, func(i *devissuer.Issuer) string {
		for {
			p := strings.Split(i.MustToken(), ".")
			if s := standardAlphabet.Replace(p[2]); s != p[2] {
				return p[0] + "." + p[1] + "." + s
			}
		}
	})
	l.token("standard alphabet in the payload", spelling, func(i *devissuer.Issuer) string {
		p := split(i.MustToken(devissuer.Claim("x", "???>>>~~~")))
		return seal(i, encoded(p.header), standardAlphabet.Replace(encoded(p.payload)))
	})
	l.token("stray bits in the signature", spelling, of(strayBits))
	l.token("stray bits in the payload", spelling, func(i *devissuer.Issuer) string { return respelledAs(i, same, strayBits) })
	l.token("stray bits in the header", spelling, func(i *devissuer.Issuer) string { return respelledAs(i, strayBits, same) })
	middle := func(insert string) func(string) string {
		return func(s string) string { return s[:len(s)/2] + insert + s[len(s)/2:] }
	}
	for name, insert := range map[string]string{
		"line break": "\n", "carriage return": "\r", "DOS line break": "\r\n", "space": " ", "tab": "\t", "NUL": "\x00", "no-break space": "\u00a0", "ideographic dot": "。",
	} {
		l.token(name+" in the signature", spelling, func(i *devissuer.Issuer) string {
			p := strings.Split(i.MustToken(), ".")
			return p[0] + "." + p[1] + "." + middle(insert)(p[2])
		}).badRequest()
		l.token(name+" in the payload", spelling, respelled(same, middle(insert))).badRequest()
		l.token(name+" after the token", "Nothing may follow a token.", of(func(s string) string { return s + insert + "x" })).badRequest()
	}
	l.token("line break in the header", spelling, respelled(middle("\n"), same)).badRequest()
	sortByName(l.list) // maps have no order
	return l.list
}

// respelledAs is [respelled] with segments that end within a group of four characters.
func respelledAs(i *devissuer.Issuer, header, payload func(string) string) string {
	for filler := "x"; ; filler += "x" {
		p := split(i.MustToken(devissuer.Header("x", filler), devissuer.Claim("x", filler)))
		h, c := encoded(p.header), encoded(p.payload)
		if len(h)%4 != 0 && len(c)%4 != 0 {
			return seal(i, header(h), payload(c))
		}
	}
}

// jsonAttacks are texts about which two JSON parsers could disagree. All are correctly signed.
func jsonAttacks() []Attack {
	l := &attacks{group: "JSON", source: "RFC 7519, section 7.2"}
	object := "The payload is a JSON object and nothing else."
	for name, payload := range map[string]string{
		"null": "null", "array": "[]", "string": `"ada"`, "number": "0", "boolean": "true", "white space": " ", "an empty object": "{}", "NUL": "\x00", "XML": "<claims/>", "a form": "sub=ada&aud=api",
	} {
		l.token("payload: "+name, object, rawPayload(constant(payload)))
	}
	for name, header := range map[string]string{"null": "null", "array": "[]", "string": `"RS256"`, "white space": " ", "an empty object": "{}", "rubbish": "{alg:RS256}"} {
		l.token("header: "+name, "The header is a JSON object and nothing else.", rawHeader(constant(header))).from("RFC 7515, section 5.2")
	}
	text := "The text is strict JSON in UTF-8."
	for name, change := range map[string]func(string) string{
		"trailing object":    func(s string) string { return s + s },
		"trailing brace":     func(s string) string { return s + "}" },
		"trailing NUL":       func(s string) string { return s + "\x00" },
		"trailing word":      func(s string) string { return s + " null" },
		"byte order mark":    func(s string) string { return "\ufeff" + s },
		"UTF-16":             utf16,
		"last brace missing": func(s string) string { return s[:len(s)-1] },
		"comma at the end":   func(s string) string { return s[:len(s)-1] + ",}" },
		"comment":            func(s string) string { return "/**/" + s },
		"line comment":       func(s string) string { return s + "//" },
		"no-break space":     func(s string) string { return s + "\u00a0" },
	} {
		l.token("payload: "+name, text, rawPayload(change)).from("RFC 8259; RFC 7493, section 2")
	}
	for name, member := range map[string]string{
		"single quotes": `'x':1`, "name without quotes": `x:1`, "bad UTF-8 in a value": "\"x\":\"\xff\"", "bad UTF-8 in a name": "\"\xff\":1",
		"overlong UTF-8": "\"x\":\"\xc0\xaf\"", "UTF-8 surrogate": "\"x\":\"\xed\xa0\x80\"", "lone surrogate in a name": `"\ud800":"x"`,
		"lone surrogate in a claim that decides": `"client_id":"\ud800"`, "surrogates reversed in a claim that decides": `"client_id":"\udc00\ud800"`, "bare control": "\"x\":\"\x01\"", "bare line break": "\"x\":\"\n\"", "unknown escape": `"x":"\a"`,
		"octal number": `"x":010`, "hex number": `"x":0x10`, "plus sign": `"x":+1`, "half a number": `"x":1.`, "NaN": `"x":NaN`, "Infinity": `"x":Infinity`,
	} {
		l.token("payload: "+name, text, rawPayload(after(member))).from("RFC 8259; RFC 7493, section 2")
	}
	for name, change := range map[string]func(string) string{
		"trailing object": func(s string) string { return s + s }, "byte order mark": func(s string) string { return "\ufeff" + s },
		"bad UTF-8": after("\"x\":\"\xff\""), "lone surrogate": after(`"x":"\ud800"`), "comma at the end": func(s string) string { return s[:len(s)-1] + ",}" },
	} {
		l.token("header: "+name, text, rawHeader(change)).from("RFC 8259; RFC 7493, section 2")
	}
	twice := "Parsers disagree about a name that appears twice."
	for name, member := range map[string]string{
		"exp": `"exp":1`, "sub": `"sub":"root"`, "iss": `"iss":"https://attacker.example"`, "aud": `"aud":"other-audience"`, "an unknown claim": `"x":1,"x":2`,
		"a member of permissions": `"permissions":{"role":"user","role":"admin"}`, "deep in an array": `"x":[[{"a":1,"a":2}]]`, "exp as an escape": `"\u0065xp":1`, "the empty name": `"":1,"":2`,
	} {
		l.token("twice: "+name+", first", twice, rawPayload(before(member))).from("RFC 7519, section 4; RFC 7493, section 2.3; CVE-2017-12635 class")
		l.token("twice: "+name+", last", twice, rawPayload(after(member))).from("RFC 7519, section 4; RFC 7493, section 2.3; CVE-2017-12635 class")
	}
	for name, member := range map[string]string{"alg": `"alg":"none"`, "kid": `"kid":"x"`, "typ": `"typ":"logout+jwt"`, "alg as an escape": `"\u0061lg":"none"`} {
		l.token("twice in the header: "+name+", first", twice, rawHeader(before(member))).from("RFC 7515, section 4")
		l.token("twice in the header: "+name+", last", twice, rawHeader(after(member))).from("RFC 7515, section 4")
	}
	letters := "Some parsers treat other letter cases, and ſ and s, as the same name."
	for _, member := range []string{
		`"ISS":"https://attacker.example"`, `"iſſ":"https://attacker.example"`, `"Exp":1`, `"EXP":99999999999`, `"Aud":"other-audience"`, `"AUD":["x"]`, `"Sub":"root"`, `"ſub":"root"`,
		`"NBF":99999999999`, `"Iat":99999999999`, `"Scope":"admin","scope":"orders"`, `"SCP":"admin","scp":"orders"`, `"Permissions":{"role":"admin"}`, `"permiſſions":{"role":"admin"}`, `"\u0049SS":"x"`, `"CNF":{}`, `"Client_ID":"x"`,
	} {
		name, _, _ := strings.Cut(member, ":")
		l.token("other case: "+name, letters, rawPayload(after(member))).from("RFC 7519, section 4")
	}
	for name, opts := range map[string][]devissuer.TokenOption{
		"EXP for exp": {devissuer.WithoutClaim("exp"), devissuer.Claim("EXP", int64(99999999999))}, "ISS for iss": {devissuer.WithoutClaim("iss"), devissuer.Claim("ISS", attackerURL)}, "AUD for aud": {devissuer.WithoutClaim("aud"), devissuer.Claim("AUD", "api")},
	} {
		l.minted("other case: "+name, letters, opts...).from("RFC 7519, section 4")
	}
	sortByName(l.list) // maps have no order
	return l.list
}

// sizeAttacks are expensive to process.
func sizeAttacks() []Attack {
	l := &attacks{group: "size", source: "RFC 8725, section 2.5 class; CVE-2025-30204"}
	l.token("100,000 dots", "A text that is not a token is rejected before it is split.", func(*devissuer.Issuer) string { return strings.Repeat(".", 100_000) })
	l.token("200 KiB of letters", "The size of a token is bounded.", func(*devissuer.Issuer) string { return strings.Repeat("A", 200<<10) })
	l.minted("claims of 20 KiB", "The size of a token is bounded.", devissuer.Claim("x", strings.Repeat("x", 20<<10)))
	l.minted("header of 20 KiB", "The size of a token is bounded.", devissuer.Header("x", strings.Repeat("x", 20<<10)))
	l.token("white space of 20 KiB", "The size of a token is bounded.", rawPayload(func(s string) string { return s + strings.Repeat(" ", 20<<10) }))
	l.token("signature of 20 KiB", "The size of a token is bounded.", withSignature(func(s []byte) []byte { return append(s, make([]byte, 20<<10)...) }))
	l.source = "RFC 8259, section 9; CVE-2020-36518 class"
	l.minted("nested 33 deep", "Nesting is bounded.", devissuer.Claim("x", nested(32)))
	l.token("nested 5,000 deep", "Nesting is bounded.", rawPayload(constant(`{"x":`+string(nested(5_000))+`}`)))
	l.token("nested 10,000 deep", "Nesting and the size of a token are bounded.", rawPayload(constant(`{"x":`+string(nested(10_000))+`}`)))
	l.token("opened 10,000 times", "Nesting and the size of a token are bounded.", rawPayload(constant(strings.Repeat(`[`, 10_000))))
	l.token("objects 2,000 deep", "Nesting is bounded.", rawPayload(constant(strings.Repeat(`{"x":`, 2_000)+"1"+strings.Repeat(`}`, 2_000))))
	l.minted("header nested 33 deep", "Nesting is bounded.", devissuer.Header("x", nested(32)))
	l.token("header opened 2,000 times", "Nesting is bounded.", rawHeader(constant(strings.Repeat(`[`, 2_000))))
	l.minted("exponent of 400 digits", "Numbers are compared, never expanded.", devissuer.Claim("exp", json.RawMessage("1e"+strings.Repeat("9", 400)))).from("CVE-2020-10735 class")
	l.minted("number of 10,000 digits", "Numbers are compared, never expanded.", devissuer.Claim("exp", json.RawMessage(strings.Repeat("9", 10_000)))).from("CVE-2020-10735 class")
	return l.list
}
