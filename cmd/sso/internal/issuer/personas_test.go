package issuer_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/issuer"
	"github.com/more-retail/moresso-go/core/devissuer"
)

func TestPersona_Options(t *testing.T) {
	list, err := issuer.ParsePersonas([]byte(`
personas:
  ada:
    audience: [orders-api]
    scope: orders:read  orders:write
    roles: [clerk]
    permissions: {pma: {role: admin}}
    claims: {tenant: {id: t1}, n: 7}
    expires_in: 1m
  bob: {subject: robert}
  eve: {audience: shop, scope: [a, b], roles: guest}
`))
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	i, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"ada": {`"aud":"orders-api"`, `"scope":"orders:read orders:write"`, `"roles":["clerk"]`, `"permissions":{"pma":{"role":"admin"}}`, `"tenant":{"id":"t1"}`, `"n":7`},
		"eve": {`"aud":"shop"`, `"scope":"a b"`, `"roles":["guest"]`},
		"bob": {`"sub":"robert"`, `"aud":"api"`},
	} {
		payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(i.MustToken(list[name].Options()...), ".")[1])
		for _, part := range want {
			if !strings.Contains(string(payload), part) {
				t.Errorf("%s: %s lacks %s", name, payload, part)
			}
		}
	}
}

func TestParsePersonas_Errors(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"an unknown field":         {"personas:\n  ada:\n    permision: {}\n", `line 3: unknown field "permision"; below personas and a name, write subject, `},
		"a field at the top":       {"people: {}\n", `unknown field "people"`},
		"nothing":                  {"", "the file is empty"},
		"no persona":               {"personas: {}\n", "no persona is defined"},
		"two documents":            {"personas: {a: {}}\n---\npersonas: {b: {}}\n", "more than one YAML document"},
		"a duplicate name":         {"personas:\n  a: {}\n  a: {}\n", "already defined"},
		"an invalid duration":      {"personas: {a: {expires_in: soon}}\n", "cannot unmarshal"},
		"an object for texts":      {"personas:\n  a:\n    audience: {x: 1}\n", "line 3: write a text or a list of texts"},
		"a fraction of a second":   {"personas: {a: {expires_in: 1500ms}}\n", "write whole seconds"},
		"a name that is a number":  {"personas: {a: {claims: {x: {1: 2}}}}\n", "quote names that are numbers"},
		"invalid YAML":             {"personas: [\n", "yaml: "},
		"a persona without a name": {"personas: {'': {}}\n", "the name is empty"},
		"aliases that expand":      {bomb, "yaml: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := issuer.ParsePersonas([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "issuer.Persona") {
				t.Errorf("the error names a Go type: %v", err)
			}
		})
	}
}

var bomb = "personas: {a: {claims: {a: &a [x,x,x,x,x,x,x,x,x]" + func() string {
	var b strings.Builder
	for c := 'b'; c < 'l'; c++ {
		b.WriteString(", " + string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ",") + "]")
	}
	return b.String()
}() + "}}}\n"

func TestLoadPersonas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "personas.yaml")
	if _, err := issuer.LoadPersonas(path); err == nil {
		t.Error("no error without the file")
	}
	if err := os.WriteFile(path, []byte("personas: {ada: {}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := issuer.LoadPersonas(path); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
	if err := os.WriteFile(path, []byte("personas: {ada: {x: 1}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.LoadPersonas(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if err := os.WriteFile(path, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.LoadPersonas(path); err == nil {
		t.Error("2 MiB were read")
	}
}
