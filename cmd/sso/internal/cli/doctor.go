package cli

import (
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
		Short: "Check settings and provider before a service does",
		Long: `doctor reads the environment as a service would, fetches the keys once from the
configured source, and reports each setting, each key and whether it can be used,
the clocks, the certificate, how long the answer took, and what would happen if the
provider could not be reached.

What is red keeps good tokens out or lets bad ones in, and makes the exit code 1.
What is yellow works, and may not tomorrow. Run it where the service runs: another
machine has other clocks, proxies and certificates. A provider on this machine that
was started just before is waited for, 3 s at most.`,
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
		question.Settings = append(question.Settings, doctor.NewSetting(s.Name(), value, where, s.Default))
	}
	report := doctor.Examine(ctx, question)
	if report.Level == doctor.Red {
		p.code = ExitRefused
	}
	if p.json {
		return term.JSON(p.env.Stdout, report)
	}
	p.printExamination(report)
	return nil
}

func (p *program) printExamination(r *doctor.Report) {
	out := p.printer()
	out.Printf("%s\n", out.Paint(term.Bold, "settings"))
	for _, s := range r.Settings {
		from := out.Paint(term.Gray, "default")
		if s.From != "default" {
			from = out.Paint(term.Bold, s.From)
		}
		out.Printf("  %-30s %s  (%s)\n", s.Name, s.Value, from)
	}
	if len(r.Keys) > 0 {
		out.Printf("\n%s at %s\n", out.Paint(term.Bold, "keys"), r.Source)
	}
	for _, k := range r.Keys {
		mark := out.Paint(term.Green, "usable  ")
		if !k.Usable {
			mark = out.Paint(term.Yellow, "not used")
		}
		id := k.ID
		if id == "" {
			id = "(no id)"
		}
		out.Printf("  %s  %s  %s, %s, age %s\n", mark, term.Clip(id, 80), k.Algorithm, k.Size, k.Age)
		if k.Why != "" {
			out.Printf("            %s\n", k.Why)
		}
	}
	out.Printf("\n%s\n", out.Paint(term.Bold, "findings"))
	counts := map[doctor.Level]int{}
	for _, f := range r.Findings {
		counts[f.Level]++
		out.Printf("  %s  %s: %s\n", level(out, f.Level), f.Topic, term.Clip(f.Text, 1000))
		if f.Remedy != "" {
			out.Printf("          what to do: %s\n", f.Remedy)
		}
	}
	out.Printf("\n%s (%d red, %d yellow, %d green)\n", level(out, r.Level), counts[doctor.Red], counts[doctor.Yellow], counts[doctor.Green])
}

// level is a level in its color and as wide as the others.
func level(out *term.Printer, l doctor.Level) term.Markup {
	switch l {
	case doctor.Green:
		return out.Paint(term.Green, "green ")
	case doctor.Yellow:
		return out.Paint(term.Yellow, "yellow")
	case doctor.Red:
	}
	return out.Paint(term.Red, "red   ")
}
