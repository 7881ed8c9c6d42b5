package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
)

// RequiredKey is the annotation of a command that holds the names of the settings a command requires.
const RequiredKey = "required-settings"

// AddSettings adds settings as flags to a command, with completion of their values. Without names it adds all of them.
func AddSettings(cmd *cobra.Command, names ...string) {
	config.AddFlags(cmd.Flags(), names...)
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{RequiredKey: ""}
	}
	for _, setting := range config.Table() {
		if len(names) > 0 && !slices.Contains(names, setting.Name) {
			continue
		}
		if len(setting.Choices) > 0 {
			CompleteFlag(cmd, setting.Name, setting.Choices)
		}
		if setting.Name == "config" || setting.Name == "policy" {
			Must(cmd.MarkFlagFilename(setting.Name, "yaml", "yml"))
		}
	}
}

// RequireSettings makes [ReadSettings] report settings that are missing.
func RequireSettings(cmd *cobra.Command, names ...string) {
	cmd.Annotations = map[string]string{RequiredKey: strings.Join(names, " ")}
}

// TakesSettings reports whether [AddSettings] was called for the command.
func TakesSettings(cmd *cobra.Command) bool {
	_, ok := cmd.Annotations[RequiredKey]
	return ok
}

// ReadSettings reads the settings of a command. It returns settings also with an error, which holds every mistake in
// them and every required setting that is missing.
func ReadSettings(cmd *cobra.Command) (*config.Settings, error) {
	return ReadSomeSettings(cmd, strings.Fields(cmd.Annotations[RequiredKey])...)
}

// ReadSomeSettings is [ReadSettings] with other required settings than the command's.
func ReadSomeSettings(cmd *cobra.Command, required ...string) (*config.Settings, error) {
	return config.Load(config.Sources{Flags: cmd.Flags(), Environ: os.Environ(), Required: required})
}
