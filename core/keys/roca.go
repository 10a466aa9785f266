package keys

import "math/big"

// rocaPrimes are the small primes by which the fingerprint is told.
var rocaPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
	101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

// roca reports whether a modulus comes from the flawed generator of Infineon's library: its
// primes are powers of 65537 modulo many small primes, and so is their product (Nemec and
// others, "The Return of Coppersmith's Attack", CCS 2017, section 2.3). A sound modulus has
// that form with a probability far below 2^-64.
func roca(modulus *big.Int) bool {
	var remainder big.Int
	for _, p := range rocaPrimes {
		if !powerOf65537(remainder.Mod(modulus, big.NewInt(p)).Int64(), p) {
			return false
		}
	}
	return true
}

// powerOf65537 reports whether r is a power of 65537 modulo the prime p.
func powerOf65537(r, p int64) bool {
	power := int64(1)
	for range p {
		if power == r {
			return true
		}
		power = power * 65537 % p
	}
	return false
}
