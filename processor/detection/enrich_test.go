package detection

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// alertOf returns the one alert of a record.
func alertOf(t *testing.T, value string) *alert.Alert {
	t.Helper()
	r, _ := detect(t, value)
	if len(r.alerts) != 1 {
		t.Fatalf("%.300s: alerts %q", value, r.encoded)
	}
	return &r.alerts[0]
}

func TestEventTime(t *testing.T) {
	f := func(eventTime, want string) {
		t.Helper()
		a := alertOf(t, with(t, `"eventTime":"2026-03-01T08:30:00Z"`, `"eventTime":`+eventTime))
		if string(a.EventTime) != want {
			t.Errorf("eventTime %s: %s, want %s", eventTime, a.EventTime, want)
		}
	}
	for _, asItCame := range []string{
		`"2026-03-01T08:30:00Z"`, `"2026-03-01T08:30:00.120Z"`, `"2026-03-01T08:30:00+02:00"`, // RFC 3339
		`"2026-03-01T08:30:00\u005a"`, `"yesterday"`, `""`, `1772353800`, `["2026-03-01 08:30:00"]`, `"2026-13-01 08:30:00"`,
		`"` + strings.Repeat("9", 1000) + `"`,
	} {
		f(asItCame, asItCame)
	}
	f(`null`, ``)
	f(`"2026-03-01 08:30:00"`, `"2026-03-01T08:30:00Z"`)
	f(`"2026-03-01 08:30:00.250000000"`, `"2026-03-01T08:30:00.25Z"`)
	f(`"2026-03-01 08:30:00+02:00"`, `"2026-03-01T06:30:00Z"`)
	f(`"2026-03-01T08:30:00"`, `"2026-03-01T08:30:00Z"`)
	f(`"2026-03-01T08:30:00+0200"`, `"2026-03-01T06:30:00Z"`)
	f(`"2026-03-01T08:30:00,5Z"`, `"2026-03-01T08:30:00.5Z"`)
	f(`"2026-03-01 08:30:00.5`+strings.Repeat("0", 41)+`"`, `"2026-03-01T08:30:00.5Z"`) // 64 bytes
	f(`"2026-03-01 08:30:00.5`+strings.Repeat("0", 42)+`"`, `"2026-03-01 08:30:00.5`+strings.Repeat("0", 42)+`"`)
	f(`"2026-03-01T8:30:00.25Z"`, `"2026-03-01T08:30:00.25Z"`)
}

func TestARNs(t *testing.T) {
	f := func(requestParameters string, want ...string) {
		t.Helper()
		a := alertOf(t, with(t, `{"instanceType":"p4d.24xlarge","maxCount":8}`, requestParameters))
		want = append(want, "arn:aws:iam::111122223333:role/example-role", "arn:aws:sts::111122223333:assumed-role/example-role/example-user")
		slices.Sort(want)
		if !slices.Equal(a.ARNs, want) {
			t.Errorf("%.100s: %q, want %q", requestParameters, a.ARNs, want)
		}
		if a.Truncated != nil {
			t.Errorf("%.100s: truncated %q", requestParameters, a.Truncated)
		}
	}
	f(`{}`)
	f(`{"a":["arn:aws:s3:::b",{"c":"arn:aws:s3:::a"},"arn:aws:s3:::b"]}`, "arn:aws:s3:::a", "arn:aws:s3:::b")
	f(`{"arn:aws:s3:::key":"value"}`)
	f(`{"a":"\u0061rn:aws:s3:::\u0062","b":"arn:aws:s3:::b"}`, "arn:aws:s3:::b")
	f(`{"a":"arn:","b":"arn:aws:s3","c":"ARN:aws:s3:::x","d":" arn:aws:s3:::x","e":"see arn:aws:s3:::x"}`)
	f("{\"a\":\"arn:aws:s3:::\xff\",\"b\":\"arn:aws:s3:::\\ud800\"}", "arn:aws:s3:::\ufffd")
	f(`{"a":"arn:aws:s3:::` + strings.Repeat("x", MaxARNBytes) + `"}`)
	longest := "arn:aws:s3:::" + strings.Repeat("x", MaxARNBytes-13)
	f(`{"a":"`+longest+`"}`, longest)
	f(`{"a":"`+escaped(longest)+`"}`, longest)
	f(`{"a":`+strings.Repeat("[", 100_000)+`"arn:aws:s3:::deep"`+strings.Repeat("]", 100_000)+`}`, "arn:aws:s3:::deep")
}

// What is listed once is kept once, and what is no ARN not at all: an event repeats what it likes.
func TestARNsTakeNoMoreRoom(t *testing.T) {
	var list texts
	spans, more := list.arns(nil, &cloudtrail.Event{Raw: []byte(`["arn:aws:s3:::a","arn:x","arn:aws:s3:::a","arn:aws:s3:::b"]`)})
	if len(spans) != 2 || more || string(list.buf) != "arn:aws:s3:::aarn:aws:s3:::b" {
		t.Errorf("%d ARNs, more %t, in %q", len(spans), more, list.buf)
	}
}

// A number counts where a text is wanted; what is neither is as if it were not there.
func TestScalar(t *testing.T) {
	for value, want := range map[string]bool{
		`"a"`: true, `0`: true, `9`: true, `-1`: true, `90`: true,
		``: false, `""`: false, `true`: false, `null`: false, `[1]`: false, `{"0":1}`: false, `/`: false, `:`: false,
	} {
		if got := scalar(jsonscan.Value(value)); (got != nil) != want || want && string(got) != value {
			t.Errorf("%s: %q", value, got)
		}
	}
}

// escaped returns an ASCII text with every character as an escape.
func escaped(text string) string {
	var b strings.Builder
	for _, c := range text {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

// A title names the region as the event does if the catalogue lacks it, cut to the length of a region code.
func TestTitleOfUnknownRegion(t *testing.T) {
	p := mustPolicy(t, policy.Options{Default: policy.Level{AllowedRegions: []string{"us-east-1"}}})
	f := func(region, want string) {
		t.Helper()
		r, _ := detectWith(t, p, Options{}, with(t, regionField, `"awsRegion":"`+region+`"`))
		if len(r.alerts) != 1 || !strings.Contains(r.alerts[0].Title, " in unused region "+want+" by user ") {
			t.Errorf("%.80s: %q, want %q", region, r.encoded, want)
		}
	}
	f("mars-east-1", "mars-east-1")
	long := strings.Repeat("x", 1000)
	f(long, alert.CutText(long, regions.MaxCodeBytes))
}

// Flooding the event with ARNs does not crowd out the actor's own.
func TestARNsAreBounded(t *testing.T) {
	var flood strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&flood, `"arn:aws:s3:::%05d",`, i)
	}
	event := strings.Replace(matching, `{"eventVersion"`, `{"requestParameters":[`+flood.String()+`1],"eventVersion"`, 1)
	a := alertOf(t, event)
	if len(a.ARNs) != MaxARNs || !slices.IsSorted(a.ARNs) || !slices.Equal(a.Truncated, []string{"arns"}) {
		t.Errorf("%d ARNs, truncated %q", len(a.ARNs), a.Truncated)
	}
	if !slices.Contains(a.ARNs, "arn:aws:sts::111122223333:assumed-role/example-role/example-user") {
		t.Error("the principal's ARN is not among them")
	}
}

func TestOrigin(t *testing.T) {
	f := func(r *Record, want string) {
		t.Helper()
		var got results
		if err := NewDetector(Options{}).Detect(defaultPolicy(t), r, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.encoded) != 1 || !strings.Contains(got.encoded[0], `"origin":`+want+`,"event":`) {
			t.Errorf("%q, want origin %s", got.encoded, want)
		}
	}
	f(record(matching), `{"topic":"cloudtrail","partition":3,"offset":42,"index":0,"timestamp":"2026-03-01T07:31:00.123Z","shape":"event"}`)
	f(&Record{Value: []byte(matching), File: "a/b.json", Offset: 7}, `{"file":"a/b.json","offset":7,"index":0,"shape":"event"}`)
	f(&Record{Value: []byte(`{"Records":[null,` + matching + `]}`), Topic: "t"}, `{"topic":"t","partition":0,"offset":0,"index":1,"shape":"records"}`)
}

func TestIDs(t *testing.T) {
	id := func(r *Record) string {
		t.Helper()
		var got results
		if err := NewDetector(Options{}).Detect(defaultPolicy(t), r, &got); err != nil || len(got.alerts) != 1 {
			t.Fatalf("%q, %v", got.encoded, err)
		}
		return got.alerts[0].ID
	}
	at := func(value string, offset int64) *Record {
		r := record(value)
		r.Offset = offset
		return r
	}
	want := string(alert.AppendID(nil, RuleID, []byte("111122223333"), []byte("3b0f6c5e-0000-4000-8000-000000000002")))
	const eventID = `"eventID":"3b0f6c5e-0000-4000-8000-000000000002"`
	for _, value := range []string{
		matching,
		with(t, eventID, `"eventID":"\u0033b0f6c5e-0000-4000-8000-000000000002"`),
		with(t, `"recipientAccountId":"111122223333"`, `"recipientAccountId":111122223333`),
		with(t, `"userAgent":"aws-cli/2.15.0"`, `"userAgent":"another"`),
	} {
		for offset := range int64(2) {
			if got := id(at(value, offset)); got != want {
				t.Errorf("id %s, want %s for %s", got, want, value)
			}
		}
	}
	if got := id(at(with(t, `"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`), 0)); got == want {
		t.Error("another account's alert has the same id")
	}

	// An event without an id is identified by its place.
	for _, missing := range []string{`"x":1`, `"eventID":null`, `"eventID":""`, `"eventID":7`, `"eventID":["a"]`} {
		value := with(t, eventID, missing)
		want := string(alert.AppendRecordID(nil, RuleID, []byte("111122223333"), []byte("cloudtrail/3/42"), 0))
		if got := id(at(value, 42)); got != want {
			t.Errorf("%s: id %s, want %s", missing, got, want)
		}
		if got := id(at(value, 43)); got == want {
			t.Errorf("%s: the next record's alert has the same id", missing)
		}
		r := &Record{Value: []byte(value), File: "a.json", Partition: 12, Offset: 42}
		want = string(alert.AppendRecordID(nil, RuleID, []byte("111122223333"), []byte("a.json/12/42"), 0))
		if got := id(r); got != want {
			t.Errorf("%s: id %s, want %s, that of the file", missing, got, want)
		}
		r.Identity = func() string { return "sha256/7" }
		want = string(alert.AppendRecordID(nil, RuleID, []byte("111122223333"), []byte("sha256/7"), 0))
		if got := id(r); got != want {
			t.Errorf("%s: id %s, want %s, that of the record's Identity", missing, got, want)
		}
	}
}

func TestEventCopy(t *testing.T) {
	f := func(o Options, value, event, omitted string) {
		t.Helper()
		r, _ := detectWith(t, defaultPolicy(t), o, value)
		if len(r.alerts) != 1 {
			t.Fatalf("%.300s: alerts %q", value, r.encoded)
		}
		if a := &r.alerts[0]; string(a.Event) != event || a.EventOmitted != omitted {
			t.Errorf("%.300s: event %.300s, omitted %q, want %.300s, %q", value, a.Event, a.EventOmitted, event, omitted)
		}
	}
	f(Options{}, matching, matching, "")
	f(Options{}, " "+strings.ReplaceAll(matching, `,"`, ",\r\n\t\"")+"\n", matching, "")
	f(Options{NoEventCopy: true}, matching, "", "")
	numbers := with(t, `"maxCount":8`, `"maxCount":123456789012345678901234567890.10,"e":1e999999`)
	f(Options{}, numbers, numbers, "")
	deep := func(n int) string { // the event itself and its requestParameters are two levels
		return with(t, `"maxCount":8`, `"maxCount":`+strings.Repeat("[", n-2)+strings.Repeat("]", n-2))
	}
	f(Options{}, deep(alert.MaxDepth), deep(alert.MaxDepth), "")
	f(Options{}, deep(alert.MaxDepth+1), "", alert.OmittedDepth)
	f(Options{}, deep(100_000), "", alert.OmittedDepth)
	f(Options{}, with(t, parameters, `[`+strings.Repeat("9", alert.MaxNumber+1)+`]`), "", alert.OmittedNumber)
	f(Options{NoEventCopy: true}, deep(100_000), "", "")
	f(Options{MaxEventCopy: len(matching)}, matching, matching, "")
	f(Options{MaxEventCopy: len(matching) - 1}, matching, "", alert.OmittedSize)
	f(Options{MaxEventCopy: 1}, matching, "", alert.OmittedSize)
}

func TestMissingReadOnlyAlert(t *testing.T) {
	p := mustPolicy(t, policy.Options{Default: policy.Level{AlertOnMissingReadOnly: true}, Version: "7"})
	f := func(readOnly, reason string) {
		t.Helper()
		r, counts := detectWith(t, p, Options{}, with(t, `"readOnly":false`, readOnly))
		if len(r.alerts) != 1 {
			t.Fatalf("%s: no alert", readOnly)
		}
		a := &r.alerts[0]
		if want := (alert.Policy{Version: "7", Hash: p.Hash(), Level: "default", Reason: reason}); !reflect.DeepEqual(a.Policy, want) {
			t.Errorf("%s: policy %+v", readOnly, a.Policy)
		}
		if !strings.HasPrefix(a.Title, "API call that does not say whether it is read-only in unused region eu-central-1 by user ") {
			t.Errorf("%s: title %q", readOnly, a.Title)
		}
		if counts.ReadOnlyMissing+counts.ReadOnlyOdd != 1 {
			t.Errorf("%s: counts %+v", readOnly, counts)
		}
	}
	f(`"x":1`, "eu-central-1 is in unused_regions, and readOnly is missing")
	f(`"readOnly":null`, "eu-central-1 is in unused_regions, and readOnly is missing")
	f(`"readOnly":0`, "eu-central-1 is in unused_regions, and readOnly is neither a boolean nor the text true or false")
}

func TestFieldsThatTheEventLacks(t *testing.T) {
	r, _ := detect(t, `{"eventVersion":null,"awsRegion":"eu-central-1","readOnly":false,"userAgent":null}`)
	if len(r.encoded) != 1 {
		t.Fatal("no alert")
	}
	validate(t, alertSchema(t), r.encoded[0])
	for _, name := range []string{
		"eventTime", "eventID", "eventName", "eventSource", "recipientAccountId", "sourceIPAddress", "userAgent", "userIdentity", "userName",
		"errorCode", "arns", "partial", "truncated",
	} {
		if before, _, _ := strings.Cut(r.encoded[0], `"event":`); strings.Contains(before, `"`+name+`":`) {
			t.Errorf("%s is in %s", name, before)
		}
	}
}

// A timestamp that cannot be one is left out: microseconds or nanoseconds where Kafka has milliseconds, or none.
func TestOriginWithoutATime(t *testing.T) {
	f := func(milliseconds int64, want string) {
		t.Helper()
		r := record(matching)
		r.Timestamp = time.UnixMilli(milliseconds)
		var got results
		if err := NewDetector(Options{}).Detect(defaultPolicy(t), r, &got); err != nil || len(got.alerts) != 1 || got.alerts[0].Origin.Timestamp != want {
			t.Errorf("%d: %v, %q, want %q", milliseconds, err, got.alerts[0].Origin.Timestamp, want)
		}
	}
	const now = 1_793_491_200_000
	f(now, "2026-11-01T00:00:00.000Z")
	f(946_684_800_000, "2000-01-01T00:00:00.000Z")
	f(4_102_444_799_999, "2099-12-31T23:59:59.999Z")
	f(4_102_444_800_000, "")
	for _, scale := range []int64{1000, 1_000_000} {
		f(now*scale, "")
	}
	f(-1, "")
	f(0, "")
}
