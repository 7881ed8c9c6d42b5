package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
)

// The linker can set version and commit where the build cannot determine them: -ldflags "-X main.version=v1.2.3 -X
// main.commit=0123abc".
var version, commit string

// thisBuild describes the running binary.
func thisBuild() cli.Build { return cli.ThisBuild(version, commit) }

func newVersionCommand() *cobra.Command {
	format := cli.NewChoice("text", "json")
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit and build settings",
		Example: "  regionwatch version --format json",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format.String() == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(thisBuild())
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), thisBuild().Text())
			return err
		},
	}
	format.AddTo(cmd, "format", "format of the output")
	return cmd
}
