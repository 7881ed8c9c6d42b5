package docs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestExamplesParse parses every YAML and JSON example of every page.
func TestExamplesParse(t *testing.T) {
	found := 0
	for page, text := range documents(t) {
		for _, b := range blocks(page, text) {
			var value any
			var err error
			switch language, _, _ := strings.Cut(b.info, " "); {
			case language == "json":
				err = json.Unmarshal([]byte(b.text), &value)
			case language == "yaml" && !strings.Contains(b.info, "cloudformation"): // CloudFormation's tags are not part of YAML
				err = yaml.Unmarshal([]byte(b.text), &value)
			default:
				continue
			}
			found++
			if err != nil {
				t.Errorf("%s:%d: %v", page, b.line, err)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d examples found", found)
	}
}

// TestRecordForms decodes what is in the topic after each way into Kafka: the event must be found, in the shape that the
// page names, and must raise an alert.
func TestRecordForms(t *testing.T) {
	page := "docs/input.md"
	found := 0
	for _, b := range blocks(page, documents(t)[page]) {
		form, ok := strings.CutPrefix(b.info, "json record shape=")
		if !ok {
			continue
		}
		found++
		shape, compressed := strings.CutSuffix(form, " gzip")
		record := []byte(b.text)
		if compressed {
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			if _, err := w.Write(record); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			record = packed.Bytes()
		}
		out, _, status := regionwatch(t, t.TempDir(), record, "explain", "-", "--format", "json")
		var explained struct {
			Kind     string
			Shape    []string
			Decision struct{ Outcome string }
		}
		if err := json.Unmarshal(out, &explained); err != nil || status != 0 {
			t.Fatalf("%s:%d: status %d, %v: %s", page, b.line, status, err, out)
		}
		if explained.Kind != "event" || explained.Decision.Outcome != "alerted" || !slices.Equal(explained.Shape, strings.Split(shape, "+")) {
			t.Errorf("%s:%d: read as %s, want an event of shape %s that alerts", page, b.line, out, shape)
		}
	}
	if found < 6 {
		t.Errorf("only %d record forms found", found)
	}
}
