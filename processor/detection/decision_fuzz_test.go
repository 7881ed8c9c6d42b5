package detection

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// FuzzDecide holds the whole path, from the bytes of a single event to the decision, against encoding/json and the
// rule in five lines.
func FuzzDecide(f *testing.F) {
	f.Add([]byte(matching))
	f.Add([]byte(`{"awsRegion":"eu-central-1","readOnly":false}`))
	f.Add([]byte(`{"awsRegion":"eu\u002dcentral-1","readOnly":"FALSE","readOnly":"fal\u0073e"}`))
	f.Add([]byte("{\"awsRegion\":\"us-east-1\",\"readOnly\":false,\"\\u0061wsRegion\":\"ap-east-1\",\"x\xff\":[{\"readOnly\":true}]}"))
	f.Add([]byte(`{"readOnly":"falſe","awsRegion":"eu-west-3"}`))
	p := defaultPolicy(f)
	f.Fuzz(func(t *testing.T, value []byte) {
		alerts, known := slowDecide(value)
		if !known {
			return
		}
		d, r := NewDetector(Options{}), &results{}
		if err := d.Detect(p, record(string(value)), r); err != nil {
			t.Fatal(err)
		}
		if got := len(r.alerts) == 1; d.Counts.Events != 1 || got != alerts || d.Counts.Done != 1 {
			t.Errorf("%q: %d alerts, counts %+v, want alert %t", value, len(r.alerts), d.Counts, alerts)
		}
	})
}

// slowDecide is the rule, plainly. It knows objects that are events by their own keys, see docs/envelopes.md.
func slowDecide(value []byte) (alerts, known bool) {
	var event map[string]json.RawMessage
	if json.Unmarshal(value, &event) != nil || event["awsRegion"] == nil || event["readOnly"] == nil {
		return false, false
	}
	for _, key := range []string{"CloudTrailEvent", "cloudTrailEvent", "eventJson"} {
		if event[key] != nil {
			return false, false // an envelope
		}
	}
	for _, key := range []string{"eventCategory", "eventType"} {
		var kind string
		_ = json.Unmarshal(event[key], &kind)
		if strings.Contains(kind, "Insight") || strings.Contains(kind, "Aggregated") {
			return false, false // recognized
		}
	}
	var region, source, other, readOnly any
	_ = json.Unmarshal(event["awsRegion"], &region)
	_ = json.Unmarshal(event["eventSource"], &source)
	_ = json.Unmarshal(event["EventSource"], &other)
	_ = json.Unmarshal(event["readOnly"], &readOnly)
	code, isString := region.(string)
	for _, s := range []any{source, other} {
		if text, _ := s.(string); !isString || strings.HasPrefix(text, "aws:") {
			return false, false
		}
	}
	text, _ := readOnly.(string)
	write := readOnly == false || strings.ToLower(text) == "false" && len(text) == len("false")
	return write && slices.Contains(policy.DefaultUnusedRegions, code), true
}
