package cloudtrail

import (
	"errors"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

var (
	errNotObject     = errors.New("no JSON object where an event belongs")
	errUnknownShape  = errors.New("neither a CloudTrail event nor an envelope that holds some")
	errEmptyDelivery = errors.New("a delivery without a CloudTrail event inside")
	errNormalized    = errors.New("CloudTrail's columns under other names: send the event itself, as CloudTrail wrote it " +
		"(the log file, event.original, eventJson), not a table's row or a mapped copy")
	errTooNested     = errors.New("more layers than are opened")
	errTooLarge      = errors.New("more bytes than allowed, with all that is opened")
	errUTF16         = errors.New("UTF-16, want UTF-8")
	errInPieces      = errors.New("damage cut the event into pieces")
	errTrailingBytes = errors.New("bytes after the end of the value")
)

// placeError says what was being done when err came up.
type placeError struct {
	doing string
	err   error
}

func (e *placeError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

// reasonOf returns the reason that stands for a syntax error.
func reasonOf(cause error) Reason {
	var syntax *SyntaxError
	if errors.As(cause, &syntax) && syntax.Truncated {
		return ReasonTruncated
	}
	return ReasonSyntax
}

// report hands a fault to the sink. The place of reading within the piece comes from a syntax error.
func (d *Decoder) report(reason Reason, doing string, cause error, index int, piece []byte, chain Chain) error {
	return d.reportAt(min(jsonscan.StoppedAt(cause, 0), len(piece)), reason, doing, cause, index, piece, chain)
}

// reportAt is report where reading stopped at offset. In a text that need not be ours nothing is reported.
func (d *Decoder) reportAt(offset int, reason Reason, doing string, cause error, index int, piece []byte, chain Chain) error {
	if d.quiet {
		return nil
	}
	d.fault = Fault{
		Reason: reason, Err: &placeError{doing, cause}, Index: index, Piece: piece, Offset: offset, Shape: chain,
	}
	d.faults++
	d.calls++
	return d.sink.Fault(&d.fault)
}

// unreadable reports a part that is not within one event.
func (d *Decoder) unreadable(reason Reason, doing string, cause error, piece []byte, chain Chain) error {
	return d.report(reason, doing, cause, -1, piece, chain)
}

// noEvent reports a whole value that is not an event where one belongs. It takes an event's place.
func (d *Decoder) noEvent(reason Reason, cause error, piece []byte, chain Chain) error {
	if d.quiet {
		return nil
	}
	d.index++
	return d.report(reason, "decoding event", cause, d.index-1, piece, chain)
}

// damagedEvent decides the event in d.event, whose decisive fields were read before the damage.
func (d *Decoder) damagedEvent(piece []byte, cause error, chain Chain) error {
	err := d.emitDamaged(cause, chain)
	if err != nil {
		return err
	}
	return d.report(reasonOf(cause), "decoding event", cause, d.index-1, piece, d.event.Shape)
}

// emitDamaged is emit for an event with damage.
func (d *Decoder) emitDamaged(cause error, chain Chain) error {
	d.event.Damage = &placeError{"decoding event", cause}
	err := d.emit(chain)
	d.event.Damage, d.event.Salvaged = nil, false
	return err
}

// salvageEvent reports damaged bytes, in which d.event is what could be read. A lenient search of the
// bytes comes first: each region that it finds is decided as if the event had it, because the event's
// own cannot be distinguished from the others. All of them stand for one event, and have its index.
func (d *Decoder) salvageEvent(piece []byte, doing string, cause error, chain Chain) error {
	if d.quiet { // and so without a key of ours to find
		_, err := d.base64Runs(piece, chain)
		return err
	}
	if _, err := d.emitSalvaged(piece, cause, chain); err != nil {
		return err
	}
	d.index++
	return d.report(reasonOf(cause), doing, cause, d.index-1, piece, chain)
}

// emitSalvaged hands on what the lenient search finds in a damaged piece, in which d.event is what could be read. It leaves
// the index where it is. A piece in which it finds nothing may hold an event in base64, unless it is
// too large or too deep to be opened.
func (d *Decoder) emitSalvaged(piece []byte, cause error, chain Chain) (found bool, err error) {
	found, err = d.emitFields(piece, cause, chain)
	if err != nil || found || len(piece) > d.left || d.depth >= MaxNesting {
		return found, err
	}
	_, err = d.base64Runs(piece, chain)
	return false, err
}

// emitFields is emitSalvaged for what stands in the piece as it is.
func (d *Decoder) emitFields(piece []byte, cause error, chain Chain) (found bool, err error) {
	s, e := &d.salvage, &d.event
	s.In(piece, d.KnownRegion)
	lost := e.ReadOnly == nil || d.run.IsOpen // behind damage it may be an actor's
	d.run.Damaged(d.depth)
	if s.Write || lost && d.run.Write {
		e.ReadOnly = Value("false")
	}
	own := e.AWSRegion
	isWrite := salvage.IsFalse(e.ReadOnly)
	if !isWrite && lost {
		d.run.Add(own, &s.Regions, d.KnownRegion)
		if e.ReadOnly == nil && !d.LostReadOnly {
			return false, nil
		}
	}
	index := d.index
	if own.IsString() {
		found, err = true, d.emitRegion(own, cause, index, chain)
	}
	for i := 0; i < s.Regions.Len() && err == nil; i++ {
		if region := s.Regions.At(i); string(region) != string(own) {
			found, err = true, d.emitRegion(region, cause, index, chain)
		}
	}
	if err != nil || !isWrite {
		return found, err
	}
	d.run.Write = true
	foundHalf, err := d.emitHalves(own, cause, chain)
	return found || foundHalf, err
}

// emitHalves hands on d.event, a write, with each region of the run that was found without a readOnly: damage can cut an
// event in two. The regions in d.salvage and own have been handed on. It leaves the index where it is.
func (d *Decoder) emitHalves(own Value, cause error, chain Chain) (found bool, err error) {
	index := d.index
	for i := 0; i < d.run.Regions.Len() && err == nil; i++ {
		region := d.run.Regions.At(i)
		if string(region) != string(own) && !d.salvage.Regions.Has(region) {
			found, err = true, d.emitRegion(region, cause, index, chain)
		}
	}
	d.run.Regions.Reset()
	return found, err
}

// joinWhole notes the whole object in d.event. It hands on what it completes, if it is half of an event.
func (d *Decoder) joinWhole(chain Chain) (found bool, err error) {
	d.run.Whole(len(d.event.Raw), d.event.AWSRegion, d.event.ReadOnly, d.KnownRegion)
	if s := &d.salvage; d.inCut && d.run.IsOpen && !salvage.IsFalse(d.event.ReadOnly) {
		// Its readOnly may be an actor's: in a text that damage has cut, the quotes in his text look like those around it.
		s.In(d.event.Raw, d.KnownRegion)
		d.run.Add(nil, &s.Regions, d.KnownRegion)
		d.run.Write = d.run.Write || s.Write
	}
	return d.join(chain)
}

// joinHalf is joinWhole for an object in b that is within another one.
func (d *Decoder) joinHalf(b []byte, h salvage.Half, chain Chain) error {
	if !d.run.IsOpen {
		d.run.Reset()
	}
	d.run.Half(b, h, d.KnownRegion)
	d.event = Event{}
	found, err := d.join(chain)
	if found {
		d.index++
	}
	return err
}

// join hands on the event of which both halves were found. It leaves the index where it is.
func (d *Decoder) join(chain Chain) (found bool, err error) {
	if !d.run.HasEvent() {
		return false, nil
	}
	d.salvage.Regions.Reset()
	d.event.ReadOnly = Value("false")
	return d.emitHalves(nil, errInPieces, chain)
}

// emitRegion hands on the salvaged event with one region.
func (d *Decoder) emitRegion(region Value, cause error, index int, chain Chain) error {
	d.event.AWSRegion, d.event.Salvaged = region, true
	err := d.emitDamaged(cause, chain)
	d.index = index
	return err
}

// aroundGap is how much of what stands around a missing comma goes into its fault. The whole list would not
// do: it may miss one after each of its values.
const aroundGap = 32

// gap reports damage between the values of a list or the members of an object, from one value's end to
// where the next one may start. Cause is what was found there, counted in b.
func (d *Decoder) gap(b []byte, from, to int, cause error, chain Chain) error {
	d.event = Event{}
	doing := "reading " + lastShape(chain)
	if from == to { // nothing stands there, and that is the damage: no event is hit
		start := max(from-aroundGap, 0)
		return d.reportAt(from-start, reasonOf(cause), doing, cause, -1, b[start:min(from+aroundGap, len(b))], chain)
	}
	if syntax := (*SyntaxError)(nil); errors.As(cause, &syntax) {
		moved := *syntax
		moved.Offset -= from
		cause = &moved
	}
	return d.salvageEvent(b[from:to], doing, cause, chain)
}

// leftOver reports what stands after a whole value. Where damage has cut an event in two its second half
// is here.
func (d *Decoder) leftOver(piece []byte, chain Chain) error {
	return d.searchRest(ReasonTrailingBytes, "reading "+lastShape(chain), errTrailingBytes, piece, piece, chain)
}

// searchRest reports a piece with bytes that should not be there. They take an event's place only if the
// lenient search finds one in them.
func (d *Decoder) searchRest(reason Reason, doing string, cause error, piece, rest []byte, chain Chain) error {
	d.event = Event{}
	index := -1
	found, err := d.emitSalvaged(rest, cause, chain)
	if err != nil {
		return err
	}
	if found {
		index = d.index
		d.index++
	}
	return d.report(reason, doing, cause, index, piece, chain)
}

// searchAgain searches the whole of a damaged envelope in whose parts, all of them reported, there was no
// event.
func (d *Decoder) searchAgain(cause error, b []byte, chain Chain) error {
	d.event = Event{}
	found, err := d.emitSalvaged(b, cause, chain)
	if err != nil || !found {
		return err
	}
	d.index++
	return d.report(reasonOf(cause), "reading an envelope", cause, d.index-1, b, chain)
}

// lastShape returns the name of the innermost layer.
func lastShape(chain Chain) string {
	if chain.Len() == 0 {
		return ShapeEvent.String()
	}
	return chain.At(chain.Len() - 1).String()
}
