package cloudtrail

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
)

// seeds holds a record of every shape, and damaged ones.
func seeds() []string {
	plain := []string{
		"", "null", "{}", "[]", `{"Records":[]}`, "7", `"x"`, paris, paris + "\n" + tokyo, `[` + paris + `]`, insight,
		`{"Records":[` + paris + `,` + tokyo + `]}`, `{"x":{},"Records":[` + paris + `,7,null,[` + tokyo + `]]}`, "[[1],{}]",
		bridge("AWS API Call via CloudTrail", paris), bridge("x", `{}`), logs("DATA_MESSAGE", paris, tokyo), logs("CONTROL_MESSAGE"),
		sns(paris), `{"Records":[` + sqs(sns(paris)) + `]}`, `{"records":[{"data":"` + toBase64(paris) + `"}]}`,
		`{"Events":[{"CloudTrailEvent":` + quote(paris) + `}]}`, `{"message":` + quote(paris) + `}`,
		`{"event":{"original":` + quote(paris) + `}}`, `{"schema":null,"payload":` + paris + `}`, quote(paris),
		"\x00\x00\x00\x00\x01" + paris, toBase64(paris), "\ufeff" + paris, "{\x00\"\x00", `{"s3Bucket":"b","s3ObjectKey":[]}`,
	}
	all := slices.Clone(plain)
	for _, s := range plain {
		if len(s) > 30 {
			all = append(all, s[:len(s)-20], s[15:], s[:len(s)/2]+"\x00"+s[len(s)/2:], s+"}", s+"\n"+s[:len(s)/3]+"\n"+s)
		}
	}
	for _, pack := range compressors {
		all = append(all, pack(paris), pack(paris)[:20], toBase64(pack(paris)))
	}
	return all
}

// Any bytes: no panic, at least one call to the sink, the same calls again and from a new decoder, slices
// within bounds, and indexes that never go back.
func FuzzDecode(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	const limit = 1 << 20
	used := NewDecoder(limit)
	f.Fuzz(func(t *testing.T, record []byte) {
		before := bytes.Clone(record)
		var first, second, third found
		for _, run := range []struct {
			d    *Decoder
			sink *found
		}{{used, &first}, {used, &second}, {NewDecoder(limit), &third}} {
			if err := run.d.Decode(record, run.sink); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(record, before) {
			t.Fatal("the record was written to")
		}
		if len(first.lines) == 0 {
			t.Fatal("nothing was reported")
		}
		if !slices.Equal(first.lines, second.lines) || !slices.Equal(first.lines, third.lines) {
			t.Fatalf("not the same again:\n%q\n%q\n%q", first.lines, second.lines, third.lines)
		}
		for _, fault := range first.faults {
			if fault.Reason == ReasonNone || fault.Err.Error() == "" || fault.Offset < 0 || fault.Offset > len(fault.Piece) {
				t.Fatalf("%+v", fault)
			}
		}
		last := 0
		for _, index := range first.indexes {
			if index < last {
				t.Fatalf("an index goes back: %v", first.indexes)
			}
			last = max(last, index)
		}
		for _, buffer := range used.buffers {
			if cap(buffer) > keepBytes {
				t.Fatal("a large buffer is kept")
			}
		}
	})
}

// The whole way of the plain shapes against encoding/json: the same events with the same values and
// indexes, and a fault for everything else; and where the text is damaged, at least the events before it.
func FuzzDecodePlain(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	d := NewDecoder(0)
	f.Fuzz(func(t *testing.T, record []byte) {
		want := reference{plain: true}
		whole := want.text(record)
		if !want.plain {
			return
		}
		var got found
		if err := d.Decode(record, &got); err != nil {
			t.Fatal(err)
		}
		missing := want.faults - len(got.faults)
		same := func(a, b string) bool {
			if want.leftOver > 0 { // what is left over as one piece counts as none in the index, or as one
				_, a, _ = strings.Cut(a, " ")
				_, b, _ = strings.Cut(b, " ")
			}
			return a == b
		}
		if whole && (!slices.EqualFunc(got.events(), want.events, same) || missing < 0 || missing > want.leftOver) {
			t.Fatalf("%q\n got: %q, %d faults\nwant: %q, %d faults", record, got.events(), len(got.faults), want.events, want.faults)
		}
		isPrefixed := slices.ContainsFunc(got.lines, func(line string) bool { return strings.Contains(line, " prefixed") })
		if !whole && len(got.faults) == 0 && !isPrefixed { // "[info] {...}" is a line with a prefix, not damage
			t.Fatalf("%q is damaged, and there is no fault: %q", record, got.lines)
		}
		if n := len(want.events); !whole && (len(got.events()) < n || !slices.EqualFunc(got.events()[:n], want.events, same)) {
			t.Fatalf("%q\n got: %q\nwant at least: %q", record, got.events(), want.events)
		}
	})
}

// reference is a slow and obviously right reader of single events, log files, arrays and NDJSON.
type reference struct {
	events []string // as found.events gives them
	faults int
	// leftOver counts the faults that may be part of the one before: what stands after a value and starts no other
	// object or array is left over as one piece, up to the next event.
	leftOver int
	index    int
	plain    bool // false where the record is something else that the decoder reads
}

// text reads the values of a text and reports whether all of it is JSON.
func (r *reference) text(record []byte) (whole bool) {
	if start := bytes.TrimLeft(record, " \t\r\n"); len(start) > 0 && start[0] != '{' && start[0] != '[' || len(record) > 3 && record[1] == 0 {
		r.plain = false
	}
	d := json.NewDecoder(bytes.NewReader(record))
	for {
		var v json.RawMessage
		err := d.Decode(&v)
		if err != nil {
			return err == io.EOF
		}
		before := r.faults
		if string(v) != "null" {
			r.value(v, 1)
		}
		isScalar := v[0] != '{' && v[0] != '['
		if isScalar || r.leftOver > 0 {
			r.leftOver += max(r.faults-before, 1)
		}
	}
}

// value reads one value where an event belongs.
func (r *reference) value(v json.RawMessage, depth int) {
	var list []json.RawMessage
	switch {
	case depth > 4:
		r.plain = false
	case v[0] == '{':
		r.object(v, depth)
	case v[0] == '[':
		if err := json.Unmarshal(v, &list); err != nil {
			panic(err)
		}
		for _, element := range list {
			r.plain = r.plain && element[0] != '[' // an array inside an array is an envelope
			r.value(element, depth+1)
		}
	default:
		r.index++
		r.faults++
	}
}

func (r *reference) object(v json.RawMessage, depth int) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(v, &members); err != nil {
		panic(err)
	}
	var region, source, category, kind string
	hasRegion := json.Unmarshal(members["awsRegion"], &region) == nil && members["awsRegion"][0] == '"'
	n := 0
	for _, key := range []string{"eventVersion", "eventSource", "eventName", "userIdentity"} {
		if members[key] != nil {
			n++
		}
	}
	isEvent := n > 1 || hasRegion && members["readOnly"] != nil
	_ = json.Unmarshal(members["eventSource"], &source)
	_ = json.Unmarshal(members["eventCategory"], &category)
	_ = json.Unmarshal(members["eventType"], &kind)
	records := members["Records"]
	for _, name := range []string{"CloudTrailEvent", "cloudTrailEvent", "eventJson"} {
		r.plain = r.plain && members[name] == nil
	}
	if !(isEvent && hasRegion) && records == nil {
		for _, value := range members { // an envelope, or an event without a region, with something to open
			r.plain = r.plain && value[0] != '"' && value[0] != '{' && value[0] != '[' && value[0] != 'n'
		}
	}
	switch {
	case strings.HasPrefix(source, "aws:") || bytes.Count(v, []byte("Records")) > 1 || isEvent && records != nil || records != nil && !bytes.HasPrefix(bytes.TrimLeft(v[1:], " \t\r\n"), []byte(`"Records"`)):
		r.plain = false
	case category == "Insight" || kind == "AwsCloudTrailInsight" || category == "Aggregated" || kind == "AwsAggregatedEvent":
	case isEvent:
		line := Event{AWSRegion: Value(members["awsRegion"]), ReadOnly: Value(members["readOnly"]), Index: r.index}
		r.events = append(r.events, eventLine(&line)+string(v))
		r.index++
	case records != nil && records[0] == '[':
		r.value(records, depth)
	default:
		r.index++
		r.faults++
	}
}

// events returns each whole event, its decisive values and its bytes.
func (f *found) events() []string { return f.whole }
