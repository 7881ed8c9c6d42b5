package cloudtrail

import (
	"fmt"
	"strings"
	"testing"
)

func TestSalvageSuccess(t *testing.T) {
	var s salvaged
	f := func(text string, regions ...string) {
		t.Helper()
		if !s.salvage([]byte(text), nil) {
			t.Errorf("%q: nothing found", text)
		}
		if got := fmt.Sprintf("%s", s.regions.other); got != fmt.Sprintf("%q", regions) {
			t.Errorf("%q: got %s, want %q", text, got, regions)
		}
	}
	f(`{"awsRegion":"eu-central-1",!!!,"readOnly":false}`, "eu-central-1")
	f(`"readOnly" : FALSE garbage "awsRegion"`+"\n:\t"+`"ap-east-1"`, "ap-east-1")
	f(`{"awsRegion":"a-1","x":{"awsRegion":"b-2"},"awsRegion":"a-1","readOnly":true,"readOnly":"False"`, "a-1", "b-2")
	f(`{"Message":"{\"awsRegion\":\"eu-west-3\",\"readOnly\":false,`, "eu-west-3")
	f(`{"body":"{\\\"awsRegion\\\": \\\"eu-west-3\\\",\\\"readOnly\\\": \\\"false\\\"`, "eu-west-3")
	f(`"awsRegion":"`+strings.Repeat("x", maxRegion)+`","readOnly":false`, strings.Repeat("x", maxRegion))
}

func TestSalvageFailure(t *testing.T) {
	var s salvaged
	f := func(text string) {
		t.Helper()
		if s.salvage([]byte(text), nil) {
			t.Errorf("%q: got %s, %t", text, s.regions.other, s.write)
		}
	}
	f(``)
	f(`awsRegion readOnly`)
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
	f(`"awsRegion":"` + strings.Repeat("x", maxRegion+1) + `","readOnly":false`)
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
	var s salvaged
	if !s.salvage([]byte(text.String()), nil) || len(s.regions.other) != maxOther {
		t.Fatalf("got %d regions, %t", len(s.regions.other), s.write)
	}
	found := map[string]bool{}
	for _, r := range s.regions.other {
		found[r.Text()] = true
	}
	for _, want := range []string{"planted-0", "planted-31", "planted-9968", "planted-9999"} {
		if !found[want] {
			t.Errorf("%s is not among %s", want, s.regions.other)
		}
	}
	if n := testing.AllocsPerRun(10, func() { s.salvage([]byte(sampleEvent), nil) }); n > 1 { // the conversion of the text
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
	var s salvaged
	s.salvage([]byte(text.String()), func(code []byte) bool { return string(code) == "eu-west-3" })
	if !s.regions.has([]byte(`"eu-west-3"`)) || s.regions.len() != maxOther+1 {
		t.Errorf("got %s and %s", s.regions.known, s.regions.other)
	}
}

// Keys are found however they are escaped.
func TestSalvageEscapedKeys(t *testing.T) {
	var s salvaged
	f := func(text string, want bool) {
		t.Helper()
		if got := s.salvage([]byte(text), nil); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
	f(`"\u0061wsRegion":"eu-west-3","read\u004fnly":false,`, true)
	f(`"aws\Region" : "eu-west-3","readOnly":false,`, true)
	f(`\"\\u0061wsRegion\":\"eu-west-3\",\"readOnly\":false,`, true)
	f(`"\u0061wsRegions":"eu-west-3","readOnly":false,`, false)
	f(`"x\u0061wsRegion:"eu-west-3","readOnly":false,`, false)
}

// Wherever the sample event is damaged outside of the two fields, salvage finds them.
func TestSalvageDamagedEvent(t *testing.T) {
	var s salvaged
	fields := [][2]int{spanOf(`"awsRegion":"us-east-1"`), spanOf(`"readOnly":false`)}
	for i := range len(sampleEvent) {
		text := []byte(sampleEvent)
		text[i] = 0x01
		inside := false
		for _, f := range fields {
			inside = inside || f[0] <= i && i < f[1]
		}
		if found := s.salvage(text, nil) && string(s.regions.other[0]) == `"us-east-1"`; found == inside {
			t.Fatalf("byte %d: got %s, %t", i, s.regions.other, s.write)
		}
	}
}

// spanOf returns where part stands in the sample event.
func spanOf(part string) [2]int {
	i := strings.Index(sampleEvent, part)
	return [2]int{i + 1, i + len(part)} // the first quote need not be there
}
