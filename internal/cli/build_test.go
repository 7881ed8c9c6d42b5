package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	f := func(info *debug.BuildInfo, version, commit, want string) {
		t.Helper()
		if got := buildOf(info, version, commit).String(); !strings.HasPrefix(got, want+" go1.") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(nil, "", "", "regionwatch (devel)")
	f(&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "", "", "regionwatch v1.2.3")
	info := &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.time", Value: "2026-11-01T00:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	f(info, "", "", "regionwatch (devel) commit 0123abc of 2026-11-01T00:00:00Z (modified)")

	f(info, "v9.9.9", "fedcba9", "regionwatch v9.9.9 commit fedcba9")

	// Without version control, as with -buildvcs=false, it says so and still lists the build settings.
	info.Settings = []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "0"}, {Key: "-tags", Value: ""}}
	if got := buildOf(info, "", "").Text(); !strings.Contains(got, "\ncommit unknown: ") || !strings.HasSuffix(got, "\n  CGO_ENABLED=0") {
		t.Error(got)
	}
}
