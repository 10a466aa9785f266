package keys_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

var errVault = errors.New("the vault's own answer")

// newScheme returns a scheme that is not registered yet. A registration lasts as long as the process,
// and tests may run several times in one.
func newScheme() string { return fmt.Sprintf("vault%d", schemes.Add(1)) }

var schemes atomic.Int64

func TestRegister(t *testing.T) {
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

func TestRegister_Once(t *testing.T) {
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
					t.Error("no panic")
				}
			}()
			register()
		})
	}
}

func TestOpen_NamesTheModuleForKMS(t *testing.T) {
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

func TestRegister_Match(t *testing.T) {
	var got string
	prefix := newScheme() + "/"
	keys.Register(strings.TrimSuffix(prefix, "/"), func(uri string, _ keys.Options) (keys.Source, error) {
		got = uri
		return nil, errVault
	}, func(uri string) bool { return strings.HasPrefix(uri, prefix) })
	if _, err := keys.Open(prefix+"orders:1", keys.Options{}); !errors.Is(err, errVault) || got != prefix+"orders:1" {
		t.Errorf("%v, %q", err, got)
	}
	for _, uri := range []string{"x" + prefix, "", "https://" + prefix, `{"` + prefix + `":1}`} {
		if _, err := keys.Open(uri, keys.Options{}); errors.Is(err, errVault) {
			t.Errorf("%s was given to the opener", uri)
		}
	}
}
