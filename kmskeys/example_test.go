package kmskeys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/kmskeys"
)

// With the module imported, PublicKeyURI can name keys in AWS KMS. Here it names the old and
// the new key of a rotation.
func Example() {
	auth, err := sso.New(sso.Config{
		PublicKeyURI: "awskms:alias/sso-2024,alias/sso-2025",
		Issuer:       "https://login.example.com",
		Audience:     []string{"orders-api"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("keys:", auth.Status()[0].Source, "- fetches:", auth.Status()[0].Fetches)
	// Output: keys: awskms:alias/sso-2024,alias/sso-2025 - fetches: 0
}

// A program with its own client, such as kms.NewFromConfig(cfg), passes it to New.
func ExampleNew() {
	source, err := kmskeys.New(fakeKMS{}, "alias/sso-signing")
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := sso.New(sso.Config{
		Keys:       source,
		Algorithms: []string{"ES256"},
		Issuer:     "https://login.example.com",
		Audience:   []string{"orders-api"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ready:", auth.Ready(context.Background()) == nil, "- keys:", len(auth.Status()[0].KeyIDs))
	// Output: ready: true - keys: 1
}

// fakeKMS replaces a *kms.Client.
type fakeKMS struct{}

func (fakeKMS) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	return &kms.GetPublicKeyOutput{KeyUsage: types.KeyUsageTypeSignVerify, KeySpec: types.KeySpecEccNistP256, PublicKey: der}, err
}
