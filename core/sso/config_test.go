package sso_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

const jwksURL = "https://login.example.com/.well-known/jwks.json"

// setting is one problem of a configuration.
type setting struct {
	field, variable string   // names in the errors of New and of ConfigFromEnv
	says            []string // the value, the problem, the remedy
}

func TestNew_ConfigErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	private := privatePEM(t, rsaKey())
	const uriRemedy = "write the https:// URL of a JWK Set, PEM or discovery document, file: and a path, or a PEM public key"

	for _, test := range []struct {
		name   string
		env    []string // names and values in turn, over a valid environment
		config func(*sso.Config)
		want   []setting
	}{
		{
			"no audience",
			[]string{"SSO_AUDIENCE", ""},
			func(c *sso.Config) { c.Audience = nil },
			[]setting{{"Audience", "SSO_AUDIENCE", []string{"is not set", "write the name", "orders-api"}}},
		},
		{
			"an empty audience among others",
			[]string{"SSO_AUDIENCE", "api,,web"},
			func(c *sso.Config) { c.Audience = []string{"api", "", "web"} },
			[]setting{{"Audience", "SSO_AUDIENCE", []string{`holds ""`, "write each audience"}}},
		},
		{
			"an audience and the check skipped",
			[]string{"SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_CLIENT_IDS", "web", "SSO_ISSUER", issuerID},
			func(c *sso.Config) { c.SkipAudienceCheck, c.ClientIDs, c.Issuer = true, []string{"web"}, issuerID },
			[]setting{{"Audience", "SSO_AUDIENCE", []string{"as well as S", "set one of them"}}},
		},
		{
			"the audience skipped without issuer and clients",
			[]string{"SSO_AUDIENCE", "", "SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_ISSUER", ""},
			func(c *sso.Config) { c.Audience, c.SkipAudienceCheck, c.Issuer = nil, true, "" },
			[]setting{
				{"ClientIDs", "SSO_CLIENT_IDS", []string{"is not set", "tokens for other services", "write the OAuth clients"}},
				{"Issuer", "SSO_ISSUER", []string{"is not set", "tokens for other services", "as in the tokens' iss"}},
			},
		},
		{
			"the audience skipped without an issuer",
			[]string{"SSO_AUDIENCE", "", "SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_CLIENT_IDS", "web", "SSO_ISSUER", ""},
			func(c *sso.Config) {
				c.Audience, c.SkipAudienceCheck, c.ClientIDs, c.Issuer = nil, true, []string{"web"}, ""
			},
			[]setting{{"Issuer", "SSO_ISSUER", []string{"is not set", "tokens for other services"}}},
		},
		{
			"the audience skipped without clients",
			[]string{"SSO_AUDIENCE", "", "SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_ISSUER", issuerID},
			func(c *sso.Config) {
				c.Audience, c.SkipAudienceCheck, c.Issuer, c.ClientIDs = nil, true, issuerID, []string{}
			},
			[]setting{{"ClientIDs", "SSO_CLIENT_IDS", []string{"is not set", "tokens for other services"}}},
		},
		{
			"an empty client among others",
			[]string{"SSO_CLIENT_IDS", "web,,app"},
			func(c *sso.Config) { c.ClientIDs = []string{"web", "", "app"} },
			[]setting{{"ClientIDs", "SSO_CLIENT_IDS", []string{`holds ""`, "write each client"}}},
		},
		{
			"an address with white space",
			nil,
			func(c *sso.Config) { c.PublicKeyURI = jwksURL + " " },
			[]setting{{"PublicKeyURI", "", []string{"has white space around it", "remove it"}}},
		},
		{
			"a claim with white space",
			nil,
			func(c *sso.Config) { c.PermissionsClaim, c.RolesClaim = "a ", " b" },
			[]setting{{"PermissionsClaim", "", []string{`holds "a "`, "surrounding white space"}}, {"RolesClaim", "", []string{`holds " b"`, "surrounding white space"}}},
		},
		{
			"several claims, of which one is empty",
			[]string{"SSO_ROLES_CLAIM", "groups,,roles"},
			func(c *sso.Config) { c.RolesClaim = "groups,,roles" },
			[]setting{{"RolesClaim", "SSO_ROLES_CLAIM", []string{`holds "groups,,roles"`, "not empty"}}},
		},
		{
			"several claims, of which one passes for another",
			[]string{"SSO_ROLES_CLAIM", "groups, Scope"},
			func(c *sso.Config) { c.RolesClaim = "groups, Scope" },
			[]setting{{"RolesClaim", "SSO_ROLES_CLAIM", []string{`holds "Scope"`, "treat as scope"}}},
		},
		{
			"a client with white space",
			nil,
			func(c *sso.Config) { c.ClientIDs = []string{"web "} },
			[]setting{{"ClientIDs", "", []string{`holds "web "`, "surrounding white space"}}},
		},
		{
			"an unknown type of token",
			[]string{"SSO_TOKEN_TYPE", "ID"},
			func(c *sso.Config) { c.TokenType = "ID" },
			[]setting{{"TokenType", "SSO_TOKEN_TYPE", []string{`holds "ID"`, "write at+jwt or id_token"}}},
		},
		{
			"a permissions claim that differs from iss by case",
			[]string{"SSO_PERMISSIONS_CLAIM", "ISS.roles"},
			func(c *sso.Config) { c.PermissionsClaim = "ISS.roles" },
			[]setting{{"PermissionsClaim", "SSO_PERMISSIONS_CLAIM", []string{`holds "ISS.roles"`, "treat as iss", "rename the claim"}}},
		},
		{
			"no keys",
			[]string{"SSO_PUBLIC_KEY_URI", "", "SSO_ISSUER", ""},
			func(c *sso.Config) { c.PublicKeyURI, c.Issuer = "", "" },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{"is not set", "https://login.example.com/"}}},
		},
		{
			"no issuer",
			[]string{"SSO_ISSUER", ""},
			func(c *sso.Config) { c.Issuer = "" },
			[]setting{{"Issuer", "SSO_ISSUER", []string{"is not set", "every issuer", "as in the tokens' iss", "to true"}}},
		},
		{
			"an issuer and the check skipped",
			[]string{"SSO_SKIP_ISSUER_CHECK", "true"},
			func(c *sso.Config) { c.SkipIssuerCheck = true },
			[]setting{{"Issuer", "SSO_ISSUER", []string{"as well as S", "set one of them"}}},
		},
		{
			"HS256",
			[]string{"SSO_ALGORITHMS", "RS256,HS256"},
			func(c *sso.Config) { c.Algorithms = []string{"RS256", "HS256"} },
			[]setting{{"Algorithms", "SSO_ALGORITHMS", []string{`holds "HS256"`, "symmetric", "write RS256"}}},
		},
		{
			"hs512 in lower case",
			[]string{"SSO_ALGORITHMS", "hs512"},
			func(c *sso.Config) { c.Algorithms = []string{"hs512"} },
			[]setting{{"Algorithms", "SSO_ALGORITHMS", []string{`holds "hs512"`, "symmetric", "write RS256"}}},
		},
		{
			"none",
			[]string{"SSO_ALGORITHMS", "none"},
			func(c *sso.Config) { c.Algorithms = []string{"none"} },
			[]setting{{"Algorithms", "SSO_ALGORITHMS", []string{`holds "none"`, "accepts unsigned tokens", "write RS256"}}},
		},
		{
			"none in another spelling",
			[]string{"SSO_ALGORITHMS", "nOnE"},
			func(c *sso.Config) { c.Algorithms = []string{"nOnE"} },
			[]setting{{"Algorithms", "SSO_ALGORITHMS", []string{`holds "nOnE"`, "accepts unsigned tokens", "write RS256"}}},
		},
		{
			"an algorithm in lower case",
			[]string{"SSO_ALGORITHMS", "rs256"},
			func(c *sso.Config) { c.Algorithms = []string{"rs256"} },
			[]setting{{"Algorithms", "SSO_ALGORITHMS", []string{`holds "rs256"`, "not a supported algorithm", "write RS256"}}},
		},
		{
			"an empty algorithm",
			[]string{"SSO_ALGORITHMS", "RS256,"},
			func(c *sso.Config) { c.Algorithms = []string{"RS256", ""} },
			[]setting{{"Algorithms", "SSO_ALGORITHMS", []string{`holds ""`, "write RS256"}}},
		},
		{
			"a file that is not there",
			[]string{"SSO_PUBLIC_KEY_URI", "file:" + filepath.Join(dir, "missing.pem")},
			func(c *sso.Config) { c.PublicKeyURI = "file:" + filepath.Join(dir, "missing.pem") },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{"missing.pem", "no such file", uriRemedy}}},
		},
		{
			"a folder",
			[]string{"SSO_PUBLIC_KEY_URI", "file:" + dir},
			func(c *sso.Config) { c.PublicKeyURI = "file:" + dir },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{dir, "folder", uriRemedy}}},
		},
		{
			"a file with something else",
			[]string{"SSO_PUBLIC_KEY_URI", file("notes.txt", "not a key")},
			func(c *sso.Config) { c.PublicKeyURI = file("notes.txt", "not a key") },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{"notes.txt", uriRemedy}}},
		},
		{
			"a path without file:",
			[]string{"SSO_PUBLIC_KEY_URI", "keys/sso.pem"},
			func(c *sso.Config) { c.PublicKeyURI = "keys/sso.pem" },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{`holds "keys/sso.pem"`, uriRemedy}}},
		},
		{
			"http:// to another machine",
			[]string{"SSO_PUBLIC_KEY_URI", "http://login.example.com/jwks.json"},
			func(c *sso.Config) { c.PublicKeyURI = "http://login.example.com/jwks.json" },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{`holds "http://login.example.com/jwks.json"`, "an attacker on the network", "write https://"}}},
		},
		{
			"another scheme",
			[]string{"SSO_PUBLIC_KEY_URI", "ftp://login.example.com/jwks.json"},
			func(c *sso.Config) { c.PublicKeyURI = "ftp://login.example.com/jwks.json" },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{`holds "ftp://login.example.com/jwks.json"`, uriRemedy}}},
		},
		{
			"a private key as text",
			[]string{"SSO_PUBLIC_KEY_URI", private},
			func(c *sso.Config) { c.PublicKeyURI = private },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{"PRIVATE KEY instead of a public key", "replace this key", uriRemedy}}},
		},
		{
			"a private key in a file",
			[]string{"SSO_PUBLIC_KEY_URI", file("private.pem", private)},
			func(c *sso.Config) { c.PublicKeyURI = file("private.pem", private) },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{"private.pem", "PRIVATE KEY instead of a public key", uriRemedy}}},
		},
		{
			"a secret where an address belongs",
			[]string{"SSO_PUBLIC_KEY_URI", "correcthorsebatterystaple"},
			func(c *sso.Config) { c.PublicKeyURI = "correcthorsebatterystaple" },
			[]setting{{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{"a text of 25 bytes", uriRemedy}}},
		},
		{
			"an issuer with white space",
			[]string{"SSO_ISSUER", "https://login.example.com "},
			func(c *sso.Config) { c.Issuer = "https://login.example.com " },
			[]setting{{"Issuer", "SSO_ISSUER", []string{`holds "https://login.example.com "`, "exactly as in the tokens' iss"}}},
		},
		{
			"an issuer without host",
			[]string{"SSO_ISSUER", "https:///tenant"},
			func(c *sso.Config) { c.Issuer = "https:///tenant" },
			[]setting{{"Issuer", "SSO_ISSUER", []string{"exactly as in the tokens' iss"}}},
		},
		{
			"an issuer without keys that is not a URL",
			[]string{"SSO_PUBLIC_KEY_URI", "", "SSO_ISSUER", "login.example.com"},
			func(c *sso.Config) { c.PublicKeyURI, c.Issuer = "", "login.example.com" },
			[]setting{{"Issuer", "SSO_ISSUER", []string{`holds "login.example.com"`, "cannot be discovered", "write an https:// issuer"}}},
		},
		{
			"an issuer over http without keys",
			[]string{"SSO_PUBLIC_KEY_URI", "", "SSO_ISSUER", "http://login.example.com"},
			func(c *sso.Config) { c.PublicKeyURI, c.Issuer = "", "http://login.example.com" },
			[]setting{{"Issuer", "SSO_ISSUER", []string{`holds "http://login.example.com"`, "write an https:// issuer"}}},
		},
		{
			"a leeway that is not a duration",
			[]string{"SSO_LEEWAY", "60"},
			nil,
			[]setting{{"", "SSO_LEEWAY", []string{`holds "60"`, "not a duration", "e.g. 30s"}}},
		},
		{
			"a leeway too long",
			[]string{"SSO_LEEWAY", "5m1s"},
			func(c *sso.Config) { c.Leeway = 5*time.Minute + time.Second },
			[]setting{{"Leeway", "SSO_LEEWAY", []string{"holds 5m1s", "expired tokens", "write at most 5m"}}},
		},
		{
			"a negative leeway in the environment",
			[]string{"SSO_LEEWAY", "-30s"},
			nil,
			[]setting{{"", "SSO_LEEWAY", []string{`holds "-30s"`, "from 0s to 5m"}}},
		},
		{
			"the smallest negative leeway",
			[]string{"SSO_LEEWAY", "-1ns"},
			nil,
			[]setting{{"", "SSO_LEEWAY", []string{"from 0s to 5m"}}},
		},
		{
			"a bound of zero bytes",
			[]string{"SSO_MAX_TOKEN_BYTES", "0"},
			nil,
			[]setting{{"", "SSO_MAX_TOKEN_BYTES", []string{`holds "0"`, "from 1"}}},
		},
		{
			"a bound that is not a number",
			[]string{"SSO_MAX_TOKEN_BYTES", "16KiB"},
			nil,
			[]setting{{"", "SSO_MAX_TOKEN_BYTES", []string{`holds "16KiB"`, "whole number"}}},
		},
		{
			"a bound beyond 1 MiB",
			[]string{"SSO_MAX_TOKEN_BYTES", "1048577"},
			func(c *sso.Config) { c.MaxTokenBytes = 1048577 },
			[]setting{{"MaxTokenBytes", "SSO_MAX_TOKEN_BYTES", []string{"holds 1048577", "at most 1048576"}}},
		},
		{
			"a negative bound", nil,
			func(c *sso.Config) { c.MaxTokenBytes = -1 },
			[]setting{{"MaxTokenBytes", "", []string{"holds -1", "at most 1048576"}}},
		},
		{
			"keys that serve for more than a day",
			[]string{"SSO_STALE_FOR", "25h"},
			func(c *sso.Config) { c.StaleFor = 25 * time.Hour },
			[]setting{{"StaleFor", "SSO_STALE_FOR", []string{"holds 25h", "at most 24h", "1h"}}},
		},
		{
			"a fetch of keys above 30 s",
			[]string{"SSO_KEY_FETCH_TIMEOUT", "30001ms"},
			func(c *sso.Config) { c.KeyFetchTimeout = 30001 * time.Millisecond },
			[]setting{{"KeyFetchTimeout", "SSO_KEY_FETCH_TIMEOUT", []string{"holds 30.001s", "at most 30s", "10s"}}},
		},
		{
			"a fetch of keys without time", nil,
			func(c *sso.Config) { c.KeyFetchTimeout = -1 },
			[]setting{{"KeyFetchTimeout", "", []string{"holds -1ns", "at most 30s"}}},
		},
		{
			"a time without unit",
			[]string{"SSO_KEY_FETCH_TIMEOUT", "5"},
			nil,
			[]setting{{"", "SSO_KEY_FETCH_TIMEOUT", []string{`holds "5"`, "not a duration"}}},
		},
		{
			"a token cache that is not a number",
			[]string{"SSO_TOKEN_CACHE", "plenty"},
			nil,
			[]setting{{"", "SSO_TOKEN_CACHE", []string{`holds "plenty"`, "a whole number from 0"}}},
		},
		{
			"a negative token cache",
			[]string{"SSO_TOKEN_CACHE", "-1"},
			nil,
			[]setting{{"", "SSO_TOKEN_CACHE", []string{"holds", "a whole number from 0"}}},
		},
		{
			"a token cache of more than a million",
			[]string{"SSO_TOKEN_CACHE", "1000001"},
			func(c *sso.Config) { c.TokenCache = 1_000_001 },
			[]setting{{"TokenCache", "SSO_TOKEN_CACHE", []string{"holds 1000001", "at most 1000000"}}},
		},
		{
			"a switch that is neither on nor off",
			[]string{"SSO_TELL_SCOPES", "yes please"},
			nil,
			[]setting{{"", "SSO_TELL_SCOPES", []string{`holds "yes please"`, "write true or false"}}},
		},
		{
			"an insecure switch that is neither on nor off",
			[]string{"SSO_INSECURE_ALLOW_HTTP", "1.0"},
			nil,
			[]setting{{"", "SSO_INSECURE_ALLOW_HTTP", []string{`holds "1.0"`, "write true or false"}}},
		},
		{
			"Keys and PublicKeyURI", nil,
			func(c *sso.Config) { c.Keys = static(t, "", "", ada.Public()) },
			[]setting{{"PublicKeyURI", "", []string{"as well as Keys", "set one of them"}}},
		},
		{
			"a nil pointer as Keys", nil,
			func(c *sso.Config) { c.PublicKeyURI, c.Keys = "", (*keySource)(nil) },
			[]setting{{"Keys", "", []string{"nil *sso_test.keySource", "set a key source"}}},
		},
		{
			"three problems",
			[]string{"SSO_PUBLIC_KEY_URI", "http://login.example.com/jwks.json", "SSO_AUDIENCE", "", "SSO_ALGORITHMS", "HS256"},
			func(c *sso.Config) {
				c.PublicKeyURI, c.Audience, c.Algorithms = "http://login.example.com/jwks.json", nil, []string{"HS256"}
			},
			[]setting{
				{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{`holds "http://login.example.com/jwks.json"`, "write https://"}},
				{"Audience", "SSO_AUDIENCE", []string{"is not set", "write the name"}},
				{"Algorithms", "SSO_ALGORITHMS", []string{`holds "HS256"`, "write RS256"}},
			},
		},
		{
			"an invalid issuer beside an invalid key",
			[]string{"SSO_PUBLIC_KEY_URI", "keys.pem", "SSO_ISSUER", " x"},
			func(c *sso.Config) { c.PublicKeyURI, c.Issuer = "keys.pem", " x" },
			[]setting{
				{"Issuer", "SSO_ISSUER", []string{"not a valid issuer"}},
				{"PublicKeyURI", "SSO_PUBLIC_KEY_URI", []string{`holds "keys.pem"`, uriRemedy}},
			},
		},
		{
			"a problem of every kind",
			[]string{
				"SSO_PUBLIC_KEY_URI", "keys.pem", "SSO_AUDIENCE", "", "SSO_ISSUER", " x", "SSO_ALGORITHMS", "none,HS384",
				"SSO_LEEWAY", "soon", "SSO_MAX_TOKEN_BYTES", "many", "SSO_WILDCARD", "maybe",
			},
			nil,
			[]setting{
				{"", "SSO_LEEWAY", nil},
				{"", "SSO_MAX_TOKEN_BYTES", nil},
				{"", "SSO_WILDCARD", nil},
				{"", "SSO_ISSUER", nil},
				{"", "SSO_PUBLIC_KEY_URI", nil},
				{"", "SSO_AUDIENCE", nil},
				{"", "SSO_ALGORITHMS", []string{`"none"`}},
				{"", "SSO_ALGORITHMS", []string{`"HS384"`}},
			},
		},
	} {
		if test.config != nil {
			t.Run("New: "+test.name, func(t *testing.T) {
				cfg := sso.Config{PublicKeyURI: jwksURL, Audience: []string{"api"}, Issuer: issuerID, Logger: slog.New(slog.DiscardHandler)}
				test.config(&cfg)
				a, err := sso.New(cfg)
				if a != nil {
					t.Error("New returned an Authenticator and an error")
				}
				compareFaults(t, err, test.want, func(s setting) string { return s.field })
			})
		}
		if test.env != nil {
			t.Run("ConfigFromEnv: "+test.name, func(t *testing.T) {
				setEnv(t, append([]string{"SSO_PUBLIC_KEY_URI", jwksURL, "SSO_AUDIENCE", "api", "SSO_ISSUER", issuerID}, test.env...)...)
				_, err := sso.ConfigFromEnv()
				compareFaults(t, err, test.want, func(s setting) string { return s.variable })
			})
		}
	}
}

func compareFaults(t *testing.T, err error, want []setting, name func(setting) string) {
	t.Helper()
	var all *sso.ConfigError
	if !errors.As(err, &all) {
		t.Fatalf("error is %v, want a ConfigError", err)
	}
	if len(all.Problems) != len(want) {
		t.Fatalf("%d problems, want %d:\n%v", len(all.Problems), len(want), err)
	}
	for i, problem := range all.Problems {
		if problem.Setting != name(want[i]) || problem.Problem == "" || problem.Remedy == "" {
			t.Errorf("problem %d is %+v, want one of %s with a problem and a remedy", i, problem, name(want[i]))
		}
		line := fmt.Sprintf("%s %s: %s", problem.Setting, problem.Problem, problem.Remedy)
		if !strings.Contains(err.Error(), line) {
			t.Errorf("the text lacks %q:\n%v", line, err)
		}
		for _, part := range want[i].says {
			if !strings.Contains(line, part) {
				t.Errorf("problem %d is %q, want it to contain %q", i, line, part)
			}
		}
	}
}

// setEnv clears every variable that ConfigFromEnv reads and sets those given.
// A problem is reported once, by its field or its variable, with one remedy.
func TestConfigError_Texts(t *testing.T) {
	fromEnv := func(pairs ...string) func(*testing.T) error {
		return func(t *testing.T) error {
			t.Helper()
			setEnv(t, append([]string{"SSO_PUBLIC_KEY_URI", jwksURL, "SSO_AUDIENCE", "api", "SSO_ISSUER", issuerID}, pairs...)...)
			_, err := sso.ConfigFromEnv()
			return err
		}
	}
	inCode := func(change func(*sso.Config)) func(*testing.T) error {
		return func(*testing.T) error {
			cfg := sso.Config{PublicKeyURI: jwksURL, Audience: []string{"api"}, Issuer: issuerID, Logger: slog.New(slog.DiscardHandler)}
			change(&cfg)
			_, err := sso.New(cfg)
			return err
		}
	}
	const uriRemedy = "write the https:// URL of a JWK Set, PEM or discovery document, file: and a path, or a PEM public key"
	for name, c := range map[string]struct {
		build func(*testing.T) error
		want  []string // the problems; none: valid
	}{
		"no keys": {fromEnv("SSO_PUBLIC_KEY_URI", "", "SSO_ISSUER", ""), []string{
			"SSO_PUBLIC_KEY_URI is not set: set SSO_ISSUER to the iss of the tokens, e.g. https://login.example.com, and the keys are discovered; or write the URL of the keys here, e.g. https://login.example.com/.well-known/jwks.json",
		}},
		"no keys in code": {inCode(func(c *sso.Config) { c.PublicKeyURI, c.Issuer = "", "" }), []string{
			"PublicKeyURI is not set: set Issuer to the iss of the tokens, e.g. https://login.example.com, and the keys are discovered; or write the URL of the keys here, e.g. https://login.example.com/.well-known/jwks.json",
		}},
		"an issuer alone": {fromEnv("SSO_PUBLIC_KEY_URI", ""), nil},
		"http to another machine": {fromEnv("SSO_PUBLIC_KEY_URI", "http://login.example.com/jwks.json"), []string{
			`SSO_PUBLIC_KEY_URI holds "http://login.example.com/jwks.json", which cannot be used: http:// to login.example.com, where an attacker on the network can replace the keys: write https://, or, on a trusted network, set SSO_INSECURE_ALLOW_HTTP to true`,
		}},
		"http to another machine in code": {inCode(func(c *sso.Config) { c.PublicKeyURI = "http://login.example.com/jwks.json" }), []string{
			`PublicKeyURI holds "http://login.example.com/jwks.json", which cannot be used: http:// to login.example.com, where an attacker on the network can replace the keys: write https://, or, on a trusted network, set InsecureAllowHTTP to true`,
		}},
		"a password in the address": {fromEnv("SSO_PUBLIC_KEY_URI", "https://a:b@login.example.com/jwks.json"), []string{
			`SSO_PUBLIC_KEY_URI holds "https://login.example.com/jwks.json", which cannot be used: a URL with a user or password in it, which would show in logs: give an HTTPClient that authenticates instead`,
		}},
		"a key of AWS KMS without its module": {fromEnv("SSO_PUBLIC_KEY_URI", "awskms:alias/orders"), []string{
			`SSO_PUBLIC_KEY_URI holds "awskms:alias/orders", which cannot be used: AWS KMS keys are read by another module: add import _ "github.com/more-retail/moresso-go/kmskeys" to the program`,
		}},
		"a file on another machine": {fromEnv("SSO_PUBLIC_KEY_URI", "file://elsewhere/sso.pem"), []string{
			`SSO_PUBLIC_KEY_URI holds "file://elsewhere/sso.pem", which cannot be used: file://elsewhere… names another machine: write file:///path`,
		}},
		"a word": {fromEnv("SSO_PUBLIC_KEY_URI", "keys.pem"), []string{
			`SSO_PUBLIC_KEY_URI holds "keys.pem", which cannot be used: neither an https:// URL, nor file: and a path, nor PEM text: ` + uriRemedy,
		}},
		"nothing but a comma": {fromEnv("SSO_AUDIENCE", ","), []string{
			`SSO_AUDIENCE holds "" in ",": write each audience as in the tokens' aud, without empty ones and surrounding white space`,
		}},
		"audiences of all kinds in code": {inCode(func(c *sso.Config) { c.Audience = []string{"", "api", " web", ""} }), []string{
			`Audience holds "" and " web": write each audience as in the tokens' aud, without empty ones and surrounding white space`,
		}},
		"one algorithm twice": {fromEnv("SSO_ALGORITHMS", "HS256,RS256,HS256"), []string{
			`SSO_ALGORITHMS holds "HS256", which is symmetric: every service that can verify could also sign: write RS256, or others of ` + strings.Join(keys.Algorithms(), ", "),
		}},
		"quotes around two addresses": {fromEnv("SSO_PUBLIC_KEY_URI", `"`+jwksURL+`"`, "SSO_ISSUER", `"`+issuerID+`"`), []string{
			"SSO_PUBLIC_KEY_URI has quotes around it: remove the quotes: most files of environment variables take them literally",
			"SSO_ISSUER has quotes around it: remove the quotes: most files of environment variables take them literally",
		}},
		"quotes around an issuer alone": {fromEnv("SSO_PUBLIC_KEY_URI", "", "SSO_ISSUER", `'`+issuerID+`'`), []string{
			"SSO_ISSUER has quotes around it: remove the quotes: most files of environment variables take them literally",
		}},
		"two settings of which one is to be given": {fromEnv("SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_CLIENT_IDS", "web"), []string{
			"SSO_AUDIENCE is set as well as SSO_SKIP_AUDIENCE_CHECK: set one of them",
		}},
		"no audience check without clients": {fromEnv("SSO_AUDIENCE", "", "SSO_SKIP_AUDIENCE_CHECK", "true"), []string{
			"SSO_CLIENT_IDS is not set, and SSO_SKIP_AUDIENCE_CHECK accepts tokens for other services: write the OAuth clients whose tokens are intended for this service",
		}},
		"unknown names": {fromEnv("SSO_AUDIENCE", "", "SSO_AUDIENCES", "api", "SSO_ISSUER", "", "SSO_ISSUR", issuerID), []string{
			"SSO_AUDIENCES is not a known setting: write SSO_AUDIENCE, or choose a name without SSO_",
			"SSO_ISSUR is not a known setting: write SSO_ISSUER, or choose a name without SSO_",
			"SSO_AUDIENCE is not set: write the name of this service at the identity provider, e.g. orders-api",
			"SSO_ISSUER is not set, so tokens of every issuer that signs with these keys would be accepted: write it exactly as in the tokens' iss, e.g. https://login.example.com; or set SSO_SKIP_ISSUER_CHECK to true if they are all yours",
		}},
		"a name with two letters swapped":    {fromEnv("SSO_LEEAWY", "5s"), []string{"SSO_LEEAWY is not a known setting: write SSO_LEEWAY, or choose a name without SSO_"}},
		"a name with a letter in lower case": {fromEnv("SSO_leeway", "5s"), []string{"SSO_leeway is not a known setting: write SSO_LEEWAY, or choose a name without SSO_"}},
		"variables without SSO_":             {fromEnv("SSO_TOKEN", "x", "SSO_LEEWAYS", "", "MYSSO_ISSUR", "x", "PUBLIC_KEY_URI", "x", "AUDIENCE", "y"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.build(t)
			var configErr *sso.ConfigError
			if !errors.As(err, &configErr) {
				if err != nil || len(c.want) > 0 {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			var got []string
			for _, problem := range configErr.Problems {
				got = append(got, (&sso.ConfigError{Problems: []sso.ConfigProblem{problem}}).Error()[len("sso: configuration: "):])
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func setEnv(t *testing.T, pairs ...string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "SSO_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("PUBLIC_KEY_URI", "")
	t.Setenv("AUDIENCE", "")
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "")
	for i := 0; i < len(pairs); i += 2 {
		t.Setenv(pairs[i], pairs[i+1])
	}
}

type keySource struct{ keys.Source }

func TestNew_MultiTenantIssuer(t *testing.T) {
	for _, test := range []struct {
		name, uri, issuer string
		refused           bool
	}{
		{"common", "https://login.microsoftonline.com/common/discovery/v2.0/keys", "", true},
		{"organizations", "https://login.microsoftonline.com/organizations/discovery/v2.0/keys", "", true},
		{"consumers", "https://login.microsoftonline.com/consumers/v2.0/.well-known/openid-configuration", "", true},
		{"common in capitals", "https://LOGIN.MICROSOFTONLINE.COM/Common/discovery/keys", "", true},
		{"common with a query", "https://login.microsoftonline.com/common/discovery/keys?appid=1", "", true},
		{"the cloud for the government of the USA", "https://login.microsoftonline.us/common/discovery/v2.0/keys", "", true},
		{"the cloud for China", "https://login.partner.microsoftonline.cn/common/discovery/v2.0/keys", "", true},
		{"its host", "https://login.microsoft.com/common/discovery/keys", "", true},
		{"the host of security tokens, with a dot at its end", "https://sts.windows.net./common/discovery/keys", "", true},
		{"the former host", "https://login.windows.net/common/discovery/keys", "", true},
		{"common with an issuer", "https://login.microsoftonline.com/common/discovery/v2.0/keys", "https://login.microsoftonline.com/4711/v2.0", false},
		{"one tenant's keys, which are shared", "https://login.microsoftonline.com/4711/discovery/v2.0/keys", "", true},
		{"one tenant, by discovery", "https://login.microsoftonline.com/4711/v2.0/.well-known/openid-configuration", "", false},
		{"common elsewhere", "https://login.example.com/common/keys", issuerID, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := sso.Config{PublicKeyURI: test.uri, Issuer: test.issuer, Audience: []string{"api"}, Logger: slog.New(slog.DiscardHandler)}
			check := func(t *testing.T) {
				t.Helper()
				_, err := sso.New(cfg)
				if !test.refused {
					if err != nil {
						t.Error(err)
					}
					return
				}
				compareFaults(t, err, []setting{{"Issuer", "", []string{"is not set", "many tenants", "<tenant id>"}}}, func(s setting) string { return s.field })
			}
			t.Run("as PublicKeyURI", check)
			if !strings.Contains(test.uri, "openid-configuration") {
				source, err := keys.URL(test.uri, keys.Options{})
				if err != nil {
					t.Fatal(err)
				}
				cfg.PublicKeyURI, cfg.Keys = "", source
				t.Run("as Keys", check)
			}
		})
	}
	t.Run("a multi-tenant issuer", func(t *testing.T) {
		_, err := sso.New(sso.Config{Issuer: "https://login.microsoftonline.com/common/v2.0", Audience: []string{"api"}})
		compareFaults(t, err, []setting{{"Issuer", "", []string{"common/v2.0", "many tenants", "<tenant id>"}}}, func(s setting) string { return s.field })
	})
}

func TestConfigError_NoSecrets(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ec.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := x509.MarshalPKCS8PrivateKey(ada)
	if err != nil {
		t.Fatal(err)
	}
	pemText := privatePEM(t, rsaKey())
	body := strings.Join(strings.Split(strings.TrimSpace(pemText), "\n")[1:], "\n")
	jwk := `{"kty":"EC","crv":"P-256","d":"` + b64(d) + `"}`
	const query = "s3cr3t-in-a-query"
	secrets := []string{query, b64(d)[:16], hex.EncodeToString(d)[:16], base64.StdEncoding.EncodeToString(seed)[24:40]}
	for line := range strings.SplitSeq(body, "\n") {
		if len(line) >= 16 && !strings.HasPrefix(line, "---") {
			secrets = append(secrets, line[:16])
		}
	}
	secrets = append(secrets, base64.StdEncoding.EncodeToString(der)[60:76])

	values := map[string]string{
		"a PEM private key":                              pemText,
		"a PEM private key on one line":                  strings.ReplaceAll(pemText, "\n", `\n`),
		"a PEM private key without its first line":       body,
		"a PEM private key with one dash too few":        strings.TrimPrefix(pemText, "-"),
		"the Base64 of an RSA key":                       strings.ReplaceAll(body, "\n", ""),
		"the Base64 of an EC key":                        base64.StdEncoding.EncodeToString(der),
		"the Base64 of an Ed25519 key":                   base64.StdEncoding.EncodeToString(seed),
		"the hex of an EC key":                           hex.EncodeToString(d),
		"a private JWK":                                  jwk,
		"a private JWK after a byte order mark":          "\ufeff" + jwk,
		"a private JWK in quotes":                        `"` + strings.ReplaceAll(jwk, `"`, `\"`) + `"`,
		"a private JWK Set":                              `{"keys":[` + jwk + `]}`,
		"a query on an invalid scheme":                   "ftp://login.example.com/?key=" + query,
		"a query over http":                              "http://login.example.com/jwks?key=" + query,
		"a query on a URL that cannot be parsed":         "https://login.example.com/%zz?key=" + query,
		"a query on a URL without host":                  "https:///jwks.json?key=" + query,
		"a query on a URL without slashes":               "https:login.example.com?key=" + query,
		"a fragment":                                     "http://login.example.com/#" + query,
		"a password":                                     "https://ada:" + query + "@login.example.com/jwks.json",
		"a password in a URL that cannot be parsed":      "https://ada:" + query + "@login.example.com:port/",
		"a password with a space, which no URL can hold": "https://ada:" + query + " x@login.example.com/",
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			message := func(err error) {
				t.Helper()
				for _, secret := range secrets {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("the message holds %q:\n%v", secret, err)
					}
				}
			}
			_, err := sso.New(sso.Config{PublicKeyURI: value})
			if err == nil {
				t.Error("accepted")
			}
			message(err)
			_, err = sso.New(sso.Config{Issuer: value})
			message(err)
			for _, variable := range []string{"SSO_PUBLIC_KEY_URI", "PUBLIC_KEY_URI", "SSO_ISSUER"} {
				setEnv(t, variable, value)
				_, err := sso.ConfigFromEnv()
				message(err)
			}
			if !strings.HasPrefix(value, "-----BEGIN") {
				return
			}
			for _, variable := range []string{
				"SSO_AUDIENCE", "SSO_ALGORITHMS", "SSO_LEEWAY", "SSO_MAX_TOKEN_BYTES", "SSO_TOKEN_CACHE", "SSO_TELL_SCOPES",
			} {
				setEnv(t, variable, value)
				_, err := sso.ConfigFromEnv()
				message(err)
			}
		})
	}
	t.Run("logs of accepted configurations", func(t *testing.T) {
		var log lines
		a := newAuth(t, func(c *sso.Config) {
			c.Keys, c.PublicKeyURI, c.Issuer, c.Logger = nil, "https://login.example.invalid/jwks?key="+query, issuerID, log.logger(slog.LevelDebug)
			c.HTTPClient = &http.Client{Transport: refuseAll{}}
		})
		if err := a.Ready(t.Context()); err == nil || strings.Contains(err.Error(), query) {
			t.Errorf("Ready: %v", err)
		}
		if text := log.String() + fmt.Sprintf("%+v", a.Status()); strings.Contains(text, query) {
			t.Errorf("the secret is in the log or the status:\n%s", text)
		}
	})
}

// refuseAll is a network that is down.
type refuseAll struct{}

func (refuseAll) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestNew_TwoSettings(t *testing.T) {
	issuer, err := devissuer.Start(devissuer.WithAudience("orders-api"))
	if err != nil {
		t.Fatal(err)
	}
	defer issuer.Close() //nolint:errcheck // the end of a test server
	for name, uri := range map[string]string{
		"a JWK Set":            issuer.JWKSURL(),
		"a PEM":                issuer.URL() + "/key.pem",
		"a discovery document": issuer.DiscoveryURL(),
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, "SSO_PUBLIC_KEY_URI", uri, "SSO_AUDIENCE", "orders-api")
			if uri != issuer.DiscoveryURL() {
				t.Setenv("SSO_SKIP_ISSUER_CHECK", "true")
			}
			cfg, err := sso.ConfigFromEnv()
			if err != nil {
				t.Fatal(err)
			}
			cfg.Logger = slog.New(slog.DiscardHandler)
			a, err := sso.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close() //nolint:errcheck // the end of a test
			ctx, err := a.Authenticate(t.Context(), bearer(issuer.MustToken(devissuer.Subject("bob"))))
			if err != nil {
				t.Fatal(err)
			}
			if p, ok := sso.FromContext(ctx); !ok || p.Subject() != "bob" || p.Issuer() != issuer.URL() {
				t.Errorf("the principal is %v, %t", p, ok)
			}
			if _, err := a.Authenticate(t.Context(), bearer(issuer.MustToken(devissuer.WrongAudience()))); class(err) != "invalid token" {
				t.Errorf("for another audience: %v", err)
			}
		})
	}
}

func TestConfigFromEnv_AllFields(t *testing.T) {
	setEnv(
		t, "SSO_PUBLIC_KEY_URI", jwksURL, "PUBLIC_KEY_URI", "https://other.example/jwks.json",
		"SSO_AUDIENCE", " orders-api , web", "AUDIENCE", "other", "SSO_ISSUER", issuerID, "SSO_ALGORITHMS", "ES256, EdDSA",
		"SSO_LEEWAY", "30s", "SSO_MAX_TOKEN_BYTES", "4096", "SSO_PERMISSIONS_CLAIM", `https://corp\.example/permissions`,
		"SSO_WILDCARD", "1", "SSO_TELL_SCOPES", "TRUE",
		"SSO_INSECURE_ALLOW_HTTP", "true", "SSO_REFRESH_INLINE", "true", "SSO_CLIENT_IDS", "web, app", "SSO_TOKEN_TYPE", "at+jwt",
		"SSO_MAX_TOKEN_AGE", "1h", "SSO_ROLES_CLAIM", "realm_access.roles", "SSO_TOKEN_CACHE", "500",
		"SSO_KEY_FETCH_TIMEOUT", "5s", "SSO_STALE_FOR", "2h",
	)
	got, err := sso.ConfigFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	want := sso.Config{
		PublicKeyURI: jwksURL, Audience: []string{"orders-api", "web"}, Issuer: issuerID, Algorithms: []string{"ES256", "EdDSA"},
		Leeway: 30 * time.Second, MaxTokenBytes: 4096, PermissionsClaim: `https://corp\.example/permissions`, Wildcard: true,
		TellScopes: true, InsecureAllowHTTP: true, RefreshInline: true,
		ClientIDs: []string{"web", "app"}, TokenType: sso.StrictAccessToken, MaxTokenAge: time.Hour,
		RolesClaim: "realm_access.roles", TokenCache: 500, KeyFetchTimeout: 5 * time.Second, StaleFor: 2 * time.Hour,
	}
	if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
	t.Run("no error for what New checks", func(t *testing.T) {
		setEnv(t, "SSO_PUBLIC_KEY_URI", jwksURL, "SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_CLIENT_IDS", "web", "SSO_ISSUER", issuerID, "SSO_LEEWAY", "0s", "SSO_STALE_FOR", "0s", "SSO_TOKEN_CACHE", "0")
		got, err := sso.ConfigFromEnv()
		if err != nil {
			t.Fatal(err)
		}
		want := sso.Config{PublicKeyURI: jwksURL, SkipAudienceCheck: true, ClientIDs: []string{"web"}, Issuer: issuerID, Leeway: -1, StaleFor: -1, TokenCache: -1}
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			t.Errorf("got  %#v\nwant %#v", got, want)
		}
	})
	t.Run("0 is not unset", func(t *testing.T) {
		setEnv(t, "SSO_PUBLIC_KEY_URI", jwksURL, "SSO_AUDIENCE", "api", "SSO_ISSUER", issuerID)
		got, err := sso.ConfigFromEnv()
		want := sso.Config{PublicKeyURI: jwksURL, Audience: []string{"api"}, Issuer: issuerID}
		if err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			t.Errorf("got  %#v, %v\nwant %#v", got, err, want)
		}
	})
	t.Run("the values of invalid settings", func(t *testing.T) {
		setEnv(t, "SSO_PUBLIC_KEY_URI", jwksURL, "SSO_AUDIENCE", "api", "SSO_LEEWAY", "soon", "SSO_ROLES_CLAIM", "groups")
		got, err := sso.ConfigFromEnv()
		if err == nil || got.PublicKeyURI != jwksURL || got.RolesClaim != "groups" {
			t.Errorf("got %#v and %v", got, err)
		}
	})
}

func TestConfig_Defaults(t *testing.T) {
	t.Run("RS256 alone", func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) { c.Algorithms = nil })
		if _, err := a.ValidateToken(t.Context(), token()); reasonIn(err) != sso.ReasonAlgorithm {
			t.Errorf("EdDSA: %v", err)
		}
	})
	t.Run("a leeway of 60 s", func(t *testing.T) {
		a := newAuth(t)
		if _, err := a.ValidateToken(t.Context(), token("exp", fmt.Sprint(T.Unix()-59))); err != nil {
			t.Error(err)
		}
		if _, err := a.ValidateToken(t.Context(), token("exp", fmt.Sprint(T.Unix()-60))); reasonIn(err) != sso.ReasonExpired {
			t.Error(err)
		}
	})
	t.Run("16 KiB of token", func(t *testing.T) {
		a := newAuth(t)
		longest := ""
		for n := 11_900; len(longest) < 16<<10; n++ {
			longest = token("x", `"`+strings.Repeat("x", n)+`"`)
		}
		if len(longest) != 16<<10 {
			t.Fatalf("the token has %d bytes", len(longest))
		}
		if _, err := a.ValidateToken(t.Context(), longest); err != nil {
			t.Error(err)
		}
		if _, err := a.ValidateToken(t.Context(), longest+"A"); reasonIn(err) != sso.ReasonTooLarge {
			t.Error(err)
		}
	})
	t.Run("the claim permissions", func(t *testing.T) {
		p, err := newAuth(t).ValidateToken(t.Context(), token("permissions", `{"a":1}`))
		if err != nil || p.Permissions().String() != `{"a":1}` {
			t.Errorf("%v, %v", p.Permissions(), err)
		}
	})
}

// Without an issuer, tokens of every issuer that signs with these keys would be accepted (RFC 8725, section 3.8).
func TestNew_IssuerRequired(t *testing.T) {
	for _, test := range []struct {
		name, uri, issuer string
		skip, ok          bool
	}{
		{"a bare key source without issuer", jwksURL, "", false, false},
		{"the same, and the check is skipped", jwksURL, "", true, true},
		{"a bare key source with issuer", jwksURL, issuerID, false, true},
		{"a discovery document", "https://login.example.com/.well-known/openid-configuration", "", false, true},
		{"a key set below a discovery document's address", "https://login.example.com/.well-known/openid-configuration/jwks", "", false, false},
		{"a discovery document with a query", "https://login.example.com/.well-known/openid-configuration?p=1", "", false, false},
		{"a query that ends like one", jwksURL + "?x=/.well-known/openid-configuration", "", false, false},
		{"a fragment that ends like one", jwksURL + "#/.well-known/openid-configuration", "", false, false},
		{"a file that ends like one", "file:" + discoveryFile(t), "", false, false},
		{"an issuer alone", "", "https://login.example.com", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log lines
			_, err := sso.New(sso.Config{PublicKeyURI: test.uri, Issuer: test.issuer, SkipIssuerCheck: test.skip, Audience: []string{"api"}, Logger: log.logger(slog.LevelDebug)})
			if (err == nil) != test.ok || log.String() != "" {
				t.Errorf("%v\n%s", err, log.String())
			}
		})
	}
}

// discoveryFile returns a key set in a file whose path ends as the address of a discovery document.
func discoveryFile(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), ".well-known")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "openid-configuration")
	if err := os.WriteFile(path, []byte(publicPEM(t, ada.Public())), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNew_NoNetwork(t *testing.T) {
	for _, uri := range []string{jwksURL, "https://login.example.com/.well-known/openid-configuration", ""} {
		_, err := sso.New(sso.Config{
			PublicKeyURI: uri, Issuer: "https://login.example.com", Audience: []string{"api"}, Logger: slog.New(slog.DiscardHandler),
			HTTPClient: &http.Client{Transport: fatal{t}},
		})
		if err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

type fatal struct{ t *testing.T }

func (f fatal) RoundTrip(r *http.Request) (*http.Response, error) {
	f.t.Errorf("a request went to %s", r.URL)
	return nil, io.EOF
}

func TestNew_CopiesConfig(t *testing.T) {
	for want, change := range map[sso.Reason]func(*sso.Config) (later func()){
		sso.ReasonAlgorithm: func(c *sso.Config) func() {
			list := []string{"RS256"}
			c.Algorithms = list
			return func() { list[0] = "EdDSA" }
		},
		sso.ReasonWrongAudience: func(c *sso.Config) func() {
			list := []string{"other"}
			c.Audience = list
			return func() { list[0] = "api" }
		},
		sso.ReasonWrongClient: func(c *sso.Config) func() {
			list := []string{"other"}
			c.ClientIDs = list
			return func() { list[0] = "web" }
		},
	} {
		t.Run(string(want), func(t *testing.T) {
			var later func()
			a := newAuth(t, func(c *sso.Config) { later = change(c) })
			later()
			if _, err := a.ValidateToken(t.Context(), token("client_id", `"web"`, "events", `{}`)); reasonIn(err) != want {
				t.Error(err)
			}
		})
	}
}

func TestNew_Bounds(t *testing.T) {
	for name, change := range map[string]func(*sso.Config){
		"the longest leeway":                 func(c *sso.Config) { c.Leeway = 5 * time.Minute },
		"the largest token cache":            func(c *sso.Config) { c.TokenCache = 1_000_000 },
		"keys that serve for a day":          func(c *sso.Config) { c.StaleFor = 24 * time.Hour },
		"the longest fetch of keys":          func(c *sso.Config) { c.KeyFetchTimeout = 30 * time.Second },
		"the longest token":                  func(c *sso.Config) { c.MaxTokenBytes = 1 << 20 },
		"a claim whose name is a quote":      func(c *sso.Config) { c.RolesClaim = `"` },
		"a claim whose name begins in a dot": func(c *sso.Config) { c.PermissionsClaim, c.RolesClaim = ".a", ".b" },
		"a store that is not a pointer":      func(c *sso.Config) { c.Sessions = noSessions{} },
		"sessions of an audience that is not checked": func(c *sso.Config) {
			c.Audience, c.SkipAudienceCheck, c.ClientIDs = nil, true, []string{"web"}
			c.Sessions = &living{policy: sso.SessionPolicy{Audience: "api"}}
		},
		"keys from a source without address":  func(c *sso.Config) { c.Keys = renamed{c.Keys, "%zz"} },
		"no issuer, and the check is skipped": func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true },
	} {
		t.Run(name, func(t *testing.T) { newAuth(t, change) })
	}
}

// noSessions is a store that is not a pointer and has no sessions.
type noSessions struct{}

func (noSessions) Check(context.Context, sso.Session) error { return sso.ErrSessionEnded }

// renamed is a source of keys by another name.
type renamed struct {
	keys.Source
	name string
}

func (r renamed) String() string { return r.name }

func TestConfigError_ShortAddress(t *testing.T) {
	for length, included := range map[int]bool{200: true, 201: false} {
		uri := "a." + strings.Repeat("b", length-2)
		_, err := sso.New(sso.Config{PublicKeyURI: uri, Audience: []string{"api"}, Issuer: issuerID})
		if err == nil || strings.Contains(err.Error(), uri) != included || strings.Contains(err.Error(), fmt.Sprintf("a text of %d bytes", length)) == included {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}

func TestNew_SnapshotRequiresIssuer(t *testing.T) {
	key, err := keys.Static(keys.Key{Public: ed25519.PublicKey(rfc8037Key)})
	if err != nil {
		t.Fatal(err)
	}
	cfg := sso.Config{Keys: keys.WithSnapshot(key, key), Audience: []string{"api"}}
	if _, err := sso.New(cfg); err == nil || !strings.Contains(err.Error(), "Issuer is not set") {
		t.Errorf("%v", err)
	}
	cfg.Issuer = "https://login.example.com"
	if _, err := sso.New(cfg); err != nil {
		t.Error(err)
	}
}

// rfc8037Key is the public key of RFC 8037, appendix A.2.
var rfc8037Key = []byte{
	0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
	0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
}

func TestConfigError_DataAddress(t *testing.T) {
	for _, field := range []string{"SSO_PUBLIC_KEY_URI", "SSO_ISSUER"} {
		_, err := sso.ConfigFromLookup(func(name string) string {
			return map[string]string{field: "Data:,hidden-secret", "SSO_AUDIENCE": "api"}[name]
		})
		if err == nil || strings.Contains(err.Error(), "hidden-secret") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
