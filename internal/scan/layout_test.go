package scan

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDetectLayout(t *testing.T) {
	f := func(text string, want layout, sequence bool) {
		t.Helper()
		got := detectLayout([]byte(text), true)
		if got != want || isSequence([]byte(text), got) != sequence {
			t.Errorf("%q: layout %d, sequence %v; want %d, %v", text, got, isSequence([]byte(text), got), want, sequence)
		}
	}
	const event = `{"eventName":"x","awsRegion":"eu-west-3"}`
	f(event, layoutLines, false)
	f("\xef\xbb\xbf"+event+"\n"+event, layoutLines, true)
	f(event+"\r\n\r\n"+event+"\r\n", layoutLines, true)
	f(`{"Records":[`+event+`]}`+"\n", layoutLines, false)
	f("["+event+"]\n["+event+"]", layoutLines, true)
	f("\n\n"+event, layoutLines, false)

	// If some lines are values by themselves, damage belongs to single lines.
	f(`{"eventName":"x","awsReg`+"\n"+event+"\n", layoutLines, true)
	f(`{"eventName":"x",`+"\n"+event+"\n", layoutLines, true)
	f("not JSON at all\n"+event+"\n"+event, layoutLines, true)
	f(event+"\ngarbage\n"+event, layoutLines, true)

	// A value that cannot hold events is not damage, nor a line break inside a value.
	f(event+"\nnull\n"+event+"\n7\n", layoutLines, true)
	f("null\n7\n"+event, layoutLines, true)
	f(event+"\n7", layoutLines, true)
	f("null\n7\n", layoutWhole, false)
	f(strconv.Quote(event)+"\n"+strconv.Quote(event)+"\n", layoutLines, true)

	// The last line examined may be the damaged one.
	lines := strings.Repeat(event+"\n", headLines-1)
	f(lines+`{"eventName":"x",`+"\n"+event+"\n", layoutLines, true)
	f(lines+"{\n  \"eventName\": \"x\"\n}\n", layoutValues, true)

	// One base64 value per line differs from the lines of a single base64 text.
	packed := base64.StdEncoding.EncodeToString([]byte(event))
	f(packed+"\n"+packed+"\n", layoutLines, true)
	f(strings.TrimRight(packed, "=")+"\n"+packed+"\nnot JSON at all\n", layoutLines, true)
	f("H4sIAAAAAAAAA6tWSi1LzSvxS8xNVbJSqlCqBQAIvjDHEQAAAA==\nH4sIAAAAAAAAA6tWSi1LzSvxS8xNVbJSqlSqBQAGj0T+EQAAAA==\n", layoutLines, true)
	wrapped := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(event+"\n", 40)))
	f(wrapped[:76]+"\n"+wrapped[76:152]+"\n"+wrapped[152:228]+"\n"+wrapped[228:]+"\n", layoutWhole, false)
	f("-_-_\n____\n", layoutWhole, false)
	f(packed+"\nnot JSON at all\n", layoutWhole, false) // half of them is not most
	for text, want := range map[string]layout{
		"[" + event + "]": layoutLines, `{"a":"???~~~"}`: layoutLines, // in URL encoding with _ and -
		"{broken": layoutWhole, "[broken": layoutWhole, "12345678": layoutWhole, "\x1f\x8b\x08\x00\x00": layoutLines,
	} {
		packed := base64.URLEncoding.EncodeToString([]byte(text))
		f(packed+"\n"+packed+"\n", want, want == layoutLines)
	}
	f("H4sIAAAA*\nH4sIAAAA*\n", layoutWhole, false) // base64 at the start only

	// Pretty-printed JSON also has lines that are values by themselves.
	f("{\n  \"eventName\": \"x\"\n}\n", layoutValues, false)
	f("{\n  \"eventName\": \"x\"\n}\n{\n}\n", layoutValues, true)
	f("{\n}", layoutValues, false)
	f("[\n"+event+"\n]\n", layoutValues, false)
	f("\xef\xbb\xbf{\n  \"eventName\": \"x\"\n}\n{\n}\n", layoutValues, true)
	f("{\"Records\":[\n"+event+"\n,\n"+event+"\n]}", layoutValues, false)
	f(`{"a":"`+strings.Repeat("x", 100), layoutLines, false)

	f("", layoutWhole, false)
	f(" \n\t ", layoutWhole, false)
	f("\x00\x00\x00\x00\x05"+event, layoutLines, false)
	f("\x00\x00\x00\x00\x0a"+event+"\n\x00\x0a\x0a\x0a\x0a"+event+"\n", layoutLines, true)
	f("\x00\x00\x00\x00\x05{\n\"tags\": [\n\"x\"\n],\n\"awsRegion\": \"eu-west-3\"\n}\n", layoutWhole, false)
	f("\x8a{\n\"tags\":\n{}\n}\n", layoutWhole, false)
	f("\x00\x00\x00\x00\x05"+event+"\n"+event, layoutLines, true) // the first line is damaged
	for _, header := range []string{"\x00\x0a\x0a\x0a\x0a\x00\x0a\x0a\x0a\x0a", "\x00\x00\x00\x00\x0a\x00\x8a\x0a", "\x8a\x0a", "\x80\x0a", "\x8a\x8a\x0a", "\x8a\x80\x80\x80\x0a"} {
		f(header+event+"\n"+header+event+"\n", layoutLines, true)
	}
	f("eyJldmVudE5hbWUiOiJ4In0=\n", layoutWhole, false)
}

func TestDetectLayoutOfACutHead(t *testing.T) {
	const event = `{"eventName":"x"}`
	if got := detectLayout([]byte(event+"\n"+event[:5]), false); got != layoutLines {
		t.Errorf("a cut second line: %d", got)
	}
	if got := detectLayout([]byte(event[:5]), false); got != layoutValues {
		t.Errorf("a cut first line: %d", got)
	}
}

func TestBrackets(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		if got := new(brackets).lastBreak([]byte(text), 0); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	f("{}\n", 3)
	f("{\n}\n{\n", 4)
	f(`{"a":"}\"}`+"\n\"", 0)
	f(`{"a":"\\"}`+"\n", 11)
	f("]]\n[\n]\n", 7) // more closed than opened: the damage ends with the line
}

// A value that comes in pieces is searched once: brackets that count twice would never close.
func TestCutGoesOnWhereItEnded(t *testing.T) {
	c := chunker{layout: layoutValues}
	for _, piece := range []string{"{\n\"a\": [\n", "1,\n", "2\n]\n"} {
		c.buffer = append(c.buffer, piece...)
		if at := c.cut(); at != 0 {
			t.Errorf("%q: cut at %d", c.buffer, at)
		}
	}
	c.buffer = append(c.buffer, "}\n{"...)
	if at := c.cut(); at != len(c.buffer)-1 {
		t.Errorf("%q: cut at %d, want %d", c.buffer, at, len(c.buffer)-1)
	}
}

// Standard input that comes line by line gives the records of the same text in a file, also if its first lines are damaged,
// and if it is one value that only its end completes.
func TestPromptReaderFindsTheSameRecords(t *testing.T) {
	records := func(c chunker) (found []string) {
		c.max = 1 << 20
		c.emit = func(out *chunk) error {
			out.eachRecord(func(start, end int) { found = append(found, string(out.data[start:end])) })
			return nil
		}
		if err := c.run(); err != nil {
			t.Fatal(err)
		}
		return found
	}
	events := match("1") + "\n" + match("2") + "\n"
	for banners, lines := range map[int]bool{0: true, 1: true, headLines: true, 2*headLines - 1: true, 2 * headLines: false} {
		text := strings.Repeat("banner of a tool\n", banners) + events
		file := records(chunker{text: &lineReader{rest: text}})
		if lines != (len(file) == banners+2) {
			t.Errorf("%d damaged lines: %d records", banners, len(file))
		}
		want(t, "records", records(chunker{text: &lineReader{rest: text}, prompt: true}), file...)
	}
	for _, text := range []string{"banner", strings.Repeat("x", chunkBytes+1)} {
		want(t, "records", records(chunker{text: strings.NewReader(text), prompt: true}), text)
	}
}

// A record of standard input is decided when its line break comes, even in a read of its own, and not with the next record.
func TestPromptReaderDoesNotWait(t *testing.T) {
	emitted := 0
	asked := waitingReader(func() {
		if emitted != 1 {
			t.Errorf("%d chunks before the next read, want 1", emitted)
		}
	})
	c := chunker{text: io.MultiReader(strings.NewReader(match("1")), strings.NewReader("\n"), asked), max: 1 << 20, prompt: true}
	c.emit = func(*chunk) error { emitted++; return nil }
	if err := c.run(); err != nil || emitted != 1 {
		t.Errorf("%d chunks, %v", emitted, err)
	}
}

// The last record of a stream may be a single byte without a line break.
func TestLastByteOfAStream(t *testing.T) {
	one := match("1") + "\n"
	source := Source{Name: "f", Size: -1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(one), strings.NewReader("x"))), nil
	}}
	r := scanSources(t, Options{}, source)
	want(t, "dead letters", r.reasons(), "f@"+strconv.Itoa(len(one))+"+1 syntax")
}

// A text that cannot be read at all is an error, and no empty record.
func TestUnreadableText(t *testing.T) {
	c := chunker{text: iotest.ErrReader(io.ErrClosedPipe), max: 1 << 20}
	c.emit = func(out *chunk) error { t.Errorf("a chunk of %d bytes", len(out.data)); return nil }
	if err := c.run(); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

// lineReader reads one line at a time.
type lineReader struct{ rest string }

func (r *lineReader) Read(p []byte) (int, error) {
	line, rest, found := strings.Cut(r.rest, "\n")
	if !found {
		return 0, io.EOF
	}
	r.rest = rest
	return copy(p, line+"\n"), nil
}

// Wherever a text is cut, a line break inside a header is not the end of a line, even if only part of the header is there.
func TestLastLineOfACutText(t *testing.T) {
	glue := "\x03\x00" + strings.Repeat("\n", 16)
	for _, header := range []string{"", "\x00\x00\x00\x00\n", "\x00\n\n\n\n\x00\n\n\n\n", "\x00" + strings.Repeat("\n", 14), glue, "\x8a\n", "\x80\n", "\x8a\x80\x8a\x80\n"} {
		for _, value := range []string{"{}", "[]", `""`} {
			line := header + value + "\n"
			text := strings.Repeat(line, 12)
			for n := range len(text) + 1 {
				if got, want := lastLine([]byte(text[:n])), n/len(line)*len(line); got != want {
					t.Errorf("%q, %d bytes: got %d, want %d", line, n, got, want)
				}
			}
		}
	}
	for text, want := range map[string]int{
		"a\n\n": 3, "\x80a\n": 0, "\x80a\n" + strings.Repeat("x", 16): 3, "\x03" + strings.Repeat("\n", 18): 19, "\x7f\n": 2, "\x04\n": 2, "\x00\n": 0,
	} {
		if got := lastLine([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

// A header before a line does not end it, whatever bytes it contains.
func TestHeadersWithLineBreaks(t *testing.T) {
	glue := "\x03\x00" + strings.Repeat("\n", 16)
	for _, header := range []string{"\x00\x00\x00\x00\x0a", "\x00\x0a\x0a\x0a\x0a", "\x00\x00\x0a\x00\x07", glue, "\x00\x00\x00\x00\x07"} {
		for _, n := range []int{1, 2, 3000} {
			value := ""
			for i := range n {
				value += header + match(strconv.Itoa(i)) + "\n"
			}
			var out bytes.Buffer
			o := withPolicy(t, Options{Alerts: &out})
			s, err := Run(context.Background(), o, []Source{text("a", value)})
			if err != nil || bytes.Count(out.Bytes(), []byte("\n")) != n || s.Counts.DeadLettered != 0 {
				t.Errorf("%q, %d records: %d alerts, %d dead-lettered, %v", header, n, bytes.Count(out.Bytes(), []byte("\n")), s.Counts.DeadLettered, err)
			}
		}
	}
}

// A header ends where the value starts. A field length ends with its first byte below 0x80.
//
// Guards: each case of headerLen.
func TestHeaderLen(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "{": 0, "\x00\x00\x00\x00\x07{": 5, "\x00\x00\x00\x00\x07": 0, "\x00\x00\x00\x00\x07\x00{": 6, "\x00\x00\x00\x00{": 0,
		"\x03\x000123456789abcdef{": 18, "\x03\x010123456789abcdef{": 0, "\x80\x01{": 2, "\x80\x80\x80\x80\x01{": 5, "\x80\x80\x80\x80\x80\x01{": 0,
		"\x80\x01x{": 0, "\x80{": 1, "\x80\x01": 0,
	} {
		if got := headerLen([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// Once the scan stops, no chunk is sent, although a worker and the writer are ready to take it.
//
// Guard: the first check in send.
func TestSendAfterStop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		work, f := make(chan *chunk, 1), file{chunks: make(chan *chunk, 1)}
		if err := f.send(ctx, new(chunk), work); !errors.Is(err, errStopped) || len(work)+len(f.chunks) > 0 {
			t.Fatalf("%v, with %d chunks sent", err, len(work)+len(f.chunks))
		}
	}
}
