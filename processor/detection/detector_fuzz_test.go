package detection

import (
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// FuzzDetect: whatever bytes come, every alert is one line of valid JSON and UTF-8 that fits the schema, the
// counts add up, and the same bytes give the same alerts.
func FuzzDetect(f *testing.F) {
	f.Add([]byte(matching))
	f.Add([]byte(seedEvent("ap-east-1", `"False"`)))
	f.Add([]byte("[" + matching + "," + matching + "]x"))
	f.Add([]byte(`{"Records":[` + matching + "," + matching[:900]))
	f.Add([]byte("{\"awsRegion\":\"eu\\u002dcentral-1\",\"readOnly\":false,\"userIdentity\":{\"userName\":\"\xff\\ud800\"},\"eventTime\":\"2026-03-01 08:30:00\"}"))
	for _, identity := range identities {
		f.Add([]byte(eventBy(identity)))
	}
	schema := alertSchema(f)
	policies := []*policy.Policy{defaultPolicy(f), mustPolicy(f, policy.Options{Default: policy.Level{AlertOnMissingReadOnly: true}})}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, p := range policies {
			d, first, again := NewDetector(Options{MaxEventBytes: 1 << 20}), &results{}, &results{}
			for _, r := range []*results{first, again} {
				if err := d.Detect(p, record(string(value)), r); err != nil {
					t.Fatal(err)
				}
				checkSums(t, &d.Counts)
			}
			if alerted := d.Counts.Outcomes[policy.OutcomeAlerted]; alerted != 2*uint64(len(first.encoded)) {
				t.Errorf("%d alerts counted for two times %d", alerted, len(first.encoded))
			}
			for i, encoded := range first.encoded {
				checkEncoded(t, encoded)
				validate(t, schema, encoded)
				if encoded != again.encoded[i] {
					t.Errorf("first %s, then %s", encoded, again.encoded[i])
				}
			}
			for _, l := range first.letters {
				if l.Alerted != len(first.encoded) || l.Count < 1 || l.Err == nil {
					t.Errorf("dead letter %+v of a record with %d alerts", l, len(first.encoded))
				}
			}
		}
	})
}
