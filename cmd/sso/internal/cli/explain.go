package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/permission"
)

// explainFlags are the flags of sso explain, except the settings.
type explainFlags struct {
	decode, stdin bool
	require       string
	path          map[string]string
}

func (p *program) explain() *cobra.Command {
	var (
		f      explainFlags
		config *settings
	)
	command := &cobra.Command{
		Use:   "explain",
		Short: "Explain why a token is accepted or refused, and what to do about it",
		Long: `explain checks a token as a service with the same settings would. It reads the
settings from the environment (SSO_AUDIENCE and so on); flags override them.

It reads the token from the variable SSO_TOKEN, or from a pipe if that is not set or
with --stdin. The input may also be one or more lines "Authorization: Bearer …".

The public keys are fetched from the configured source, never from an address that
the token names. The claims are printed, the signature is not.`,
		Example: `  sso mint --permission pma.role=admin | sso explain --require 'is("pma.role", "admin") && scope("orders:read")'
  pbpaste | sso explain --issuer https://login.example.com --audience orders-api
  SSO_TOKEN=… sso explain --decode`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doExplain(ctx, f, config) }),
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.require, "require", "", "the `permission` that the route requires, such as is(\"pma.role\", \"admin\")")
	flags.StringToStringVar(&f.path, "path-value", nil, "a path parameter, for permissions that read it: `name=value`")
	flags.Lookup("path-value").DefValue = "" // pflag would print brackets
	flags.BoolVar(&f.decode, "decode", false, "print the token without verifying it; needs no settings")
	flags.BoolVar(&f.stdin, "stdin", false, "read the token from a pipe, even if SSO_TOKEN is set")
	config = p.addSettings(flags)
	return command
}

func (p *program) doExplain(ctx context.Context, f explainFlags, config *settings) error {
	question := explain.Question{Now: p.env.Now, Request: adapter.EventRequest{PathValues: f.path}}
	if f.require != "" {
		var err error
		if question.Require, err = permission.Parse(f.require); err != nil {
			return usage("--require: %w", err)
		}
	}
	var err error
	if !f.decode {
		if question.Config, err = config.config(); err != nil { //nolint:contextcheck // it reads a key file at once
			return usage("%w\n(to print the token only: --decode)", err)
		}
		question.Config.HTTPClient = p.env.HTTPClient
	}
	input, where, err := p.input(f.stdin)
	if err != nil {
		return err
	}
	question.Input = input
	if f.decode {
		return p.decode(input, where)
	}
	report, err := explain.Explain(ctx, question)
	if err != nil {
		return usage("%w", err)
	}
	if report.Verdict != explain.Accepted {
		p.code = ExitRefused
	}
	if p.json {
		return term.JSON(p.env.Stdout, report)
	}
	p.printReport(report, where)
	return nil
}

func (p *program) decode(input explain.Input, where string) error {
	token, err := explain.Decode(input)
	if err != nil {
		return err
	}
	if p.json {
		return term.JSON(p.env.Stdout, token)
	}
	p.printToken(token, where)
	p.out.Printf("\nNothing of this has been verified.\n")
	return nil
}

// marks are the printed results of checks.
var marks = map[explain.Result]string{explain.Pass: "ok  ", explain.Fail: "FAIL", explain.Skipped: "skip"}

func (p *program) printReport(r *explain.Report, where string) {
	if r.Token != nil {
		p.printToken(r.Token, where)
		p.out.Printf("\n")
	}
	p.out.Printf("checks\n")
	var rest []string
	for _, c := range r.Checks {
		if c.Result == explain.NotReached {
			rest = append(rest, c.Name)
			continue
		}
		p.out.Printf("  %s  %-11s  %s\n", marks[c.Result], c.Name, term.Clip(c.Detail, 600))
		if c.Clause != "" {
			p.out.Printf("                     see %s\n", c.Clause)
		}
	}
	if rest != nil {
		p.out.Printf("  not reached: %s\n", strings.Join(rest, ", "))
	}
	if r.Require != nil {
		p.out.Printf("\npermission\n")
		p.printDecision(r.Require, "  ")
	}
	if r.Verdict == explain.Accepted {
		p.out.Printf("\naccepted\n")
		return
	}
	p.out.Printf("\n%s: %s %s, reason %s\nwhat to do: %s\n", r.Verdict, r.Status, r.Code, r.Reason, r.Remedy)
}

func (p *program) printDecision(d *explain.Decision, indent string) {
	mark := "granted"
	switch {
	case d.Error != "":
		mark = "failed "
	case !d.Granted:
		mark = "denied "
	}
	p.out.Printf("%s%s  %s\n", indent, mark, d.Permission)
	switch {
	case d.Error != "" && len(d.Children) == 0:
		p.out.Printf("%s         %s\n", indent, d.Error)
	case !d.Granted && d.Remedy != "":
		found := ""
		if d.Found != "" {
			found = ", found " + term.Clip(d.Found, 200)
		}
		p.out.Printf("%s         %s: %s%s\n", indent, d.Code, d.Remedy, found)
	}
	for i := range d.Children {
		p.printDecision(&d.Children[i], indent+"  ")
	}
}

func (p *program) printToken(t *explain.Token, where string) {
	p.out.Printf("token from %s, %s bytes\n", where, t.Bytes)
	for _, part := range []struct {
		name   string
		object []byte
	}{{"header", t.Header}, {"claims", t.Claims}} {
		members := explain.Members(part.object, p.env.Now())
		p.out.Printf("  %s\n", part.name)
		if members == nil && string(part.object) != "{}" {
			p.out.Printf("    (not a JSON object)\n")
		}
		for _, m := range members {
			value := term.Clip(m.Value, 300)
			if m.Note != "" {
				value += "  " + m.Note
			}
			p.out.Printf("    %-12s %s\n", term.Clip(m.Name, 60), value)
		}
	}
}
