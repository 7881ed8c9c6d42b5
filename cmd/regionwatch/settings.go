package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
)

// addRunSettings adds all settings that run has to a command that connects to brokers.
func addRunSettings(cmd *cobra.Command) {
	cli.AddSettings(cmd)
	cli.RequireSettings(cmd, "brokers")
}

// loadPolicy returns a command's settings and the policy they describe. The error lists every mistake in both.
func loadPolicy(cmd *cobra.Command) (*config.Settings, *policy.Policy, error) {
	s, loaded, err := loadBoth(cmd)
	if err != nil {
		return nil, nil, cli.Mistake(err)
	}
	return s, loaded.Policy, nil
}

// loadBoth is loadPolicy, but also returns the policy file. It returns the settings even with an error.
func loadBoth(cmd *cobra.Command) (*config.Settings, live.Loaded, error) {
	s, err := cli.ReadSettings(cmd)
	p, policyErr := setup.Policy(s)
	return s, p, errors.Join(err, policyErr)
}
