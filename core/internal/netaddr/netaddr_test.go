package netaddr_test

import (
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/netaddr"
)

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.0.0.2": true, "127.255.255.255": true, "::1": true, "[::1]": true,
		"::ffff:127.0.0.1": true, "": false, "localhost.": false, "localhost.example": false, "a.localhost": false, "126.0.0.1": false,
		"128.0.0.1": false, "127.1": false, "::2": false, "0.0.0.0": false, "127.0.0.1.example": false, "ｌocalhost": false,
	} {
		if got := netaddr.Loopback(host); got != want {
			t.Errorf("%q: %t, want %t", host, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for uri, want := range map[string]string{
		"https://login.example.com/keys":              `"https://login.example.com/keys"`,
		"https://user:secret@login.example.com/k?t=s": `"https://login.example.com/k"`,
		"https://login.example.com/k#secret":          `"https://login.example.com/k"`,
		"file:/etc/keys.pem":                          `"file:/etc/keys.pem"`,
		"keys.pem":                                    `"keys.pem"`,
		"arn:aws:kms:eu:1:key/2":                      `"arn:aws:kms:eu:1:key/2"`,
		"c2VjcmV0":                                    "a text of 8 bytes",
		"data:,secret":                                "a text of 12 bytes",
		"\tData:,secret":                              "a text of 13 bytes",
		`{"keys":[]}`:                                 "a text of 11 bytes",
		"-----BEGIN.":                                 "a key text",
		"a.b?secret":                                  "a text of 10 bytes",
		"user:secret@host":                            "a text of 16 bytes",
		strings.Repeat("a", 199) + ".":                `"` + strings.Repeat("a", 199) + `."`,
		strings.Repeat("a", 200) + ".":                "a text of 201 bytes",
	} {
		if got := netaddr.Redact(uri); got != want {
			t.Errorf("%.60q: %s, want %s", uri, got, want)
		}
	}
}
