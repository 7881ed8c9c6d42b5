package cloudtrail

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The same damage to the same event, once with harmless text where an actor may write and once with text that imitates
// events: where the harmless one is decided, so must the other be. Guard: what damageRun remembers between pieces.
func TestDamageBesideDecoys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	cases, decided := 20_000, 0
	if testing.Short() {
		cases = 2_000
	}
	for range cases {
		template, kind, isQuoted := damagedTemplate(r)
		harmless := fillTemplate(template, isQuoted, func() string { return `"x"` })
		hostile := fillTemplate(template, isQuoted, func() string { return decoy(r) })
		if !isDecided(t, harmless) {
			if isReported(t, harmless) && !isDecided(t, hostile) && !isReported(t, hostile) {
				t.Fatalf("%s: the decoys hide the fault:\n%s\n%s", kind, hostile, strings.Join(decodeKnown(t, hostile), "\n"))
			}
			continue
		}
		decided++
		if !isDecided(t, hostile) {
			t.Fatalf("%s: the decoys hide the event:\n%s\n%s", kind, hostile, strings.Join(decodeKnown(t, hostile), "\n"))
		}
	}
	if decided < cases/2 {
		t.Errorf("%d of %d harmless events were decided", decided, cases)
	}
}

// Behind damage in a text that is cut, a whole object whose readOnly is true may be an actor's: its bytes are searched for the
// other half, and what the pieces before it said stays.
func TestWholeObjectInACutText(t *testing.T) {
	const whole = `{"awsRegion":"us-east-1","readOnly":true,"requestParameters":{"readOnly":%t}}`
	const prefix = "fault 0 syntax shipper > ndjson\nevent 1 shipper > ndjson us-east-1 true"
	region := `{"eventName":"x","awsRegion":"eu-west-3",oops},` + fmt.Sprintf(whole, false)
	for text, want := range map[string]string{
		region: "\nevent 1 shipper > ndjson eu-west-3 false salvaged\nevent 1 shipper > ndjson us-east-1 false salvaged",
		`{"readOnly":false,oops},` + fmt.Sprintf(whole, true):                "\nevent 1 shipper > ndjson us-east-1 false salvaged",
		`{"eventName":"x","readOnly":true,oops},` + fmt.Sprintf(whole, true): "",
	} {
		quoted := quote(text)
		got := strings.Join(decodeKnown(t, `{"message":`+quoted[:len(quoted)-1]), "\n")
		if got != prefix+want {
			t.Errorf("%s, cut:\n%s", text, got)
		}
	}
	if got := strings.Join(decodeKnown(t, `{"message":`+quote(region)+`}`), "\n"); got != prefix {
		t.Errorf("%s, not cut:\n%s", region, got)
	}
}

// A readOnly and a region are joined across what stands between the pieces: a brace out of place, whole objects of an actor's,
// other texts. Each piece without a region or readOnly is reported as well.
func TestHalvesAreJoined(t *testing.T) {
	message := func(text string) string { return `{"message":` + quote(text) + `}` }
	const half, rest = `{"eventVersion":"1","awsRegion":"eu-west-3","x":oops`, `"readOnly":false}`
	for _, record := range []string{
		`{"detail":{"eventVersion":"1","eventName":"x","readOnly":false}},"awsRegion":"eu-west-3"}`,
		`{"detail":{"eventVersion":"1","eventName":"x","awsRegion":"eu-west-3"}},"readOnly":false}`,
		`{"readOnly":false}{"awsRegion":"us-east-1","readOnly":true}"awsRegion":"eu-west-3"}`,
		`[{"readOnly":false},{"awsRegion":"us-east-1","readOnly":true},"awsRegion":"eu-west-3"}`,
		`{"logEvents":[` + message(half) + `,` + message(rest) + `]}`,
		`{"logEvents":[` + message(half) + `,` + message(`{"a":1}`) + `,` + message(rest) + `]}`,
		`{"logEvents":[` + message(half) + `,` + message("\n{\"a\":1}") + `,` + message(rest) + `]}`,
	} {
		if !isDecided(t, record) {
			t.Errorf("%s:\n%s", record, strings.Join(decodeKnown(t, record), "\n"))
		}
	}
}

// isDecided reports whether the write in eu-west-3 reaches the sink.
func isDecided(t *testing.T, record string) bool {
	for _, line := range decodeKnown(t, record) {
		if strings.Contains(line, " eu-west-3 false") {
			return true
		}
	}
	return false
}

// decodeKnown is decode with a catalogue of regions, as the program has one.
func decodeKnown(t *testing.T, record string) []string {
	t.Helper()
	var f found
	d := NewDecoder(0)
	d.KnownRegion = func(code []byte) bool {
		return slices.Contains([]string{"eu-west-3", "us-east-1", "us-west-1"}, string(code))
	}
	if err := d.Decode([]byte(record), &f); err != nil {
		t.Fatalf("Decode(%.80q): %v", record, err)
	}
	return f.lines
}

// isReported reports whether a fault reaches the sink.
func isReported(t *testing.T, record string) bool {
	return slices.ContainsFunc(decodeKnown(t, record), func(line string) bool { return strings.HasPrefix(line, "fault ") })
}

// actorText marks where an actor may write in a template.
const actorText = "\x00\x00\x00\x00"

// damagedTemplate returns a record of one event with a fault at one byte outside of the actor's texts.
func damagedTemplate(r *rand.Rand) (template, kind string, isQuoted bool) {
	members := []string{
		`"eventVersion":"1.08"`, `"eventTime":"2024-05-01T10:11:12Z"`, `"eventSource":"ec2.amazonaws.com"`, `"eventName":"RunInstances"`,
		`"userIdentity":{"type":"IAMUser","userName":` + actorText + `,"accountId":"1"}`, `"awsRegion":"eu-west-3"`,
		`"userAgent":` + actorText, `"requestParameters":` + actorText, `"readOnly":false`, `"eventID":"1f"`,
	}
	if r.IntN(2) == 0 {
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	}
	text := "{" + strings.Join(members, ",") + "}"
	damagedFirst := r.IntN(3) == 0
	if damagedFirst {
		text, kind = damageByte(r, text)
	}
	frame := frames[r.IntN(len(frames))]
	if isQuoted = frame.quoted; isQuoted {
		text = escapeTemplate(text)
	}
	text = frame.open + text + frame.end
	if !damagedFirst {
		text, kind = damageByte(r, text)
	}
	return text, kind, isQuoted
}

// frames are what stands around the event of a template. In some of them it is the text of a string.
var frames = []struct {
	open, end string
	quoted    bool
}{
	{"", "", false}, {`{"Records":[`, `]}`, false}, {`{"detail":`, `}`, false}, {`[`, `]`, false}, {`{"x":{"y":`, `}}`, false},
	{`{"a":[`, `]}`, false}, {"May  1 10:11:12 host app[1]: ", "", false}, {`"`, `"`, true}, {`log: "`, `"`, true}, {`["`, `"]`, true},
	{`{"host":"h","message":"`, `","n":1}`, true}, {`{"host":"h","message":"app: `, `","n":1}`, true},
	{`{"awsRegion":"eu-west-3","level":"info","message":"`, `"}`, true},
	{`{"Events":[{"EventId":"1f","EventName":"RunInstances","ReadOnly":"false","CloudTrailEvent":"`, `"}]}`, true},
	{`{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[{"id":"1","timestamp":1,"message":"`, `"}]}`, true},
}

// escapeTemplate writes a template as the inside of a JSON string. The actor's texts stay marked.
func escapeTemplate(template string) string {
	parts := strings.Split(template, actorText)
	for i, part := range parts {
		quoted := quote(part)
		parts[i] = quoted[1 : len(quoted)-1]
	}
	return strings.Join(parts, actorText)
}

// damageByte puts a fault at one byte outside of the actor's texts.
func damageByte(r *rand.Rand, text string) (damaged, kind string) {
	at := r.IntN(len(text))
	for text[at] == actorText[0] || at > 0 && text[at-1] == actorText[0] {
		at = r.IntN(len(text))
	}
	const bytes = "\x01\"{},\\\n][:"
	c := bytes[r.IntN(len(bytes))]
	switch r.IntN(4) {
	case 0:
		return text[:at] + text[at+1:], fmt.Sprintf("byte %d deleted", at)
	case 1:
		return text[:at] + string(c) + text[at+1:], fmt.Sprintf("byte %d replaced by %q", at, c)
	case 2:
		return text[:at] + string(c) + text[at:], fmt.Sprintf("%q inserted at %d", c, at)
	default:
		return text[:at], fmt.Sprintf("cut at %d", at)
	}
}

// fillTemplate puts a value at each place where an actor may write.
func fillTemplate(template string, isQuoted bool, value func() string) string {
	for strings.Contains(template, actorText) {
		v := value()
		if isQuoted {
			v = escapeTemplate(v)
		}
		template = strings.Replace(template, actorText, v, 1)
	}
	return template
}

// decoy returns a JSON value that an actor may have put into an event, as it is or as a string.
func decoy(r *rand.Rand) string {
	const read = `{"eventVersion":"1","eventName":"x","awsRegion":"us-east-1","readOnly":true}`
	values := []string{
		`{"awsRegion":"us-west-1"}`, `{"readOnly":true,"awsRegion":"us-west-1"}`, `[{"awsRegion":"us-west-1"}]`, `{"readOnly":true}`,
		`[{"a":1}]`, `[` + read + `]`, read, `[{"a":1},` + read + `,` + read + `]`, `}{`, `[`, `"}`, `\`, "}\n{", `"}],"readOnly":true,"awsRegion":"us-east-1"}`,
		`{"Records":[` + read + `]}`, `{"eventVersion":"1","awsRegion":"us-east-1","readOnly":true`, `{"readOnly":true`, `{"a":"`, "\n" + read + "\n",
		"}}\n" + `{"awsRegion":"us-east-1","readOnly":true}{"readOnly":true`, `{"eventCategory":"Insight"}`,
		`{"eventType":"AwsCloudTrailInsight"}`, `{"eventSource":"aws:s3","s3":{}}`, `{"digestStartTime":1}`, "{{{{{{{", "}}}}}}}", `]`, `","readOnly":true,"x":"`,
	}
	value := values[r.IntN(len(values))]
	if r.IntN(8) == 0 {
		return quote("x: " + toBase64(value))
	}
	if json.Valid([]byte(value)) && value[0] != '\n' && r.IntN(2) == 0 {
		return value
	}
	return quote(value)
}
