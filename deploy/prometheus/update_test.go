package rules

import (
	"bytes"
	"os"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"go.yaml.in/yaml/v3"
)

// document is rules_test.yaml with its comments and layout, for -update.
type document struct{ root yaml.Node }

func readDocument(t *testing.T) *document {
	t.Helper()
	text, err := os.ReadFile("rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := &document{}
	if err := yaml.Unmarshal(text, &d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// field returns the value of a mapping's field, or nil.
func field(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// annotate writes the annotations of the firing alerts into a test case. The alerts must be the expected ones.
func (d *document) annotate(t *testing.T, test int, a *alertCase, got []firing) {
	t.Helper()
	if len(got) != len(a.Want) {
		t.Errorf("%s at %v: %d alerts fire, want %d: %v", a.Name, a.At, len(got), len(a.Want), got)
		return
	}
	for _, c := range field(field(d.root.Content[0], "tests").Content[test], "alert_rule_test").Content {
		if at, err := model.ParseDuration(field(c, "eval_time").Value); err != nil || at != a.At || field(c, "alertname").Value != a.Name {
			continue
		}
		for i, want := range field(c, "exp_alerts").Content {
			annotations := field(want, "exp_annotations")
			*annotations = yaml.Node{Kind: yaml.MappingNode}
			got[i].Annotations.Range(func(l labels.Label) {
				annotations.Content = append(annotations.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: l.Name},
					&yaml.Node{Kind: yaml.ScalarNode, Value: l.Value})
			})
		}
	}
}

func (d *document) write(t *testing.T) {
	t.Helper()
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(&d.root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("rules_test.yaml", text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
