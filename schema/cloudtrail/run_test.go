package cloudtrail

import (
	"fmt"
	"math/rand/v2"
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
		template, kind := damagedTemplate(r)
		harmless := fillTemplate(template, func() string { return `"x"` })
		if !isDecided(t, harmless) {
			continue
		}
		decided++
		hostile := fillTemplate(template, func() string { return decoy(r) })
		if !isDecided(t, hostile) {
			t.Fatalf("%s: the decoys hide the event:\n%s\n%s", kind, hostile, strings.Join(decode(t, hostile), "\n"))
		}
	}
	if decided < cases/2 {
		t.Errorf("%d of %d harmless events were decided", decided, cases)
	}
}

// isDecided reports whether the write in eu-west-3 reaches the sink.
func isDecided(t *testing.T, record string) bool {
	for _, line := range decode(t, record) {
		if strings.Contains(line, " eu-west-3 false") {
			return true
		}
	}
	return false
}

// actorText marks where an actor may write in a template.
const actorText = "\x00\x00\x00\x00"

// damagedTemplate returns a record of one event with a fault at one byte outside of the actor's texts.
func damagedTemplate(r *rand.Rand) (template, kind string) {
	members := []string{
		`"eventVersion":"1.08"`, `"eventTime":"2024-05-01T10:11:12Z"`, `"eventSource":"ec2.amazonaws.com"`, `"eventName":"RunInstances"`,
		`"userIdentity":{"type":"IAMUser","userName":` + actorText + `,"accountId":"1"}`, `"awsRegion":"eu-west-3"`,
		`"userAgent":` + actorText, `"requestParameters":` + actorText, `"readOnly":false`, `"eventID":"1f"`,
	}
	if r.IntN(2) == 0 {
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	}
	frames := [][2]string{{"", ""}, {`{"Records":[`, `]}`}, {`{"detail":`, `}`}, {`[`, `]`}, {`{"x":{"y":`, `}}`}, {`{"a":[`, `]}`}}
	frame := frames[r.IntN(len(frames))]
	text := frame[0] + "{" + strings.Join(members, ",") + "}" + frame[1]
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

// fillTemplate puts a text at each place where an actor may write.
func fillTemplate(template string, text func() string) string {
	for strings.Contains(template, actorText) {
		template = strings.Replace(template, actorText, text(), 1)
	}
	return template
}

// decoy returns a JSON value that an actor may have put into an event, as it is or as a string.
func decoy(r *rand.Rand) string {
	const read = `{"eventVersion":"1","eventName":"x","awsRegion":"us-east-1","readOnly":true}`
	values := []string{
		`{"awsRegion":"us-west-1"}`, `{"readOnly":true,"awsRegion":"us-west-1"}`, `[{"awsRegion":"us-west-1"}]`, `{"readOnly":true}`,
		`[{"a":1}]`, `[` + read + `]`, read, `[{"a":1},` + read + `,` + read + `]`, `}{`, `[`, `"}`, `\`, "}\n{", `"}],"readOnly":true,"awsRegion":"us-east-1"}`,
		`{"Records":[` + read + `]}`,
	}
	value := values[r.IntN(len(values))]
	if r.IntN(8) == 0 {
		return quote("x: " + toBase64(value))
	}
	if isJSON := value[0] == '{' || value[0] == '[' && len(value) > 1; isJSON && r.IntN(2) == 0 {
		return value
	}
	return quote(value)
}
