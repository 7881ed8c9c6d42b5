package cloudtrail

import (
	"encoding/base64"
	"errors"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

func TestNestingSuccess(t *testing.T) {
	// SNS in SQS in gzip in base64, as one record, and what is in there may be anything again.
	inner := `{"body":` + quote(sns(`{"Records":[`+paris+`]}`)) + `}`
	expect(t, toBase64(compress(inner)), "event 0 base64 > gzip > sqs > sns > records eu-west-3 false")
	expect(t, `{"message":`+quote(`{"Records":[`+sqs(sns(toBase64(compress(logs("DATA_MESSAGE", bridge("AWS API Call via CloudTrail", paris))))))+`]}`)+`}`,
		"event 0 shipper > records > sqs > sns > base64 > gzip > cloudwatch-logs > eventbridge eu-west-3 false")
}

func TestNestingMixedOnOneTopic(t *testing.T) {
	var f found
	d := NewDecoder(0)
	for _, record := range []string{
		paris, compress(paris), sns(tokyo), `[` + paris + `]`, "", "garbage", bridge("AWS API Call via CloudTrail", tokyo),
		`{"Records":[` + sqs(paris) + `,` + tokyo + `]}`, paris,
	} {
		if err := d.Decode([]byte(record), &f); err != nil {
			t.Fatal(err)
		}
	}
	want := `event 0 event eu-west-3 false
event 0 gzip eu-west-3 false
event 0 sns ap-northeast-1 false
event 0 array eu-west-3 false
skip empty
fault 0 syntax
event 0 eventbridge ap-northeast-1 false
event 0 records > sqs eu-west-3 false
event 1 records ap-northeast-1 false
event 0 event eu-west-3 false`
	if got := strings.Join(f.lines, "\n"); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestNestingLimit(t *testing.T) {
	wrappers := map[Shape]func(string) string{
		ShapeGzip:    compress,
		ShapeBase64:  toBase64,
		ShapeSQS:     func(s string) string { return `{"body":` + quote(s) + `}` },
		ShapeSNS:     sns,
		ShapeShipper: func(s string) string { return `{"message":` + quote(s) + `}` },
	}
	for shape, wrap := range wrappers {
		name := shape.String()
		record := paris
		for range MaxNesting {
			record = wrap(record)
		}
		chain := strings.Repeat(name+" > ", MaxNesting-1) + name
		expect(t, record, "event 0 "+chain+" eu-west-3 false")
		if shape == ShapeBase64 {
			continue // more than eight are no longer told from other text: they are an unreadable text
		}
		// What is not opened is searched.
		want := "fault -1 too-nested " + chain + " > " + name
		if shape != ShapeGzip {
			want = "event 0 " + chain + " > " + name + " eu-west-3 false salvaged\nfault 0 too-nested " + chain + " > " + name
		}
		expect(t, wrap(record), want)
	}
}

// Base64 in a text that stands in the innermost layer is one layer too many: that is reported once, and it is not opened
// while it is searched, which would report it again, and so on without end.
//
// Guard: emitSalvaged looks at the depth.
func TestNestingLimitOfBase64(t *testing.T) {
	for _, text := range []string{"x: " + toBase64(paris), toBase64(paris), "x: " + toBase64(compress(paris)), `{"x":oops,"y":"` + toBase64(paris) + `"}`} {
		for depth := range 2 * MaxNesting {
			lines := decode(t, text)
			isFound, isFault := strings.HasPrefix(lines[0], "event 0 "), strings.HasPrefix(lines[len(lines)-1], "fault ")
			if len(lines) > 1+strings.Count(text, "oops") || !isFound && !isFault || isFound != (depth < MaxNesting-1) && depth != MaxNesting-1 {
				t.Errorf("%.10s in %d layers: %q", text, depth, lines)
			}
			text = `{"message":` + quote(text) + `}`
		}
	}
}

// What is too deep in a text that need not be ours does not make the rest of the text ours.
func TestNestingLimitInWords(t *testing.T) {
	text := "x: " + toBase64(paris) + " and so on"
	for range MaxNesting {
		text = `{"message":` + quote(text) + `}`
	}
	if lines := decode(t, text); len(lines) != 1 || !strings.HasPrefix(lines[0], "fault -1 too-nested ") {
		t.Errorf("%q", lines)
	}
}

// Objects and arrays nest without limit, and each name is reported once.
func TestNestingOfValues(t *testing.T) {
	for _, c := range []struct{ head, tail, shape string }{
		{`{"Records":[`, `]}`, "records > records"}, {`[`, `]`, "array > array > wrapped"}, {`{"payload":`, `}`, strings.Repeat("kafka-connect > ", 14) + "kafka-connect"},
		{`{"a":`, `}`, "wrapped"}, {`{"detail":{"payload":[`, `]}}`, "eventbridge" + strings.Repeat(" > kafka-connect > eventbridge", 7)},
	} {
		for _, depth := range []int{20, 100_000} {
			expect(t, strings.Repeat(c.head, depth)+paris+strings.Repeat(c.tail, depth), "event 0 "+c.shape+" eu-west-3 false")
		}
	}
}

// Also what need not be ours is a fault where it is too deep to tell.
func TestNestingLimitOfMetadata(t *testing.T) {
	text := paris
	for range MaxNesting + 1 {
		text = `{"x":` + quote(text) + `}`
	}
	chain := strings.Repeat("wrapped > ", MaxNesting) + "wrapped"
	expect(t, text, "event 0 "+chain+" eu-west-3 false salvaged\nfault 0 too-nested "+chain)
}

// Layers beside each other are not layers in each other.
func TestLayersBesideEachOther(t *testing.T) {
	data := strings.Repeat(`{"data":"`+toBase64(paris)+`"},`, 2*MaxNesting)
	if lines := decode(t, `{"records":[`+data+`{}]}`); len(lines) < 2*MaxNesting || !strings.HasPrefix(lines[2*MaxNesting-1], "event ") {
		t.Errorf("%q", lines)
	}
}

// A record too deep to open costs no neighbour.
func TestNestingLimitKeepsNeighbours(t *testing.T) {
	deep := paris
	for range MaxNesting + 1 {
		deep = `{"body":` + quote(deep) + `}`
	}
	lines := decode(t, tokyo+"\n"+deep+"\n"+berlin)
	if len(lines) != 4 || !strings.HasPrefix(lines[2], "fault 1 too-nested") || !strings.HasSuffix(lines[3], "eu-central-1 false") {
		t.Errorf("%q", lines)
	}
}

// The innermost layer has no buffer for one more: a text with escapes that stands there is not unquoted.
func TestNestingLimitWithEscapes(t *testing.T) {
	record := `[{"a":"one\nline"},` + paris + `]`
	for range MaxNesting {
		record = `{"message":` + quote(record) + `}`
	}
	if lines := decode(t, record); !slices.ContainsFunc(lines, func(l string) bool { return strings.HasSuffix(l, "eu-west-3 false") }) {
		t.Errorf("%q", lines)
	}
}

// A list of events with many other things in it is reported at most maxMissing times.
func TestMostElementsWithoutEvents(t *testing.T) {
	for n, want := range map[int]int{maxMissing - 1: maxMissing - 1, maxMissing: maxMissing, maxMissing + 1: maxMissing} {
		faults := 0
		for _, l := range decode(t, `{"items":[`+paris+strings.Repeat(`,1`, n)+`]}`) {
			if strings.HasPrefix(l, "fault ") {
				faults++
			}
		}
		if faults != want {
			t.Errorf("%d elements: %d faults, want %d", n, faults, want)
		}
	}
}

// What an attacker nests, however deep, within an event costs no stack and opens no envelope.
func TestDeepInput(t *testing.T) {
	const depth = 100_000
	deep := strings.Repeat(`{"a":[`, depth) + strings.Repeat(`]}`, depth)
	expect(t, strings.Replace(paris, `{"a":[1,{"b":null}]}`, deep, 1), "event 0 event eu-west-3 false")
	expect(t, `{"Records":[`+strings.Replace(paris, `{"a":[1,{"b":null}]}`, deep, 1)+`]}`, "event 0 records eu-west-3 false")
	expect(t, `{"a":`+deep+`}`, "fault 0 unknown-shape")
	for _, record := range []string{
		deep[:depth], strings.Repeat("[", depth), strings.Repeat(`{"Records":[`, depth), strings.Repeat(`{"message":"`, depth),
		strings.Repeat(`{"detail":`, depth), strings.Repeat("{", depth), strings.Repeat(`"{`, depth), strings.Repeat("[\n", depth),
		strings.Repeat(`{"Records":[`, depth) + strings.Repeat(`]}`, depth), strings.Repeat("[", depth) + strings.Repeat("]", depth),
	} {
		lines := decode(t, record)
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "fault ") && last != "skip empty records" {
			t.Errorf("Decode(%.20q…) ends with %q", record, lines[len(lines)-1])
		}
	}
}

// Input made to be read again and again is read in proportion to its size: how far each reading went adds
// up to no more than a few times the record, and so do the pieces that are reported and searched.
func TestHostileInputIsReadOnce(t *testing.T) {
	const size = 64 << 10
	for _, piece := range []string{
		`{"eventVersion":`, "{\"a\":\n", "{\n", "[\n", "{\"a\":[\n", `{"eventVersion"`, `{"eventVersion":"`, "x\n", "1,", `"`, `{"detail":{`,
		"{    \"", `{"Records":[{`, `{"Records":[`, "[1,\n", `{"logEvents":[{"message":"`, `{"eventVersion":{},`, "\n{", `[{"eventVersion":[`,
		`{"awsRegion":"eu-west-3",`, `"awsRegion":"eu-west-3","readOnly":false`, "{} ", "}\n{", "]\n[", `{"message":`,
	} {
		for _, head := range []string{"", "[", `{"Records":[`, `{"logEvents":[`} {
			var c counting
			record := head + strings.Repeat(piece, size/len(piece))
			if err := NewDecoder(0).Decode([]byte(record), &c); err != nil {
				t.Fatal(err)
			}
			if c.bytes > 4*int64(size) {
				t.Errorf("%q %q: pieces of %d bytes in %d faults", head, piece, c.bytes, c.calls)
			}
			if c.read > 4*int64(size) {
				t.Errorf("%q %q: %d bytes read in %d faults", head, piece, c.read, c.calls)
			}
		}
	}
}

// counting is a sink that counts.
type counting struct {
	calls int
	bytes int64 // of the faults' pieces
	read  int64 // how far reading went before each fault
}

func (c *counting) Event(*Event) error { c.calls++; return nil }
func (c *counting) Skip(Kind, Chain)   { c.calls++ }
func (c *counting) Fault(f *Fault) error {
	c.calls++
	c.bytes += int64(len(f.Piece))
	if syntax := (*SyntaxError)(nil); errors.As(f.Err, &syntax) {
		c.read += int64(syntax.Offset)
	}
	return nil
}

// Records in more layers than the limit, in any order and with damage, need no more stack than others.
//
// Guard: the depth in emitSalvaged, and enter.
func TestStackIsSmallBeyondTheLimit(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	layers := []func(string) string{
		quoteText,
		func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
		func(text string) string { return `{"a":` + quoteText(text) + `}` },
		func(text string) string { return "x " + base64.StdEncoding.EncodeToString([]byte(text)) + " y" },
	}
	for seed := range uint64(2000) {
		w := newWrapping(seed)
		record := w.text(3)
		for range w.IntN(MaxNesting + 2) {
			if len(record) < 64<<10 {
				record = pickOne(w, layers)(record)
			}
		}
		b := []byte(record)
		for range w.IntN(3) {
			b[w.IntN(len(b))] = byte(w.IntN(256))
		}
		if err := NewDecoder(0).Decode(b, new(ignore)); err != nil {
			t.Fatal(err)
		}
	}
}
