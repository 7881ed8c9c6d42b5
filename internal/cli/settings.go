package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
)

// RequiredKey is the command annotation that lists the settings a command requires.
const RequiredKey = "required-settings"

// AddSettings adds settings to a command as flags, with completion of their values. Without names it adds all settings.
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

// HideSettings leaves settings out of the help of a command that takes them only because others share its file.
func HideSettings(cmd *cobra.Command, unused func(*config.Setting) bool) {
	for i, setting := range config.Table() {
		if f := cmd.Flags().Lookup(setting.Name); f != nil && unused(&config.Table()[i]) {
			f.Hidden = true
		}
	}
}

// RequireSettings makes [ReadSettings] report missing settings.
func RequireSettings(cmd *cobra.Command, names ...string) {
	cmd.Annotations = map[string]string{RequiredKey: strings.Join(names, " ")}
}

// TakesSettings reports whether [AddSettings] was called for the command.
func TakesSettings(cmd *cobra.Command) bool {
	_, ok := cmd.Annotations[RequiredKey]
	return ok
}

// ReadSettings reads a command's settings. It returns the settings even with an error, which lists every mistake in them
// and every missing required setting.
func ReadSettings(cmd *cobra.Command) (*config.Settings, error) {
	return ReadSomeSettings(cmd, strings.Fields(cmd.Annotations[RequiredKey])...)
}

// ReadSomeSettings is [ReadSettings] with other required settings than the command's own.
func ReadSomeSettings(cmd *cobra.Command, required ...string) (*config.Settings, error) {
	return config.Load(config.Sources{Flags: cmd.Flags(), Environ: os.Environ(), Required: required})
}
