package helm

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every values file renders, lints without a warning, decodes strictly and matches its golden file.
func TestRender(t *testing.T) {
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) {
			if _, err := output(helm, "lint", "--strict", "--quiet", chart, "--values", file); err != nil {
				t.Error(err)
			}
			text, err := template("--values", file)
			if err != nil {
				t.Fatal(err)
			}
			decode(t, text)
			golden(t, "testdata/"+name+".golden.yaml", text)
		})
	}
}

// golden compares text with a file, or updates the file with -update.
func golden(t *testing.T, name, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (go test ./... -update writes it anew):\n%s", name, diff)
	}
}

const rulesFile = "../prometheus/rules.yaml"

// The chart's rules and dashboard are copies, because Helm cannot read files outside the chart.
func TestCopies(t *testing.T) {
	for name, original := range map[string]string{"rules.yaml": rulesFile, "dashboard.json": "../grafana/dashboard.json"} {
		text, err := os.ReadFile(original)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, chart+"/files/"+name, string(text))
	}
}

// make image builds exactly the image that the chart pulls.
func TestMakeImage(t *testing.T) {
	const repository = "registry.example.com/security/regionwatch"
	commands, err := output("make", "-n", "-C", "../..", "image", "IMAGE="+repository)
	if err != nil {
		t.Fatal(err)
	}
	image := pod(t, render(t, withSet("testdata/minimal.values.yaml", []string{"image.repository=" + repository})...)).Spec.Containers[0].Image
	contains(t, commands, "-t '"+image+"'")
}

// An ARG with a default keeps BuildKit from setting the platform: every image would contain the same binary.
func TestImagePlatform(t *testing.T) {
	text, err := os.ReadFile("../docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(text), "\nARG TARGETOS\nARG TARGETARCH\n")
	if !regexp.MustCompile(`(?m)^ARG GO_IMAGE=golang:1[0-9.]+@sha256:[0-9a-f]{64}$`).Match(text) {
		t.Error("the Go image is not pinned by digest")
	}
	for _, label := range []string{"title", "description", "source", "url", "documentation", "vendor", "licenses", "version", "revision"} {
		contains(t, string(text), "org.opencontainers.image."+label+"=")
	}
}

// The notes render and say what to do next.
func TestNotes(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		text, err := output(helm, "install", "watch", chart, "--namespace", "siem", "--dry-run=client", "--values", cases(t)[name])
		if err != nil {
			t.Fatal(err)
		}
		contains(t, text, want)
	}
	f("minimal", "There is no policy file")
	f("exactly-once", "isolation.level=read_committed")
	f("incidents", "StatefulSet watch-regionwatch-incidents groups the alerts")
	f("secured", "lets pods out to ports 9093, 9094 and DNS only")
}
