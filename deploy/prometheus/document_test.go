package rules

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const documentFile = "../../docs/operating.md"

// section returns the document's text below a second-level heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", documentFile, heading)
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

// differ reports what is in only one of two lists.
func differ(t *testing.T, what string, documented, actual []string) {
	t.Helper()
	for _, name := range documented {
		if !slices.Contains(actual, name) {
			t.Errorf("%s: %q is documented, but there is none", what, name)
		}
	}
	for _, name := range actual {
		if !slices.Contains(documented, name) {
			t.Errorf("%s: %q is not documented", what, name)
		}
	}
}

// Each alert has a runbook where its runbook_url points, and each runbook has an alert.
func TestRunbooks(t *testing.T) {
	var documented, actual []string
	for _, match := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(section(t, "Runbooks"), -1) {
		documented = append(documented, match[1])
	}
	for _, r := range parseRules(t) {
		if r.Alert != "" {
			actual = append(actual, r.Alert)
		}
	}
	differ(t, "runbooks", documented, actual)
}

// family returns the name of the metric that a series belongs to.
func family(metrics map[string]*metric, name string) string {
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if whole := strings.TrimSuffix(name, part); whole != name && metrics[whole+"_bucket"] != nil {
			return whole
		}
	}
	return name
}

// ofClient are the Kafka client's metrics that only appear after something went wrong.
var ofClient = []string{"kafka_write_errors_total{client_id, node_id}", "kafka_disconnects_total{client_id, node_id}"}

// The list contains every metric of ours and of the Kafka client, with its labels, and nothing else.
func TestMetricsList(t *testing.T) {
	metrics := exposed(t)
	actual := map[string]bool{}
	for name, m := range metrics {
		if !strings.HasPrefix(name, "regionwatch_") && !strings.HasPrefix(name, "kafka_") {
			continue
		}
		var names []string
		for label := range m.labels {
			if label != "le" {
				names = append(names, label)
			}
		}
		slices.Sort(names)
		name = family(metrics, name)
		if len(names) > 0 {
			name += "{" + strings.Join(names, ", ") + "}"
		}
		actual[name] = true
	}
	for _, name := range ofClient {
		actual[name] = true
	}
	var documented []string
	for _, match := range regexp.MustCompile("(?m)^\\| `((?:regionwatch|kafka)_[^`]+)` \\|").FindAllStringSubmatch(section(t, "Metrics"), -1) {
		documented = append(documented, match[1])
	}
	differ(t, "metrics", documented, slices.Sorted(maps.Keys(actual)))
}

// The list contains every warning and error that the service logs, with its level, and nothing else.
func TestLogLines(t *testing.T) {
	call := regexp.MustCompile(`[lL]og(?:ger)?(?:\(\))?\.(Warn|Error)\(\s*("[^"]+"(?:\s*\+\s*"[^"]+")*)`)
	joint := regexp.MustCompile(`"\s*\+\s*"`)
	var documented, actual []string
	for _, folder := range []string{"cmd", "internal", "processor"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || filepath.Base(file) == "gen.go" || strings.HasSuffix(file, "_test.go") {
				return err
			}
			text, err := os.ReadFile(file)
			for _, match := range call.FindAllStringSubmatch(string(text), -1) {
				actual = append(actual, strings.ToLower(match[1])+" "+strings.Trim(joint.ReplaceAllString(match[2], ""), `"`))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, match := range regexp.MustCompile("(?m)^\\| (warn|error) \\| `([^`]+)` \\|").FindAllStringSubmatch(section(t, "Log lines"), -1) {
		documented = append(documented, match[1]+" "+match[2])
	}
	slices.Sort(actual)
	differ(t, "log lines", documented, slices.Compact(actual))
}

// The sizing figures are the measured ones.
func TestFigures(t *testing.T) {
	measured, err := os.ReadFile(filepath.Join(root, "docs/figures.md"))
	if err != nil {
		t.Fatal(err)
	}
	figure := regexp.MustCompile(`\d+\.\d+|\d+ MiB at the peak`)
	found := 0
	for _, row := range regexp.MustCompile(`(?m)^\| [a-z ]+ \| ([^|]+) \|`).FindAllStringSubmatch(section(t, "Sizing"), -1) {
		for _, number := range figure.FindAllString(row[1], -1) {
			found++
			if !strings.Contains(string(measured), " "+strings.TrimSuffix(number, " at the peak")) {
				t.Errorf("%s is not in docs/figures.md", number)
			}
		}
	}
	if found < 5 {
		t.Errorf("%d figures found", found)
	}
}

// Flags named in the text are settings, and linked files exist.
func TestDocumentReferences(t *testing.T) {
	text, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(filepath.Join(root, "docs/settings.md"))
	if err != nil {
		t.Fatal(err)
	}
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(text), "")
	for _, match := range regexp.MustCompile("`(--[a-z-]+)[^`]*`").FindAllStringSubmatch(prose, -1) {
		if !strings.Contains(string(settings), "`"+match[1]+"`") && match[1] != "--dry-run" && match[1] != "--acls" {
			t.Errorf("%s is not a setting", match[1])
		}
	}
	for _, match := range regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`).FindAllStringSubmatch(prose, -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(documentFile), match[1])); err != nil {
			t.Errorf("link to %s: %v", match[1], err)
		}
	}
	headings := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(prose, -1) {
		headings[regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(match[1]), "")] = true
	}
	for _, match := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(prose, -1) {
		if !headings[strings.ReplaceAll(match[1], "-", " ")] && !headings[match[1]] {
			t.Errorf("no heading for #%s", match[1])
		}
	}
}
