package alert

import (
	"bytes"
	"maps"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compileSchema returns the schema, made strict: an alert in a test has no field that the schema does not name.
func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("native.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	strict := maps.Clone(doc.(map[string]any))
	strict["additionalProperties"] = false
	c := jsonschema.NewCompiler()
	if err := c.AddResource("native.schema.json", strict); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("native.schema.json")
}

func TestSchemaSuccess(t *testing.T) {
	schema := compileSchema(t)
	f := func(change func(*Alert)) {
		t.Helper()
		a := sampleAlert()
		change(a)
		if err := validate(schema, a); err != nil {
			t.Error(err)
		}
	}
	f(func(*Alert) {})
	f(func(a *Alert) {
		a.Partial, a.PartialReason, a.Event, a.EventOmitted = true, "salvaged", nil, OmittedDamage
	})
	f(func(a *Alert) { a.Event, a.EventOmitted, a.Truncated = nil, OmittedSize, []string{"userAgent"} })
	f(func(a *Alert) { a.Origin = Origin{File: "events.json.gz", Offset: 7, Shape: "gzip > records"} })
	f(func(a *Alert) { a.EventName, a.UserIdentity = []byte(`7`), []byte(`"odd"`) })
	f(func(a *Alert) { a.EventTime, a.EventID, a.UserIdentity, a.UserName, a.ARNs = nil, nil, nil, nil, nil })
}

func TestSchemaFailure(t *testing.T) {
	schema := compileSchema(t)
	f := func(change func(*Alert)) {
		t.Helper()
		a := sampleAlert()
		change(a)
		if validate(schema, a) == nil {
			t.Error("the schema accepts it")
		}
	}
	f(func(a *Alert) { a.ID = "1111" })
	f(func(a *Alert) { a.AWSRegion = nil })
	f(func(a *Alert) { a.AWSRegion = []byte(`7`) })
	f(func(a *Alert) { a.UserName = []byte(`null`) })
	f(func(a *Alert) { a.Principal.Name = "" })
	f(func(a *Alert) { a.Origin.Topic = "" })
	f(func(a *Alert) { a.Partial = true })
	f(func(a *Alert) { a.EventOmitted = OmittedSize })
	f(func(a *Alert) { a.Event, a.EventOmitted = nil, "mood" })
	f(func(a *Alert) { a.ARNs = []string{"arn:a", "arn:a"} })
	f(func(a *Alert) { a.Event = []byte(`[]`) })
}

func validate(schema *jsonschema.Schema, a *Alert) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(AppendJSON(nil, a)))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}
