package alert

import (
	"testing"

	"github.com/regionwatch/regionwatch/schema/schematest"
)

func TestSchemaSuccess(t *testing.T) {
	schema := schematest.Compile(t, "native.schema.json")
	f := func(change func(*Alert)) {
		t.Helper()
		a := sampleAlert()
		change(a)
		if err := schema.Validate(AppendJSON(nil, a)); err != nil {
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
	schema := schematest.Compile(t, "native.schema.json")
	f := func(change func(*Alert)) {
		t.Helper()
		a := sampleAlert()
		change(a)
		if schema.Validate(AppendJSON(nil, a)) == nil {
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
