package keys

import (
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
)

// The y coordinates of the points of small order on edwards25519, little endian with the sign
// bit clear, non-canonical spellings included (libsodium's list). Under such a key some
// signatures verify for messages that nobody signed.
var smallOrderPoints = func() (points [7][ed25519.PublicKeySize]byte) {
	for i, text := range [...]string{
		"0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"0100000000000000000000000000000000000000000000000000000000000000", // order 1
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2: p-1
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p, that is 0
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+1, that is 1
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			panic(err)
		}
		points[i] = [ed25519.PublicKeySize]byte(raw)
	}
	return points
}()

func smallOrder(key ed25519.PublicKey) bool {
	y := [ed25519.PublicKeySize]byte(key)
	y[31] &= 0x7f // the sign of x does not matter
	for _, point := range smallOrderPoints {
		if y == point {
			return true
		}
	}
	return false
}

// onEdwards25519 reports whether the key encodes a point at all (RFC 8032, section 5.1.3), which
// half of all byte strings do not: x² = (y² - 1) / (dy² + 1) must have a root modulo p.
func onEdwards25519(key ed25519.PublicKey) bool {
	littleEndian := slices.Clone(key)
	littleEndian[31] &= 0x7f // the sign of x
	slices.Reverse(littleEndian)
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 255)
	p.Sub(p, big.NewInt(19))
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665)) // over 121666

	y2 := new(big.Int).SetBytes(littleEndian)
	y2.Mul(y2, y2).Mod(y2, p)
	u := new(big.Int).Sub(y2, one)
	v := d.Mul(d, y2)
	v.Add(v, one)
	// u/v is a square exactly where u·v is.
	return big.Jacobi(u.Mul(u, v).Mod(u, p), p) != -1
}
