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

// slowDecide is the rule, plainly. It knows single events that encoding/json reads.
func slowDecide(value []byte) (alerts, known bool) {
	var event map[string]json.RawMessage
	if json.Unmarshal(value, &event) != nil || event["awsRegion"] == nil {
		return false, false
	}
	var region, source, readOnly any
	_ = json.Unmarshal(event["awsRegion"], &region)
	_ = json.Unmarshal(event["eventSource"], &source)
	_ = json.Unmarshal(event["readOnly"], &readOnly)
	code, isString := region.(string)
	if text, _ := source.(string); !isString || strings.HasPrefix(text, "aws:") || event["insightDetails"] != nil || event["Records"] != nil {
		return false, false // not an event, or what has a meaning of its own
	}
	text, _ := readOnly.(string)
	write := readOnly == false || strings.ToLower(text) == "false" && len(text) == len("false")
	return write && slices.Contains(policy.DefaultUnusedRegions, code), true
}
