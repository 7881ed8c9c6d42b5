package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// reasonTexts say the reasons of dead letters for people.
var reasonTexts = map[string]string{
	cloudtrail.ReasonSyntax.String():        "it is no JSON",
	cloudtrail.ReasonTruncated.String():     "it ends in the middle",
	cloudtrail.ReasonTrailingBytes.String(): "bytes come after a whole event",
	cloudtrail.ReasonUnknownShape.String():  "it is JSON, but neither an event nor an envelope that is known",
	cloudtrail.ReasonNotObject.String():     "a value that is no object stands where an event belongs",
	cloudtrail.ReasonTooNested.String():     "it has too many layers",
	cloudtrail.ReasonTooLarge.String():      "it is larger than --max-event-bytes allows",
	cloudtrail.ReasonCompression.String():   "it does not decompress",
	cloudtrail.ReasonEncoding.String():      "it is in an encoding that is not read, such as UTF-16",
	deadletter.ReasonBatchTooLarge:          "a batch is larger than --max-batch-bytes allows; none of its records was read",
	deadletter.ReasonPanic:                  "a fault of this program; please report it",
}

// writeLetter writes the form for people. All text of the letter is display.Bytes.
func writeLetter(w io.Writer, found *deadletters.Found, maxEventBytes int) error {
	l := found.Letter
	var t explainText
	fmt.Fprintf(&t.b, "dead letter %d:%d of %s, written %s\n", l.Place.Partition, l.Place.Offset, display.Text(l.Place.Topic), display.Time(l.Time))
	t.add("record", l.Origin.String()+", written "+display.Time(l.Timestamp))
	t.add("reason", reasonText(l.Reason))
	t.add("error", l.Error)
	t.add("damaged event", indexText(l.Index))
	t.add("shape", l.Shape)
	t.add("alerts", alertedText(l))
	if l.Count > 1 {
		t.add("faults", fmt.Sprintf("this letter stands for %s of them", display.Number(l.Count)))
	}
	t.add("replays", replaysText(l))
	if found.Marker != nil {
		t.add("replayed", display.Time(found.Marker.At)+", to "+found.Marker.To)
	}
	t.add("key", display.Bytes(cut(l.Key)))
	for _, h := range l.Headers[:min(len(l.Headers), maxShownHeaders)] {
		t.add("header", display.Bytes(cut([]byte(h.Key)))+": "+display.Bytes(cut(h.Value)))
	}
	if n := len(l.Headers) - maxShownHeaders; n > 0 {
		t.add("header", fmt.Sprintf("and %d more", n))
	}
	t.add("holds", holdsText(found))
	for _, other := range found.Others[:min(len(found.Others), maxShownHeaders)] {
		t.add("same record", fmt.Sprintf("%d:%d", other.Partition, other.Offset))
	}
	t.reread(deadletters.Reread(l, maxEventBytes))
	_, err := io.WriteString(w, t.b.String())
	return err
}

// maxShownHeaders bounds the headers, and the other letters, that are shown.
const maxShownHeaders = 20

// cut bounds what is escaped.
func cut(b []byte) []byte { return b[:min(len(b), maxTextRunes)] }

func reasonText(code string) string {
	if text := reasonTexts[code]; text != "" {
		return code + ": " + text
	}
	return code
}

func indexText(index int) string {
	if index < 0 {
		return "none, the fault is not within one"
	}
	return "number " + strconv.Itoa(index) + " of the record"
}

func alertedText(l *deadletter.Letter) string {
	if l.Alerted == 0 {
		return "none were raised"
	}
	text := fmt.Sprintf("%s were raised for the record all the same", display.Number(l.Alerted))
	if l.AlertID != "" {
		text += "; for the damaged event a partial one with the id " + l.AlertID
	}
	return text
}

func replaysText(l *deadletter.Letter) string {
	if l.Replays == 0 {
		return "none before this letter"
	}
	text := fmt.Sprintf("%s before this letter", display.Number(l.Replays))
	if first, ok := l.FirstOrigin(); ok {
		text += "; first read at " + first
	}
	return text
}

func holdsText(found *deadletters.Found) string {
	l := found.Letter
	text := fmt.Sprintf("the record's value, %s", display.Size(uint64(len(l.Value))))
	switch l.Holds {
	case deadletter.HoldsPiece:
		text = fmt.Sprintf("only the part of the value that could not be read, %s; an earlier letter of the record has the whole", display.Size(uint64(len(l.Value))))
	case deadletter.HoldsBatch:
		text = fmt.Sprintf("a whole batch, offsets %d to %d, compressed as the broker has it, %s", l.Origin.Offset, l.LastOffset, display.Size(uint64(len(l.Value))))
	case deadletter.HoldsSource:
		text = fmt.Sprintf("no value; the source topic has it, offsets %d to %d", l.Origin.Offset, l.LastOffset)
	case deadletter.HoldsNothing:
		text = "no value; an earlier letter of the record has it"
	}
	if n := len(l.Offsets); n > 1 {
		text += fmt.Sprintf(", in %d parts from offset %d to %d", n, l.Offsets[0], l.Offsets[n-1])
	}
	return text
}

func (t *explainText) reread(r *deadletters.Rereading) {
	switch {
	case r.Faults == 0:
		t.add("now", "it would be read: "+readText(r))
	default:
		t.add("now", fmt.Sprintf("it would not be read: %s, %s", display.Plural(r.Faults, "fault"), readText(r)))
	}
	if r.Stop == nil {
		return
	}
	if r.Stop.Now {
		t.add("reason now", reasonText(r.Stop.Reason))
		t.add("error now", r.Stop.Error)
	}
	t.add("stopped at", fmt.Sprintf("byte %d of %d", r.Stop.At, r.Stop.Length))
	writeAround(&t.b, r.Stop)
}

func readText(r *deadletters.Rereading) string {
	text := display.Plural(r.Events, "event")
	if len(r.Skipped) > 0 {
		text += ", without events: " + strings.Join(r.Skipped, ", ")
	}
	return text
}

// writeAround writes rows of 16 bytes, in hexadecimal and as ASCII, with carets under the byte at which decoding
// stopped; at the end they stand where the next byte would.
func writeAround(b *strings.Builder, s *deadletters.Stop) {
	for row := 0; row <= len(s.Around); row += 16 {
		bytes := s.Around[row:min(row+16, len(s.Around))]
		at := s.At - s.From - row
		here := at >= 0 && at < 16 && (at < len(bytes) || row+len(bytes) == len(s.Around))
		if len(bytes) == 0 && !here {
			return
		}
		hex, text := hexText(bytes)
		fmt.Fprintf(b, "  %08x  %-49s  %s\n", s.From+row, hex, text)
		if here {
			fmt.Fprintf(b, "  %8s  %s%s\n", "", strings.Repeat(" ", hexColumn(at))+"^^", strings.Repeat(" ", 51-hexColumn(at)-2+at)+"^")
		}
	}
}

func hexText(bytes []byte) (hex, text string) {
	var h, t strings.Builder
	for i, c := range bytes {
		if i == 8 {
			h.WriteByte(' ')
		}
		fmt.Fprintf(&h, "%02x ", c)
		if c < ' ' || c > '~' {
			c = '.'
		}
		t.WriteByte(c)
	}
	return h.String(), t.String()
}

// hexColumn is where byte i of a row begins.
func hexColumn(i int) int { return 3*i + i/8 }
