package main

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/instance"
)

// The files in deploy/ call this program. These tests read them as the program would: every flag, variable and value must
// exist, and no limit may contradict the program's own.

// wantCommandLine asserts that the program accepts the arguments and variables, and returns the settings.
func wantCommandLine(t *testing.T, where string, args, environ []string) *config.Settings {
	t.Helper()
	cmd, rest, err := newRootCommand().Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil || cmd.RunE == nil {
		t.Fatalf("%s: %q is no command line: %v", where, args, err)
	}
	s, err := config.Load(config.Sources{Flags: cmd.Flags(), Environ: environ, Required: strings.Fields(cmd.Annotations[cli.RequiredKey])})
	if err != nil {
		t.Errorf("%s: %q: %v", where, args, err)
	}
	return s
}

func readDeployed(t *testing.T, name string) string {
	t.Helper()
	source, err := os.ReadFile("../../deploy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// wantLonger asserts that whatever stops an instance waits longer than the instance takes at most.
func wantLonger(t *testing.T, where, wait string, s *config.Settings) {
	t.Helper()
	if d, err := time.ParseDuration(wait); err != nil || d <= s.DrainTimeout+cli.DrainGrace {
		t.Errorf("%s: it waits for %q until it kills, want more than %v: %v", where, wait, s.DrainTimeout+cli.DrainGrace, err)
	}
}

func TestDockerfile(t *testing.T) {
	source := readDeployed(t, "docker/Dockerfile")
	list := func(pattern string) (words []string) {
		t.Helper()
		found := regexp.MustCompile(`(?m)^` + pattern).FindStringSubmatch(source)
		if found == nil {
			t.Fatalf("no %s", pattern)
		}
		if err := json.Unmarshal([]byte(found[len(found)-1]), &words); err != nil {
			t.Fatalf("%s: %v", found[0], err)
		}
		return words
	}
	binary := list(`ENTRYPOINT (.*)`)
	brokers := []string{"REGIONWATCH_BROKERS=a:1"}
	wantCommandLine(t, "CMD", list(`CMD (.*)`), brokers)
	check := list(`HEALTHCHECK .* CMD (.*)`)
	if check[0] != binary[0] {
		t.Errorf("health check by %s, the program is %s", check[0], binary[0])
	}
	wantCommandLine(t, "HEALTHCHECK", check[1:], brokers)
	timeout := regexp.MustCompile(`HEALTHCHECK .*--timeout=(\S+)`).FindStringSubmatch(source)[1]
	if d, err := time.ParseDuration(timeout); err != nil || d <= instance.AskTimeout {
		t.Errorf("the health check is cut off after %s, and takes up to %v: %v", timeout, instance.AskTimeout, err)
	}

	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	wanted := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(module)[1]
	if !strings.Contains(source, "\nARG GO_IMAGE=golang:"+string(wanted)+".") || !strings.Contains(source, " $GO_IMAGE AS build\n") {
		t.Errorf("the image is not built with Go %s, as go.mod wants", wanted)
	}
}

func TestCompose(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Command     []string          `yaml:"command"`
			Environment map[string]string `yaml:"environment"`
			StopGrace   string            `yaml:"stop_grace_period"`
			Healthcheck struct {
				Test []string `yaml:"test"`
			} `yaml:"healthcheck"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal([]byte(readDeployed(t, "compose/compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"regionwatch", "generator"} {
		service := file.Services[name]
		var environ []string
		for _, variable := range slices.Sorted(maps.Keys(service.Environment)) {
			environ = append(environ, variable+"="+service.Environment[variable])
		}
		s := wantCommandLine(t, name, service.Command, environ)
		wantLonger(t, name, service.StopGrace, s)
		if test := service.Healthcheck.Test; len(test) > 2 {
			wantCommandLine(t, name+"'s health check", test[2:], environ) // after CMD and the program
		}
		if name == "regionwatch" && !slices.Equal(s.InputTopics, []string{"cloudtrail"}) {
			t.Errorf("it reads %q, and the generator writes cloudtrail", s.InputTopics)
		}
	}
}

func TestSystemdUnit(t *testing.T) {
	unit := map[string]string{}
	for line := range strings.Lines(readDeployed(t, "systemd/regionwatch.service")) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found && name[0] != '#' {
			unit[name] = value
		}
	}
	environ := append(variablesOf(t, "systemd/regionwatch.env"), variablesOf(t, "systemd/regionwatch.service.d/secrets.conf")...)
	known := map[string]bool{"GOMEMLIMIT": true}
	for _, setting := range config.Table() {
		known[setting.Variable()] = true
	}
	var set []string
	for _, entry := range environ {
		name, isComment := strings.CutPrefix(entry, "#")
		if name, _, _ = strings.Cut(name, "="); !known[name] {
			t.Errorf("no such variable: %s", entry)
		}
		if !isComment {
			set = append(set, entry)
		}
	}
	// Required by the secrets.
	set = append(set, "REGIONWATCH_TLS=true", "REGIONWATCH_SASL_MECHANISM=SCRAM-SHA-512", "REGIONWATCH_SASL_USERNAME=a")
	s := wantCommandLine(t, "ExecStart", strings.Fields(unit["ExecStart"])[1:], set)
	wantLonger(t, "TimeoutStopSec", unit["TimeoutStopSec"], s)
	if unit["Restart"] != "always" || unit["RestartPreventExitStatus"] != "2" || cli.ExitMistake != 2 {
		t.Errorf("Restart=%s but for status %s: a mistake is status %d", unit["Restart"], unit["RestartPreventExitStatus"], cli.ExitMistake)
	}
}

// variablesOf returns the NAME=VALUE lines of a file, including commented ones with their #, and the values of
// Environment= in a unit.
func variablesOf(t *testing.T, file string) (entries []string) {
	t.Helper()
	for line := range strings.Lines(readDeployed(t, file)) {
		entry := strings.TrimPrefix(strings.TrimSpace(line), "Environment=")
		if regexp.MustCompile(`^#?[A-Z][A-Z_0-9]*=`).MatchString(entry) {
			entries = append(entries, entry)
		}
	}
	if len(entries) < 3 {
		t.Errorf("%s holds %d variables: are they read rightly?", file, len(entries))
	}
	return entries
}
