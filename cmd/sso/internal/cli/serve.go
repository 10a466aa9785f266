package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/issuer"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// serveFlags are the flags of sso serve.
type serveFlags struct {
	listen, issuer, algorithm, keysFile, personas string
	audience                                      []string
	lifetime                                      time.Duration
	insecure                                      bool
}

func (p *program) serve() *cobra.Command {
	var f serveFlags
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run a development issuer on this machine",
		Long: `serve runs an OpenID Connect issuer for development: a discovery document, public
keys, and a token endpoint that gives any token to every caller. Never use it in
production. POST /rotate makes a new key, POST /down and /up simulate an outage.

It listens on a loopback address, answers only requests whose Host is this machine,
and refuses requests of other sites' pages. Its private keys are stored in a file
that only you can read, so that tokens stay valid after a restart.`,
		Example: `  sso serve
  sso serve --audience orders-api --personas personas.yaml
  curl -X POST http://127.0.0.1:9000/rotate
  sso serve --insecure-listen --listen 0.0.0.0:9000 --issuer http://issuer:9000   # between containers`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doServe(ctx, f) }),
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", issuer.DefaultAddress, "`address` to listen on; port 0 selects a free one")
	flags.BoolVar(&f.insecure, "insecure-listen", false, "allow an address that other machines reach: every caller gets any token")
	flags.StringVar(&f.issuer, "issuer", "", "`identifier` of the issuer, with the host that clients use (default http:// and the address)")
	flags.StringSliceVar(&f.audience, "audience", []string{"api"}, "`audience` of tokens whose request names none")
	flags.StringVar(&f.algorithm, "algorithm", "", "`algorithm` of new keys (default: that of the keys file, or RS256)")
	flags.StringVar(&f.keysFile, "keys-file", defaultKeysFile(), "`file` of the private keys, created if missing; empty: keys are not stored")
	flags.DurationVar(&f.lifetime, "lifetime", time.Hour, "`duration` for which tokens are valid, unless the request names another")
	flags.StringVar(&f.personas, "personas", "", "YAML `file` of users for whom tokens are minted")
	algorithms := []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"}
	_ = command.RegisterFlagCompletionFunc("algorithm", cobra.FixedCompletions(algorithms, cobra.ShellCompDirectiveNoFileComp)) // fails for an unknown flag only
	return command
}

// defaultKeysFile is in the user's configuration folder, or "" without one.
func defaultKeysFile() string {
	folder, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "moresso-go", "issuer-keys.pem")
}

// optionFlags maps the options of package devissuer to the flags that set them.
var optionFlags = strings.NewReplacer("devissuer: ", "", "WithAddr", "--listen", "WithIssuer", "--issuer", "WithAudience", "--audience",
	"WithAlgorithm", "--algorithm", "WithKeyPEM", "--keys-file", "WithLifetime", "--lifetime")

// flagError rewords an error of package devissuer for the command line.
func flagError(err error) error {
	text := optionFlags.Replace(err.Error())
	var network *net.OpError
	switch {
	case errors.As(err, &network):
		text += "; if another sso serve is running, choose another address, such as --listen 127.0.0.1:9001, and name it to sso mint by --issuer http://127.0.0.1:9001 or SSO_ISSUER"
	case strings.Contains(text, "--listen"):
		text += ", or add --insecure-listen in a private network, as between containers"
	}
	return usage("%s", text)
}

func (p *program) doServe(ctx context.Context, f serveFlags) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	people, err := issuer.LoadPersonas(f.personas)
	if err != nil {
		return usage("--personas: %w", err)
	}
	opts := []devissuer.Option{
		devissuer.WithAddr(cmp.Or(f.listen, issuer.DefaultAddress)), devissuer.WithIssuer(f.issuer), devissuer.WithAudience(f.audience...),
		devissuer.WithAlgorithm(f.algorithm), devissuer.WithLifetime(f.lifetime), devissuer.WithClock(p.env.Now),
	}
	if f.insecure {
		opts = append(opts, devissuer.WithInsecureListen())
	}
	for name, persona := range people {
		opts = append(opts, devissuer.WithPersona(name, persona.Options()...))
	}
	i, err := issuer.Start(f.keysFile, opts...)
	if err != nil {
		return flagError(err)
	}
	err = p.announce(i.Issuer, f, slices.Sorted(maps.Keys(people)))
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, i.Close())
}

// announce prints the issuer's addresses once it listens.
func (p *program) announce(i *devissuer.Issuer, f serveFlags, people []string) error {
	if p.json {
		return term.JSON(p.env.Stdout, map[string]any{
			"issuer":         i.URL(),
			"discovery":      i.DiscoveryURL(),
			"jwks_uri":       i.JWKSURL(),
			"token_endpoint": strings.TrimSuffix(i.JWKSURL(), "/jwks.json") + "/token",
			"audience":       f.audience,
			"algorithm":      i.Algorithm(),
			"kid":            i.KeyID(),
			"keys_file":      f.keysFile,
			"personas":       people,
		})
	}
	p.out.Printf("This development issuer gives any token to every caller.\n\n")
	if f.insecure {
		p.out.Printf("Other machines can reach it (--insecure-listen).\n\n")
	}
	p.out.Printf("  issuer     %s\n  keys       %s (%s)\n  keys file  %s\n", i.URL(), i.JWKSURL(), i.Algorithm(), cmp.Or(f.keysFile, "none: tokens are valid until this process ends"))
	if len(people) > 0 {
		p.out.Printf("  personas   %s\n", strings.Join(people, ", "))
	}
	algorithms := ""
	if i.Algorithm() != "RS256" {
		algorithms = " SSO_ALGORITHMS=" + i.Algorithm()
	}
	p.out.Printf("\nSettings of a service that accepts its tokens:\n\n  export SSO_ISSUER=%s SSO_AUDIENCE=%s%s\n", i.URL(), strings.Join(f.audience, ","), algorithms)
	p.out.Printf("\nRun sso mint to make a token. Press Ctrl-C to stop.\n")
	return nil
}
