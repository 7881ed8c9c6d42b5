package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
)

// addNamedSettings gives a command those settings as flags. loadSettings reads them.
func addNamedSettings(cmd *cobra.Command, names ...string) {
	config.AddFlags(cmd.Flags(), names...)
	cmd.Annotations = map[string]string{requiredKey: ""}
	for _, setting := range config.Table() {
		if len(setting.Choices) > 0 && slices.Contains(names, setting.Name) {
			complete := cobra.FixedCompletions(setting.Choices, cobra.ShellCompDirectiveNoFileComp)
			mustBeKnown(cmd.RegisterFlagCompletionFunc(setting.Name, complete))
		}
	}
}
