package keys

import (
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
)

// roca reports whether a modulus comes from the flawed generator of Infineon's library
// (CVE-2017-15361). Its primes are powers of 65537 modulo many small primes, and so is their
// product (Nemec and others, "The Return of Coppersmith's Attack", CCS 2017, section 2.3). A sound
// modulus has that form with a probability far below 2^-64.
func roca(modulus *big.Int) bool {
	for p := int64(3); p <= 167; p += 2 {
		prime := big.NewInt(p)
		if !prime.ProbablyPrime(0) {
			continue
		}
		remainder := new(big.Int).Mod(modulus, prime).Int64()
		power, isPower := int64(1), false
		for range p {
			isPower = isPower || power == remainder
			power = power * 65537 % p
		}
		if !isPower {
			return false
		}
	}
	return true
}

// smallOrderPoints are the y coordinates of the points of small order on edwards25519, little endian
// with the sign bit clear, non-canonical encodings included (libsodium's list). For such a key some
// signatures verify for messages that were never signed.
var smallOrderPoints = []string{
	"0000000000000000000000000000000000000000000000000000000000000000", // order 4
	"0100000000000000000000000000000000000000000000000000000000000000", // order 1
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2: p-1
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p, that is 0
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+1, that is 1
}

func smallOrder(key ed25519.PublicKey) bool {
	return slices.Contains(smallOrderPoints, hex.EncodeToString(yOf(key)))
}

// yOf returns the y coordinate that a key encodes, little endian, without the sign of x.
func yOf(key ed25519.PublicKey) []byte {
	y := slices.Clone(key)
	y[31] &= 0x7f
	return y
}

// onEdwards25519 reports whether the key encodes a point (RFC 8032, section 5.1.3), as half of all
// byte strings do: x² = (y² - 1) / (dy² + 1) must have a root modulo p.
func onEdwards25519(key ed25519.PublicKey) bool {
	bigEndian := yOf(key)
	slices.Reverse(bigEndian)
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 255)
	p.Sub(p, big.NewInt(19))
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665)) // over 121666

	y2 := new(big.Int).SetBytes(bigEndian)
	y2.Mul(y2, y2).Mod(y2, p)
	u := new(big.Int).Sub(y2, one)
	v := d.Mul(d, y2)
	v.Add(v, one)
	// u/v is a square exactly if u·v is.
	return big.Jacobi(u.Mul(u, v).Mod(u, p), p) != -1
}
