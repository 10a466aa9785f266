package bench_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/bench"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestEveryKindHasAFigure(t *testing.T) {
	for _, kind := range []bench.Kind{{"RS256", 2048}, {"ES256", 0}, {"EdDSA", 0}} {
		var r bench.Result
		for range 50 { // the machine may be busy with something else, so that even a token that is known takes longer
			var err error
			if r, err = bench.Measure(t.Context(), kind, time.Millisecond, time.Now); err != nil {
				t.Fatalf("%v: %v", kind, err)
			}
			if r.Known > r.OneCore {
				break
			}
		}
		if r.OneCore <= 0 || r.AllCores <= 0 || r.Known <= r.OneCore || r.Cores < 1 || r.Nanoseconds() <= 0 {
			t.Errorf("%v: %+v", kind, r)
		}
	}
	if _, err := bench.Measure(t.Context(), bench.Kind{Algorithm: "none"}, time.Millisecond, time.Now); err == nil {
		t.Error("none has a figure")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bench.Measure(ended, bench.Kind{Algorithm: "EdDSA"}, time.Hour, time.Now); !errors.Is(err, context.Canceled) {
		t.Errorf("it goes on when its context has ended: %v", err)
	}
}

func TestTheKindsAreThoseOfTheProvidersKeys(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	source, err := keys.JWKS(string(issuer.JWKS()))
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := bench.KindsOf(t.Context(), source, []string{"RS256", "ES256"})
	if err != nil || len(kinds) != 1 || kinds[0] != (bench.Kind{"RS256", 2048}) {
		t.Error(kinds, err)
	}
}
