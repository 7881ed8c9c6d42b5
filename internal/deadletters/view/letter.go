// Package view writes dead letters, their counts and their replays as text, tables and JSON. Text in letters is
// hostile; it is escaped before it reaches a terminal. The package starts no goroutines.
package view

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// reasonTexts explain the reasons of dead letters.
var reasonTexts = map[string]string{
	cloudtrail.ReasonSyntax.String():        "it is not JSON",
	cloudtrail.ReasonTruncated.String():     "it ends in the middle",
	cloudtrail.ReasonTrailingBytes.String(): "bytes follow a whole event",
	cloudtrail.ReasonUnknownShape.String():  "it is JSON, but neither an event nor a known envelope",
	cloudtrail.ReasonNotObject.String():     "a value that is not an object is in the place of an event",
	cloudtrail.ReasonTooNested.String():     "it has too many layers",
	cloudtrail.ReasonTooLarge.String():      "it is larger than --max-event-bytes allows",
	cloudtrail.ReasonCompression.String():   "it does not decompress",
	cloudtrail.ReasonEncoding.String():      "its encoding is not supported, such as UTF-16",
	deadletter.ReasonBatchTooLarge:          "a batch is larger than --max-batch-bytes allows; none of its records was read",
	deadletter.ReasonPanic:                  "a fault of this program; please report it",
	deadletter.ReasonNotAlert:               "it is in the alerts topic, but not an alert to group into incidents",
}

// Letter writes one letter in a format, "text" or "json".
func Letter(w io.Writer, format string, found *deadletters.Found, maxEventBytes int) error {
	if format == "json" {
		return display.NewEncoder(w).Encode(newLetterJSON(found, maxEventBytes))
	}
	l := found.Letter
	var t display.Fields
	t.Title(fmt.Sprintf("dead letter %d:%d of %s, written %s", l.Place.Partition, l.Place.Offset, l.Place.Topic, display.Time(l.Time)))
	t.Add("record", l.Origin.String()+", written "+display.Time(l.Timestamp))
	t.Add("reason", reasonText(l.Reason))
	t.Add("error", l.Error)
	t.Add("damaged event", indexText(l.Index))
	t.Add("shape", l.Shape)
	t.Add("alerts", alertedText(l))
	if l.Count > 1 {
		t.Add("faults", fmt.Sprintf("this letter stands for %s of them", display.Number(l.Count)))
	}
	t.Add("replays", replaysText(l))
	if found.Marker != nil {
		t.Add("replayed", display.Time(found.Marker.At)+", to "+found.Marker.To)
	}
	t.AddBytes("key", l.Key)
	for _, h := range l.Headers[:min(len(l.Headers), maxShown)] {
		t.AddBytes("header", append([]byte(h.Key+": "), h.Value[:min(len(h.Value), maxHeaderBytes)]...))
	}
	if n := len(l.Headers) - maxShown; n > 0 {
		t.Add("header", fmt.Sprintf("and %d more", n))
	}
	t.Add("holds", HoldsText(l))
	for _, other := range found.Others[:min(len(found.Others), maxShown)] {
		t.Add("same record", fmt.Sprintf("%d:%d", other.Partition, other.Offset))
	}
	addRereading(&t, deadletters.Reread(l, maxEventBytes))
	_, err := t.WriteTo(w)
	return err
}

// Limits on what is shown: headers, other letters of the record, and bytes of a header's value.
const (
	maxShown       = 20
	maxHeaderBytes = 1 << 10
)

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
	text := display.Number(l.Alerted) + " raised for the record despite the fault"
	if l.AlertID != "" {
		text += "; the damaged event's partial alert has id " + l.AlertID
	}
	return text
}

func replaysText(l *deadletter.Letter) string {
	if l.Replays == 0 {
		return "none before this letter"
	}
	text := display.Number(l.Replays) + " before this letter"
	if first, ok := l.FirstOrigin(); ok {
		text += "; first read at " + first
	}
	return text
}

// HoldsText describes a letter's value.
func HoldsText(l *deadletter.Letter) string {
	size := display.Size(uint64(len(l.Value)))
	text := "the record's value, " + size
	switch l.Holds {
	case deadletter.HoldsPiece:
		text = fmt.Sprintf("only the unreadable part of the value, %s; an earlier letter of the record has all of it", size)
	case deadletter.HoldsNothing:
		text = "no value; an earlier letter of the record has it"
	case deadletter.HoldsBatch:
		text = fmt.Sprintf("a whole batch, offsets %d to %d, compressed as the broker has it, %s", l.Origin.Offset, l.LastOffset, size)
	case deadletter.HoldsSource:
		text = fmt.Sprintf("no value; the source topic has it, offsets %d to %d", l.Origin.Offset, l.LastOffset)
	}
	if n := len(l.Offsets); n > 1 {
		text += fmt.Sprintf(", in %d parts from offset %d to %d", n, l.Offsets[0], l.Offsets[n-1])
	}
	return text
}

// addRereading adds the result of decoding the value now.
func addRereading(t *display.Fields, r *deadletters.Rereading) {
	holds := display.Plural(r.Events, "event")
	if len(r.Skipped) > 0 {
		holds += ", without events: " + strings.Join(r.Skipped, ", ")
	}
	if r.Faults == 0 {
		t.Add("now", "readable: "+holds)
	} else {
		t.Add("now", fmt.Sprintf("unreadable: %s, %s", display.Plural(r.Faults, "fault"), holds))
	}
	if r.Stop == nil {
		return
	}
	if r.Stop.Now {
		t.Add("reason now", reasonText(r.Stop.Reason))
		t.Add("error now", r.Stop.Error)
	}
	t.Add("stopped at", fmt.Sprintf("byte %d of %d", r.Stop.At, r.Stop.Length))
	t.Dump(r.Stop.Around, r.Stop.From, r.Stop.At)
}

// orNil returns a time in UTC, or nil for the zero time.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
