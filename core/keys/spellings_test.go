package keys_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

const bom = "\ufeff"

// tbs is the part of a certificate that is signed, with fields that package x509 would not write.
type tbs struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
}

var sequence = asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSequence, IsCompound: true}

// certificateDER returns a certificate of a public key, changed by change. It is not signed.
func certificateDER(public any, change func(*tbs)) []byte {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, Parameters: asn1.NullRawValue}
	validity := sequence
	for range 2 {
		validity.Bytes = append(validity.Bytes, "\x17\x0d250101000000Z"...)
	}
	fields := tbs{Version: 2, Serial: big.NewInt(1), Algorithm: algorithm, Issuer: sequence, Validity: validity, Subject: sequence, PublicKey: asn1.RawValue{FullBytes: spki}}
	if change != nil {
		change(&fields)
	}
	der, err := asn1.Marshal(struct {
		TBS       tbs
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{fields, algorithm, asn1.BitString{Bytes: []byte{0}, BitLength: 8}})
	if err != nil {
		panic(err)
	}
	return der
}

// certificate returns the text of a certificate as in x5c.
func certificate(public any) string {
	return base64.StdEncoding.EncodeToString(certificateDER(public, nil))
}

// oddCertificates change fields that say nothing about the key. Package x509 refuses such
// certificates.
var oddCertificates = map[string]func(*tbs){
	"a negative serial number": func(c *tbs) { c.Serial = big.NewInt(-7) },
	"a malformed date":         func(c *tbs) { c.Validity.Bytes = []byte("\x17\x0d25XX01000000Z\x17\x0d250101000000Z") },
	"a validity without dates": func(c *tbs) { c.Validity.Bytes = nil },
	"an extension twice": func(c *tbs) {
		c.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: []byte{4, 1, 1}}, {Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: []byte{4, 1, 1}}}
	},
	"a malformed extension": func(c *tbs) {
		c.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: []byte{1}}}
	},
	"an algorithm that differs":    func(c *tbs) { c.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5} },
	"a subject that is not a name": func(c *tbs) { c.Subject.Bytes = []byte{2, 1, 1} },
	"a version of the future":      func(c *tbs) { c.Version = 7 },
}

// Each text names one key, in another spelling.
func TestJWKS_Spellings(t *testing.T) {
	rs, ed := rsaJWK("a", 2048), edJWK("a")
	std := func(k jwk, name string, encoding *base64.Encoding) jwk {
		return k.with(name, encoding.EncodeToString(raw(k[name])))
	}
	type spelled struct{ is, as jwk }
	cases := map[string]spelled{
		"use, alg, x5u empty":         {rs, rs.with("use", "").with("alg", "").with("x5u", "")},
		"use, alg, key_ops, x5c null": {rs, jwk{"kty": "RSA", "kid": "a", "n": rs["n"], "e": rs["e"], "use": nil, "alg": nil, "key_ops": nil, "x5c": nil, "x5t": nil, "d": nil}},
		"key_ops and x5c empty":       {rs, rs.with("key_ops", []string{}).with("x5c", []string{})},
		"crv empty in an RSA key":     {rs, rs.with("crv", "").with("x", "").with("y", "")},
		"n with a line break":         {rs, rs.with("n", fmt.Sprintf("%.64s\r\n%s", rs["n"], fmt.Sprint(rs["n"])[64:]))},
		"e with leading zeros":        {rs, rs.with("e", "AAEAAQ")},
	}
	for name, encoding := range map[string]*base64.Encoding{"padded": base64.URLEncoding, "standard": base64.StdEncoding, "standard without padding": base64.RawStdEncoding} {
		cases["n "+name] = spelled{rs, std(rs, "n", encoding)}
		cases["e "+name] = spelled{rs, std(rs, "e", encoding)}
		cases["x of Ed25519 "+name] = spelled{ed, std(ed, "x", encoding)}
		for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			ec := ecJWK("a", curve)
			cases["x and y of "+curve.Params().Name+" "+name] = spelled{ec, std(std(ec, "x", encoding), "y", encoding)}
		}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		for _, coordinate := range []string{"x", "y"} {
			ec := ecJWK("a", curve)
			for tries := 0; raw(ec[coordinate])[0] != 0; tries++ { // one in 256, or in 2 for P-521
				if tries > 10_000 {
					t.Fatal("no coordinate begins with a zero")
				}
				ec = ecJWK("a", curve)
			}
			name := coordinate + " of " + curve.Params().Name
			cases[name+" without its leading zero"] = spelled{ec, ec.with(coordinate, b64(bytes.TrimLeft(raw(ec[coordinate]), "\x00")))}
			cases[name+" with one more zero"] = spelled{ec, ec.with(coordinate, b64(append([]byte{0}, raw(ec[coordinate])...)))}
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			set := parsed(t, jwks(c.is), jwks(c.as))
			if len(set[1].Keys) != 1 || len(set[1].Skipped) > 0 || set[0].Keys[0].Thumbprint() != set[1].Keys[0].Thumbprint() {
				t.Errorf("%+v, want %+v", set[1], set[0])
			}
		})
	}
}

// parsed reads texts that must have keys.
func parsed(t *testing.T, texts ...string) (sets []*keys.Set) {
	t.Helper()
	for _, text := range texts {
		set, err := keys.ParseJWKS([]byte(text))
		if err != nil {
			t.Fatalf("%v: %.200s", err, text)
		}
		sets = append(sets, set)
	}
	return sets
}

// publics are a public key of each type, with its kty and crv.
func publics() map[[2]string]any {
	return map[[2]string]any{
		{"RSA", ""}: rsaPublic(2048), {"EC", "P-256"}: ecPublic(elliptic.P256()), {"EC", "P-384"}: ecPublic(elliptic.P384()),
		{"EC", "P-521"}: ecPublic(elliptic.P521()), {"OKP", "Ed25519"}: ed25519.PublicKey(raw(edJWK("")["x"])),
	}
}

// A JWK may have its key in a certificate only, which need not be valid.
func TestJWKS_CertificateAlone(t *testing.T) {
	for kind, public := range publics() {
		want := keys.Key{Public: public}.Thumbprint()
		alone := jwk{"kid": "a", "x5c": []string{certificate(public), "the issuer's, which is not read"}}
		list := []jwk{alone, alone.with("kty", kind[0]), alone.with("kty", kind[0]).with("crv", kind[1]).with("use", "sig").with("n", "").with("x", nil)}
		for name, change := range oddCertificates {
			der := certificateDER(public, change)
			if _, err := x509.ParseCertificate(der); err == nil && kind[0] != "OKP" {
				t.Errorf("%s is accepted by x509", name)
			}
			list = append(list, alone.with("x5c", []string{base64.StdEncoding.EncodeToString(der)}), alone.with("x5c", []string{b64(der)}))
		}
		for _, key := range list {
			set := parsed(t, jwks(key))[0]
			if len(set.Keys) != 1 || set.Keys[0].ID != "a" || set.Keys[0].Thumbprint() != want {
				t.Errorf("%v: %s: %+v", kind, key, set)
			}
		}
	}
	// The numbers decide if both are there.
	ec := ecJWK("a", elliptic.P256())
	set := parsed(t, jwks(ec), jwks(ec.with("x5c", []string{certificate(rsaPublic(2048))})))
	if set[0].Keys[0].Thumbprint() != set[1].Keys[0].Thumbprint() {
		t.Error("the certificate decides")
	}
}

// Google publishes an object of key ids and PEM texts for Firebase (certificates) and for its
// Identity-Aware Proxy (public keys).
func TestJWKS_MapOfPEM(t *testing.T) {
	object := func(members map[string]string) string {
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for kind, public := range publics() {
		for name, text := range map[string]string{
			"certificate":           pemBlock("CERTIFICATE", certificateDER(public, nil)),
			"odd certificate":       pemBlock("CERTIFICATE", certificateDER(public, oddCertificates["a negative serial number"])),
			"public key":            publicPEM(public),
			"without line breaks":   strings.ReplaceAll(publicPEM(public), "\n", `\n`),
			"without the last one":  strings.TrimSpace(publicPEM(public)),
			"after text and a mark": bom + "x\r\n" + publicPEM(public),
		} {
			set := parsed(t, object(map[string]string{"ä/1": text, "b": publicPEM(ecPublic(elliptic.P256()))}))[0]
			if !slices.Equal(slices.Sorted(slices.Values(ids(set))), []string{"b", "ä/1"}) || len(set.Skipped) > 0 {
				t.Fatalf("%s: %+v", name, set)
			}
			if key := set.Keys[slices.Index(ids(set), "ä/1")]; key.Thumbprint() != (keys.Key{Public: public}).Thumbprint() {
				t.Errorf("%v, %s: %+v", kind, name, key)
			}
		}
	}
	good := publicPEM(ecPublic(elliptic.P256()))
	for name, c := range map[string]struct {
		id, text string
		says     string // of the one that is left out
	}{
		"a private key":     {"a", pemBlock("PRIVATE KEY", []byte{1}), "public half"},
		"cut short":         {"a", good[:len(good)/2], "whole"},
		"nonsense":          {"a", pemBlock("CERTIFICATE", []byte("nonsense")), "cannot be read"},
		"a weak key":        {"a", publicPEM(rsaPublic(1024)), "1024 bits"},
		"an id of 257 byte": {strings.Repeat("x", 257), good, "257 bytes"},
	} {
		set := parsed(t, object(map[string]string{"good": good, c.id: c.text}))[0]
		if !slices.Equal(ids(set), []string{"good"}) || len(set.Skipped) != 1 || !strings.Contains(set.Skipped[0].Reason, c.says) || len(set.Skipped[0].ID) > 256 {
			t.Errorf("%s: %+v", name, set)
		}
	}
	// A block that cannot be used is reported under its id, and the others serve.
	set := parsed(t, object(map[string]string{"a": good + pemBlock("X", nil)}))[0]
	if !slices.Equal(ids(set), []string{"a"}) || len(set.Skipped) != 1 || set.Skipped[0].ID != "a" {
		t.Errorf("%+v", set)
	}
	many := map[string]string{}
	for i := range 501 {
		many[fmt.Sprint(i)] = good
	}
	for name, c := range map[string]struct{ text, says string }{
		"501 members":      {object(many), "501 keys"},
		"another text":     {object(map[string]string{"good": good, "a": "text"}), `no array "keys"`},
		"an id twice":      {`{"a":"-----BEGIN PUBLIC KEY-----","a":"-----BEGIN PUBLIC KEY-----"}`, "duplicate"},
		"an error message": {`{"error":"invalid_client","error_description":"x"}`, `no array "keys"`},
		"objects":          {`{"a":{"kty":"RSA"}}`, `no array "keys"`},
		"nothing usable":   {object(map[string]string{"a": pemBlock("CERTIFICATE", []byte("nonsense"))}), "cannot be read"},
	} {
		if _, err := keys.ParseJWKS([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// An editor or a library may have written a byte order mark.
func TestSources_ByteOrderMark(t *testing.T) {
	set, text := jwks(ecJWK("", elliptic.P256()).with("note", "-----BEGIN PUBLIC KEY-----")), publicPEM(ecPublic(elliptic.P256()))
	const keysURL, issuer = "https://idp.example/keys", "https://idp.example"
	for name, body := range map[string]string{"a JWK Set": set, "PEM": text, "joined PEM": text + bom + publicPEM(rsaPublic(2048)), "PEM after a line": "\n" + text} {
		body = bom + body
		web := &site{pages: map[string]string{keysURL: body, issuer + "/.well-known/openid-configuration": bom + `{"issuer":"` + issuer + `","jwks_uri":"` + keysURL + `"}`}}
		for how, open := range map[string]func() (keys.Source, error){
			"a URL":     func() (keys.Source, error) { return keys.URL(keysURL, keys.Options{HTTPClient: web.client()}) },
			"discovery": func() (keys.Source, error) { return keys.Discovery(issuer, keys.Options{HTTPClient: web.client()}) },
			"a file":    func() (keys.Source, error) { return keys.Open("file:"+write(t, body), keys.Options{}) },
			"a text":    func() (keys.Source, error) { return keys.Open(body, keys.Options{}) },
		} {
			source, err := open()
			if err != nil {
				t.Errorf("%s by %s: %v", name, how, err)
				continue
			}
			got, err := source.Fetch(t.Context(), nil)
			if err != nil || len(got.Keys) != strings.Count(body, "kty")+strings.Count(body, "-----END") || len(got.Skipped) > 0 {
				t.Errorf("%s by %s: %+v, %v", name, how, got, err)
			}
		}
	}
	if _, err := keys.PEM(bom + text); err != nil {
		t.Error(err)
	}
	if _, err := keys.JWKS(bom + set); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{"in the middle": set[:1] + bom + set[1:], "twice": bom + bom + set, "of UTF-16": "\xff\xfe{\x00}\x00", "of UTF-16, big end first": "\xfe\xff\x00{\x00}"} {
		if _, err := keys.ParseJWKS([]byte(text)); err == nil || strings.Contains(name, "UTF-16") && !strings.Contains(err.Error(), "UTF-16") {
			t.Errorf("a mark %s: %v", name, err)
		}
	}
}

// Keys without ids that tokens can name by their certificates are not left out, however many.
func TestNewSet_RivalsWithCertificates(t *testing.T) {
	for _, member := range []string{"x5t", "x5t#S256"} {
		var list []any
		for i := range 9 {
			list = append(list, rsaJWK("", 2048).with(member, fmt.Sprint("thumbprint", i)))
		}
		set := parsed(t, jwks(list...))[0]
		if len(set.Keys) != 9 || !set.Keys[8].HasCertificate("thumbprint8", "") && !set.Keys[8].HasCertificate("", "thumbprint8") || set.Keys[8].HasCertificate("", "") {
			t.Errorf("%s: %+v", member, set)
		}
	}
}

// A PEM text is read block by block.
func TestPEM_SkipsUnusableBlocks(t *testing.T) {
	good, x25519 := publicPEM(ecPublic(elliptic.P256())), "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAXuqqydr0Uqf8MFxlIpbEDuJM8ZBs2b+Ys8QHlDfI9Sk=\n-----END PUBLIC KEY-----\n"
	for name, c := range map[string]struct{ text, says string }{
		"parameters of openssl":    {"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n", "EC PARAMETERS"},
		"a request":                {pemBlock("CERTIFICATE REQUEST", []byte{1}), "CERTIFICATE REQUEST"},
		"a certificate of nothing": {pemBlock("CERTIFICATE", []byte("nonsense")), "CERTIFICATE block that cannot be read"},
		"a key of nonsense":        {pemBlock("PUBLIC KEY", []byte("nonsense")), "PUBLIC KEY block that cannot be read"},
		"one under a wrong label":  {strings.ReplaceAll(good, "PUBLIC KEY", "RSA PUBLIC KEY"), "cannot be read"},
		"a label that differs":     {strings.Replace(good, "END PUBLIC", "END RSA PUBLIC", 1), "whole"},
		"one cut short":            {good[:len(good)/2] + "\n", "whole"},
		"one without line breaks":  {strings.ReplaceAll(good, "\n", " ") + "\n", "line breaks"},
		"one with other letters":   {strings.Replace(good, "M", "%", 1), "whole"},
		"a label alone":            {"-----BEGIN PUBLIC KEY-----\n", "whole"},
		"X25519":                   {x25519, "ecdh"},
		"P-224":                    {publicPEM(ecPublic(elliptic.P224())), "P-224"},
		"RSA of 1024 bits":         {publicPEM(rsaPublic(1024)), "1024 bits"},
		"a weak certificate":       {pemBlock("CERTIFICATE", certificateDER(rsaPublic(1024), nil)), "1024 bits"},
	} {
		for order, text := range map[string]string{"before": c.text + good, "after": good + c.text, "between": good + c.text + publicPEM(rsaPublic(2048))} {
			set, err := keys.ParsePEM([]byte(text))
			if err != nil || len(set.Keys) != strings.Count(text, "-----BEGIN ")-1 || len(set.Skipped) != 1 || !strings.Contains(set.Skipped[0].Reason, c.says) {
				t.Errorf("%s, %s: %+v, %v", name, order, set, err)
			}
		}
		if set, err := keys.ParsePEM([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s alone: %+v, %v", name, set, err)
		}
	}
}

// A private key is not skipped: the text has the wrong half, which is now exposed.
func TestPEM_RefusesPrivateKeys(t *testing.T) {
	good := publicPEM(ecPublic(elliptic.P256()))
	for _, label := range []string{"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"} {
		private := pemBlock(label, bytes.Repeat([]byte{7}, 100))
		for name, text := range map[string]string{
			"alone": private, "first": private + good, "last": good + private, "cut short": good + private[:len(private)/2],
			"without line breaks": strings.ReplaceAll(private, "\n", " "), "after an unusable block": pemBlock("X", nil) + private, "after a mark": good + bom + private,
		} {
			if set, err := keys.ParsePEM([]byte(text)); err == nil || !strings.Contains(err.Error(), "public half") {
				t.Errorf("%s, %s: %+v, %v", label, name, set, err)
			}
		}
	}
}

// The key of a certificate is read, even if package x509 refuses the rest.
func TestPEM_Certificates(t *testing.T) {
	for kind, public := range publics() {
		for name, change := range oddCertificates {
			for _, label := range []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"} {
				set, err := keys.ParsePEM([]byte(pemBlock(label, certificateDER(public, change))))
				if err != nil || len(set.Keys) != 1 || set.Keys[0].Thumbprint() != (keys.Key{Public: public}).Thumbprint() {
					t.Errorf("%v with %s: %+v, %v", kind, name, set, err)
				}
			}
		}
	}
	// One that package x509 has made and accepts.
	block, _ := pem.Decode([]byte(certificatePEM(t)))
	valid, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.ParsePEM(pem.EncodeToMemory(block))
	if err != nil || set.Keys[0].Thumbprint() != (keys.Key{Public: valid.PublicKey}).Thumbprint() {
		t.Errorf("%+v, %v", set, err)
	}
}
