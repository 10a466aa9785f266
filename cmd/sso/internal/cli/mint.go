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

	"github.com/more-retail/moresso-go/cmd/sso/internal/keyfile"
	"github.com/more-retail/moresso-go/cmd/sso/internal/personas"
	"github.com/more-retail/moresso-go/cmd/sso/internal/server"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

const (
	// defaultIssuer is where sso serve listens unless it is told otherwise.
	defaultIssuer = "http://" + server.DefaultAddress
	// mintTimeout ends a request to an issuer.
	mintTimeout = 10 * time.Second
	// mintClient is the OAuth client that sso mint says it is.
	mintClient = "sso-mint"
)

// mintFlags are those of sso mint.
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
		Short: "Make a token, and print nothing else",
		Long: `mint asks a running "sso serve" for a token with the claims that you say, or with
--keys-file signs it by the same keys without one.

The issuer is that of --issuer; without it that of the variable SSO_ISSUER, if that
is an address of this machine; and otherwise http://127.0.0.1:9000. The audience is
that of --audience; without it that of the persona, if one is named; otherwise that
of the variable SSO_AUDIENCE, and if that is not set the issuer's. An issuer of this
machine that was started just before is waited for, 3 s at most.

Values are JSON where they can be read as such, and text otherwise: age=7 is a
number, role=admin a text, on=true a boolean, code='"7"' a text again. A dot in the
path of a permission goes one object deeper; \. is a dot in a name. A name alone
means true.`,
		Example: `  curl -H "Authorization: Bearer $(sso mint --permission pma.role=admin)" http://localhost:8080/
  sso mint --subject bob --audience orders-api --scope orders:read --expires-in 5m
  sso mint --claim tenant='{"id":"t1"}' --without aud | sso explain --decode
  sso mint --persona ada`,
		Args: noArguments,
	}
	command.RunE = p.run(func(ctx context.Context) error {
		if !command.Flags().Changed("issuer") {
			f.issuer = p.localIssuer()
		}
		if len(f.audience) == 0 && f.persona == "" {
			f.audience = elements(p.env.Lookup("SSO_AUDIENCE"))
		}
		f.expiresInGiven = command.Flags().Changed("expires-in")
		return p.doMint(ctx, f)
	})
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.issuer, "issuer", defaultIssuer, "`address` of the running issuer; with --keys-file, what the token says in iss (default SSO_ISSUER if that is on this machine)")
	flags.StringVar(&f.keysFile, "keys-file", "", "sign by the keys in this `file` of sso serve, which need not run")
	flags.StringVar(&f.persona, "persona", "", "`name` of somebody whom the issuer knows; what is said below goes before")
	flags.StringVar(&f.personas, "personas", "", "YAML `file` of the personas; with --keys-file only, a running issuer has its own")
	flags.StringVar(&f.subject, "subject", "", "`sub` (default ada, or the persona's)")
	flags.StringVar(&f.client, "client", mintClient, "`client_id`")
	flags.StringArrayVar(&f.audience, "audience", nil, "`aud`; may be repeated (default SSO_AUDIENCE, or the persona's or issuer's)")
	flags.StringArrayVar(&f.scope, "scope", nil, "OAuth `scopes`, separated by spaces; may be repeated")
	flags.StringArrayVar(&f.permission, "permission", nil, "`path=value` in the claim permissions; may be repeated")
	flags.StringArrayVar(&f.claim, "claim", nil, "any other claim, `name=value`; may be repeated")
	flags.StringArrayVar(&f.without, "without", nil, "`name` of a claim to leave out; may be repeated")
	flags.DurationVar(&f.expiresIn, "expires-in", 0, "`how long` it is good; negative for a token that has expired (default the issuer's, one hour)")
	return command
}

// localIssuer is the one that the environment names if it is on this machine, and the usual one
// otherwise: other issuers give no tokens to whoever asks.
func (p *program) localIssuer() string {
	issuer := p.env.Lookup("SSO_ISSUER")
	if u, err := url.Parse(issuer); err == nil && isLoopback(u) {
		return issuer
	}
	return defaultIssuer
}

// elements are those of a list as settings have it, separated by commas.
func elements(list string) []string {
	var all []string
	for element := range strings.SplitSeq(list, ",") {
		if element = strings.TrimSpace(element); element != "" {
			all = append(all, element)
		}
	}
	return all
}

func (p *program) doMint(ctx context.Context, f mintFlags) error {
	form, err := f.form()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mintTimeout)
	defer cancel()
	client := p.env.HTTPClient
	if f.keysFile != "" {
		issuer, err := p.offline(f)
		if err != nil {
			return err
		}
		defer issuer.Close() //nolint:errcheck // nothing is in flight
		client = issuer.Client()
	} else if f.personas != "" {
		return usage("--personas goes with --keys-file; give the file to sso serve, which knows the personas then")
	}
	if f.keysFile == "" {
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

// offline is an issuer in memory with the keys of a file.
func (p *program) offline(f mintFlags) (*devissuer.Issuer, error) {
	text, err := keyfile.Load(f.keysFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("--keys-file: there is no file %s; sso serve --keys-file %s makes it", f.keysFile, f.keysFile)
	}
	if err != nil {
		return nil, usage("--keys-file: %w", err)
	}
	opts := []devissuer.Option{devissuer.WithKeyPEM(text), devissuer.WithIssuer(f.issuer), devissuer.WithClock(p.env.Now)}
	if f.personas != "" {
		people, err := personas.Load(f.personas)
		if err != nil {
			return nil, usage("--personas: %w", err)
		}
		for name, persona := range people {
			opts = append(opts, devissuer.WithPersona(name, persona.Options()...))
		}
	}
	issuer, err := devissuer.New(opts...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return issuer, nil
}

// form is the request to the token endpoint.
func (f mintFlags) form() (url.Values, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {f.client}, "audience": f.audience, "without": f.without}
	if f.client == "" {
		return nil, usage("--client is empty: leave it out, or for a token without say --without client_id")
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
		if err != nil {
			return nil, usage("--permission: %w", err)
		}
		if err := set(permissions, sso.SplitPath(path), value); err != nil {
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
		if len(object) == 0 {
			continue
		}
		text, err := json.Marshal(object)
		if err != nil {
			return nil, usage("%w", err)
		}
		form.Set(name, string(text))
	}
	if f.expiresInGiven {
		if f.expiresIn%time.Second != 0 {
			return nil, usage("--expires-in is %v: write whole seconds", f.expiresIn)
		}
		form.Set("expires_in", strconv.FormatInt(int64(f.expiresIn/time.Second), 10))
	}
	return form, nil
}

// pair reads "name=value": the value as JSON if it is any, as a text otherwise, true if there is
// none.
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

// set puts a value into objects within objects.
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

// compact is the form of a token: what an issuer answers is printed only if it has it.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$`)

// grant asks an issuer's token endpoint.
func grant(ctx context.Context, client *http.Client, issuer string, form url.Values) (map[string]any, error) {
	at, err := url.Parse(issuer)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, usage("--issuer %q is no address: write it as sso serve prints it, such as %s", term.Address(issuer), defaultIssuer)
	}
	shown := term.Address(issuer)
	if client == nil {
		client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: the issuer is near
	}
	plain := *client
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var document struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	status, err := fetch(ctx, &plain, http.MethodGet, strings.TrimSuffix(issuer, "/")+devissuer.PathDiscovery, nil, &document)
	switch {
	case err != nil:
		return nil, fmt.Errorf("no issuer answers at %s (%w): start one by sso serve, name another by --issuer, or sign by its keys with --keys-file", shown, err)
	case status != http.StatusOK:
		return nil, fmt.Errorf("%s answered %d where an issuer has its discovery document: is it one?", shown, status)
	}
	endpoint, err := url.Parse(document.TokenEndpoint)
	if err != nil || endpoint.Scheme != at.Scheme || endpoint.Host != at.Host {
		return nil, fmt.Errorf("the issuer at %s says that its token endpoint is %q, which is not at the same place: name the issuer by the address that it gives itself, %q", shown, term.Address(document.TokenEndpoint), term.Address(document.Issuer))
	}
	answer := map[string]any{}
	if status, err = fetch(ctx, &plain, http.MethodPost, endpoint.String(), form, &answer); err != nil {
		return nil, fmt.Errorf("the issuer did not answer: %w", err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("the issuer refused (%d %v): %v", status, answer["error"], answer["error_description"])
	}
	if token, ok := answer["access_token"].(string); !ok || !compact.MatchString(token) {
		return nil, fmt.Errorf("%s answered with something else than a JWT", term.Address(endpoint.String()))
	}
	return answer, nil
}

// fetch makes a request and reads a JSON answer, bounded.
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
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return 0, err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(io.LimitReader(response.Body, 1<<20))
	decoder.UseNumber()
	if err := decoder.Decode(answer); err != nil && response.StatusCode == http.StatusOK {
		return response.StatusCode, errors.New("the answer is no JSON")
	}
	return response.StatusCode, nil
}
