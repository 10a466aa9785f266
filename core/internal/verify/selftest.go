package verify

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"errors"

	"github.com/more-retail/moresso-go/core/keys"
)

// SelfTest verifies a valid and three invalid signatures by an algorithm. Any package of the program can
// change the methods of golang-jwt, and one that accepts everything would go unnoticed.
func SelfTest(algorithm string) error {
	name := keys.OlderName(algorithm)
	decode := base64.RawURLEncoding.DecodeString
	der, err := decode(cmp.Or(selfTestKeys[name], selfTestKeys["RSA"]))
	if err != nil {
		return err
	}
	key := keys.Key{}
	if key.Public, err = x509.ParsePKIXPublicKey(der); err != nil {
		return err
	}
	signature, err := decode(selfTestSignatures[name])
	if err != nil {
		return err
	}
	if !key.Verify(algorithm, selfTestInput, signature) {
		return errors.New("does not verify a valid signature")
	}
	forged := append([]byte(nil), signature...)
	forged[len(forged)/2] ^= 1
	if key.Verify(algorithm, selfTestInput, forged) || key.Verify(algorithm, selfTestInput+".", signature) || key.Verify(algorithm, selfTestInput, []byte{0, 0, 0}) {
		return errors.New("verifies a forged signature")
	}
	return nil
}

const selfTestInput = "self-test"

// The private halves were discarded.
var selfTestKeys = map[string]string{
	"RSA":   "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxsZldd6bsLmOgCaQIQ8zA6zKuOnU7Jsh_Zr3aHzjgcg6QGfFqIzsYLDLAG68RHAJ4anWWLqAqz-3yRqVS4iPVxx1_BBsDO-aKv3Y1xTJYIiddxFJSifP7XovUcZYggJXORjShsu84uAvpHh6H5I64tnvd7nobQJWwHQARGAdzpyYMnuwzLaAkcL1Lnzt3sfjcy9oKf2aMVvg1e7z3s6qDKr9bDb-pF1X-JsllV4hyPGLEByscH3OWIbiLRXipis46s_AVrHq8MvP4ch68RshjI_PjmtzJqMROVoHPzm2ZU59BqSbPPJa7Dvi-TBIfhQKrnGWX7epSCOUwHd7oMtPEwIDAQAB",
	"ES256": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEE-G6utKRNHyosSCN8gAI8Z5LiWfOcry1ZfbrSUxxeUpa7aZU171BSMrmL2qQsh7_GgoAAkou0qV4aOyM7jrFuA",
	"ES384": "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEpIIXC1oAxmBGhFZwPXGIVIqGPZcqKlkfCC3bO2q7yO2vtNEu8UJTsarsEkrQMojHR6lneJOswsJJ7R6iJOhh09DzwWvahQ4wgIGYOlgtDPm_FFXBEPV6bdbjMVQLqhGX",
	"ES512": "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBhGI4HokoLVhJwrugMTYUcMFZer0s-UU9k73odfuWjRCHFX0F4T-yUChuU-3NUw013JXOMOoL6xibF2pE2l48v8sA_QEllNNA8hLz7Ts8tVOF9PrDuxzSi7hqmLcSMklKlAXMCp1tVwUxlqpLL-Xxgm1Qo5wyGO_IefpTKFxfySsBZGM",
	"EdDSA": "MCowBQYDK2VwAyEA3sGEaEVitTXuEiOHoEKNZyjEHync8g26cC8dAhrUsMY",
}

var selfTestSignatures = map[string]string{
	"RS256": "FGLCtNR2w0ITE5qTj6Hxm6VzjpUOOSdBBg6I2XfryDm2Zo50exVU5wFTB2XHzxzyWW1XhEzAOlNwjznOwL9VRtVwY87KLsekfWkZNKMj5_JiTsrr5NDOCndO9VvtjTVfsypWvtB0H4G1PlTlK_mn3sBI32Z63Z8uNIk2Wg_x1vlT4i_BkkkQMPONL0rKT5rRMejTtkl9-dY4j5noO0PpWZcnuWowReQXBwXPCo2ccNu-yEKUZM9sn9qUuOokGhtQo8KAvMXXAG3pwsMpHKTiOVS7atxbgiIzPEXwQ39lhG8LT6P_qxwk21SomrpN9Tmwn9nsxu_nS6u3Jmx9F5oecw",
	"RS384": "sWiTRYWBUE5ibN7F7ESGRsIPG_pt53jamQWMSGCVJcZHAnyFmoTC3R9G9GBARTTlxHwgDiGQBFZA5HSa-1bCLV2HAE8UvaIt8hOUgD9bAy6VXwTJeJQzXQZxs6IQIJvFQjF3uqU47XzB0VgbvtLfFUXWwZE3ZtPeztqOr1Bud2TDIHP3AQrUfGymD29PKzEawlii3mbj8fKdErEKGWxkzQjk4ZJ1280oFcKyPoLlKBn7n-SRBgwtp7oLrlrgTB9IU7wiGvouYHBFjZtSfX-QS68iaGc0pd7lXCyKVZFlh1QPvE0mdWxsdLoSJv4DcN_KlH3mDk8ZlzhJrjifzFr5yA",
	"RS512": "NMDAyFgFxR1N5LC3-EFlpTEP_CZ_sADTgSB2ek3ab_CtvsHc-XJlNCHvN6o0ETegktGPLR3_SBhTusOmMKONymCpiYOE8EW7eXQhfCuVSASTjsou_I6PgmA2ZmeCdt7MnZlK63IrC4qSu3kEqCUa4JLwpbtDz6EeRhxCMY7QqzCXTe8ti5NGiW8fABvgFG8YNo6js0aR-KQPQVWkLnrFbyH2JnLrXGOJ-AzMfcbgymLWTt1dmBzROp3Mhh0CmCV3IykQ-lrQD85KglYgdPNX8xT_UFJldeW9qCHzcfXek4H_xetkXwp6lvSWz4-EOHe8JvFHKZUlOqJVt2apmvxZIQ",
	"PS256": "TVBsd35nZQY64vpLusLWf8EcZ87NcwLJr9qoi7Ve4y7Xn5yqfz4YUxrfLzwLReNlhIfutkJ0ZjCxVuUklp5xAOSYQR8P-tqCPYxsMQ28P1UbMC4Y9Ima2-CBAVl70S9DlMOMy4Uw-_SQGHvKVkBbRfzZl4F2fMIU6audO1wKXE7s6yHaV_BTwxiJ0J4j2N8kkXdGRgD45O2wriaj0wpAMI6xb5kv2u6cmHiTtxUcPC54zs_DpjJu0cYt-t5FG_YykjXAF6JMoAEb2SQb3N--sHrv2crI-cPeAhW_IiL6hNwg6k_zdIUY9DMndKZUH0rdpqlaB6wZEGCrboZda7lEEg",
	"PS384": "S0q-Yn6psTo8AWoqAqqRrS5JnpIzHM1Qf6LMMTQs22x32xWzTjiXEvK7mDycixuAx-Y9Tkq-Rv-yqhQT7nUu6EnfYmIeQpDkq0oUoEVRGmr7ZLzNlrg8FKC88ZpenTMwuW3BVukZeSqbEbTPnFruE4dEUJqe2RWcmkd5j0gmuCbr_UetuBy_yebBfo_QrKPdXGnI-h8r8DtsiDrcpR5uI02ekG3e9sjSdmzk852sathHFxRXIvsTZowOFRxQeNNkZcL4H7UyIexmMIr9uyLE-VAL7JGMqPwBFi3Hh_KM5g2-T6KopauKNrzeT0sN8QRYV2dRwt8ZRQrTOPGMxQGr-g",
	"PS512": "jpj3qcmo6hJ3aLQlH9Vk5JS7_wqBBofrcl10x_OryW3TBJArzlSCB7O5OLv-tJONLLP7XaU4_-9hhjW2lREBo0aoz5wCOv8qelTMjLTUbzJ6O3sbtZAF-C-uqAAMpm_veOtkbpRWyKiL97bwo8_FfKgraNLQbG6lQhGj-HAj62KI2I8c6ZHed659mTDuXKe0JVXnrGZU7lnD4jeqd5H0jsTrJo_S8WrOcj8mY94uj847n9Ao7e1Fzed38DiJMp9gEufybnhAyHB64IbM7rNBYPNypvM8_PwsjIPQgQkNm2-R2o_M7jnvLCykAzT15B4nrHxjasgRK0phPGFQBr51eA",
	"ES256": "l-s76OOkwsqv_iiABQmYmcoFwXZDIZ4itwZK8tZm2CvMO9HjF4D2iG81YP9dvD43d_2f0Ed0eU9ZSvgUJK1OVQ",
	"ES384": "YQcC_cU9kUECSC_ZHLs64TWFKTw9BdcnhCPa5BmUlZjlY-KdsDoq47W0bhwIya2xJvKaVYDpwcvgJNx5lDiodU9FxxWmr6yJ32noFfXbf88XujApJ2vcKEHojsFuzi_y",
	"ES512": "AfzfF4VroXyGLvxcokvYZ6hEw3AW_l5ecAxArg3Mso539M9PDjE_jMLoxd9s_5Oq8JgwjLYBAMsKH02YGewikJNuAH8SKdH9slrDXwzTxXHJAHNcZwVGcqQzIBdCWJEhX8ZHraYFLGtj2gsBT4gX8XruIn-wez3qdVn4JUPP98q9UzGw",
	"EdDSA": "VSKYXpku7odgMrkQwsz_bWxYb2JjDRe0oGR_yMnL8t1fjhAJp1zi2G2Uz02UGlqMM1mL7o_BZHg5kqHmgzXOAA",
}
