package salvage

import (
	"fmt"
	"strings"
	"testing"
)

// sampleEvent has what an event has around the two fields.
const sampleEvent = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/example-role/s"},` +
	`"eventTime":"2026-01-02T03:04:05Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"us-east-1",` +
	`"sourceIPAddress":"192.0.2.1","requestParameters":{"tags":[{"key":"a","value":"\\"b\\""}]},"readOnly":false,"eventCategory":"Management"}`

func TestSalvageSuccess(t *testing.T) {
	var s Search
	f := func(text string, regions ...string) {
		t.Helper()
		if !s.In([]byte(text), nil) {
			t.Errorf("%q: nothing found", text)
		}
		if got := fmt.Sprintf("%s", s.Regions.other); got != fmt.Sprintf("%q", regions) {
			t.Errorf("%q: got %s, want %q", text, got, regions)
		}
	}
	f(`{"awsRegion":"eu-central-1",!!!,"readOnly":false}`, "eu-central-1")
	f(`"readOnly" : FALSE garbage "awsRegion"`+"\n:\t"+`"ap-east-1"`, "ap-east-1")
	f(`{"awsRegion":"a-1","x":{"awsRegion":"b-2"},"awsRegion":"a-1","readOnly":true,"readOnly":"False"`, "a-1", "b-2")
	f(`{"Message":"{\"awsRegion\":\"eu-west-3\",\"readOnly\":false,`, "eu-west-3")
	f(`{"body":"{\\\"awsRegion\\\": \\\"eu-west-3\\\",\\\"readOnly\\\": \\\"false\\\"`, "eu-west-3")
	f(`"awsRegion":"`+strings.Repeat("x", MaxRegion)+`","readOnly":false`, strings.Repeat("x", MaxRegion))
	f(`"awsRegion":"az-09","readOnly":false`, "az-09")
	f(`awsRegion":"eu-west-3","readOnly":false`, "eu-west-3") // cut at the start
}

func TestSalvageFailure(t *testing.T) {
	var s Search
	f := func(text string) {
		t.Helper()
		if s.In([]byte(text), nil) {
			t.Errorf("%q: got %s, %t", text, s.Regions.other, s.Write)
		}
	}
	f(``)
	f(`awsRegion readOnly`)
	f(`"awsRegion"`)
	f(`"awsRegion" "eu-west-3","readOnly":false`)
	f(`"awsRegion":"E-1","readOnly":false`)
	f(`"awsRegion":","readOnly":false`)
	f(`"awsRegion":"eu-central-1","readOnly":true`)
	f(`"awsRegion":"eu-central-1","readOnly":fals`)
	f(`"awsRegion":"eu-central-1","readOnly":`)
	f(`"awsRegion":"eu-central-1`)
	f(`"awsRegion":"","readOnly":false`)
	f(`"awsRegion":eu-central-1,"readOnly":false`)
	f(`"awsRegion":null,"readOnly":false`)
	f(`"awsRegion":"EU","readOnly":false`)
	f(`"awsregion":"eu-central-1","readonly":false`)
	f(`"awsRegion":"eu-central-1` + "\x00" + `","readOnly":false`)
	f(`"awsRegion":"` + strings.Repeat("x", MaxRegion+1) + `","readOnly":false`)
	f(`"readOnly":false`)
}

// However many regions are planted around the real one, memory stays bounded, and the first and the last are
// among those that are tested.
func TestSalvageBounded(t *testing.T) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, `"awsRegion":"planted-%d",`, i)
	}
	text.WriteString(`"readOnly":false`)
	var s Search
	if !s.In([]byte(text.String()), nil) || len(s.Regions.other) != maxOther {
		t.Fatalf("got %d regions, %t", len(s.Regions.other), s.Write)
	}
	found := map[string]bool{}
	for _, r := range s.Regions.other {
		found[r.Text()] = true
	}
	for _, want := range []string{"planted-0", "planted-31", "planted-9968", "planted-9999"} {
		if !found[want] {
			t.Errorf("%s is not among %s", want, s.Regions.other)
		}
	}
	if n := testing.AllocsPerRun(10, func() { s.In([]byte(sampleEvent), nil) }); n > 1 { // the conversion of the text
		t.Errorf("%v allocations, want none", n)
	}
}

// However many codes are planted, one of the catalogue is kept.
func TestSalvageKeepsKnownRegions(t *testing.T) {
	var text strings.Builder
	planted := func() {
		for i := range 1_000 {
			fmt.Fprintf(&text, `"awsRegion":"planted-%d",`, i+text.Len())
		}
	}
	planted()
	text.WriteString(`"awsRegion":"eu-west-3",`)
	planted()
	text.WriteString(`"readOnly":false`)
	var s Search
	s.In([]byte(text.String()), func(code []byte) bool { return string(code) == "eu-west-3" })
	if !s.Regions.Has([]byte(`"eu-west-3"`)) || s.Regions.Len() != maxOther+1 {
		t.Errorf("got %s and %s", s.Regions.known, s.Regions.other)
	}
}

// Keys are found however they are escaped.
func TestSalvageEscapedKeys(t *testing.T) {
	var s Search
	f := func(text string, want bool) {
		t.Helper()
		if got := s.In([]byte(text), nil); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
	f(`"\u0061wsRegion":"eu-west-3","read\u004fnly":false,`, true)
	f(`"aws\Region" : "eu-west-3","readOnly":false,`, true)
	f(`\"\\u0061wsRegion\":\"eu-west-3\",\"readOnly\":false,`, true)
	f(`::"\u0061wsRegion":  "eu-west-3","readOnly":false,`, true)
	f(`"\u0061wsRegions":"eu-west-3","readOnly":false,`, false)
	f(`"\u0061wsRegion" ,"eu-west-3","readOnly":false,`, false)
	f(`"\aws":"eu-west-3","readOnly":false,`, false)
	f(`"x\u0061wsRegion:"eu-west-3","readOnly":false,`, false)
}

// Wherever the sample event is damaged outside of the two fields, salvage finds them.
func TestSalvageDamagedEvent(t *testing.T) {
	var s Search
	fields := [][2]int{spanOf(`"awsRegion":"us-east-1"`), spanOf(`"readOnly":false`)}
	for i := range len(sampleEvent) {
		text := []byte(sampleEvent)
		text[i] = 0x01
		inside := false
		for _, f := range fields {
			inside = inside || f[0] <= i && i < f[1]
		}
		if found := s.In(text, nil) && string(s.Regions.other[0]) == `"us-east-1"`; found == inside {
			t.Fatalf("byte %d: got %s, %t", i, s.Regions.other, s.Write)
		}
	}
}

// spanOf returns where part stands in the sample event.
func spanOf(part string) [2]int {
	i := strings.Index(sampleEvent, part)
	return [2]int{i + 1, i + len(part)} // the first quote need not be there
}

// An object starts with a brace and a quote, in the inside of a string and so escaped.
func TestHoldsObject(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "{": false, `{"`: true, `{\"`: true, `{\u0022`: true, `{ \t\r\n\"`: true, "{ \t\r\n\"": true, `x{\"a\"`: true, `{{"`: true, `{x {"`: true,
		`{x"`: false, `{ x"`: false, `{"}`: true, `{}"`: false, `"`: false, `x"{`: false,
	} {
		if got := HoldsObject([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// A mark is a key of events with a colon, up to the last byte.
func TestHasMark(t *testing.T) {
	for _, key := range []string{"eventVersion", "awsRegion", "userIdentity", "eventSource", "eventName", "readOnly"} {
		for text, want := range map[string]bool{`"` + key + `":`: true, key + `" : 1`: true, `\"` + key + `\":1`: true, `"` + key + `"`: false, key + `:1`: false} {
			if got := HasMark([]byte(text)); got != want {
				t.Errorf("%s: %t", text, got)
			}
		}
	}
	if HasMark([]byte(`"eventTime":1`)) {
		t.Error("another key")
	}
}
