package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// capturedFields returns the values of an event by their keys.
func capturedFields(e *Event) map[string]Value {
	return map[string]Value{
		"eventVersion": e.EventVersion, "userIdentity": e.UserIdentity, "eventTime": e.EventTime,
		"eventSource": e.EventSource, "eventName": e.EventName, "awsRegion": e.AWSRegion,
		"sourceIPAddress": e.SourceIPAddress, "userAgent": e.UserAgent, "errorCode": e.ErrorCode,
		"eventID": e.EventID, "readOnly": e.ReadOnly, "eventType": e.EventType,
		"recipientAccountId": e.RecipientAccountID, "eventCategory": e.EventCategory,
	}
}

// oracle returns what encoding/json reads at the top level of an event.
func oracle(t *testing.T, text []byte) map[string]json.RawMessage {
	t.Helper()
	var want map[string]json.RawMessage
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return want
}

// checkEvent decodes text and compares each field with encoding/json: once with nothing learned, once with the
// order of the sample's keys learned, once with its own.
func checkEvent(t *testing.T, text []byte) {
	t.Helper()
	var s scanner
	checkEventWith(t, &s, text)
	checkEventWith(t, &s, text)
	checkEventWith(t, primed(t, sampleEvent), text)
}

// primed returns a scanner that has read the event.
func primed(t *testing.T, event string) *scanner {
	t.Helper()
	var s scanner
	if _, err := s.decodeEvent([]byte(event), new(Event)); err != nil {
		t.Fatal(err)
	}
	return &s
}

// checkEventWith is checkEvent for a scanner that has read other events.
func checkEventWith(t *testing.T, s *scanner, text []byte) {
	t.Helper()
	var e Event
	end, err := s.decodeEvent(text, &e)
	if err != nil || end != len(text) || !bytes.Equal(e.Raw, text) {
		t.Fatalf("%q: ended at %d: %v", text, end, err)
	}
	want := oracle(t, text)
	original := want["CloudTrailEvent"] != nil || want["cloudTrailEvent"] != nil || want["eventJson"] != nil
	if e.original != original {
		t.Errorf("%q: got original %v, want %v", text, e.original, original)
	}
	for key, got := range capturedFields(&e) {
		if value, there := want[key]; string(got) != string(value) || there != (got != nil) {
			t.Errorf("%q: %s: got %q, want %q", text, key, got, value)
		}
	}
}

func TestDecodeEventSuccess(t *testing.T) {
	for _, text := range sampleEvents() {
		checkEvent(t, []byte(text))
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, []byte(text), "", "\t"); err != nil {
			t.Fatal(err)
		}
		checkEvent(t, pretty.Bytes())
	}
	for _, text := range []string{
		`{}`, `{ }`, `{"awsRegion":"a"}`, `{"readOnly":false}`, `{"readOnly" : "False" , "awsRegion" : null }`,
		`{"awsRegion":"a","awsRegion":"b","readOnly":false,"readOnly":true}`, `{"awsRegion":"a","awsRegion":null}`,
		`{"\u0061wsRegion":"eu-central-1"}`, `{"awsRegion":"a","awsRegio\u006e":"eu\u002dcentral-1","read\u004fnly":false}`,
		`{"awsregion":"a","AWSRegion":"b","AwsRegion":"c","readonly":false,"READONLY":true}`,
		"{\"awsRegion\u200b\":\"a\",\"\uff41wsRegion\":\"b\",\"awsRegion\u00a0\":\"c\"}",
		`{"awsRegion\u0000":"a","awsRegion ":"b"," awsRegion":"c","awsRegion\"":"d","awsRegio":"e","awsRegions":"f"}`,
		`{"requestParameters":{"awsRegion":"a","readOnly":false},"resources":[{"awsRegion":"b"}]}`,
		`{"eventSourc":1,"eventSource":2,"eventSourcf":3,"eventSources":4,"eventSour\u0063e":5}`,
		`{"userAgent":"x\",\"readOnly\":true,\"y\":\"","readOnly":false}`,
		`{"eventID":1,"eventIDs":2,"eventI":3,"eventID\"":4,"e":5,"":6}`,
		`{"Records":[],"records":[],"detail":{},"detail-type":"x","messageType":"","logEvents":[],"Message":"","Type":""}`,
		`{"body":"","Body":"","CloudTrailEvent":"","message":"","log":"","event":{},"event.original":"","payload":{}}`,
		`{"digestS3Object":"","s3Bucket":"","s3ObjectKey":[],"insightDetails":{},"Event":"","data":"","kinesis":{},"Sns":{}}`,
		`{"record":1,"RECORDS":2,"Recor\u0064s":3,"Messages":[],"Events":[],"digestEndTime":"","Detail":1,"requestParametersX":1}`,
	} {
		checkEvent(t, []byte(text))
	}
}

// Every key that is known is known wherever it stands, with each of its characters escaped too; with one
// more or one less character it is another key.
func TestDecodeEventKeys(t *testing.T) {
	for _, k := range keys[1:] {
		name := k.name
		if name == "" {
			continue
		}
		var escaped strings.Builder
		for _, r := range name {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		}
		for _, key := range []string{
			name, escaped.String(), name + "x", name[:len(name)-1], "x" + name, name[1:], name + " ", strings.ToUpper(name),
			name[:1] + "\u017f" + name[1:], escaped.String() + "x",
		} {
			for _, format := range []string{`{"%s":"v"}`, `{"x":{},"%s":1,"y":"z"}`, `{"%s" : [] }`, "{\n\t\"%s\"\n:null}"} {
				checkEvent(t, fmt.Appendf(nil, format, key))
			}
		}
	}
}

// A key that was guessed is taken only if all of its bytes are there: each one is changed in turn.
func TestDecodeEventGuessedKeys(t *testing.T) {
	const rest = `"v","padding":"so that the end of the event is far enough away"}`
	for _, k := range keys[1:] {
		if k.name == "" {
			continue
		}
		whole := `{"` + k.name + `":` + rest
		s := primed(t, whole)
		checkEventWith(t, s, []byte(whole))
		for i := range k.name {
			text := []byte(whole)
			text[2+i] ^= 0x20
			if !json.Valid(text) {
				continue
			}
			checkEventWith(t, primed(t, whole), text)
		}
		for _, text := range []string{`{"` + k.name + `" :` + rest, `{"` + k.name + `x":` + rest, `{"` + k.name + `\u0000":` + rest} {
			checkEventWith(t, primed(t, whole), []byte(text))
		}
	}
}

// Texts made of what stands between texts, after keys that are expected: a scanner that expects them reads what one reads that
// does not.
func TestDecodeEventGuessedTexts(t *testing.T) {
	const end = `"readOnly":false,"padding":"so that the end of the event is far enough away"}`
	usual := []byte(`{"eventVersion":"1","eventSource":"x","eventName":"x","awsRegion":"x",` + end)
	pieces := []string{`"`, `,`, `:`, `","`, `":"`, `\`, `\"`, `x`, `,"x":`, `1234567`, `1,`, `false,`}
	r, s := rand.New(rand.NewPCG(5, 6)), familiar(string(usual))
	for range 8_000 {
		text := []byte("{")
		for _, name := range []string{"eventVersion", "eventSource", "eventName", "awsRegion"} {
			text = append(append(text, `"`+name...), `":"`...)
			for range r.IntN(5) {
				text = append(text, pieces[r.IntN(len(pieces))]...)
			}
			text = append(text, `",`...)
		}
		text = append(text, end...)
		if got, want := decoded(s, text), decoded(new(scanner), text); got != want {
			t.Fatalf("%s:\ngot  %s\nwant %s", text, got, want)
		}
		_, _ = s.decodeEvent(usual, new(Event)) // so that it goes on expecting them
	}
}

func TestDecodeEventInvalidUTF8(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		var s scanner
		e := Event{InvalidUTF8: !want}
		if _, err := s.decodeEvent([]byte(text), &e); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if e.InvalidUTF8 != want {
			t.Errorf("%q: got %v, want %v", text, e.InvalidUTF8, want)
		}
		if _, err := s.decodeEvent([]byte(`{}`), &e); err != nil || e.InvalidUTF8 {
			t.Errorf("%q: the next event is invalid too: %v", text, err)
		}
	}
	f(sampleEvent, false)
	f(`{"userAgent":"日本語 \ud83d\ude00"}`, false)
	f("{\"userAgent\":\"a\xffb\"}", true)
	f("{\"userAgent\":\"\xc0\xaf\"}", true)
	f(`{"userAgent":"\ud83d"}`, true)
	f("{\"requestParameters\":{\"x\":[\"\xff\"]}}", true)
	f("{\"requestParameters\":{\"\xff\":1}}", true)
	f("{\"\xff\":1}", true)
	f("{\"awsRegion\xff\":\"a\",\"awsRegion\":\"b\"}", true)
}

func TestDecodeEventReused(t *testing.T) {
	var s scanner
	e := Event{Index: 7, Shape: Chain{}.Push(ShapeGzip)}
	for _, text := range []string{sampleEvent, `{"awsRegion":"x","CloudTrailEvent":1}`, `{}`} {
		if _, err := s.decodeEvent([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range capturedFields(&e) {
		if value != nil {
			t.Errorf("%s is left from an earlier event: %s", key, value)
		}
	}
	if e.original || e.Index != 7 || e.Shape.Len() != 1 {
		t.Errorf("got original %v, index %d, shape %s", e.original, e.Index, e.Shape)
	}
}

// Bytes after the event are left alone.
func TestDecodeEventEnd(t *testing.T) {
	for _, rest := range []string{"", "\n", "}", `{"awsRegion":"x"}`, "\x00\xff"} {
		var s scanner
		var e Event
		if end, err := s.decodeEvent([]byte(sampleEvent+rest), &e); err != nil || end != len(sampleEvent) {
			t.Errorf("%q after the event: ended at %d: %v", rest, end, err)
		}
	}
}

// An event that ends early has the values that were whole before its end, and none that was not.
func TestDecodeEventTruncated(t *testing.T) {
	want := oracle(t, []byte(sampleEvent))
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(sampleEvent), "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{[]byte(sampleEvent), pretty.Bytes()} {
		wantPretty := oracle(t, whole)
		for n := 1; n < len(whole); n++ {
			var s scanner
			var e Event
			text := bytes.Clone(whole[:n:n])
			end, err := s.decodeEvent(text, &e)
			if syntax, ok := errors.AsType[*SyntaxError](err); !ok || !syntax.Truncated || end != n || len(e.Raw) != n {
				t.Fatalf("%d bytes: ended at %d: %v", n, end, err)
			}
			for key, got := range capturedFields(&e) {
				switch complete := bytes.Contains(text, []byte("\""+key+"\": ")) || bytes.Contains(text, []byte("\""+key+"\":")); {
				case got != nil && string(got) != string(wantPretty[key]):
					t.Fatalf("%d bytes: %s: got %q, want %q", n, key, got, want[key])
				case got != nil && !complete:
					t.Fatalf("%d bytes: %s came from nowhere", n, key)
				}
			}
			// Right behind the value it is there.
			if bytes.HasSuffix(text, []byte(`"readOnly":false`)) && string(e.ReadOnly) != "false" {
				t.Fatalf("%d bytes: readOnly is %q", n, e.ReadOnly)
			}
		}
	}
}

// Damage at any place of the event never reaches beyond it: what was captured before it stays right.
func TestDecodeEventDamaged(t *testing.T) {
	want := oracle(t, []byte(sampleEvent))
	for i := 1; i < len(sampleEvent); i++ {
		text := []byte(sampleEvent)
		text[i] = 0x01 // damage wherever it stands
		var s scanner
		var e Event
		end, err := s.decodeEvent(text, &e)
		if syntax, ok := errors.AsType[*SyntaxError](err); !ok || syntax.Truncated || syntax.Offset != i || end != i {
			t.Fatalf("byte %d: ended at %d: %v", i, end, err)
		}
		for key, got := range capturedFields(&e) {
			if got != nil && string(got) != string(want[key]) {
				t.Fatalf("byte %d: %s: got %q, want %q", i, key, got, want[key])
			}
		}
		if before := strings.Contains(sampleEvent[:i], `"readOnly":false`); before != (e.ReadOnly != nil) {
			t.Fatalf("byte %d: readOnly is %q", i, e.ReadOnly)
		}
	}
}

func TestDecodeEventAllocates(t *testing.T) {
	f := func(name string, text []byte) {
		t.Helper()
		var s scanner
		var e Event
		decode := func() {
			if _, err := s.decodeEvent(text, &e); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		decode() // the first time may make room for deep nesting
		if n := testing.AllocsPerRun(100, decode); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
	f("sample", []byte(sampleEvent))
	f("empty", []byte(`{}`))
	f("long keys", []byte(`{"`+strings.Repeat("k", 5000)+`":1,"`+strings.Repeat(`\u0061`, 5000)+`":1}`))
	f("escapes", []byte(`{"\u0061wsRegion":"eu\u002dcentral-1","userAgent":"`+strings.Repeat(`\ud83d\ude00é\"`, 500)+"\xff\"}"))
	f("deep", []byte(`{"requestParameters":`+string(deep(100_000, `[{"a":`, `1`, `}]`))+`,"readOnly":false}`))
	var s scanner
	shallow := []byte(`{"requestParameters":` + string(deep(60, `[`, `1`, `]`)) + `}`)
	if n := testing.AllocsPerRun(10, func() { s = scanner{}; _, _ = s.SkipValue(shallow, 0) }); n != 0 {
		t.Errorf("64 levels: %v allocations, want none", n)
	}
}

// An event decodes at a depth at which encoding/json gives up, and with numbers that do not fit a float.
func TestDecodeEventExtremes(t *testing.T) {
	for _, parameters := range []string{
		string(deep(100_000, `[`, ``, `]`)), string(deep(100_000, `{"a":`, `1`, `}`)), `1e999999`, `-0.0e-999999`,
		strings.Repeat("9", 100_000), `"` + strings.Repeat("x", 1<<20) + `"`, `"` + strings.Repeat(`\"`, 1<<19) + `"`,
		`{"awsRegion":"eu-central-1","readOnly":true}`, `[{"readOnly":true}]`,
	} {
		var s scanner
		var e Event
		text := `{"awsRegion":"ap-east-1","requestParameters":` + parameters + `,"readOnly":false}`
		end, err := s.decodeEvent([]byte(text), &e)
		if err != nil || end != len(text) || string(e.AWSRegion) != `"ap-east-1"` || string(e.ReadOnly) != "false" {
			t.Errorf("%.40s: ended at %d: %v; got %s, %s", parameters, end, err, e.AWSRegion, e.ReadOnly)
		}
	}
}

// FuzzDecodeEvent holds the decoder against encoding/json: it accepts the same objects and captures the same
// values; what it captures before damage is what it captures of the same bytes without it.
func FuzzDecodeEvent(f *testing.F) {
	for _, text := range append(sampleEvents(), fuzzSeeds...) {
		f.Add([]byte(text))
	}
	used := familiar(sampleEvent)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || text[0] != '{' {
			return
		}
		decoded(used, []byte(sampleEvent)) // so that it goes on comparing
		for range 2 {                      // what the first time remembers, the second may find
			if got, want := decoded(used, text), decoded(new(scanner), text); got != want {
				t.Fatalf("%q: a used scanner reads %s, a new one %s", text, got, want)
			}
		}
		var s scanner
		var e Event
		end, err := s.decodeEvent(text, &e)
		skipEnd, skipErr := s.SkipValue(text, 0)
		if end != skipEnd || (err == nil) != (skipErr == nil) || err != nil && err.Error() != skipErr.Error() {
			t.Fatalf("%q: decoding ends at %d with %v, skipping at %d with %v", text, end, err, skipEnd, skipErr)
		}
		if string(e.Raw) != string(text[:end]) || e.InvalidUTF8 != (s.Invalid || e.InvalidUTF8) {
			t.Fatalf("%q: raw %q, invalid %v", text, e.Raw, e.InvalidUTF8)
		}
		for key, value := range capturedFields(&e) {
			if value != nil && !tooDeep(text) && (!json.Valid(value) || !bytes.Contains(e.Raw, value)) {
				t.Fatalf("%q: %s: %q", text, key, value)
			}
		}
		if err == nil && !tooDeep(text) {
			checkEvent(t, text[:end])
		}
	})
}

// A key that is not too long is recognized by comparing words: the whole of it, and nothing else.
func TestKeyAt(t *testing.T) {
	const behind = "012345678901234567890123456789"
	for _, name := range append(slices.Collect(maps.Keys(keyIDs)), strings.Repeat("x", keyWindow-len(`"":`)), strings.Repeat("x", keyWindow-len(`"":`)+1)) {
		k, text := newKey(name), `"`+name+`":`
		fits := len(text) <= keyWindow
		if got := k.at([]byte(text+behind), 0); got != fits || int(k.size) != len(text) {
			t.Errorf("%s: %t", name, got)
		}
		if k.at([]byte(text+behind), -1) || k.at([]byte(text), 0) {
			t.Errorf("%s stands outside of the text", name)
		}
		for i := range text {
			other := []byte(text + behind)
			if other[i] ^= 1; k.at(other, 0) {
				t.Errorf("%s is taken for %s", other[:len(text)], name)
			}
		}
	}
}
