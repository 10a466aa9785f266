package cli

import (
	"cmp"
	"context"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/personas"
	"github.com/more-retail/moresso-go/cmd/sso/internal/server"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// serveFlags are those of sso serve.
type serveFlags struct {
	listen    string
	insecure  bool
	issuer    string
	audience  []string
	algorithm string
	keysFile  string
	lifetime  time.Duration
	personas  string
}

func (p *program) serve() *cobra.Command {
	var f serveFlags
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run a development issuer on this machine",
		Long: `serve is an identity provider in the shape of OpenID Connect for development: a
discovery document, public keys, and a token endpoint that gives any token to
whoever asks. Never use it for anything that matters.

It listens on this machine alone, answers only to a Host that is this machine (so
that no web page gets at it by a name of its own), and to other sites' pages not at
all. Its private keys are kept in a file that only you can read, so that tokens are
still good after a restart. Of two sso serve on one such file the second is refused:
give it a --keys-file of its own.

  POST /token     grant_type=client_credentials, any client_id with any secret; and
                  persona, audience, scope, permissions, claims, without, expires_in
  POST /rotate    sign with a new key; the last five are published
  POST /down      be unreachable, all but this and the next; to see what services do
  POST /up        be reachable again

It runs until it is interrupted (Ctrl-C), and lets requests under way end.`,
		Example: `  sso serve
  sso serve --audience orders-api --personas personas.yaml
  curl -X POST http://127.0.0.1:9000/rotate
  sso serve --insecure-listen --listen 0.0.0.0:9000 --issuer http://issuer:9000   # among containers`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doServe(ctx, f) }),
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.listen, "listen", server.DefaultAddress, "`address` to listen on; port 0 takes any free one")
	flags.BoolVar(&f.insecure, "insecure-listen", false, "listen beyond this machine: whoever reaches the address gets any token")
	flags.StringVar(&f.issuer, "issuer", "", "`identifier` of the issuer, by which others reach it (default http:// and the address)")
	flags.StringSliceVar(&f.audience, "audience", []string{"api"}, "`audience` of tokens that do not ask for another")
	flags.StringVar(&f.algorithm, "algorithm", "", "`algorithm` of new keys (default that of the keys file, RS256 for a new one)")
	flags.StringVar(&f.keysFile, "keys-file", defaultKeysFile(), "`file` of the private keys, made if there is none; empty: keys are kept nowhere")
	flags.DurationVar(&f.lifetime, "lifetime", time.Hour, "`how long` tokens are good that do not say")
	flags.StringVar(&f.personas, "personas", "", "YAML `file` of people whom tokens can be about (see \"sso help personas\")")
	complete(command, "algorithm", "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
	return command
}

// defaultKeysFile lies among the user's settings; none if there is no such place.
func defaultKeysFile() string {
	folder, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "moresso-go", "issuer-keys.pem")
}

// complete offers values of a flag to the shell.
func complete(command *cobra.Command, flag string, values ...string) {
	// It fails for a flag that does not exist, which a test would show.
	_ = command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func (p *program) doServe(ctx context.Context, f serveFlags) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	people := map[string]personas.Persona{}
	if f.personas != "" {
		var err error
		if people, err = personas.Load(f.personas); err != nil {
			return usage("--personas: %w", err)
		}
	}
	opts := []devissuer.Option{devissuer.WithAudience(f.audience...), devissuer.WithLifetime(f.lifetime), devissuer.WithClock(p.env.Now)}
	for name, persona := range people {
		opts = append(opts, devissuer.WithPersona(name, persona.Options()...))
	}
	s, err := server.Listen(ctx, server.Config{
		Address: f.listen, InsecureListen: f.insecure, Issuer: f.issuer, KeysFile: f.keysFile, Algorithm: f.algorithm, Options: opts,
	})
	if err != nil {
		return usage("%w", err)
	}
	names := slices.Sorted(maps.Keys(people))
	if err := p.announce(s, f, names); err != nil {
		return err
	}
	return s.Serve(ctx)
}

// announce says where the issuer is, once it listens.
func (p *program) announce(s *server.Server, f serveFlags, people []string) error {
	issuer := s.Issuer()
	if p.json {
		return term.JSON(p.env.Stdout, map[string]any{
			"issuer":         issuer.URL(),
			"discovery":      issuer.DiscoveryURL(),
			"jwks_uri":       issuer.JWKSURL(),
			"token_endpoint": strings.TrimSuffix(issuer.JWKSURL(), devissuer.PathJWKS) + devissuer.PathToken,
			"audience":       f.audience,
			"algorithm":      issuer.Algorithm(),
			"kid":            issuer.KeyID(),
			"keys_file":      f.keysFile,
			"personas":       people,
		})
	}
	p.out.Printf("This development issuer gives any token to every caller.\n\n")
	if f.insecure {
		p.out.Printf("Other machines can reach it (--insecure-listen).\n\n")
	}
	p.out.Printf("  issuer     %s\n  keys       %s (%s)\n  keys file  %s\n", issuer.URL(), issuer.JWKSURL(), issuer.Algorithm(), cmp.Or(f.keysFile, "none: a restart makes all tokens invalid"))
	if len(people) > 0 {
		p.out.Printf("  personas   %s\n", strings.Join(people, ", "))
	}
	algorithms := ""
	if issuer.Algorithm() != "RS256" {
		algorithms = " SSO_ALGORITHMS=" + issuer.Algorithm()
	}
	p.out.Printf("\nSettings of a service:\n\n  export SSO_ISSUER=%s SSO_AUDIENCE=%s%s\n\n", issuer.URL(), strings.Join(f.audience, ","), algorithms)
	p.out.Printf("Make tokens with sso mint. Press Ctrl-C to stop.\n")
	return nil
}
