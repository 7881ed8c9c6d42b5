package deadletters

import (
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Rereading is the result of decoding a letter's value with the current decoder.
type Rereading struct {
	Events  int // that were read, damaged ones included
	Skipped []string
	Faults  int // parts that cannot be read; 0 means that the value can be read now
	// Stop is where decoding stops now: in the part the letter is about, if known, else in the first part that cannot
	// be read. If everything can be read, it is where decoding stopped when the letter was written. It is nil if
	// neither is known.
	Stop *Stop
}

// Stop is a place where decoding stopped, and the bytes around it.
type Stop struct {
	Now    bool   // decoding stops here now, rather than when the letter was written
	Reason string // of now
	Error  string // of now
	At     int    // bytes into Length
	Length int    // bytes of the part that could not be read
	From   int    // where Around begins, a multiple of 16
	Around []byte // a copy, at most 64 bytes
}

// Reread decodes the letter's value again. maxEventBytes is as in cloudtrail.NewDecoder.
func Reread(l *deadletter.Letter, maxEventBytes int) *Rereading {
	r := rereader{letter: l}
	_ = cloudtrail.NewDecoder(maxEventBytes).Decode(l.Value, &r) // the sink never fails
	if r.Stop == nil && l.Byte >= 0 && l.Byte <= len(l.Value) {
		r.Stop = around(l.Value, l.Byte)
	}
	return &r.Rereading
}

// rereader is the decoder's sink.
type rereader struct {
	Rereading
	letter *deadletter.Letter
	found  bool // the fault that the letter is about
}

// Event counts an event.
func (r *rereader) Event(*cloudtrail.Event) error { r.Events++; return nil }

// maxSkips bounds the list of what was skipped.
const maxSkips = 10

// Skip notes a record that holds no events.
func (r *rereader) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) {
	if len(r.Skipped) < maxSkips {
		r.Skipped = append(r.Skipped, k.String())
	}
}

// Fault keeps the first fault, or the one the letter is about.
func (r *rereader) Fault(f *cloudtrail.Fault) error {
	r.Faults++
	same := f.Index == r.letter.Index
	if r.Stop != nil && (r.found || !same) {
		return nil
	}
	r.found = same
	r.Stop = around(f.Piece, f.Offset)
	r.Stop.Now, r.Stop.Reason, r.Stop.Error = true, f.Reason.String(), f.Err.Error()
	return nil
}

// around copies the row of 16 bytes that contains byte at, two rows before and one after.
func around(piece []byte, at int) *Stop {
	at = min(max(at, 0), len(piece))
	row := at / 16 * 16
	from := max(row-32, 0)
	return &Stop{At: at, Length: len(piece), From: from, Around: append([]byte(nil), piece[from:min(row+32, len(piece))]...)}
}
