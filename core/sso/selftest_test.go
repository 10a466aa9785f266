package sso_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/internal/verify"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// acceptAll is a signing method that another package could register.
type acceptAll struct{ jwt.SigningMethod }

func (acceptAll) Verify(string, []byte, any) error { return nil }

// Any import can replace the entries of golang-jwt's registry, and change its methods.
func TestNew_SelfTest(t *testing.T) {
	for _, algorithm := range keys.Algorithms() {
		if err := verify.SelfTest(algorithm); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	t.Run("the registry does not count", func(t *testing.T) {
		jwt.RegisterSigningMethod("EdDSA", func() jwt.SigningMethod { return acceptAll{jwt.SigningMethodEdDSA} })
		defer jwt.RegisterSigningMethod("EdDSA", func() jwt.SigningMethod { return jwt.SigningMethodEdDSA })
		unsigned := token()
		unsigned = unsigned[:strings.LastIndexByte(unsigned, '.')] + ".AAAA"
		if _, err := newAuth(t).ValidateToken(t.Context(), unsigned); reasonIn(err) != sso.ReasonBadSignature {
			t.Error(err)
		}
	})
	t.Run("a changed method does not start", func(t *testing.T) {
		jwt.SigningMethodRS384.Hash = crypto.SHA256
		defer func() { jwt.SigningMethodRS384.Hash = crypto.SHA384 }()
		_, err := sso.New(sso.Config{PublicKeyURI: jwksURL, Audience: []string{"api"}, Issuer: issuerID, Algorithms: []string{"RS256", "RS384"}})
		compareFaults(t, err, []setting{{"Algorithms", "", []string{"RS384", "does not verify a valid signature", "remove the import"}}}, func(s setting) string { return s.field })
	})
}
