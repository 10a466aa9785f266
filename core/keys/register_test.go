package keys_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

var errVault = errors.New("the vault's own answer")

// newScheme is one that is not registered yet: a registration lasts as long as the process,
// and tests may run several times in one.
func newScheme() string { return fmt.Sprintf("vault%d", schemes.Add(1)) }

var schemes atomic.Int64

func TestARegisteredSchemeIsOpened(t *testing.T) {
	var got string
	scheme := newScheme()
	keys.Register(strings.ToUpper(scheme), func(rest string, o keys.Options) (keys.Source, error) {
		got = rest + " " + strings.Join(o.Algorithms, " ")
		return nil, errVault
	})
	if _, err := keys.Open(scheme+":transit/orders", keys.Options{Algorithms: []string{"ES256"}}); !errors.Is(err, errVault) || got != "transit/orders ES256" {
		t.Errorf("%v, %q", err, got)
	}
}

func TestASchemeIsRegisteredOnce(t *testing.T) {
	open := func(string, keys.Options) (keys.Source, error) { return nil, errVault }
	scheme := newScheme()
	keys.Register(scheme, open)
	for name, register := range map[string]func(){
		"twice":       func() { keys.Register(strings.ToUpper(scheme), open) },
		"http":        func() { keys.Register("http", open) },
		"https":       func() { keys.Register("HTTPS", open) },
		"file":        func() { keys.Register("file", open) },
		"no scheme":   func() { keys.Register("", open) },
		"no function": func() { keys.Register("never", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			register()
		})
	}
}

func TestKeysOfAWSNameTheModuleThatReadsThem(t *testing.T) {
	for _, uri := range []string{
		"awskms:alias/orders", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		"arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/orders", "alias/orders",
		"alias/orders-old, alias/orders-new", "mrk-1234abcd12ab34cd56ef1234567890ab,1234abcd-12ab-34cd-56ef-1234567890ab",
		"mrk-1234abcd12ab34cd56ef1234567890ab", "1234abcd-12ab-34cd-56ef-1234567890ab",
	} {
		if _, err := keys.Open(uri, keys.Options{}); err == nil || !strings.Contains(err.Error(), `import _ "github.com/more-retail/moresso-go/kmskeys"`) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestKeysOfAWSAreToldFromOtherPlaces(t *testing.T) {
	pattern := regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[^\s,]+|alias/[^\s,]+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	const multiRegion, uuid, arn = "mrk-1234abcd12ab34cd56ef1234567890ab", "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws-cn:kms:cn-north-1:1:key/"
	for id, want := range map[string]bool{
		multiRegion: true, multiRegion[:35]: false, multiRegion + "a": false, multiRegion[:35] + "B": false, "mrk-": false, "x" + multiRegion: false,
		uuid: true, uuid[:35]: false, uuid + "0": false, uuid[1:]: false, uuid[:35] + "g": false, uuid[:35] + "\n": false,
		"1234abcd1-2ab-34cd-56ef-1234567890ab": false, "1234abcd-12ab3-4cd-56ef-1234567890ab": false, "1234abcd-12ab-34cd-56ef1-234567890ab": false,
		arn + uuid: true, "arn:aws:kms:x": true, "arn:aws:kms:": false, "arn:aws:s3:::keys": false, "arn:AWS:kms:x": false, "arn:aws1:kms:x": false, "arn:aws:kms:x y": false,
		"alias/orders": true, "alias/": false, "alias/\u00a0": true, "alias/a\tb": false, "alias": false, "": false, "https://idp.example/jwks.json": false,
	} {
		if got := keys.KMSID(id); got != want || got != pattern.MatchString(id) {
			t.Errorf("%q: %v, want %v; the pattern of old says %v", id, got, want, pattern.MatchString(id))
		}
	}
}
