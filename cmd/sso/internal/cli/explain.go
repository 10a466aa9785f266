package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/cmd/sso/internal/settings"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// maxMembers bounds how many members of a header or of claims people are shown.
const maxMembers = 100

// explainFlags are those of sso explain beside the settings.
type explainFlags struct {
	decode  bool
	stdin   bool
	require string
	method  string
	path    map[string]string
}

func (p *program) explain() *cobra.Command {
	var (
		f      explainFlags
		config *settings.Flags
	)
	command := &cobra.Command{
		Use:   "explain",
		Short: "Say why a token is accepted or refused, and what to do about it",
		Long: `explain judges a token as a service with the same settings would: the settings are
those of the environment (SSO_AUDIENCE and so on, see "sso help settings"), and
flags go before them.

The token stands in the variable SSO_TOKEN, or comes through a pipe if that is not
set; with --stdin through a pipe in any case. Instead of the token alone it may be a line "Authorization: Bearer …", or several of them.

Nothing is sent anywhere: the public keys are fetched from the configured source,
and never from an address that the token names. The token's signature is never
printed; its claims are, so mind who looks on.`,
		Example: `  sso mint --permission pma.role=admin | sso explain --require 'is("pma.role", "admin") && scope("orders:read")'
  pbpaste | sso explain --issuer https://login.example.com --audience orders-api
  SSO_TOKEN=… sso explain --decode`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doExplain(ctx, f, config) }),
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.require, "require", "", "a `permission` that the route demands, as text (see \"sso help permissions\")")
	flags.StringVar(&f.method, "method", "GET", "the request's `method`, for permissions that ask for it")
	flags.StringToStringVar(&f.path, "path-value", nil, "what the path holds in the place of a parameter, for permissions that ask for it: `name=value`")
	flags.Lookup("path-value").DefValue = "" // where pflag would print brackets
	flags.BoolVar(&f.decode, "decode", false, "only take the token apart: nothing is verified, no settings are needed")
	flags.BoolVar(&f.stdin, "stdin", false, "the token comes through a pipe, whatever SSO_TOKEN holds")
	config = settings.NewFlags(flags, p.env.Lookup)
	return command
}

func (p *program) doExplain(ctx context.Context, f explainFlags, config *settings.Flags) error {
	question := explain.Question{Now: p.env.Now, Request: sso.EventRequest{HTTPMethod: strings.ToUpper(f.method), PathValues: f.path}}
	if f.require != "" {
		var err error
		if question.Require, err = permission.Parse(f.require); err != nil {
			return usage("--require: %w", err)
		}
	}
	var err error
	if !f.decode {
		if question.Config, err = config.Config(); err != nil {
			return usage("%w\n(for a look into the token alone: --decode)", err)
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
	p.printer().Printf("\nNothing of this has been verified.\n")
	return nil
}

func (p *program) printReport(r *explain.Report, where string) {
	out := p.printer()
	if r.Token != nil {
		p.printToken(r.Token, where)
		out.Printf("\n")
	}
	out.Printf("%s\n", out.Paint(term.Bold, "checks"))
	for _, c := range r.Checks {
		switch c.Result {
		case explain.Pass:
			out.Printf("  %s  %-11s  %s\n", out.Paint(term.Green, "ok  "), c.Name, term.Clip(c.Detail, 300))
		case explain.Fail:
			out.Printf("  %s  %-11s  %s\n", out.Paint(term.Red, "FAIL"), c.Name, term.Clip(c.Detail, 600))
		case explain.Skipped:
			out.Printf("  %s  %-11s  %s\n", out.Paint(term.Yellow, "skip"), c.Name, term.Clip(c.Detail, 300))
		case explain.NotReached:
			out.Printf("  %s  %-11s  %s\n", out.Paint(term.Gray, "-   "), c.Name, out.Paint(term.Gray, "not reached"))
		}
	}
	if r.Require != nil {
		out.Printf("\n%s\n", out.Paint(term.Bold, "permission"))
		printDecision(out, r.Require, "  ")
	}
	out.Printf("\n")
	switch r.Verdict {
	case explain.Accepted:
		out.Printf("%s\n", out.Paint(term.Green, "accepted"))
	case explain.Unknown:
		out.Printf("%s: %d %s, reason %s\n%s\n", out.Paint(term.Yellow, "nobody can tell"), r.Status, r.Code, string(r.Reason), r.Remedy)
	case explain.Refused, explain.Denied:
		out.Printf("%s: %d %s, reason %s\n", out.Paint(term.Red, string(r.Verdict)), r.Status, r.Code, string(r.Reason))
		out.Printf("%s %s\n", out.Paint(term.Bold, "what to do:"), r.Remedy)
	}
}

func printDecision(out *term.Printer, d *explain.Decision, indent string) {
	mark := out.Paint(term.Green, "granted")
	switch {
	case d.Error != "":
		mark = out.Paint(term.Red, "failed ")
	case !d.Granted:
		mark = out.Paint(term.Red, "denied ")
	}
	out.Printf("%s%s  %s\n", term.Markup(indent), mark, d.Permission)
	below := indent + "         "
	switch {
	case d.Error != "" && len(d.Children) == 0:
		out.Printf("%s%s\n", term.Markup(below), d.Error)
	case !d.Granted && d.Remedy != "":
		found := ""
		if d.Found != "" {
			found = ", found " + term.Clip(d.Found, 200)
		}
		out.Printf("%s%s: %s%s\n", term.Markup(below), d.Code, d.Remedy, found)
	}
	for i := range d.Children {
		printDecision(out, &d.Children[i], indent+"  ")
	}
}

func (p *program) printToken(t *explain.Token, where string) {
	out := p.printer()
	out.Printf("%s from %s, %d bytes\n", out.Paint(term.Bold, "token"), where, t.Bytes)
	for _, part := range []struct {
		name   string
		object []byte
	}{{"header", t.Header}, {"claims", t.Claims}} {
		members := explain.Members(part.object, p.env.Now())
		if members == nil && string(part.object) != "{}" {
			out.Printf("  %s\n    (no JSON object)\n", part.name)
			continue
		}
		out.Printf("  %s\n", part.name)
		for i, m := range members {
			if i == maxMembers {
				out.Printf("    … and %d more\n", len(members)-maxMembers)
				break
			}
			note := term.Markup("")
			if m.Note != "" {
				note = out.Paint(term.Gray, "  "+m.Note)
			}
			out.Printf("    %-12s %s%s\n", term.Clip(m.Name, 60), term.Clip(m.Value, 300), note)
		}
	}
}
