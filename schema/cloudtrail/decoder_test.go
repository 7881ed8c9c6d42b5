package cloudtrail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// found is a sink that records each call as one line: "event 0 records eu-central-1 false",
// "skip empty sns", "fault 1 syntax records".
type found struct {
	lines  []string
	fail   error // returned from every call
	faults []Fault
	raws   []string
	whole  []string // of undamaged events, without the shape, and the bytes
	// indexes of events and faults, without those of faults in no event
	indexes []int
}

// eventLine returns the index and the decisive values.
func eventLine(e *Event) string {
	return fmt.Sprintf("%d %q %q ", e.Index, e.AWSRegion.Text(), e.ReadOnly.Text())
}

func (f *found) Event(e *Event) error {
	line := fmt.Sprintf("event %d %s %s %s", e.Index, e.Shape, e.AWSRegion.Text(), e.ReadOnly.Text())
	if e.Salvaged {
		line += " salvaged"
	} else if e.Damage != nil {
		line += " damaged"
	}
	f.lines = append(f.lines, line)
	f.raws = append(f.raws, string(e.Raw))
	f.indexes = append(f.indexes, e.Index)
	if e.Damage == nil {
		f.whole = append(f.whole, eventLine(e)+string(e.Raw))
	}
	return f.fail
}

func (f *found) Skip(k Kind, shape Chain) {
	f.lines = append(f.lines, strings.TrimSpace(fmt.Sprintf("skip %s %s", k, shape)))
}

func (f *found) Fault(fault *Fault) error {
	f.lines = append(f.lines, strings.TrimSpace(fmt.Sprintf("fault %d %s %s", fault.Index, fault.Reason, fault.Shape)))
	if fault.Offset < 0 || fault.Offset > len(fault.Piece) {
		f.lines = append(f.lines, fmt.Sprintf("offset %d of %d", fault.Offset, len(fault.Piece)))
	}
	f.faults = append(f.faults, *fault)
	if fault.Index >= 0 {
		f.indexes = append(f.indexes, fault.Index)
	}
	return f.fail
}

// event is an event in a region, in CloudTrail's own order of keys.
func event(region string) string {
	return `{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventSource":"ec2.amazonaws.com",` +
		`"eventName":"RunInstances","awsRegion":"` + region + `","userAgent":"cli","requestParameters":{"a":[1,{"b":null}]},` +
		`"eventID":"11111111-2222-3333-4444-555555555555","readOnly":false,"eventType":"AwsApiCall"}`
}

var (
	paris  = event("eu-west-3")
	tokyo  = event("ap-northeast-1")
	berlin = event("eu-central-1")
)

// decode returns the lines for one record.
func decode(t *testing.T, record string) []string {
	t.Helper()
	var f found
	if err := NewDecoder(0).Decode([]byte(record), &f); err != nil {
		t.Fatalf("Decode(%.80q): %v", record, err)
	}
	return f.lines
}

// expect compares the lines for a record with those wanted, one per line.
func expect(t *testing.T, record, want string) {
	t.Helper()
	if got := strings.Join(decode(t, record), "\n"); got != strings.TrimSpace(want) {
		t.Errorf("Decode(%.120q)\n got: %s\nwant: %s", record, got, want)
	}
}

func TestDecodePlainSuccess(t *testing.T) {
	expect(t, paris, "event 0 event eu-west-3 false")
	expect(t, " \n"+paris+"\r\n", "event 0 event eu-west-3 false")
	expect(t, `{"Records":[`+paris+`,`+tokyo+`]}`, "event 0 records eu-west-3 false\nevent 1 records ap-northeast-1 false")
	expect(t, `{"x":1,"Records":[`+paris+`]}`, "event 0 records eu-west-3 false")
	expect(t, `[`+paris+`,`+tokyo+`]`, "event 0 array eu-west-3 false\nevent 1 array ap-northeast-1 false")
	expect(t, "[\n"+paris+",\n"+tokyo+"\n]", "event 0 array eu-west-3 false\nevent 1 array ap-northeast-1 false")
	expect(t, `[`+paris+"]\n["+tokyo+`]`, "event 0 ndjson > array eu-west-3 false\nevent 1 ndjson > array ap-northeast-1 false")
	expect(t, paris+"\n"+tokyo+"\n", "event 0 ndjson eu-west-3 false\nevent 1 ndjson ap-northeast-1 false")
	expect(t, paris+tokyo, "event 0 ndjson eu-west-3 false\nevent 1 ndjson ap-northeast-1 false")
	expect(t, `{"Records":[`+paris+`]}`+"\n"+`{"Records":[`+tokyo+`]}`,
		"event 0 ndjson > records eu-west-3 false\nevent 1 ndjson > records ap-northeast-1 false")
}

func TestDecodeEmpty(t *testing.T) {
	for _, record := range []string{"", "  \n", "null", "\ufeff"} {
		expect(t, record, "skip empty")
	}
	expect(t, `[]`, "skip empty array")
	expect(t, `{"Records":[]}`, "skip empty records")
	expect(t, `{"message":"[]"}`, "skip empty")
	expect(t, `{"x":"[]"}`, "fault 0 unknown-shape")
	expect(t, `{"message":null,"x":"[{\"log\":1}]"}`, "skip empty")             // what x holds says nothing of it
	expect(t, `{"message":1,"log":"{\"message\":null}"}`, "skip empty shipper") // nor does what stands around it
	expect(t, `{"logEvents":[],"message":"text"}`, "fault 0 unknown-shape")
	var f found
	if err := NewDecoder(0).Decode(nil, &f); err != nil || len(f.lines) != 1 || f.lines[0] != "skip empty" {
		t.Errorf("a tombstone: %v, %v", f.lines, err)
	}
}

func TestDecodeReturnsTheSinksError(t *testing.T) {
	want := errors.New("the sink is full")
	for _, record := range []string{paris, paris[:40], `{"Records":[` + paris + `]}`, `[1]`, `{}`, paris + "}", strings.Replace(paris, `"cli"`, `cli`, 1)} {
		f := found{fail: want}
		if err := NewDecoder(0).Decode([]byte(record), &f); !errors.Is(err, want) || len(f.lines) != 1 {
			t.Errorf("Decode(%.60q) = %v after %v", record, err, f.lines)
		}
	}
}

// Raw is the event's own object, wherever it stands.
func TestRaw(t *testing.T) {
	f := func(record string, want ...string) {
		t.Helper()
		var r found
		if err := NewDecoder(0).Decode([]byte(record), &r); err != nil || !slices.Equal(r.raws, want) {
			t.Errorf("%s: %v\n got: %q\nwant: %q", record, err, r.raws, want)
		}
	}
	f(paris, paris)
	f(`{"Records":[`+paris+`, `+tokyo+`]}`, paris, tokyo)
	f(sns(paris), paris)
	f(`[{"x":`+paris+`}]`, paris)
	own := `{"Records":[` + tokyo + `],` + paris[1:]
	f(own, tokyo, own)
	f(` `+own+"\n"+berlin, tokyo, own, berlin)
	own = paris[:len(paris)-1] + `,"Records":[` + tokyo + `]}`
	f(own, own)
}
