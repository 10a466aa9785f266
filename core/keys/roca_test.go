package keys_test

import (
	"crypto/rsa"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

// fingerprintPrimes are the primes of the paper's fingerprint.
var fingerprintPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
	101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// Infineon's primes are k·M + (65537^a mod M), where M is the product of the first 126 primes for keys of 2048 bits.
func TestNewSet_ROCA(t *testing.T) {
	m, found := big.NewInt(1), 0
	for p := int64(2); found < 126; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(p))
			found++
		}
	}
	prime := func(a int64) *big.Int {
		p := new(big.Int).Lsh(m, uint(1024-m.BitLen())) // k is a power of two at first
		p.Add(p, new(big.Int).Exp(big.NewInt(65537), big.NewInt(a), m))
		for !p.ProbablyPrime(1) {
			p.Add(p, m)
		}
		return p
	}
	modulus := prime(1234567890)
	modulus.Mul(modulus, prime(9876543210))
	_, err := keys.NewSet(keys.Key{Public: &rsa.PublicKey{N: modulus, E: 65537}})
	if err == nil || !strings.Contains(err.Error(), "ROCA") {
		t.Errorf("a modulus of %d bits: %v", modulus.BitLen(), err)
	}
}

// The fingerprint depends on the remainders modulo small primes only, so these moduli are made from them.
func TestNewSet_ROCAForm(t *testing.T) {
	product := big.NewInt(1)
	for _, p := range fingerprintPrimes {
		product.Mul(product, big.NewInt(p))
	}
	// An even multiple of the product, so that an odd remainder makes an odd modulus.
	base := new(big.Int).Lsh(big.NewInt(1), 2047)
	base.Div(base, product).Add(base, big.NewInt(4)).Rsh(base, 1).Lsh(base, 1).Mul(base, product)

	accepted := func(modulus *big.Int) (bool, string) {
		if modulus.Bit(0) == 0 || modulus.BitLen() != 2048 {
			t.Fatalf("a test of nothing: %d bits, %v", modulus.BitLen(), modulus.Bit(0))
		}
		set, err := keys.NewSet(keys.Key{Public: &rsa.PublicKey{N: modulus, E: 65537}}, ecKey("good"))
		if err != nil {
			t.Fatal(err)
		}
		return len(set.Skipped) == 0, fmt.Sprint(set.Skipped)
	}
	for _, exponent := range []int64{0, 1, 2, 81, 1 << 40} {
		power := new(big.Int).Exp(big.NewInt(65537), big.NewInt(exponent), product)
		if power.Bit(0) == 0 {
			power.Add(power, product)
		}
		if ok, why := accepted(new(big.Int).Add(base, power)); ok || !strings.Contains(why, "ROCA") {
			t.Errorf("65537^%d: %s", exponent, why)
		}
	}
	for _, p := range fingerprintPrimes {
		// 1 modulo all other primes, and 0, which is not a power, modulo p: 1 + k·product/p ≡ 0.
		others := new(big.Int).Div(product, big.NewInt(p))
		k := new(big.Int).ModInverse(others, big.NewInt(p))
		k.Neg(k).Mod(k, big.NewInt(p))
		modulus := new(big.Int).Mul(k, others)
		modulus.Add(modulus, big.NewInt(1))
		if modulus.Bit(0) == 0 {
			modulus.Add(modulus, product)
		}
		if ok, why := accepted(modulus.Add(modulus, base)); !ok {
			t.Errorf("no power modulo %d: %s", p, why)
		}
	}
}
