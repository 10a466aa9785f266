package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/cmd/sso/internal/settings"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
)

func (p *program) doctor() *cobra.Command {
	var config *settings.Flags
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check the settings and the provider",
		Long: `doctor reads the environment as a service does, fetches the keys once from the
configured source, and reports each setting, each key, the clocks, the certificate,
the latency, and what happens in an outage of the provider.

Red findings keep valid tokens out or let invalid ones in, and make the exit code 1.
Yellow ones work, but are fragile. Run it where the service runs: another machine has
other clocks, proxies and certificates. doctor waits up to 3 s for a local provider to
start.`,
		Example: `  SSO_ISSUER=https://login.example.com SSO_AUDIENCE=orders-api sso doctor
  sso doctor --keys https://login.example.com/jwks.json --audience orders-api --json`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doDoctor(ctx, config) }),
	}
	command.Flags().SortFlags = false
	config = settings.NewFlags(command.Flags(), p.env.Lookup)
	return command
}

func (p *program) doDoctor(ctx context.Context, config *settings.Flags) error {
	question := doctor.Question{Client: p.env.HTTPClient, Now: p.env.Now}
	question.Config, question.Err = config.Config()
	if question.Config.PublicKeyURI == "" {
		p.await(ctx, question.Config.Issuer)
	} else {
		p.await(ctx, question.Config.PublicKeyURI)
	}
	for _, s := range settings.All() {
		value, where := config.Value(s)
		setting := doctor.Setting{Name: s.Name(), Value: s.Default, From: "default"}
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

func (p *program) printFindings(r *doctor.Report) {
	p.out.Printf("settings\n")
	for _, s := range r.Settings {
		p.out.Printf("  %-30s %s  (%s)\n", s.Name, s.Value, s.From)
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
	p.out.Printf("\n%-6s (%d red, %d yellow, %d green)\n", r.Level, counts[doctor.Red], counts[doctor.Yellow], counts[doctor.Green])
}
