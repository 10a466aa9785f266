package cli_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestErrors_Usage(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	folder := t.TempDir()
	unknown := filepath.Join(folder, "unknown.yaml")
	if err := os.WriteFile(unknown, []byte("personas: {ada: {permision: {}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	trust := trusting(issuer)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // the test is over
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"an unknown command":              {[]string{"mnt"}, "unknown command; did you mean mint"},
		"an unknown flag":                 {[]string{"mint", "--permision", "x"}, "unknown flag: --permision"},
		"an extra argument":               {[]string{"doctor", "now"}, "takes flags only"},
		"no token":                        {append([]string{"explain"}, trust...), "send one through a pipe"},
		"no settings":                     {[]string{"explain"}, "SSO_AUDIENCE (or --audience) is not set"},
		"an invalid permission":           {append([]string{"explain", "--require", `is("a"`}, trust...), "--require: permission: 1:"},
		"an unknown permission":           {append([]string{"explain", "--require", `Is("a", 1)`}, trust...), "Is is written is"},
		"an address of other machines":    {[]string{"serve", "--listen", "0.0.0.0:9000"}, "--insecure-listen"},
		"no address":                      {[]string{"serve", "--listen", "9000"}, "127.0.0.1:9000"},
		"an invalid algorithm":            {[]string{"serve", "--keys-file=", "--algorithm", "HS256"}, "RS256"},
		"an address that is taken":        {[]string{"serve", "--keys-file=", "--listen", taken.Addr().String()}, "--listen 127.0.0.1:9001, and name it to sso mint by --issuer http://127.0.0.1:9001"},
		"keys of another algorithm":       {[]string{"serve", "--listen", "127.0.0.1:0", "--keys-file", keysFile(t), "--algorithm", "ES256"}, "--keys-file holds a key for EdDSA, --algorithm says ES256"},
		"an issuer with a query":          {[]string{"serve", "--listen", "127.0.0.1:0", "--keys-file=", "--issuer", "https://x?y"}, "without user, query and fragment"},
		"a lifetime of 0":                 {[]string{"serve", "--listen", "127.0.0.1:0", "--keys-file=", "--lifetime", "0s"}, "at least 1s"},
		"no file of personas":             {[]string{"serve", "--personas", filepath.Join(folder, "none.yaml")}, "none.yaml"},
		"an unknown field of a persona":   {[]string{"serve", "--personas", unknown}, `unknown field "permision"`},
		"no file of keys":                 {[]string{"mint", "--keys-file", filepath.Join(folder, "none.pem")}, "sso serve --keys-file"},
		"personas for a running issuer":   {[]string{"mint", "--personas", unknown}, "give the file to sso serve"},
		"a permission without a name":     {[]string{"mint", "--permission", "=x"}, "write name=value"},
		"a permission with an empty name": {[]string{"mint", "--permission", "a..b=x"}, "a name on the path is empty"},
		"a claim without a name":          {[]string{"mint", "--claim", "=x"}, "write name=value"},
		"an issuer that is not a URL":     {[]string{"mint", "--issuer", "localhost:9000"}, "http://127.0.0.1:9000"},
		"a fraction of a second":          {[]string{"mint", "--expires-in", "1500ms"}, "whole seconds"},
		"no client":                       {[]string{"mint", "--client="}, "--without client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, json := range []bool{false, true} {
				args := tt.args
				if json {
					args = append([]string{"--json"}, args...)
				}
				o := call{args: args, client: issuer.Client()}.run(t)
				text := o.stderr
				if json {
					text = errorOf(t, o)
				}
				if o.code != cli.ExitUsage || o.stdout != "" || !strings.Contains(text, tt.want) {
					t.Errorf("%+v, want %q", o, tt.want)
				}
			}
		})
	}
}

// errorOf reads the JSON on standard error.
func errorOf(t *testing.T, o outcome) string {
	t.Helper()
	var complaint struct {
		Error string `json:"error"`
		Code  int    `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(o.stderr), &complaint); err != nil || complaint.Code != o.code {
		t.Errorf("%v: %+v", err, o)
	}
	return complaint.Error
}

func TestErrors_SettingsInJSON(t *testing.T) {
	var complaint struct{ Faults []map[string]string }
	o := call{args: []string{"explain", "--json", "--leeway", "1h"}, stdin: "x"}.run(t)
	if err := json.Unmarshal([]byte(o.stderr), &complaint); err != nil || len(complaint.Faults) != 3 {
		t.Fatalf("%v: %+v", err, o)
	}
	for _, f := range complaint.Faults {
		if f["setting"] == "" || f["problem"] == "" || f["remedy"] == "" {
			t.Errorf("%v", f)
		}
	}
}

func TestErrors_Refused(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	issuer.Down()
	for name, args := range map[string][]string{
		"an issuer that is down":    {"mint", "--issuer", issuer.URL()},
		"a persona that is unknown": {"mint", "--keys-file", keysFile(t), "--persona", "eve"},
		"an invalid token, decoded": {"explain", "--decode"},
	} {
		if o := (call{args: args, client: issuer.Client(), stdin: "x"}).run(t); o.code != cli.ExitRefused || o.stderr == "" {
			t.Errorf("%s: %+v", name, o)
		}
	}
	code := cli.Run(t.Context(), cli.Environment{
		Args: []string{"explain", "--decode"}, Stdin: iotest.ErrReader(errors.New("gone")), Stdout: discard{}, Stderr: discard{}, Lookup: func(string) string { return "" },
	})
	if code != cli.ExitRefused {
		t.Errorf("a pipe that breaks: %d", code)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func keysFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(path, ssotest.NewIssuer(t, ssotest.FastKeys()).PrivateKeyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHelp(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"nothing at all":         {nil, []string{"A first session:", "Exit codes:", "serve", "mint", "explain", "doctor", "completion"}},
		"help":                   {[]string{"--help"}, []string{"A first session:"}},
		"a command":              {[]string{"explain", "--help"}, []string{"--require", "Examples:", "--audience"}},
		"help of one":            {[]string{"help", "explain"}, []string{"--require"}},
		"completion":             {[]string{"completion", "bash"}, []string{"bash completion"}},
		"completion of a flag":   {[]string{"__complete", "serve", "--algorithm", ""}, []string{"ES256", "EdDSA"}},
		"completion of commands": {[]string{"__complete", "m"}, []string{"mint"}},
		"version":                {[]string{"--version"}, []string{"sso version"}},
	} {
		o := call{args: tt.args}.run(t)
		for _, want := range tt.want {
			if o.code != 0 || !strings.Contains(o.stdout, want) {
				t.Errorf("%s: no %q in %+v", name, want, o)
			}
		}
	}
}

// TestDocs reads the examples of docs/CLI.md.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "CLI.md"))
	if err != nil {
		t.Skip(err) // outside the repository
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	yaml, _, _ := strings.Cut(rest, "```")
	path := filepath.Join(t.TempDir(), "personas.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	mint(t, "--keys-file", keysFile(t), "--personas", path, "--persona", "ada")

	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	permissions := regexp.MustCompile(`--require '([^']+)'`).FindAllStringSubmatch(string(text), -1)
	for _, p := range permissions {
		if o := (call{args: append([]string{"explain", "--require", p[1]}, trusting(issuer)...), stdin: issuer.Token(), client: issuer.Client()}).run(t); o.code == cli.ExitUsage {
			t.Errorf("%s: %+v", p[1], o)
		}
	}
	if len(permissions) < 2 {
		t.Errorf("found %d permissions", len(permissions))
	}
}
