package keys_test

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
)

// A service gives its source to sso.Config.Keys. Nothing is fetched before the first request.
func Example() {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	source, err := keys.Open(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
	if err != nil {
		log.Fatal(err) // about the address
	}
	set, err := source.Fetch(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(set.Keys), set.Keys[0].Fits("RS256"), set.Keys[0].Fits("ES256"))
	// Output:
	// 1 true false
}

// The discovery document names the issuer and the address of its keys.
func ExampleDiscovery() {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	source, err := keys.Discovery(issuer.URL(), keys.Options{HTTPClient: issuer.Client()})
	if err != nil {
		log.Fatal(err)
	}
	set, err := source.Fetch(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(set.Keys), set.Issuer == issuer.URL())
	// Output:
	// 1 true
}

// An error about an address has the remedy.
func ExampleURL() {
	_, err := keys.URL("http://login.example.com/jwks.json", keys.Options{})
	if setting, ok := errors.AsType[*keys.SettingError](err); ok {
		fmt.Println(setting.Problem)
		fmt.Println(setting.Remedy)
	}
	// Output:
	// http:// to login.example.com, where an attacker on the network can replace the keys
	// write https://
}

// A configuration holds an address, a file or the keys themselves.
func ExampleOpen() {
	for _, uri := range []string{
		"https://login.example.com/.well-known/jwks.json",
		examplePEM,
		"s3://bucket/keys.json",
	} {
		source, err := keys.Open(uri, keys.Options{})
		fmt.Println(source, err)
	}
	// Output:
	// https://login.example.com/.well-known/jwks.json <nil>
	// a PEM text <nil>
	// <nil> neither an https:// URL, nor file: and a path, nor PEM text
}

// A text in a configuration, whose line breaks were lost on the way.
func ExamplePEM() {
	source, err := keys.PEM(strings.ReplaceAll(examplePEM, "\n", `\n`))
	fmt.Println(source, err)
	// Output:
	// a PEM text <nil>
}

// A JWK Set as a text, which never changes.
func ExampleJWKS() {
	source, err := keys.JWKS(exampleJWKS)
	if err != nil {
		log.Fatal(err)
	}
	set, err := source.Fetch(context.Background(), nil)
	fmt.Println(source, set.Keys[0].ID, err)
	// Output:
	// a JWK Set text k1 <nil>
}

// A file is read at once, and again at every refresh: a missing one is found at start-up.
func ExampleFile() {
	read := func(name string) error {
		source, err := keys.File(name)
		if err != nil {
			return err
		}
		set, err := source.Fetch(context.Background(), nil)
		fmt.Println(source, len(set.Keys))
		return err
	}
	fmt.Println(read("testdata/example.json"))
	fmt.Println(errors.Is(read("testdata/exmaple.json"), fs.ErrNotExist))
	// Output:
	// file:testdata/example.json 1
	// <nil>
	// true
}

// Keys that the program has already.
func ExampleStatic() {
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	source, err := keys.Static(keys.Key{ID: "k1", Public: public})
	if err != nil {
		log.Fatal(err)
	}
	set, err := source.Fetch(context.Background(), nil)
	fmt.Println(set.Keys[0].ID, set.Fixed, err)
	// Output:
	// k1 true <nil>
}

// The service starts with keys that it was shipped with, whether the provider answers or not.
func ExampleWithSnapshot() {
	shipped, err := keys.JWKS(exampleJWKS)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := keys.URL("https://login.example.com/.well-known/jwks.json", keys.Options{})
	if err != nil {
		log.Fatal(err)
	}
	source := keys.WithSnapshot(shipped, provider)
	set, err := source.Fetch(context.Background(), nil)
	fmt.Println(source)
	fmt.Println(set.Keys[0].ID, err)
	// Output:
	// https://login.example.com/.well-known/jwks.json, starting with a JWK Set text
	// k1 <nil>
}

// A key that cannot be used is left out. The others serve.
func ExampleJWKS_skipped() {
	source, err := keys.JWKS(strings.Replace(exampleJWKS, "[", `[{"kty":"oct","kid":"secret","k":"c2VjcmV0"},`, 1))
	if err != nil {
		log.Fatal(err)
	}
	set, err := source.Fetch(context.Background(), nil)
	fmt.Println(len(set.Keys), set.Skipped[0].ID, err)
	// Output:
	// 1 secret <nil>
}

// A source of your own gets the keys from anywhere. NewSet checks them.
func ExampleNewSet() {
	set, err := vault{}.Fetch(context.Background(), nil)
	fmt.Println(set.Keys[0].ID, err)
	// Output:
	// k1 <nil>
}

// vault is a place of keys.
type vault struct{}

func (vault) String() string { return "the vault" }

func (vault) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	block, _ := pem.Decode([]byte(examplePEM)) // as the vault has it
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return keys.NewSet(keys.Key{ID: "k1", Algorithm: "EdDSA", Public: public})
}

// The module for another place of keys; importing it is all it takes.
func init() {
	keys.Register("examplevault", func(path string, _ keys.Options) (keys.Source, error) {
		if path == "" {
			return nil, &keys.SettingError{Problem: "no path", Remedy: "write examplevault:team/key"}
		}
		return vault{}, nil
	})
}

// Configurations understand a scheme that a module has registered, in an init function:
//
//	keys.Register("examplevault", func(path string, o keys.Options) (keys.Source, error) { … })
func ExampleRegister() {
	fmt.Println(keys.Open("examplevault:team/key", keys.Options{}))
	fmt.Println(keys.Open("examplevault:", keys.Options{}))
	// Output:
	// the vault <nil>
	// <nil> no path; write examplevault:team/key
}

// The algorithms that sso.Config.Algorithms accepts.
func ExampleAlgorithms() {
	fmt.Println(keys.Algorithms())
	// Output:
	// [RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519 ESP256 ESP384 ESP512]
}

// The public key of RFC 8037, appendix A.
const (
	exampleJWKS = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	examplePEM  = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`
)
