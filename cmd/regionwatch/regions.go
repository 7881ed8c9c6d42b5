package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/policies"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// regionsFlags are the flags of regions.
type regionsFlags struct {
	format    *cli.Choice
	partition string
	optional  bool
}

func newRegionsCommand() *cobra.Command {
	f := regionsFlags{format: cli.NewChoice("text", "json")}
	cmd := &cobra.Command{
		Use:   "regions",
		Short: "List the AWS regions that policies may name",
		Long: "List the regions of every AWS partition, with their names and whether an account has to enable them before they\n" +
			"can be used. Under an allow list a region that is not in this list is unused, so a catalogue older than AWS hides\n" +
			"nothing there.",
		Example: "  regionwatch regions --partition aws --optional",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := f.regions()
			if err != nil {
				return cli.Mistake(err)
			}
			return policies.WriteRegions(cmd.OutOrStdout(), f.format.String(), list)
		},
	}
	f.format.AddTo(cmd, "format", "format of the output")
	cmd.Flags().StringVar(&f.partition, "partition", "", "only the regions of this partition, such as aws")
	cmd.Flags().BoolVar(&f.optional, "optional", false, "only the regions that an account has to enable")
	cli.CompleteFlag(cmd, "partition", partitions())
	return cmd
}

// completeRegions makes shells complete region codes, with the regions' names, for each flag of the tree that takes some.
func completeRegions(parent *cobra.Command) {
	var words []string
	for _, r := range regions.All() {
		words = append(words, r.Code+"\t"+r.Name)
	}
	for _, cmd := range parent.Commands() {
		completeRegions(cmd)
		for _, flag := range []string{"regions", "unused-regions"} {
			if cmd.Flags().Lookup(flag) != nil {
				cli.CompleteList(cmd, flag, ",", words)
			}
		}
	}
}

func partitions() (names []string) {
	for _, r := range regions.All() {
		if !slices.Contains(names, r.Partition) {
			names = append(names, r.Partition)
		}
	}
	return names
}

// regions returns the selected regions.
func (f *regionsFlags) regions() (list []regions.Region, err error) {
	if f.partition != "" && !slices.Contains(partitions(), f.partition) {
		return nil, fmt.Errorf("flag --partition: %q is not known; allowed: %s", f.partition, strings.Join(partitions(), ", "))
	}
	for _, r := range regions.All() {
		if (f.partition == "" || r.Partition == f.partition) && (r.OptIn || !f.optional) {
			list = append(list, r)
		}
	}
	return list, nil
}
