package permission_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// TestThePythonEditionsVectors runs what the Python edition's check answered (run, not read).
// Where the Go edition answers otherwise, the vector says why.
func TestThePythonEditionsVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/permission_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID              int
			Claims          json.RawMessage
			Permission      string // null: empty
			Value           json.RawMessage
			Allowed         *bool  // null: refused when the permission is built
			AllowedByPython bool   `json:"allowed_by_python"`
			DiffersBecause  string `json:"differs_because"`
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 65 {
		t.Fatalf("%d cases, want 65", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(fmt.Sprintf("case %d", c.ID), func(t *testing.T) {
			build := func() sso.Permission { return permission.Has(c.Permission) }
			if c.Value != nil {
				var value any
				decoder := json.NewDecoder(bytes.NewReader(c.Value))
				decoder.UseNumber()
				if err := decoder.Decode(&value); err != nil {
					t.Fatal(err)
				}
				build = func() sso.Permission { return permission.Is(c.Permission, value) }
			}
			if c.Allowed == nil {
				if message := panicOf(func() { build() }); message == "" {
					t.Errorf("built, though %s", c.DiffersBecause)
				}
				return
			}
			if *c.Allowed != c.AllowedByPython && c.DiffersBecause == "" {
				t.Error("the vector does not say why the editions differ")
			}
			who := principal(t, string(c.Claims))
			p := build()
			if d := check(t, p, who); d.Granted() != *c.Allowed || d.Err() != nil {
				t.Errorf("%v on %s: %s, want allowed %t", p, c.Claims, d.Explain(), *c.Allowed)
			}
			if c.Value == nil {
				if d := check(t, permission.Truthy(c.Permission), who); d.Granted() != c.AllowedByPython {
					t.Errorf("Truthy on %s: %s, Python's answer is %t", c.Claims, d.Explain(), c.AllowedByPython)
				}
			}
		})
	}
}
