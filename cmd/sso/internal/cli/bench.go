package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/bench"
	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/cmd/sso/internal/settings"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
)

func (p *program) bench() *cobra.Command {
	var (
		duration time.Duration
		config   *settings.Flags
	)
	command := &cobra.Command{
		Use:   "bench-verify",
		Short: "Measure how many tokens a second this machine verifies",
		Long: `bench-verify verifies tokens by the whole library, one after the other on one core
and side by side on all, as if none had been seen before; and then such as the
service remembers (SSO_TOKEN_CACHE), again on one core.

Where the settings say where keys are, the keys are fetched, and the tokens are
signed by keys of the same kind and size, made for the purpose: the provider's own
nobody else has. Without settings the usual kinds are measured.`,
		Args: noArguments,
		RunE: p.run(func(ctx context.Context) error { return p.doBench(ctx, duration, config) }),
	}
	command.Flags().SortFlags = false
	command.Flags().DurationVar(&duration, "duration", 2*time.Second, "how `long` to measure each kind of key")
	config = settings.NewFlags(command.Flags(), p.env.Lookup)
	return command
}

func (p *program) doBench(ctx context.Context, duration time.Duration, config *settings.Flags) error {
	if duration <= 0 || duration > time.Hour {
		return usage("--duration is %v: write one from 1ms to 1h", duration)
	}
	cfg, _ := config.Config() // an audience is not needed here
	kinds, where := bench.Usual(), "the usual kinds of keys"
	if cfg.PublicKeyURI != "" || cfg.Issuer != "" {
		source, err := doctor.Open(cfg, p.env.HTTPClient) //nolint:contextcheck // it takes none: it reads a key file at once
		if err != nil {
			return usage("the key source cannot be used: %w", err)
		}
		if kinds, err = bench.KindsOf(ctx, source, doctor.Algorithms(cfg)); err != nil {
			return err
		}
		where = "keys of the kinds at " + source.String()
		if len(kinds) == 0 {
			return usage("no key at %s is for the accepted algorithms %v: sso doctor says more", source, doctor.Algorithms(cfg))
		}
	}
	out := p.printer()
	if !p.json {
		out.Printf("%s, %v each\n\n", where, duration)
		out.Printf("  %-18s %14s %14s %12s %14s\n", "", "one core", "all cores", "each takes", "known")
	}
	var results []bench.Result
	for _, kind := range kinds {
		r, err := bench.Measure(ctx, kind, duration, time.Now) // a figure by another clock means nothing
		if err != nil {
			return err
		}
		results = append(results, r)
		if !p.json {
			out.Printf("  %-18s %12d/s %12d/s %12v %12d/s\n", kind.String(), r.OneCore, r.AllCores, (time.Duration(r.Nanoseconds()) * time.Nanosecond).Round(100*time.Nanosecond), r.Known)
		}
	}
	if p.json {
		return term.JSON(p.env.Stdout, results)
	}
	return nil
}
