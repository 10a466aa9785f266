package keys_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

func TestASourceWithoutAUsableKeyTellsWhatItHasInstead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"keys":[{"kty":"oct","kid":"a","k":"AAAA"},{"kty":"RSA","kid":"b","use":"enc","n":"AQAB","e":"AQAB"}]}`))
	}))
	defer server.Close()
	source, err := keys.URL(server.URL, keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Fetch(context.Background(), nil)
	var none *keys.NoKeyError
	if !errors.As(err, &none) || len(none.Skipped) != 2 || none.Skipped[0].ID != "a" || none.Skipped[1].ID != "b" {
		t.Errorf("%v", err)
	}
	if _, err := keys.JWKS(`{"keys":[]}`); !errors.As(err, &none) || len(none.Skipped) != 0 {
		t.Errorf("%v", err)
	}
}
