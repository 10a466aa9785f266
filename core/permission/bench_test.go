package permission_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// BenchmarkGrant measures granted checks beside an RSA verification (2048 bits, RS256) in the
// same run: slices of both in turn. The metric rsa/check says how many checks go into one.
func BenchmarkGrant(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("anchor"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	who := principal(b, `{"permissions":{"shop":{"orders":{"role":"clerk","on":true}}},"scope":"a orders:read"}`)
	for name, p := range map[string]sso.Permission{
		"path of three levels":  permission.Is("shop.orders.role", "admin", "clerk"),
		"three leaves combined": permission.All(permission.Is("shop.orders.role", "clerk"), permission.Any(permission.Has("shop.orders.on"), permission.Scope("orders:read"))),
	} {
		b.Run(name, func(b *testing.B) {
			ctx, access := b.Context(), sso.NewAccess(who, nil)
			const checks, verifications = 2000, 10
			var checking, verifying time.Duration
			rounds := 0
			b.ReportAllocs()
			for b.Loop() {
				rounds++
				begun := time.Now()
				for range checks {
					if !sso.Check(ctx, p, access).Granted() {
						b.Fatal("denied")
					}
				}
				half := time.Now()
				for range verifications {
					if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature) != nil {
						b.Fatal("refused")
					}
				}
				checking += half.Sub(begun)
				verifying += time.Since(half)
			}
			perCheck := float64(checking) / float64(rounds*checks)
			b.ReportMetric(perCheck, "ns/check")
			b.ReportMetric(float64(verifying)/float64(rounds*verifications)/perCheck, "rsa/check")
			b.ReportMetric(0, "ns/op")
		})
	}
}
