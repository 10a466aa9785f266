package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/issuer"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// defaultIssuer is the default identifier of sso serve.
const defaultIssuer = "http://" + issuer.DefaultAddress

// mintFlags are the flags of sso mint.
type mintFlags struct {
	issuer, keysFile  string
	persona, personas string
	subject, client   string
	audience, scope   []string
	permission, claim []string
	without           []string
	expiresIn         time.Duration
	expiresInGiven    bool
}

func (p *program) mint() *cobra.Command {
	var f mintFlags
	command := &cobra.Command{
		Use:   "mint",
		Short: "Make a token and print it",
		Long: `mint requests a token from a running "sso serve", or with --keys-file signs it with
the same keys.

Values are JSON where they are valid JSON, and text otherwise: age=7 is a number,
role=admin a text, code='"7"' a text. A name alone means true. In the path of a
permission, a dot separates names; write \. for a dot in a name. mint waits up to
3 s for a local issuer to start.`,
		Example: `  curl -H "Authorization: Bearer $(sso mint --permission pma.role=admin)" http://localhost:8080/
  sso mint --subject bob --audience orders-api --scope orders:read --expires-in 5m
  sso mint --claim tenant='{"id":"t1"}' --without aud | sso explain --decode
  sso mint --persona ada`,
		Args: noArguments,
	}
	command.RunE = p.run(func(ctx context.Context) error {
		// Issuers of other machines do not give tokens to every caller.
		if address := p.env.Lookup("SSO_ISSUER"); !command.Flags().Changed("issuer") && local(address) != nil {
			f.issuer = address
		}
		if len(f.audience) == 0 && f.persona == "" {
			f.audience = strings.FieldsFunc(p.env.Lookup("SSO_AUDIENCE"), func(r rune) bool { return r == ',' || r == ' ' })
		}
		f.expiresInGiven = command.Flags().Changed("expires-in")
		return p.doMint(ctx, f)
	})
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.issuer, "issuer", defaultIssuer, "`address` of the running issuer; with --keys-file, the claim iss (default SSO_ISSUER if that is on this machine)")
	flags.StringVar(&f.keysFile, "keys-file", "", "sign with the keys in this `file` of sso serve, without a running issuer")
	flags.StringVar(&f.persona, "persona", "", "`name` of a persona of the issuer; the flags below override it")
	flags.StringVar(&f.personas, "personas", "", "YAML `file` of personas, with --keys-file only")
	flags.StringVar(&f.subject, "subject", "", "`sub` (default ada, or the persona's)")
	flags.StringVar(&f.client, "client", "sso-mint", "`client_id`")
	flags.StringArrayVar(&f.audience, "audience", nil, "`aud`; may be repeated (default SSO_AUDIENCE, or the persona's or issuer's)")
	flags.StringArrayVar(&f.scope, "scope", nil, "OAuth `scopes`, separated by spaces; may be repeated")
	flags.StringArrayVar(&f.permission, "permission", nil, "`path=value` in the claim permissions; may be repeated")
	flags.StringArrayVar(&f.claim, "claim", nil, "another claim, `name=value`; may be repeated")
	flags.StringArrayVar(&f.without, "without", nil, "`name` of a claim to leave out; may be repeated")
	flags.DurationVar(&f.expiresIn, "expires-in", 0, "`duration` for which the token is valid; negative for an expired one (default: the issuer's, 1h)")
	return command
}

func (p *program) doMint(ctx context.Context, f mintFlags) error {
	form, err := f.form()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := p.env.HTTPClient
	switch {
	case f.keysFile != "":
		offline, err := p.offline(f)
		if err != nil {
			return err
		}
		defer offline.Close() //nolint:errcheck // nothing is in flight
		client = offline.Client()
	case f.personas != "":
		return usage("--personas is for --keys-file only: give the file to sso serve")
	default:
		p.await(ctx, f.issuer)
	}
	answer, err := grant(ctx, client, f.issuer, form)
	if err != nil {
		return err
	}
	if p.json {
		return term.JSON(p.env.Stdout, answer)
	}
	_, err = fmt.Fprintln(p.env.Stdout, answer["access_token"])
	return err
}

// offline returns an issuer in memory that has the keys of a file.
func (p *program) offline(f mintFlags) (*devissuer.Issuer, error) {
	text, err := issuer.LoadKeys(f.keysFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("--keys-file: %s does not exist; sso serve --keys-file creates it", f.keysFile)
	}
	if err != nil {
		return nil, usage("--keys-file: %w", err)
	}
	people, err := issuer.LoadPersonas(f.personas)
	if err != nil {
		return nil, usage("--personas: %w", err)
	}
	opts := []devissuer.Option{devissuer.WithKeyPEM(text), devissuer.WithIssuer(f.issuer), devissuer.WithClock(p.env.Now)}
	for name, persona := range people {
		opts = append(opts, devissuer.WithPersona(name, persona.Options()...))
	}
	i, err := devissuer.New(opts...)
	if err != nil {
		return nil, flagError(err)
	}
	return i, nil
}

// form returns the request to the token endpoint.
func (f mintFlags) form() (url.Values, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {f.client}, "audience": f.audience, "without": f.without}
	if f.client == "" {
		return nil, usage("--client is empty: remove it, or for a token without a client write --without client_id")
	}
	if f.persona != "" {
		form.Set("persona", f.persona)
	}
	if len(f.scope) > 0 {
		form.Set("scope", strings.Join(strings.Fields(strings.Join(f.scope, " ")), " "))
	}
	permissions := map[string]any{}
	for _, text := range f.permission {
		path, value, err := pair(text)
		if err == nil {
			err = set(permissions, splitPath(path), value)
		}
		if err != nil {
			return nil, usage("--permission: %w", err)
		}
	}
	claims := map[string]any{}
	if f.persona == "" {
		claims["sub"] = "ada"
	}
	for _, text := range f.claim {
		name, value, err := pair(text)
		if err != nil {
			return nil, usage("--claim: %w", err)
		}
		claims[name] = value
	}
	if f.subject != "" {
		claims["sub"] = f.subject
	}
	for name, object := range map[string]map[string]any{"permissions": permissions, "claims": claims} {
		if text, err := json.Marshal(object); err == nil && len(object) > 0 { // pair has checked the values
			form.Set(name, string(text))
		}
	}
	if f.expiresInGiven {
		if f.expiresIn%time.Second != 0 {
			return nil, usage("--expires-in is %v: write whole seconds", f.expiresIn)
		}
		form.Set("expires_in", strconv.FormatInt(int64(f.expiresIn/time.Second), 10))
	}
	return form, nil
}

// pair reads "name=value". The value is JSON if it is valid JSON, else text, and true if missing.
func pair(text string) (name string, value any, err error) {
	name, written, given := strings.Cut(text, "=")
	switch {
	case name == "":
		return "", nil, errors.New("the name is missing: write name=value")
	case !given:
		return name, true, nil
	case json.Valid([]byte(written)):
		return name, json.RawMessage(written), nil // numbers keep their digits
	}
	return name, written, nil
}

// splitPath splits a path at dots, except where a backslash precedes them.
func splitPath(path string) []string {
	const dot = "\x00" // in place of an escaped one
	names := strings.Split(strings.ReplaceAll(path, `\.`, dot), ".")
	for i := range names {
		names[i] = strings.ReplaceAll(names[i], dot, ".")
	}
	return names
}

// set sets a value in nested objects.
func set(object map[string]any, path []string, value any) error {
	name := path[0]
	if name == "" {
		return errors.New("a name on the path is empty")
	}
	if len(path) == 1 {
		object[name] = value
		return nil
	}
	below, ok := object[name].(map[string]any)
	if !ok {
		below = map[string]any{}
		object[name] = below
	}
	return set(below, path[1:], value)
}

// compact matches the form of a token. An answer of another form is not printed.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$`)

// grant requests a token from an issuer's token endpoint. It sends the request to the issuer's own
// host only, and follows no redirect.
func grant(ctx context.Context, client *http.Client, address string, form url.Values) (map[string]any, error) {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, usage("--issuer %q is not a URL: write the one that sso serve prints, such as %s", term.Redact(address), defaultIssuer)
	}
	redacted := term.Redact(address)
	if client == nil {
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: the issuer is local
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var document struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	status, err := fetch(ctx, &direct, http.MethodGet, strings.TrimSuffix(address, "/")+"/.well-known/openid-configuration", nil, &document)
	switch {
	case err != nil:
		return nil, fmt.Errorf("no issuer answers at %s (%w): run sso serve, name another issuer by --issuer, or sign with --keys-file", redacted, err)
	case status != http.StatusOK:
		return nil, fmt.Errorf("%s answered %d to the request for a discovery document: name an issuer by --issuer", redacted, status)
	}
	endpoint, err := url.Parse(document.TokenEndpoint)
	if err != nil || endpoint.Scheme != at.Scheme || endpoint.Host != at.Host {
		return nil, fmt.Errorf("the issuer at %s names the token endpoint %q, which is on another host: set --issuer to the issuer's own identifier, %q", redacted, term.Redact(document.TokenEndpoint), term.Redact(document.Issuer))
	}
	answer := map[string]any{}
	if status, err = fetch(ctx, &direct, http.MethodPost, endpoint.String(), form, &answer); err != nil {
		return nil, fmt.Errorf("the token request failed: %w", err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("the issuer refused the request (%d %v): %v", status, answer["error"], answer["error_description"])
	}
	if token, ok := answer["access_token"].(string); !ok || !compact.MatchString(token) {
		return nil, fmt.Errorf("the answer of %s has no JWT", term.Redact(endpoint.String()))
	}
	return answer, nil
}

// fetch sends a request and decodes the JSON of an answer of at most 1 MiB.
func fetch(ctx context.Context, client *http.Client, method, address string, form url.Values, answer any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, errors.Unwrap(err) // without the URL, which may hold a password
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(io.LimitReader(response.Body, 1<<20))
	decoder.UseNumber()
	if err := decoder.Decode(answer); err != nil && response.StatusCode == http.StatusOK {
		return response.StatusCode, errors.New("the answer is not JSON")
	}
	return response.StatusCode, nil
}
