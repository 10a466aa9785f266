package keys_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

func pemBlock(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func publicPEM(public any) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return pemBlock("PUBLIC KEY", der)
}

func certificatePEM(t testing.TB) string {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	return pemBlock("CERTIFICATE", der)
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen_Texts(t *testing.T) {
	ec := publicPEM(ecPublic(elliptic.P256()))
	set := jwks(ecJWK("a", elliptic.P256()))
	file := write(t, set)
	odd := filepath.Join(t.TempDir(), "a b%c")
	if err := os.Rename(write(t, ec), odd); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(file))
	for name, uri := range map[string]string{
		"PEM":                                ec,
		"PEM without last line break":        strings.TrimSpace(ec),
		"PEM with CRLF":                      strings.ReplaceAll(ec, "\n", "\r\n"),
		"PEM with the characters \\n":        strings.ReplaceAll(ec, "\n", `\n`),
		"PEM with \\n and a real one at end": strings.ReplaceAll(ec, "\n", `\n`) + "\n",
		"PEM with text around":               "the key of our provider\n" + ec + "\nthat is all\n",
		"JWK Set text":                       set,
		"JWK Set text that holds PEM":        jwks(ecJWK("a", elliptic.P256()).with("note", "-----BEGIN PUBLIC KEY-----")),
		"JWK Set text, indented":             " \n" + set + "\n",
		"file:///":                           "file://" + file,
		"file:/":                             "file:" + file,
		"FILE:":                              "FILE:" + file,
		"file://localhost/":                  "file://localhost" + file,
		"file: and a relative path":          "file:" + filepath.Base(file),
		"file: and a path with escapes":      "file:" + strings.ReplaceAll(strings.ReplaceAll(odd, "%", "%25"), " ", "%20"),
	} {
		source, err := keys.Open(uri, keys.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if set, err := source.Fetch(t.Context(), nil); err != nil || len(set.Keys) != 1 {
			t.Errorf("%s: %+v, %v", name, set, err)
		}
		if strings.Contains(source.String(), "BEGIN") || strings.Contains(source.String(), "kty") {
			t.Errorf("%s: its name is %q", name, source)
		}
	}
	for _, uri := range []string{"https://idp.example/keys", "HTTPS://idp.example/keys", "http://localhost/keys"} {
		if source, err := keys.Open(uri, keys.Options{}); err != nil || source == nil { // without any network
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestOpen_Errors(t *testing.T) {
	folder := t.TempDir()
	ec := publicPEM(ecPublic(elliptic.P256()))
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(private)
	sec1, _ := x509.MarshalECPrivateKey(private)
	pipe := filepath.Join(folder, "pipe")
	if err = syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ uri, says string }{
		"nothing":                     {"", "neither"},
		"a bare word":                 {"keys", "neither"},
		"a bare path":                 {"/etc/keys.json", "neither"},
		"an unknown scheme":           {"ldap://idp.example/keys", "neither"},
		"a key module that is not":    {"awskms:alias/x", "kmskeys"},
		"http to another machine":     {"http://idp.example/keys", "http://"},
		"a private key":               {pemBlock("PRIVATE KEY", pkcs8), "public half"},
		"an EC private key":           {pemBlock("EC PRIVATE KEY", sec1), "public half"},
		"an RSA private key":          {pemBlock("RSA PRIVATE KEY", nil), "public half"},
		"an encrypted private key":    {pemBlock("ENCRYPTED PRIVATE KEY", []byte{1}), "public half"},
		"a private key beside":        {ec + pemBlock("PRIVATE KEY", pkcs8), "public half"},
		"a private key, \\n":          {strings.ReplaceAll(pemBlock("PRIVATE KEY", pkcs8), "\n", `\n`), "public half"},
		"a private key in a file":     {"file:" + write(t, pemBlock("PRIVATE KEY", pkcs8)), "public half"},
		"a private JWK":               {jwks(ecJWK("a", elliptic.P256()).with("d", "AQAB")), "private"},
		"a request":                   {pemBlock("CERTIFICATE REQUEST", []byte{1}), "CERTIFICATE REQUEST"},
		"a PEM without line breaks":   {strings.ReplaceAll(ec, "\n", " "), "line breaks"},
		"a PEM cut short":             {ec[:len(ec)/2], "whole"},
		"a PEM of nonsense":           {pemBlock("PUBLIC KEY", []byte("nonsense")), "cannot be read"},
		"a PEM that calls it RSA":     {strings.ReplaceAll(ec, "PUBLIC KEY", "RSA PUBLIC KEY"), "cannot be read"},
		"a certificate of nonsense":   {pemBlock("CERTIFICATE", []byte("nonsense")), "cannot be read"},
		"a weak key":                  {publicPEM(rsaPublic(1024)), "1024 bits"},
		"a key on P-224":              {publicPEM(ecPublic(elliptic.P224())), "P-224"},
		"a missing file":              {"file:" + folder + "/missing.json", folder + "/missing.json"},
		"a folder":                    {"file:" + folder, "folder"},
		"a pipe":                      {"file:" + pipe, "not a regular file"},
		"an empty file":               {"file:" + write(t, ""), "not a JSON object"},
		"a file that is too large":    {"file:" + write(t, strings.Repeat(" ", 256<<10+1)), "256 KiB"},
		"a file of another machine":   {"file://nas/keys.json", "another machine"},
		"a file without path":         {"file:", "no path"},
		"a file with a broken escape": {"file:/etc/%zz", "no path"},
		"a JWK Set text cut short":    {`{"keys":[`, "not a JSON object"},
		"a single JWK":                {ecJWK("a", elliptic.P256()).String(), `no array "keys"`},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := keys.Open(c.uri, keys.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, %v; want an error that says %q", source, err, c.says)
			}
		})
	}
	if _, err := keys.File(folder + "/missing.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestPEM_Blocks(t *testing.T) {
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPub := rsaPublic(2048)
	text := publicPEM(rsaPub) + publicPEM(ecPublic(elliptic.P384())) + publicPEM(ed) +
		pemBlock("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(rsaPublic(8192))) + certificatePEM(t) + publicPEM(rsaPublic(1024))
	set, err := keys.ParsePEM([]byte(text))
	if err != nil || len(set.Keys) != 5 || len(set.Skipped) != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	for i, a := range []string{"PS512", "ES384", "EdDSA", "RS256", "ES256"} {
		if key := set.Keys[i]; key.ID != "" || !key.Fits(a) {
			t.Errorf("key %d: %+v", i, key)
		}
	}
	if !rsaPub.Equal(set.Keys[0].Public) {
		t.Error("another key than the one given")
	}
	if _, err := keys.ParsePEM([]byte(strings.Repeat(publicPEM(ed), 501))); err == nil {
		t.Error("501 keys are accepted")
	}
	for i, x := range smallOrder() {
		if _, err := keys.ParsePEM([]byte(publicPEM(ed25519.PublicKey(raw(x))))); err == nil {
			t.Errorf("point %d of small order is accepted", i)
		}
	}
}

func TestFile_Replaced(t *testing.T) {
	path := write(t, jwks(ecJWK("a", elliptic.P256())))
	source, err := keys.Open("file:"+path, keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ text, says string }{
		{jwks(ecJWK("b", elliptic.P256())), ""},
		{`{"keys":[`, path}, // half written
		{jwks(ecJWK("b", elliptic.P256())), ""},
	} {
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := source.Fetch(t.Context(), nil)
		if step.says == "" && (err != nil || !slices.Equal(ids(set), []string{"b"})) || step.says != "" && (err == nil || !strings.Contains(err.Error(), step.says)) {
			t.Errorf("%.20s: %+v, %v", step.text, set, err)
		}
	}
}

func TestStatic(t *testing.T) {
	list := []keys.Key{ecKey("a")}
	source, err := keys.Static(list...)
	if err != nil {
		t.Fatal(err)
	}
	list[0] = keys.Key{ID: "evil"}
	if set, err := source.Fetch(t.Context(), nil); err != nil || !slices.Equal(ids(set), []string{"a"}) {
		t.Errorf("the caller's change counts: %+v, %v", set, err)
	}
	if _, err := keys.Static(); err == nil {
		t.Error("no keys are accepted")
	}
}
