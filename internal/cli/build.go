package cli

import (
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Build describes the binary.
type Build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"commitTime,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the source differs from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Settings are the build settings that the Go tool recorded, such as CGO_ENABLED, except those of version control.
	Settings map[string]string `json:"settings,omitempty"`
}

// ThisBuild describes the running binary: the version and commit set by the linker, else what the Go tool recorded.
func ThisBuild(version, commit string) Build {
	info, _ := debug.ReadBuildInfo()
	return buildOf(info, version, commit)
}

func buildOf(info *debug.BuildInfo, version, commit string) Build {
	b := Build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Settings: map[string]string{}}
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
			default:
				if s.Value != "" && !strings.HasPrefix(s.Key, "vcs") {
					b.Settings[s.Key] = s.Value
				}
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

// String returns the build on one line.
func (b Build) String() string {
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

// Text returns the build in several lines: [Build.String], whether the commit is known, and the build settings.
func (b Build) Text() string {
	text := b.String()
	if b.Commit == "" {
		text += "\ncommit unknown: built without version control information"
	}
	for _, name := range slices.Sorted(maps.Keys(b.Settings)) {
		text += "\n  " + name + "=" + b.Settings[name]
	}
	return text
}
