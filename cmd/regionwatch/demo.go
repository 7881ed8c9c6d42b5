package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/demo"
	"github.com/regionwatch/regionwatch/internal/generate"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// demoFlags are demo's own flags, apart from settings.
type demoFlags struct {
	port, rate, events, seed, accounts *cli.Parsed[int64]
	matching, damaged                  *cli.Parsed[float64]
	shapes                             []string
}

func newDemoCommand() *cobra.Command {
	f := demoFlags{
		port:     cli.NewNumber("0", 0, 65535),
		rate:     cli.NewNumber("1000", 1, 1_000_000),
		events:   cli.NewNumber("0", 0, 1_000_000_000_000),
		seed:     cli.NewNumber("1", 0, 1_000_000_000_000),
		accounts: cli.NewNumber("4", 1, sample.MaxAccounts),
		matching: cli.NewShare("0.0002"),
		damaged:  cli.NewShare("0.002"),
	}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: an embedded broker, generated traffic and alerts as they come",
		Long: "See it work, with nothing to set up: a Kafka broker in this process, on a port of 127.0.0.1; generated\n" +
			"CloudTrail of a company with named accounts, some of it damaged; and the pipeline of run, which reads it and\n" +
			"writes alerts and dead letters. After a few seconds an attack begins in a region that the company does not use.\n" +
			"With --policy or --unused-regions there is no attack. Any Kafka client can read the topics meanwhile.\n\n" +
			"Ctrl-C, or --events, ends it with a summary of everything read, alerted, passed and dead-lettered, read back\n" +
			"from the topics by a separate client. The exit status is 1 if it does not add up.",
		Example: "  regionwatch demo\n" +
			"  regionwatch demo --policy policy.yaml --rate 100 --admin-address 127.0.0.1:8080",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Var(f.port, "port", fmt.Sprintf("port of the broker; 0 is %d, or a free one if that is taken", demo.Port))
	flags.Var(f.rate, "rate", "records per second")
	flags.Var(f.events, "events", "events after which it ends; 0 goes on until a signal to stop")
	flags.Var(f.seed, "seed", "selects the sample; the same seed gives the same traffic")
	flags.Var(f.accounts, "accounts", fmt.Sprintf("number of accounts in the events, up to %d", sample.MaxAccounts))
	flags.Var(f.matching, "match-share", "share of events that are writes in an unused region, from 0 to 1")
	flags.Var(f.damaged, "damaged-share", "share of records that are damaged, from 0 to 1")
	addShapeFlag(cmd, &f.shapes, "event", "gzip+records", "ndjson")
	cli.AddSettings(cmd, "delivery", "policy", "unused-regions", "admin-address")
	return cmd
}

func (f *demoFlags) run(cmd *cobra.Command) error {
	s, p, err := loadPolicy(cmd)
	if err != nil {
		return err
	}
	traffic, err := f.traffic(s, p)
	if err != nil {
		return cli.Mistake(err)
	}
	origin, attacked := setup.PolicyOrigin(s), ""
	if s.Policy == "" && s.Origin("unused-regions").Source == config.FromDefault {
		accounts := sample.AccountIDs(int(f.accounts.Value))
		p, origin, attacked = demo.Company(accounts, generate.UsedRegions(s.UnusedRegions)), "the policy of a sample company", accounts[0]
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), demo.Settle, nil)
	defer stop()
	return demo.Run(ctx, demo.Options{
		Settings: s, Policy: p, Origin: origin, Build: thisBuild(),
		Port: int(f.port.Value), Traffic: traffic, Rate: float64(f.rate.Value), Events: uint64(f.events.Value), Attacked: attacked,
		Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
	})
}

// traffic returns the generator of the records. The error lists every mistake.
func (f *demoFlags) traffic(s *config.Settings, p *policy.Policy) (*sample.Generator, error) {
	unused := s.UnusedRegions
	if s.Policy != "" {
		unused = p.Effective("", time.Now()).Unused
	}
	shapes, err := generate.Shapes(f.shapes)
	if err != nil {
		return nil, err
	}
	return sample.New(sample.Options{
		Seed: uint64(f.seed.Value), Accounts: int(f.accounts.Value), Regions: generate.UsedRegions(unused), UnusedRegions: unused,
		MatchShare: f.matching.Value, DamagedShare: f.damaged.Value, EventsPerRecord: demo.EventsPerRecord, Shapes: shapes,
		Start: time.Now(), Interval: time.Second / time.Duration(3*f.rate.Value),
	})
}
