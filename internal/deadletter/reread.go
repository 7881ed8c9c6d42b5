package deadletter

import (
	"regexp"
	"strconv"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Rereading is what the decoder of this program makes of a letter's value.
type Rereading struct {
	Events  int // that were read, damaged ones included
	Skipped []string
	Faults  int // parts that cannot be read; 0 means that the value would be read now
	// Stop is where decoding stops now: in the part that the letter is about, as far as that can be told,
	// else in the first that cannot be read. Where all is read it is where the letter's error text says
	// that decoding had stopped. It is nil where neither is known.
	Stop *Stop
}

// Stop is a place where decoding stopped, with what stands around it.
type Stop struct {
	Now    bool   // found by decoding now; else taken from the letter's text
	Reason string // of now
	Error  string // of now
	At     int    // bytes into Length
	Length int    // bytes of the part that could not be read
	From   int    // where Around begins, a multiple of 16
	Around []byte // a copy, at most 64 bytes
}

// Reread decodes the letter's value again. maxEventBytes is as in cloudtrail.NewDecoder.
func Reread(l *Letter, maxEventBytes int) *Rereading {
	var r rereader
	r.letter = l
	_ = cloudtrail.NewDecoder(maxEventBytes).Decode(l.Value, &r) // the sink returns none
	if r.Stop == nil {
		r.Stop = r.told()
	}
	return &r.Rereading
}

// rereader is the decoder's sink.
type rereader struct {
	Rereading
	letter *Letter
	found  bool // the fault that the letter is about
}

// Event counts.
func (r *rereader) Event(*cloudtrail.Event) error { r.Events++; return nil }

// maxSkips bounds the list of what was skipped.
const maxSkips = 10

// Skip notes what holds no events.
func (r *rereader) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) {
	if len(r.Skipped) < maxSkips {
		r.Skipped = append(r.Skipped, k.String())
	}
}

// Fault keeps the first, or the one that is the letter's.
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

var toldByte = regexp.MustCompile(`byte ([0-9]{1,9})`)

// told returns the place that the letter's error names, where the value has such a byte.
func (r *rereader) told() *Stop {
	found := toldByte.FindStringSubmatch(r.letter.Error)
	if found == nil {
		return nil
	}
	at, err := strconv.Atoi(found[1])
	if err != nil || at > len(r.letter.Value) {
		return nil
	}
	return around(r.letter.Value, at)
}

// around copies what stands around a byte: the row of 16 bytes that it is in, two before and one after.
func around(piece []byte, at int) *Stop {
	at = min(max(at, 0), len(piece))
	row := at / 16 * 16
	from := max(row-32, 0)
	return &Stop{At: at, Length: len(piece), From: from, Around: append([]byte(nil), piece[from:min(row+32, len(piece))]...)}
}
