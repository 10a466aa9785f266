package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// explainJSON runs sso explain --json.
func explainJSON(t *testing.T, issuer *ssotest.Issuer, token string, args ...string) (explain.Report, outcome) {
	t.Helper()
	o := call{args: append([]string{"explain", "--json"}, args...), stdin: token, client: issuer.Client()}.run(t)
	var r explain.Report
	o.object(t, &r)
	return r, o
}

// blocked is a reader that must not be read.
type blocked struct{ t *testing.T }

func (b blocked) Read([]byte) (int, error) {
	b.t.Error("the pipe was read")
	return 0, io.EOF
}

func TestExplain_Input(t *testing.T) {
	token := ssotest.NewIssuer(t, ssotest.FastKeys()).Token()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), cli.Environment{
		Args: []string{"explain", "--decode"}, Stdin: blocked{t}, Stdout: &stdout, Stderr: &stderr,
		Lookup: func(name string) string { return map[string]string{"SSO_TOKEN": token}[name] },
	})
	if code != 0 || !strings.Contains(stdout.String(), "from SSO_TOKEN (--stdin reads standard input instead)") {
		t.Errorf("%d %s%s", code, stdout.String(), stderr.String())
	}
	o := call{args: []string{"explain", "--decode", "--stdin"}, env: map[string]string{"SSO_TOKEN": token}}.run(t)
	if o.code != cli.ExitUsage || !strings.Contains(o.stderr, "no token: send one through a pipe") {
		t.Errorf("%+v", o)
	}
	o = call{args: []string{"explain", "--decode"}, stdin: token, env: map[string]string{"SSO_TOKEN": " "}}.run(t)
	if o.code != 0 || !strings.Contains(o.stdout, "from standard input") {
		t.Errorf("%+v", o)
	}
}

func TestExplain_ValidToken(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := issuer.Token()
	for name, input := range map[string]string{
		"alone": token, "with a line break": token + "\n", "with a DOS line break": token + "\r\n", "with its scheme": "Bearer " + token,
		"as a header line": "authorization: Bearer " + token + "\r\n", "as another": "Authorization:Bearer " + token,
	} {
		r, o := explainJSON(t, issuer, input, trusting(issuer)...)
		if o.code != 0 || r.Verdict != explain.Accepted || r.Status != 200 || r.Reason != "" || r.Remedy != "" {
			t.Errorf("%s: exit code %d, %+v", name, o.code, r)
		}
		for _, check := range r.Checks {
			if want := map[string]explain.Result{"client_id": explain.Skipped, "azp": explain.Skipped, "jti": explain.Skipped, "access claims": explain.Skipped}[check.Name]; check.Result != explain.Pass && check.Result != want || check.Detail == "" {
				t.Errorf("%s: %+v", name, check)
			}
		}
	}
	o := call{args: append([]string{"explain"}, trusting(issuer)...), env: map[string]string{"SSO_TOKEN": token}, client: issuer.Client()}.run(t)
	if o.code != 0 || !strings.HasSuffix(o.stdout, "\naccepted\n") || !strings.Contains(o.stdout, "from SSO_TOKEN") {
		t.Errorf("%+v", o)
	}
	o = call{args: []string{"explain", "--stdin"}, stdin: token, client: issuer.Client(), env: map[string]string{
		"SSO_TOKEN": "another", "SSO_PUBLIC_KEY_URI": issuer.JWKSURL(), "SSO_ISSUER": issuer.URL(), "SSO_AUDIENCE": "api", "SSO_ALGORITHMS": "EdDSA",
	}}.run(t)
	if o.code != 0 || !strings.Contains(o.stdout, "from standard input") {
		t.Errorf("by the environment: %+v", o)
	}
}

// unsigned removes the signature of a token.
func unsigned(token string) string { return token[:strings.LastIndexByte(token, '.')+1] }

func TestExplain_GroupsOverage(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := issuer.Token(devissuer.Claim("_claim_names", map[string]string{"groups": "src1"}))
	r, o := explainJSON(t, issuer, token, trusting(issuer)...)
	if last := r.Checks[len(r.Checks)-1]; o.code != 0 || last.Name != "groups" || last.Result != explain.Skipped || !strings.HasPrefix(last.Detail, "groups: left out by Microsoft Entra") {
		t.Errorf("%+v", r.Checks)
	}
}

func TestExplain_FailedCheck(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	good := string(payload(t, issuer.Token()))
	for name, tt := range map[string]struct {
		token, check string
		args         []string
	}{
		"a duplicate name in the payload":      {issuer.Token(devissuer.Raw("", `{"a":1,"a":2,`+good[1:])), "payload", nil},
		"a duplicate name":                     {issuer.Token(devissuer.Raw("", `{"exp":1,`+good[1:])), "payload", nil},
		"a name in another case":               {issuer.Token(devissuer.Claim("EXP", 1)), "payload", nil},
		"a name in another case in the header": {issuer.Token(devissuer.Header("ALG", "x")), "header", nil},
		"padding after the signature":          {issuer.Token() + "=", "payload", nil},
		"a name in another case, and expired":  {issuer.Token(devissuer.Expired(), devissuer.Claim("EXP", 1)), "payload", nil},

		"a duplicate name in the header":            {issuer.Token(devissuer.Raw(`{"alg":"EdDSA","x":1,"x":2}`, "")), "header", nil},
		"an invalid payload, and another algorithm": {issuer.Token(devissuer.Header("alg", "x"), devissuer.Raw("", "x")), "alg", nil},
		"no signature":                     {unsigned(issuer.Token()), "token", nil},
		"exp":                              {issuer.Token(devissuer.Claim("exp", "x")), "exp", nil},
		"nbf":                              {issuer.Token(devissuer.Claim("nbf", "x")), "nbf", nil},
		"iat":                              {issuer.Token(devissuer.Claim("iat", "x")), "iat", nil},
		"iss":                              {issuer.Token(devissuer.Claim("iss", "")), "iss", nil},
		"sub":                              {issuer.Token(devissuer.Claim("sub", raw("null"))), "sub", nil},
		"aud":                              {issuer.Token(devissuer.Claim("aud", 1)), "aud", nil},
		"sub, and another audience":        {issuer.Token(devissuer.Claim("sub", 1), devissuer.WrongAudience()), "sub", nil},
		"client_id":                        {issuer.Token(devissuer.Claim("client_id", 7)), "client_id", nil},
		"typ of the header":                {issuer.Token(devissuer.Header("typ", "logout+jwt")), "typ", nil},
		"typ of the header, with RFC 9068": {issuer.Token(devissuer.Header("typ", "logout+jwt")), "typ", []string{"--token-type", "at+jwt"}},
		"not an access token of RFC 9068":  {issuer.Token(devissuer.Header("typ", "JWT")), "typ", []string{"--token-type", "at+jwt"}},
		"a claim that RFC 9068 requires":   {issuer.Token(devissuer.Header("typ", "at+jwt")), "client_id", []string{"--token-type", "at+jwt"}},
		"jti":                              {issuer.Token(devissuer.Header("typ", "at+jwt"), devissuer.Claim("client_id", "x"), devissuer.Claim("jti", "")), "jti", []string{"--token-type", "at+jwt"}},
		"another client":                   {issuer.Token(devissuer.Claim("client_id", "x")), "client_id", []string{"--client-ids", "web"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := explainJSON(t, issuer, tt.token, append(trusting(issuer), tt.args...)...)
			oneFails(t, r, map[string]bool{})
			i := slices.IndexFunc(r.Checks, func(c explain.Check) bool { return c.Result == explain.Fail })
			if i < 0 || r.Checks[i].Name != tt.check {
				t.Errorf("want %s to fail: %+v", tt.check, r)
			}
		})
	}
}

func payload(t *testing.T, token string) []byte {
	t.Helper()
	var decoded explain.Token
	call{args: []string{"explain", "--decode", "--json"}, stdin: token}.run(t).object(t, &decoded)
	text, err := json.Marshal(decoded.Claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestExplain_DiscoveredIssuer(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	args := []string{"--keys", issuer.DiscoveryURL(), "--audience", "api", "--algorithms", "EdDSA"}
	r, _ := explainJSON(t, issuer, issuer.Token(devissuer.IssuedBy("https://other.example")), args...)
	oneFails(t, r, map[string]bool{})
	if last := r.Checks[len(r.Checks)-1]; last.Name != "iss" || last.Result != explain.Fail || !strings.Contains(r.Remedy, issuer.URL()) {
		t.Errorf("%+v", r)
	}
	if r, o := explainJSON(t, issuer, issuer.Token(), args...); o.code != 0 {
		t.Errorf("%+v", r)
	}
	if r, o := explainJSON(t, issuer, issuer.Token(devissuer.IssuedBy("https://other.example")), "--keys", issuer.JWKSURL(), "--skip-issuer-check", "--audience", "api", "--algorithms", "EdDSA"); o.code != 0 || !slices.ContainsFunc(r.Checks, func(c explain.Check) bool { return c.Name == "iss" && c.Result == explain.Skipped }) {
		t.Errorf("an unknown issuer: %+v", r)
	}
}

func TestExplain_KeysUnavailable(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := issuer.Token()
	issuer.Down()
	r, o := explainJSON(t, issuer, token, trusting(issuer)...)
	if o.code != 1 || r.Verdict != explain.Unknown || r.Status != 503 || r.Reason != sso.ReasonKeysUnavailable || !strings.Contains(r.Remedy, "sso doctor") {
		t.Errorf("%d %+v", o.code, r)
	}
	oneFails(t, r, map[string]bool{})
	o = call{args: append([]string{"explain"}, trusting(issuer)...), stdin: token, client: issuer.Client()}.run(t)
	if o.code != 1 || !strings.Contains(o.stdout, "unknown: 503 unavailable, reason keys_unavailable") {
		t.Errorf("%+v", o)
	}
}

// TestExplain_RemedyWorks follows each remedy: with the setting, or the token, that it names, the request
// passes.
func TestExplain_RemedyWorks(t *testing.T) {
	issuer := ssotest.NewIssuer(t, devissuer.WithAlgorithm("RS256"))
	slash := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithIssuer("https://issuer.example/"))
	other := ssotest.NewIssuer(t, devissuer.WithAlgorithm("RS512"), devissuer.WithKeyPEM(issuer.PrivateKeyPEM()))
	for name, tt := range map[string]struct {
		issuer *ssotest.Issuer
		opts   []devissuer.TokenOption
		args   []string
		reason sso.Reason
		says   string                  // the remedy
		then   []string                // flags that do what it says
		fix    []devissuer.TokenOption // or options of a token that does
	}{
		"another audience":           {issuer, []devissuer.TokenOption{devissuer.Audience("shop")}, nil, sso.ReasonWrongAudience, `set SSO_AUDIENCE (--audience) to it`, []string{"--audience", "shop"}, nil},
		"another audience, minted":   {issuer, []devissuer.TokenOption{devissuer.Audience("shop")}, nil, sso.ReasonWrongAudience, `Get a token for ["api"]`, nil, []devissuer.TokenOption{devissuer.Audience("api")}},
		"no audience":                {issuer, []devissuer.TokenOption{devissuer.WithoutClaim("aud"), devissuer.Claim("client_id", "web")}, nil, sso.ReasonWrongAudience, "set SSO_SKIP_AUDIENCE_CHECK with SSO_CLIENT_IDS", []string{"--audience=", "--skip-audience-check", "--client-ids", "web"}, nil},
		"another algorithm":          {other, nil, []string{"--algorithms", "RS256"}, sso.ReasonAlgorithm, "signs with RS512, add it to SSO_ALGORITHMS", []string{"--algorithms", "RS256,RS512"}, nil},
		"another client":             {issuer, []devissuer.TokenOption{devissuer.Claim("client_id", "app")}, []string{"--client-ids", "web"}, sso.ReasonWrongClient, `add it to SSO_CLIENT_IDS`, []string{"--client-ids", "web,app"}, nil},
		"no client":                  {issuer, nil, []string{"--client-ids", "web"}, sso.ReasonWrongClient, "remove SSO_CLIENT_IDS", []string{"--client-ids="}, nil},
		"another issuer":             {issuer, []devissuer.TokenOption{devissuer.IssuedBy("https://other.example")}, nil, sso.ReasonWrongIssuer, `set SSO_ISSUER (--issuer) to it`, []string{"--issuer", "https://other.example"}, nil},
		"an extra slash":             {slash, nil, []string{"--issuer", "https://issuer.example"}, sso.ReasonWrongIssuer, "differ by a slash", []string{"--issuer", "https://issuer.example/"}, nil},
		"an ID token":                {issuer, []devissuer.TokenOption{devissuer.Claim("nonce", "x")}, nil, sso.ReasonTokenKind, "SSO_TOKEN_TYPE=id_token", []string{"--token-type", "id_token"}, nil},
		"not an access token":        {issuer, nil, []string{"--token-type", "at+jwt"}, sso.ReasonTokenType, "remove SSO_TOKEN_TYPE", []string{"--token-type="}, nil},
		"an incomplete access token": {issuer, []devissuer.TokenOption{devissuer.Header("typ", "at+jwt")}, []string{"--token-type", "at+jwt"}, sso.ReasonMissingClaim, "client_id", nil, []devissuer.TokenOption{devissuer.Header("typ", "at+jwt"), devissuer.Claim("client_id", "web")}},
		"too long":                   {issuer, []devissuer.TokenOption{devissuer.Claim("x", strings.Repeat("x", 16<<10))}, nil, sso.ReasonTooLarge, "SSO_MAX_TOKEN_BYTES", []string{"--max-token-bytes", "40000"}, nil},
		"too early, by two minutes":  {issuer, []devissuer.TokenOption{devissuer.IssuedAt(time.Now().Add(2 * time.Minute))}, nil, sso.ReasonIssuedInFuture, "SSO_LEEWAY", []string{"--leeway", "5m"}, nil},
		"expired":                    {issuer, []devissuer.TokenOption{devissuer.Expired()}, nil, sso.ReasonExpired, "Get a new token", nil, []devissuer.TokenOption{}},
		"no expiry":                  {issuer, []devissuer.TokenOption{devissuer.WithoutClaim("exp")}, nil, sso.ReasonMissingExpiry, "Set exp", nil, []devissuer.TokenOption{}},
		"an unknown key":             {issuer, []devissuer.TokenOption{devissuer.UnknownKey()}, nil, sso.ReasonUnknownKey, "get a new token", nil, []devissuer.TokenOption{}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(trusting(tt.issuer), tt.args...)
			token := tt.issuer.Token(tt.opts...)
			r, o := explainJSON(t, tt.issuer, token, args...)
			if o.code != 1 || r.Reason != tt.reason || !strings.Contains(r.Remedy, tt.says) {
				t.Fatalf("%s: %q, want %s: %q", r.Reason, r.Remedy, tt.reason, tt.says)
			}
			if tt.fix != nil {
				token = tt.issuer.Token(tt.fix...)
			}
			if r, o := explainJSON(t, tt.issuer, token, append(args, tt.then...)...); o.code != 0 {
				t.Errorf("still refused after the remedy: %s, %s", r.Reason, r.Cause)
			}
		})
	}
}

func TestExplain_MalformedHints(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	good := issuer.Token()
	for name, tt := range map[string]struct{ token, want string }{
		"an opaque token":       {strings.Repeat("0123456789abcdef", 4), "opaque token"},
		"a word":                {"undefined", "not a token"},
		"in quotes":             {`"` + good + `"`, "without the quotes"},
		"wrapped":               {good[:20] + "\n" + good[20:], "in one line"},
		"with a leading space":  {" " + good, "in one line"},
		"with a trailing space": {good + " \n", "in one line"},
		"percent-encoded":       {strings.ReplaceAll(good, ".", "%2E"), "percent-encoded"},
		"without signature":     {good[:strings.LastIndexByte(good, '.')], "signature, is missing"},
		"two in one":            {good + "." + good, "more"},
		"a token answer":        {`{"access_token":"x"}`, "access token alone"},
		"padded":                {good + "=", "re-encoded"},
		"header and payload":    {"eyJ.eyJ.x", "header and payload must be JSON objects"},
	} {
		r, _ := explainJSON(t, issuer, tt.token, trusting(issuer)...)
		if r.Reason != sso.ReasonMalformed || !strings.Contains(r.Remedy, tt.want) {
			t.Errorf("%s: %s, %q", name, r.Reason, r.Remedy)
		}
	}
}

// TestExplain_Require covers every code of a denied permission. It compares with the library's decision
// and follows the remedy.
func TestExplain_Require(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	auth := issuer.Authenticator(issuer.Config("api"))
	now := time.Now().Unix()
	type opts = []devissuer.TokenOption
	for name, tt := range map[string]struct {
		require string
		has     opts
		code    string
		fix     opts     // what the remedy requires of the token
		args    []string // or of the request
	}{
		"missing":           {`is("pma.role", "admin")`, nil, "missing", opts{devissuer.Permission("pma.role", "admin")}, nil},
		"another value":     {`is("pma.role", "admin")`, opts{devissuer.Permission("pma.role", "guest")}, "wrong_value", opts{devissuer.Permission("pma.role", "admin")}, nil},
		"has, not true":     {`has("pma.on")`, opts{devissuer.Permission("pma.on", "yes")}, "wrong_value", opts{devissuer.Permission("pma.on", true)}, nil},
		"a claim":           {`claim("tenant.id", "t1")`, nil, "missing", opts{devissuer.Claim("tenant", map[string]any{"id": "t1"})}, nil},
		"a scope":           {`scope("orders:read")`, nil, "missing_scope", opts{devissuer.Scope("orders:read")}, nil},
		"a role":            {`role("clerk")`, nil, "missing_role", opts{devissuer.Claim("roles", []string{"clerk"})}, nil},
		"a program":         {`clientCredentials()`, opts{devissuer.Claim("sub", "ada"), devissuer.Claim("client_id", "web")}, "wrong_caller", opts{devissuer.Claim("sub", "job"), devissuer.Claim("client_id", "job"), devissuer.Claim("gty", "client-credentials")}, nil},
		"an old login":      {`freshLogin("15m")`, opts{devissuer.Claim("auth_time", now-3600)}, "old_login", opts{devissuer.Claim("auth_time", now)}, nil},
		"a weak login":      {`acr("gold")`, opts{devissuer.Claim("acr", "tin")}, "weak_login", opts{devissuer.Claim("acr", "gold")}, nil},
		"another user's":    {`sameAsPath("sub", "user")`, nil, "not_own", nil, []string{"--path-value", "user=ada"}},
		"a forbidden value": {`!has("suspended")`, opts{devissuer.Permission("suspended", true)}, "forbidden", opts{}, nil},
		"two missing":       {`has("a") && scope("b")`, nil, "unmet", opts{devissuer.Permission("a", true), devissuer.Scope("b")}, nil},
		"one of two":        {`has("a") || scope("b")`, nil, "unmet", opts{devissuer.Scope("b")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			token := issuer.Token(tt.has...)
			r, o := explainJSON(t, issuer, token, append(trusting(issuer), "--require", tt.require)...)
			if o.code != 1 || r.Verdict != explain.Denied || r.Require == nil || r.Require.Granted || r.Require.Code != tt.code || len(r.Remedy) < 10 {
				t.Fatalf("exit code %d: %+v", o.code, r)
			}
			for _, check := range r.Checks {
				if check.Result != explain.Pass && check.Result != explain.Skipped {
					t.Errorf("the token is valid, but %+v", check)
				}
			}
			// The library's own decision and answer.
			p, err := permission.Parse(tt.require)
			if err != nil {
				t.Fatal(err)
			}
			principal, err := auth.ValidateToken(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			decision := sso.Check(t.Context(), p, sso.NewAccess(principal, nil))
			if decision.Code() != r.Require.Code || decision.ExplainWithValues() != r.Cause {
				t.Errorf("the library says %s: %s, explain %s", decision.Code(), decision.ExplainWithValues(), r.Cause)
			}
			if d := sso.DenialOf(&sso.AccessDeniedError{Principal: principal, Decision: decision}); d.Status != r.Status || d.Code != r.Code {
				t.Errorf("%d %s, the library answers %d %s", r.Status, r.Code, d.Status, d.Code)
			}
			human := call{args: append(append([]string{"explain"}, trusting(issuer)...), "--require", tt.require), stdin: token, client: issuer.Client()}.run(t)
			if human.code != 1 || !strings.Contains(human.stdout, "denied ") || !strings.Contains(human.stdout, "what to do: "+r.Remedy) {
				t.Errorf("%s", human.stdout)
			}
			if tt.fix != nil {
				token = issuer.Token(tt.fix...)
			}
			if r, o := explainJSON(t, issuer, token, append(append(trusting(issuer), "--require", tt.require), tt.args...)...); o.code != 0 {
				t.Errorf("still denied after the remedy: %+v", r.Require)
			}
		})
	}
}

func TestExplain_RequireTree(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := issuer.Token(devissuer.Permission("pma.role", "admin"))
	r, _ := explainJSON(t, issuer, token, append(trusting(issuer), "--require", `is("pma.role", "admin") && (scope("a", "b") || !has("x") || has("y") && has("z"))`)...)
	var lines []string
	var visit func(explain.Decision, string)
	visit = func(d explain.Decision, indent string) {
		lines = append(lines, indent+map[bool]string{true: "+ ", false: "- "}[d.Granted]+d.Permission)
		for _, child := range d.Children {
			visit(child, indent+"  ")
		}
	}
	visit(*r.Require, "")
	want := `+ (is("pma.role", "admin") && (scope("a", "b") || !has("x") || (has("y") && has("z"))))
  + is("pma.role", "admin")
  + (scope("a", "b") || !has("x") || (has("y") && has("z")))
    - scope("a", "b")
    + !has("x")
      - has("x")
    - (has("y") && has("z"))
      - has("y")
      - has("z")`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplain_Decode(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := unsigned(issuer.Token(devissuer.Header("alg", "none")))
	o := call{args: []string{"explain", "--decode"}, stdin: issuer.Token()}.run(t)
	if o.code != 0 || !strings.Contains(o.stdout, `sub          "ada"`) || !strings.Contains(o.stdout, "Nothing of this has been verified.") {
		t.Errorf("%+v", o)
	}
	if o := (call{args: []string{"explain", "--decode"}, stdin: token}).run(t); o.code != 0 {
		t.Errorf("%+v", o)
	}
	if o := (call{args: []string{"explain", "--decode"}, stdin: "hello"}).run(t); o.code != 1 || !strings.Contains(o.stderr, "this is not a JWT") {
		t.Errorf("%+v", o)
	}
}
