package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// wrapping makes records of events in random envelopes, and knows which events are in them.
type wrapping struct {
	*rand.Rand
	events int // how many are in the record
	layers int // strings, base64 and compression around the innermost
	gzip   *gzip.Writer
	buffer bytes.Buffer
}

func newWrapping(seed uint64) *wrapping {
	w, _ := gzip.NewWriterLevel(nil, gzip.HuffmanOnly)
	return &wrapping{Rand: rand.New(rand.NewPCG(seed, 1)), gzip: w}
}

func pickOne[T any](w *wrapping, from []T) T { return from[w.IntN(len(from))] }

// decoy is a text that an actor would write: it looks like what the decoder looks for.
func (w *wrapping) decoy() string {
	const event = `{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"x","awsRegion":"decoy","readOnly":false,"eventID":"decoy"}`
	switch w.IntN(8) {
	case 0:
		return `{"Records":[` + event + `]}`
	case 1:
		return "\n" + event + "\n" + event
	case 2:
		return `{"eventSource":"aws:sqs","body":` + quoteText(event) + `}`
	case 3:
		return base64.StdEncoding.EncodeToString([]byte(event))
	case 4:
		return `","readOnly":true,"awsRegion":"decoy","x":"`
	case 5:
		return "prefix: " + event
	case 6:
		return `"}]},{"eventVersion":"1.08","awsRegion":"decoy","readOnly":false,"eventID":"decoy"}`
	}
	return event
}

// event is the next event of the record, with decoys inside.
func (w *wrapping) event() string {
	id := strconv.Itoa(w.events)
	w.events++
	parameters := `{"tags":[{"key":"awsRegion","value":` + quoteText(w.decoy()) + `}]}`
	if w.IntN(2) == 0 {
		parameters = `{"detail":{"eventVersion":"1.08","awsRegion":"decoy","readOnly":false,"eventID":"decoy","eventName":"x"}}`
	}
	return `{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventSource":"ec2.amazonaws.com","eventName":"RunInstances",` +
		`"awsRegion":"eu-west-3","userAgent":` + quoteText(w.decoy()) + `,"requestParameters":` + parameters + `,"eventID":"` + id + `","readOnly":false}`
}

// keys of envelopes, known and unknown, and metadata beside events.
var (
	wrapKeys = []string{
		"message", "log", "detail", "payload", "body", "Message", "data", "value", "event", "json", "a", "", "_raw", "Records", "records",
		"logEvents", "CloudTrailEvent", "kinesis", "Sns", "result", "\\u0064ata", "stringValue", "aws", "fields", "event.original", "x y",
	}
	metaKeys   = []string{"host", "time", "@timestamp", "offset", "tags", "source", "id", "labels", "agent", "log.level", "Type", "detail-type", "region"}
	metaValues = []string{
		`"h"`, `1`, `null`, `true`, `-1.5e3`, `[]`, `{}`, `["a",1,{"b":null}]`, `{"key":"k","value":"v"}`, `[{"key":"k","value":{"stringValue":"v"}}]`,
		`"{}"`, `"[]"`, `"null"`, `"{\"a\":[1]}"`, `"[INFO] started {x}"`, `"{{.Template}}"`, `"{"`, `"\"quoted\""`, `"MTExMTIyMjIzMzMz"`,
		`"eJxLAAAA"`, `"ewAA"`, `"<134>1 host - {"`, `"app={\"a\":1} ok"`, `{"file":{"path":"/var/log/trail.json"}}`, `"\ud800"`, `"2026-01-01T00:00:00Z"`,
		`"AWS API Call via CloudTrail"`, `"[a-z]+\\d{2}"`, `[[1],[2,[3]]]`, `"key=\"value\" other={\"b\":\"c\"}"`,
	}
	prefixes = []string{
		"<134>1 2026-01-01T00:00:00Z host trail - - - ", "<13>Jan  1 00:00:00 host trail[1]: ", "F ", "cloudtrail: ", "2026-01-01T00:00:00Z stdout F ",
		"[INFO] 2026-01-01 ", "<134>1 - - - - [meta x=\"1\"] ", "1767225600000 ",
	}
)

func (w *wrapping) meta() string {
	return quoteText(pickOne(w, metaKeys)) + ":" + pickOne(w, metaValues)
}

// value is a JSON value with one event at least, in the depth of envelopes.
func (w *wrapping) value(depth int) string {
	if depth == 0 {
		return w.event()
	}
	switch n := w.IntN(10); {
	case n < 4:
		return w.object(w.value(depth - 1))
	case n < 5:
		return `[` + w.value(depth-1) + `]`
	case n < 6:
		return `[` + w.value(depth-1) + `,` + w.value(depth-1) + `]`
	case w.layers > 0:
		return w.object(w.text(depth - 1))
	}
	return w.object(w.value(depth - 1))
}

// object is an envelope with a value in it and metadata around.
func (w *wrapping) object(value string) string {
	var b strings.Builder
	b.WriteByte('{')
	for range w.IntN(3) {
		b.WriteString(w.meta() + ",")
	}
	b.WriteString(`"` + pickOne(w, wrapKeys) + `":` + value)
	for range w.IntN(3) {
		b.WriteString("," + w.meta())
	}
	b.WriteByte('}')
	return b.String()
}

// text is a JSON string that holds a value, in some encoding.
func (w *wrapping) text(depth int) string {
	w.layers--
	var text string
	switch n := w.IntN(12); {
	case n < 3 && w.layers > 0:
		w.layers--
		text = w.encode(w.value(depth))
	case n < 4 && w.layers > 1:
		w.layers -= 2
		text = w.encode(w.pack(w.value(depth)))
	case n < 6:
		text = pickOne(w, prefixes) + w.object(w.value(depth))
	case n < 7:
		text = w.value(depth) + "\n" + w.value(depth) + "\n"
	default:
		text = pickOne(w, []string{"", " ", "\n\t", "\ufeff"}) + w.value(depth)
	}
	return quoteText(text)
}

// encode is base64 in one of its forms.
func (w *wrapping) encode(text string) string {
	encoding := pickOne(w, []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding})
	encoded := encoding.EncodeToString([]byte(text))
	if w.IntN(4) == 0 && len(encoded) > 76 {
		encoded = encoded[:76] + "\n" + encoded[76:]
	}
	return encoded
}

func (w *wrapping) pack(text string) string {
	w.buffer.Reset()
	w.gzip.Reset(&w.buffer)
	_, _ = w.gzip.Write([]byte(text))
	_ = w.gzip.Close()
	return w.buffer.String()
}

// record is a record of events in up to so many envelopes.
func (w *wrapping) record(depth int) string {
	w.events, w.layers = 0, MaxNesting-3 // metadata may need three: a string, base64, compression
	if depth > 0 {
		depth = 1 + w.IntN(depth)
	}
	switch n := w.IntN(16); {
	case n == 0:
		w.layers--
		return w.pack(w.value(depth))
	case n == 1:
		w.layers -= 2
		return w.encode(w.pack(w.value(depth)))
	case n == 2:
		w.layers--
		return string(binary.BigEndian.AppendUint32([]byte{0}, w.Uint32N(99))) + w.value(depth)
	case n == 3:
		w.layers--
		return "\x03\x00" + strings.Repeat("\x07", 16) + w.value(depth)
	case n == 4:
		return w.value(depth) + "\n" + w.value(depth) + "\r\n\n" + w.value(depth)
	case n == 5:
		return pickOne(w, prefixes) + w.object(w.value(depth)) + "\n"
	case n == 6:
		return w.text(depth)
	case n == 7:
		w.layers--
		text := w.value(depth)
		return string(binary.AppendUvarint([]byte{0x0a}, uint64(len(text)))) + text
	case n == 8:
		w.layers--
		text := w.value(depth)
		return string(binary.AppendVarint(nil, int64(len(text)))) + text
	}
	return w.value(depth)
}

// quoteText returns text as a JSON string. It is faster than encoding/json.
func quoteText(text string) string {
	b := append(make([]byte, 0, len(text)+len(text)/4+2), '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c < 0x20:
			b = append(b, fmt.Sprintf(`\u%04x`, c)...)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// tally is a sink that knows which events must come.
type tally struct {
	seen   map[string]int
	wrong  string // an event that should not come
	faults string
}

func (s *tally) Event(e *Event) error {
	if e.Damage != nil || string(e.AWSRegion) != `"eu-west-3"` || string(e.ReadOnly) != "false" {
		s.wrong += fmt.Sprintf(" %s in %s, damage %v", e.EventID, e.Shape, e.Damage)
	}
	s.seen[e.EventID.Text()]++
	return nil
}

func (s *tally) Skip(Kind, Chain) {}

func (s *tally) Fault(f *Fault) error {
	s.faults += fmt.Sprintf(" %s: %v: %.80q", f.Reason, f.Err, f.Piece)
	return nil
}

// check decodes a record and compares with what went in: each event once, nothing that an actor wrote, no fault.
func (w *wrapping) check(t *testing.T, d *Decoder, record string) {
	t.Helper()
	s := tally{seen: make(map[string]int, w.events)}
	if err := d.Decode([]byte(record), &s); err != nil {
		t.Fatal(err)
	}
	for id := range w.events {
		if s.seen[strconv.Itoa(id)] != 1 {
			s.wrong += fmt.Sprintf(" event %d was found %d times", id, s.seen[strconv.Itoa(id)])
		}
	}
	if s.wrong != "" || s.faults != "" || len(s.seen) != w.events {
		t.Fatalf("%d events, %d found;%s; faults:%s\n%q", w.events, len(s.seen), s.wrong, s.faults, record)
	}
}

// Whatever events are wrapped in, each is found once, and nothing within them is. REGIONWATCH_CASES sets how many records
// are tried.
func TestWrappedEventsAreFound(t *testing.T) {
	cases := 50_000
	if n, err := strconv.Atoi(os.Getenv("REGIONWATCH_CASES")); err == nil {
		cases = n
	}
	const parts = 4
	for seed := range uint64(parts) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w, d := newWrapping(seed), NewDecoder(0)
			for range cases / parts {
				w.check(t, d, w.record(2))
			}
		})
	}
}

// FuzzWrapped does the same for seeds that the fuzzer chooses, and deeper.
func FuzzWrapped(f *testing.F) {
	f.Add(uint64(1), uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, depth uint8) {
		w := newWrapping(seed)
		w.check(t, NewDecoder(0), w.record(int(depth%10)))
	})
}

// A record of events in a damaged envelope: whatever byte is lost, the events that are whole are found, or a dead letter
// tells of it, and a lenient search stands for the rest.
func TestWrappedEventsSurviveDamage(t *testing.T) {
	const cases = 10_000
	w, d := newWrapping(7), NewDecoder(0)
	for range cases {
		record := []byte(w.record(3))
		switch at := 1 + w.IntN(len(record)-1); w.IntN(3) {
		case 0:
			record = record[:at]
		case 1:
			record[at] = "\x00\"{}[],:\\x"[w.IntN(10)]
		default:
			record = append(record[:at:at], record[at+1:]...)
		}
		s := tally{seen: make(map[string]int)}
		if err := d.Decode(record, &s); err != nil {
			t.Fatal(err)
		}
		if len(s.seen) < w.events && s.faults == "" && len(bytes.TrimSpace(record)) > 0 {
			t.Fatalf("%d of %d events, and no fault: %q", len(s.seen), w.events, record)
		}
	}
}
