package cloudtrail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSingleEventDamage(t *testing.T) {
	after := paris[:strings.Index(paris, `,"eventType"`)]
	const partial = "event 0 event eu-west-3 false damaged\n"
	expect(t, after, partial+"fault 0 truncated event") // ends right after readOnly
	expect(t, after+",", partial+"fault 0 truncated event")
	expect(t, after+`,"eventType":"Aws`, partial+"fault 0 truncated event")
	expect(t, after+`,"eventType":Aws}`, partial+"fault 0 syntax event")
	expect(t, after+`,"x":"`+"\x01"+`"}`, partial+"fault 0 syntax event")
	expect(t, after+`]`, partial+"fault 0 syntax event")
	// before them: the search finds both, or does not
	expect(t, strings.Replace(paris, `"cli"`, `cli`, 1), "event 0 event eu-west-3 false salvaged\nfault 0 syntax")
	expect(t, strings.Replace(paris, `"eventName"`, `eventName`, 1), "event 0 event eu-west-3 false salvaged\nfault 0 syntax")
	expect(t, paris[:strings.Index(paris, `,"readOnly"`)], "fault 0 truncated")
	expect(t, paris[:40], "fault 0 truncated")
	expect(t, paris[40:], "event 0 event eu-west-3 false salvaged\nfault 0 syntax")
	// a quote lost, so that inside and outside change places
	expect(t, strings.Replace(paris, `"cli"`, `"cli`, 1), "event 0 event eu-west-3 false salvaged\nfault 0 syntax")
	// not an event at all
	expect(t, `{"a":1`, "fault 0 truncated")
	expect(t, `{}`, "fault 0 unknown-shape")
	expect(t, `{"eventSource":"aws:s3","s3":`, "fault 0 truncated")
	expect(t, `{"a":{"awsRegion":"eu-west-3","readOnly":1}}`, "event 0 wrapped eu-west-3 1")
	for _, record := range []string{"7", "true", `"x"`} {
		expect(t, record, "fault 0 not-an-object")
	}
	for _, record := range []string{"nul", "-", "hello world", "\x00\x01\x02", "}", "<xml/>", "key=value"} {
		if got := decode(t, record); len(got) != 1 || !strings.HasPrefix(got[0], "fault 0 ") {
			t.Errorf("Decode(%q) = %q", record, got)
		}
	}
}

// Several regions in the bytes of one damaged event: each is decided, under one index.
func TestSalvageDecidesEachRegion(t *testing.T) {
	record := `{"requestParameters":{"awsRegion":"us-east-1"},"x":oops,"awsRegion":"eu-west-3","readOnly":false}` + "\n" + tokyo
	expect(t, record, `
event 0 ndjson us-east-1 false salvaged
event 0 ndjson eu-west-3 false salvaged
fault 0 syntax ndjson
event 1 ndjson ap-northeast-1 false`)
}

// A region that was read before the damage counts even where the search cannot find it.
func TestSalvageKeepsWhatWasRead(t *testing.T) {
	expect(t, `{"\u0061wsRegion":"eu-west-3","x":oops,"readOnly":false}`, "event 0 event eu-west-3 false salvaged\nfault 0 syntax")
	escaped := decode(t, `{"awsRegion":"eu\u002dwest-3","eventName":"x","x":oops,"readOnly":false}`)
	if escaped[0] != "event 0 event eu-west-3 false salvaged" {
		t.Errorf("an escaped region: %q", escaped)
	}
}

// An object around a damaged list that is an event by its own keys is damaged too: it must not pass for a whole event,
// whose copy would make the alert no JSON.
func TestDamageMakesTheFrameAnEvent(t *testing.T) {
	expect(t, `{"Records":[,{"awsRegion":"us-east-1","readOnly":true}],"read\u004fnly":false,"aws\u0052egion":"eu-west-3"}`, `
fault 0 syntax records
event 1 records us-east-1 true
event 2 event eu-west-3 false damaged
fault 2 syntax event`)
}

// Pieces of an event are joined if damage can have cut it, and each region of them is handed on once.
func TestPieces(t *testing.T) {
	f := func(record, want string) {
		t.Helper()
		if got := strings.Join(decodeKnown(t, record), "\n"); got != strings.TrimSpace(want) {
			t.Errorf("%s\n got: %s\nwant: %s", record, got, want)
		}
	}
	// An event that says that it is no write stands for itself.
	f(`{"readOnly":false,"userAgent":"{\"eventName\":\"x\",\"awsRegion\":\"u-east-1\",\"readOnly\":true"}{"eventVersion":"1.08"`, `
event 0 ndjson > wrapped u-east-1 true salvaged
fault 0 truncated ndjson > wrapped
fault 1 truncated ndjson`)
	// What stands before the damage in whole is no piece.
	f(`{"x":{"eventName":"x","requestParameters":{"awsRegion":"us-west-1"},"readOnly":false}}{"readOnly":false,"eventVers`,
		"event 0 ndjson > wrapped us-west-1 \nfault 1 truncated ndjson")
	f(`{"awsRegion":"eu-west-3","level":"info","message":"{\"readOnly\":false\"awsRegion\":\"eu-west-3\",\"x`,
		"event 0 shipper eu-west-3 false salvaged\nfault 0 syntax shipper")
}

func TestTrailingBytes(t *testing.T) {
	for _, rest := range []string{"}", "garbage", ",", "\x00", "\n}", "\ngarbage\n", "]", `"x"`} {
		expect(t, paris+rest, "event 0 event eu-west-3 false\nfault -1 trailing-bytes")
	}
	expect(t, `{"Records":[`+paris+`]}}`, "event 0 records eu-west-3 false\nfault -1 trailing-bytes")
	expect(t, `[`+paris+`]]`, "event 0 array eu-west-3 false\nfault -1 trailing-bytes")
	expect(t, paris+",\n"+tokyo, "event 0 ndjson eu-west-3 false\nfault -1 trailing-bytes ndjson\nevent 1 ndjson ap-northeast-1 false")
	expect(t, paris+","+tokyo, "event 0 ndjson eu-west-3 false\nfault -1 trailing-bytes ndjson\nevent 1 ndjson ap-northeast-1 false")
	// An extra brace cuts the event in two, before its decisive fields.
	expect(t, strings.Replace(paris, `"awsRegion"`, `"x":1},"awsRegion"`, 1),
		"event 0 event  \nevent 1 event eu-west-3 false salvaged\nfault 1 trailing-bytes")
}

// A fault tells what could not be read, and where in it reading stopped.
func TestFaultPlace(t *testing.T) {
	for _, c := range []struct{ record, piece, err string }{
		{`{"a":!}`, `{"a":!}`, "decoding event: byte 5: found '!', want a value"},
		{paris + "\nx y\n" + tokyo, "x y\n", "reading a value: byte 0: found 'x', want a value"},
		{paris + "\n{\"a\":!}\n" + tokyo, "{\"a\":!}\n", "decoding event: byte 5: found '!', want a value"},
		{`{"Records":[` + paris + `,{"a":!},` + tokyo + `]}`, `{"a":!},`, "decoding event: byte 5: found '!', want a value"},
		{`{"Records":[` + paris + `!,` + tokyo + `]}`, `!,`, "reading records: byte 0: found '!', want a comma or the end of the array"},
		{`{"Records":[` + paris + `,7]}`, `7`, "decoding event: no JSON object where an event belongs"},
		{paris + " }", "}", "reading event: bytes after the end of the value"},
		{compress(paris)[:30], compress(paris)[:30], "decompressing gzip: unexpected EOF"},
	} {
		var f found
		if err := NewDecoder(0).Decode([]byte(c.record), &f); err != nil {
			t.Fatal(err)
		}
		last := f.faults[len(f.faults)-1]
		if string(last.Piece) != c.piece || last.Err.Error() != c.err {
			t.Errorf("Decode(%.40q…): %q: %v", c.record, last.Piece, last.Err)
		}
		if syntax := (*SyntaxError)(nil); errors.As(last.Err, &syntax) && last.Offset != syntax.Offset {
			t.Errorf("Decode(%.40q…): offset %d, %v", c.record, last.Offset, last.Err)
		}
	}
}

// A missing comma is shown with what stands around it, at the start and the end of the input too.
func TestGapExcerpt(t *testing.T) {
	f := func(record, piece string, offset int) {
		t.Helper()
		var f found
		if err := NewDecoder(0).Decode([]byte(record), &f); err != nil {
			t.Fatal(err)
		}
		if len(f.faults) == 0 || string(f.faults[0].Piece) != piece || f.faults[0].Offset != offset {
			t.Errorf("%s: %q", record, f.lines)
			for _, fault := range f.faults {
				t.Errorf("%q, offset %d", fault.Piece, fault.Offset)
			}
		}
	}
	a, b := `{"awsRegion":"a","readOnly":true}`, `{"awsRegion":"b","readOnly":true}`
	f(`[7{"a":1}]`, `7`, 0)
	f(`[[]`+a+`]`, `[]`, 0)
	f(`[`+a+b+`]`, (`[` + a)[2:]+b[:32], 32) // 34 bytes before the gap
	f(`{"Records":[`+a+b+`]}`, a[1:]+b[:32], 32)
	short := `{"awsRegion":"a","readOnly":1}`
	f(`[`+short+a+`]`, `[`+short+a[:32], 31)
}

// Text without any event is reported, and once.
func TestTextWithoutEvents(t *testing.T) {
	expect(t, "==", "fault 0 syntax")
	expect(t, "{}x\ny", "fault 0 unknown-shape\nfault -1 trailing-bytes")
}

// Damaged parts are decided as events if that is what their keys say. One that is only recognized is searched.
func TestDamagedParts(t *testing.T) {
	const insight, element = `{"awsRegion":"eu-west-3","readOnly":false,"eventCategory":"Insight",oops}`, `{"a":1,"awsRegion":"eu-west-3","readOnly":false,"x":oops}`
	expect(t, insight, "event 0 event eu-west-3 false salvaged\nfault 0 syntax")
	expect(t, `{"x":[oops,`+element+`,{"b":1}]}`, "event 0 wrapped eu-west-3 false damaged\nfault 0 syntax wrapped")
}

func TestNDJSONDamage(t *testing.T) {
	cut := strings.Index(paris, `,"readOnly"`)
	const second = "event 1 ndjson ap-northeast-1 false"
	for _, damaged := range []string{paris[:20], paris[:cut], "garbage", `{"eventVersion":`, `{"a":[1,`, `{"a":"`, "}", `{"a":}`} {
		got := strings.Join(decode(t, damaged+"\n"+tokyo+"\n"), "\n")
		if !strings.HasPrefix(got, "fault 0 ") || !strings.HasSuffix(got, " ndjson\n"+second) || strings.Count(got, "\n") != 1 {
			t.Errorf("a line %q before another one: %s", damaged, got)
		}
		got = strings.Join(decode(t, paris+"\n"+damaged+"\n"+berlin), "\n")
		if !strings.HasPrefix(got, "event 0 ndjson eu-west-3 false\nfault 1 ") || !strings.HasSuffix(got, "event 2 ndjson eu-central-1 false") {
			t.Errorf("a line %q in between: %s", damaged, got)
		}
	}
	expect(t, paris+"\n7\nnull\n"+tokyo, "event 0 ndjson eu-west-3 false\nfault 1 not-an-object ndjson\nskip empty ndjson\nevent 2 ndjson ap-northeast-1 false")
	// A line that ends after a colon swallows the next one; it is read again by itself.
	expect(t, `{"a":`+"\n"+paris+"\n"+tokyo, "fault 0 syntax ndjson\nevent 1 ndjson eu-west-3 false\nevent 2 ndjson ap-northeast-1 false")
	expect(t, `{"a":`+"\n  "+paris+"\n"+tokyo, "fault 0 syntax ndjson\nevent 1 ndjson eu-west-3 false\nevent 2 ndjson ap-northeast-1 false")
	// A string without its end goes on into the next event of the same line.
	expect(t, strings.Replace(paris, `Call"`, `Call`, 1)+tokyo,
		"event 0 ndjson eu-west-3 false damaged\nfault 0 syntax ndjson\nevent 1 ndjson ap-northeast-1 false")
	pretty := "{\n  \"eventVersion\": \"1.08\",\n  \"awsRegion\": \"eu-west-3\",\n  \"readOnly\": false\n}\n"
	expect(t, pretty+pretty, "event 0 ndjson eu-west-3 false\nevent 1 ndjson eu-west-3 false")
	expect(t, strings.Replace(pretty, "1.08\"", "1.08", 1)+pretty,
		"event 0 ndjson eu-west-3 false salvaged\nfault 0 syntax ndjson\nevent 1 ndjson eu-west-3 false")
	expect(t, "{\n \"a\":\n"+pretty+pretty, "fault 0 syntax ndjson\nevent 1 ndjson eu-west-3 false\nevent 2 ndjson eu-west-3 false")
	expect(t, "<134>1 host: "+paris+"\n<134>1 host: "+tokyo, `
event 0 ndjson > prefixed eu-west-3 false
event 1 ndjson > prefixed ap-northeast-1 false`)
}

func TestRecordsDamage(t *testing.T) {
	log := func(elements ...string) string { return `{"Records":[` + strings.Join(elements, ",") + `]}` }
	const first, third = "event 0 records eu-west-3 false\n", "\nevent 2 records eu-central-1 false"
	for element, want := range map[string]string{
		`7`: "fault 1 not-an-object records", `null`: "fault 1 not-an-object records", `[1]`: "fault 1 unknown-shape records > array",
		`"x"`: "fault 1 not-an-object records", `{"a":1}`: "fault 1 unknown-shape records", `{}`: "fault 1 unknown-shape records",
		`{"a":`: "fault 1 syntax records", `{"a":[}`: "fault 1 syntax records", `nul`: "fault 1 syntax records", ``: "fault 1 syntax records",
		tokyo[:len(tokyo)-1]:                       "event 1 records ap-northeast-1 false damaged\nfault 1 syntax records",
		strings.Replace(tokyo, `"cli"`, `"cli`, 1): "event 1 records ap-northeast-1 false salvaged\nfault 1 syntax records",
		strings.Replace(tokyo, `]`, ``, 1):         "event 1 records ap-northeast-1 false salvaged\nfault 1 syntax records",
	} {
		expect(t, log(paris, element, berlin), first+want+third)
	}
	expect(t, `{"Records":[`+paris+berlin+`]}`, first+"fault -1 syntax records\nevent 1 records eu-central-1 false")
	// The end is missing, or something is after it.
	whole := log(paris, tokyo)
	expect(t, whole[:len(whole)-2], first+"event 1 records ap-northeast-1 false\nfault -1 truncated records")
	expect(t, whole[:len(whole)-1], first+"event 1 records ap-northeast-1 false\nfault -1 truncated records")
	expect(t, whole[:len(whole)-5], first+"event 1 records ap-northeast-1 false damaged\nfault 1 truncated records")
	expect(t, `{"Records":[`, "fault 0 truncated records")
	// The next file, on its own line, is not part of the damaged one.
	expect(t, whole[:len(whole)-2]+"\n"+logs("DATA_MESSAGE", berlin), strings.ReplaceAll(first, "records", "ndjson > records")+
		"event 1 ndjson > records ap-northeast-1 false\nfault -1 syntax ndjson > records\nevent 2 ndjson > cloudwatch-logs eu-central-1 false")
	// Other members do not matter, before and after, damaged or not.
	expect(t, `{"a":[{"b":1}],"Records":[`+paris+`],"c":{}}`, "event 0 records eu-west-3 false")
	expect(t, `{"Records":[`+paris+`],"c":{]}`, first+"fault 1 syntax records")
	expect(t, `{"Records":[`+paris+`],"Records":[`+tokyo+`]}`, first+"event 1 records ap-northeast-1 false")
	expect(t, `{"a":1,"Records":[`+paris+`,{"ev`, first+"fault -1 truncated")
	expect(t, `{"Records":7}`, "fault 0 unknown-shape")
}

// An object with Records that is an event by its own keys is one: Records cannot hide it.
func TestRecordsInAnEvent(t *testing.T) {
	record := `{"Records":[` + tokyo + `],` + paris[1:]
	expect(t, record, "event 0 records ap-northeast-1 false\nevent 1 event eu-west-3 false")
	record = paris[:len(paris)-1] + `,"Records":[` + tokyo + `]}`
	expect(t, record, "event 0 event eu-west-3 false")
	// Without a region there is nothing to decide beside what was found in a damaged list.
	record = `{"Records":[oops` + tokyo + `],"eventVersion":"1","eventName":"x","readOnly":false}`
	expect(t, record, "fault 0 syntax records\nevent 1 records ap-northeast-1 false")
}

// Wherever a log file of many events is damaged, all events but the one that was hit are decided, and
// there is a fault.
func TestRecordsDamageAnywhere(t *testing.T) {
	var events []string
	for i := range 3 {
		events = append(events, strings.Replace(event("eu-west-3"), "RunInstances", fmt.Sprint("Event", i), 1))
	}
	for _, frame := range [][3]string{{`{"Records":[`, ",", `]}`}, {"[", ",\n", "]"}, {"", "\n", "\n"},
		{`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":`, `},{"id":"1","message":`, `}]}`}} {
		elements := events
		if strings.Contains(frame[0], "logEvents") {
			elements = quoteAll(events)
		}
		record := frame[0] + strings.Join(elements, frame[1]) + frame[2]
		for i := range len(record) {
			for _, damage := range []string{"", "\x01", `"`, "{", "}", "[", "]", ",", "\\"} {
				damaged := record[:i] + damage + record[i+1:]
				if damaged == record || isStillJSON(damaged) {
					continue
				}
				var f found
				if err := NewDecoder(0).Decode([]byte(damaged), &f); err != nil {
					t.Fatal(err)
				}
				missing := 0
				for _, e := range events {
					if !slices.Contains(f.raws, e) {
						missing++
					}
				}
				if missing > 1 && strings.Contains(frame[0], "logEvents") {
					// The list cannot be told any more: the search stands for all events in the rest.
					if !strings.Contains(strings.Join(f.lines, "\n"), "eu-west-3 false salvaged") {
						t.Errorf("%q for byte %d of %.20q…: nothing found: %q", damage, i, record, f.lines)
					}
				} else if missing > 1 {
					t.Errorf("%q for byte %d (%q) of %.20q…: %d events lost:\n%s", damage, i, record[i], record, missing, strings.Join(f.lines, "\n"))
				}
				if missing > 0 && len(f.faults) == 0 {
					t.Errorf("%q for byte %d of %.20q…: no fault for the lost one: %q", damage, i, record, f.lines)
				}
			}
		}
	}
}
