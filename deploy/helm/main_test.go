package helm

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// chart is the folder of the chart.
const chart = "regionwatch"

var update = flag.Bool("update", false, "write golden files and the made parts of the schema anew")

// helm and program are the executables that the tests run.
var helm, program string

func TestMain(m *testing.M) {
	flag.Parse()
	status, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// runTests builds what the tests run, and keeps Helm out of the user's folders.
func runTests(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "regionwatch-helm")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	for _, name := range []string{"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"} {
		if err := os.Setenv(name, folder); err != nil {
			return 0, err
		}
	}
	if helm, err = output("go", "tool", "-n", "helm"); err != nil {
		return 0, fmt.Errorf("building helm: %w", err)
	}
	helm, program = strings.TrimSpace(helm), filepath.Join(folder, "regionwatch")
	if _, err := output("go", "build", "-C", "../..", "-o", program, "./cmd/regionwatch"); err != nil {
		return 0, fmt.Errorf("building the program: %w", err)
	}
	if *update {
		if err := updateSchema(); err != nil {
			return 0, err
		}
	}
	return m.Run(), nil
}

// output runs a command and returns its standard output. Errors end with its standard error.
func output(name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String(), err
}

// template returns the chart as rendered by helm template, in release "watch" and namespace "siem".
func template(args ...string) (string, error) {
	return output(helm, append([]string{"template", "watch", chart, "--namespace", "siem"}, args...)...)
}

// cases returns the values files in testdata by name.
func cases(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.values.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("values files: %q, %v", files, err)
	}
	named := map[string]string{}
	for _, file := range files {
		named[strings.TrimSuffix(filepath.Base(file), ".values.yaml")] = file
	}
	return named
}
