package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and commit may be set when linking, where the build cannot know them:
// -ldflags "-X main.version=v1.2.3 -X main.commit=0123abc".
var version, commit string

// build is what this binary was made of.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"commitTime,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the source differed from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildOf returns what the linker was told, and else what the Go tool wrote into the binary.
func buildOf(info *debug.BuildInfo) build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info != nil && info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	if info != nil {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Commit = s.Value
			case "vcs.time":
				b.Time = s.Value
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
	}
	if version != "" {
		b.Version = version
	}
	if commit != "" {
		b.Commit, b.Time, b.Modified = commit, "", false
	}
	return b
}

// thisBuild returns what the running binary was made of.
func thisBuild() build {
	info, _ := debug.ReadBuildInfo()
	return buildOf(info)
}

// String returns the build on one line.
func (b build) String() string {
	line := "regionwatch " + b.Version
	if b.Commit != "" {
		line += " commit " + b.Commit
	}
	if b.Time != "" {
		line += " of " + b.Time
	}
	if b.Modified {
		line += " (modified)"
	}
	return line + " " + b.Go + " " + b.Platform
}

func newVersionCommand() *cobra.Command {
	format := newChoice("text", "json")
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout(), thisBuild(), format.String())
		},
	}
	format.addTo(cmd, "format", "form of the output")
	return cmd
}

func printVersion(w io.Writer, b build, format string) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(b)
	}
	_, err := fmt.Fprintln(w, b)
	return err
}
