package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/sso"
)

func (p *program) doctor() *cobra.Command {
	var config *settings
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check the settings and the provider",
		Long: `doctor reads the environment as a service does, fetches the keys once from the
configured source, and reports each setting, each key, the clocks, the certificate,
the latency, and what happens in an outage of the provider. It recognizes many
providers, and prints what is special about yours and the settings to copy.

With a token on standard input, it reports whether a service with these settings
accepts it, and if not, the settings that would.

Red findings make the exit code 1. Run it where the service runs: another machine has
other clocks, proxies and certificates. It waits up to 3 s for a local provider.`,
		Example: `  SSO_ISSUER=https://login.example.com SSO_AUDIENCE=orders-api sso doctor
  sso doctor --keys https://login.example.com/jwks.json --audience orders-api --json
  pbpaste | sso doctor --issuer https://login.example.com --audience orders-api`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doDoctor(ctx, config) }),
	}
	command.Flags().SortFlags = false
	config = p.addSettings(command.Flags())
	return command
}

func (p *program) doDoctor(ctx context.Context, config *settings) error {
	question := doctor.Question{Client: p.env.HTTPClient, Now: p.env.Now, Unknown: p.unknown()}
	question.Config, question.Err = config.config() //nolint:contextcheck // it reads a key file at once
	var err error
	if question.Token, err = p.piped(); err != nil {
		return err
	}
	p.await(ctx, cmp.Or(question.Config.PublicKeyURI, question.Config.Issuer))
	for _, s := range sso.Settings() {
		value, where := config.value(s)
		setting := doctor.Setting{Name: s.Variable, Value: s.Default, From: "default"}
		if where != "" {
			setting.Value, setting.From = term.Redact(value), where
		}
		question.Settings = append(question.Settings, setting)
	}
	report := doctor.Examine(ctx, question)
	if report.Level == doctor.Red {
		p.code = ExitRefused
	}
	if p.json {
		return term.JSON(p.env.Stdout, report)
	}
	p.printFindings(report)
	return nil
}

// unknown returns the problems of a service's own configuration that are not about a setting.
func (p *program) unknown() (problems []sso.ConfigProblem) {
	var invalid *sso.ConfigError
	if p.env.Service == nil {
		return nil
	}
	if _, err := p.env.Service(); errors.As(err, &invalid) {
		problems = slices.DeleteFunc(invalid.Problems, func(c sso.ConfigProblem) bool {
			return slices.ContainsFunc(sso.Settings(), func(s sso.Setting) bool { return s.Variable == c.Setting })
		})
	}
	return problems
}

func (p *program) printFindings(r *doctor.Report) {
	p.out.Printf("settings\n")
	for _, s := range r.Settings {
		p.out.Printf("  %-30s %s  (%s)\n", s.Name, s.Value, s.From)
	}
	if r.Provider != nil {
		p.out.Printf("\nprovider\n  %s, %s\n", r.Provider.Name, r.Provider.Page)
		for _, note := range r.Provider.Notes {
			p.out.Printf("  - %s\n", note)
		}
		p.out.Printf("  settings to copy\n")
		for _, line := range r.Provider.Settings {
			p.out.Printf("    %s\n", line)
		}
	}
	if len(r.Keys) > 0 {
		p.out.Printf("\nkeys at %s\n", r.Source)
	}
	for _, k := range r.Keys {
		mark := "usable  "
		if !k.Usable {
			mark = "not used"
		}
		p.out.Printf("  %s  %s  %s, %s, age %s\n", mark, term.Clip(cmp.Or(k.ID, "(no id)"), 80), k.Algorithm, k.Size, k.Age)
		if k.Why != "" {
			p.out.Printf("            %s\n", k.Why)
		}
	}
	p.out.Printf("\nfindings\n")
	counts := map[doctor.Level]int{}
	for _, f := range r.Findings {
		counts[f.Level]++
		p.out.Printf("  %-6s  %s: %s\n", f.Level, f.Topic, term.Clip(f.Text, 1000))
		if f.Remedy != "" {
			p.out.Printf("          what to do: %s\n", f.Remedy)
		}
	}
	p.out.Printf("\n%-6s (%s red, %s yellow, %s green)\n", r.Level, counts[doctor.Red], counts[doctor.Yellow], counts[doctor.Green])
}
