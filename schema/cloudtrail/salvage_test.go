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
		if !s.salvage([]byte(text)) {
			t.Errorf("%q: nothing found", text)
		}
		if got := fmt.Sprintf("%s", s.Regions); got != fmt.Sprintf("%q", regions) {
			t.Errorf("%q: got %s, want %q", text, got, regions)
		}
		if string(s.ReadOnly) != "false" {
			t.Errorf("%q: got readOnly %s", text, s.ReadOnly)
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
		if s.salvage([]byte(text)) {
			t.Errorf("%q: got %s, %s", text, s.Regions, s.ReadOnly)
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
	if !s.salvage([]byte(text.String())) || len(s.Regions) != maxSalvaged {
		t.Fatalf("got %d regions, %s", len(s.Regions), s.ReadOnly)
	}
	found := map[string]bool{}
	for _, r := range s.Regions {
		found[r.Text()] = true
	}
	for _, want := range []string{"planted-0", "planted-31", "planted-9968", "planted-9999"} {
		if !found[want] {
			t.Errorf("%s is not among %s", want, s.Regions)
		}
	}
	if n := testing.AllocsPerRun(10, func() { s.salvage([]byte(sampleEvent)) }); n > 1 { // the conversion of the text
		t.Errorf("%v allocations, want none", n)
	}
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
		if found := s.salvage(text) && string(s.Regions[0]) == `"us-east-1"`; found == inside {
			t.Fatalf("byte %d: got %s, %s", i, s.Regions, s.ReadOnly)
		}
	}
}

// spanOf returns where part stands in the sample event.
func spanOf(part string) [2]int {
	i := strings.Index(sampleEvent, part)
	return [2]int{i + 1, i + len(part)} // the first quote need not be there
}
