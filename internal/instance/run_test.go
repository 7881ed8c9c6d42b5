package instance

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// The regions of the settings are in the first line only if no policy file or topic takes their place.
//
// Guard: the condition in logStart.
func TestLogStart(t *testing.T) {
	f := func(s config.Settings, want bool) {
		t.Helper()
		var log buffer
		s.UnusedRegions = []string{"eu-west-3"}
		logStart(slog.New(slog.NewTextHandler(&log, nil)), &s, new(processor.Options), new(policy.Policy), "v", "a")
		if line := log.take(); strings.Contains(line, "unused_regions") != want {
			t.Errorf("file %q, topic %q: %s", s.Policy, s.PolicyTopic, line)
		}
	}
	f(config.Settings{}, true)
	f(config.Settings{Policy: "p.yaml"}, false)
	f(config.Settings{PolicyTopic: "policies"}, false)
}
