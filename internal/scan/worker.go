package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/segmentio/encoding/json"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// worker decides chunks. It belongs to one goroutine and is the sink of its detector.
type worker struct {
	o        *Options
	detector *detection.Detector
	visit    func(record []byte, counts *detection.Counts)
	record   detection.Record
	name     string // cached identity of the record
	chunk    *chunk
	spills   []*spillFile // all of them, closed or open
}

func newWorker(o *Options) *worker {
	w := &worker{o: o, detector: detection.NewDetector(detection.Options{
		MaxEventBytes: o.MaxEventBytes, NoEventCopy: o.NoEventCopy,
	})}
	if o.Visit != nil {
		w.visit = o.Visit()
	}
	w.record.Identity, w.record.DecidedAt = w.identity, o.DecidedAt
	return w
}

// run decides chunks until there are no more.
func (w *worker) run(work <-chan *chunk) {
	for c := range work {
		w.decide(c)
		close(c.done)
	}
}

func (w *worker) decide(c *chunk) {
	w.chunk = c
	c.alerts = *alertBuffers.Get().(*[]byte)
	w.record.File = c.file.source.Name
	c.each(w.o.maxEventBytes(), w.detect, w.passOver)
	c.counts = w.detector.Counts
	w.detector.Counts = detection.Counts{}
	w.chunk, w.record.Value = nil, nil
	c.release()
}

// detect decides one record of the chunk.
func (w *worker) detect(value []byte, offset int64) {
	if w.visit != nil {
		w.visit(value, &w.detector.Counts)
		return
	}
	w.record.Value, w.record.Offset, w.name = value, offset, ""
	if err := w.detector.Detect(w.o.Policy, &w.record, w); err != nil && w.chunk.err == nil {
		panic("BUG: " + err.Error()) // this sink returns only w.chunk.err
	}
}

// passOver appends the dead letter of a part that was not decided.
func (w *worker) passOver(head []byte, offset int64, f *fault) {
	w.appendLetter(passedOver(w.record.File, w.chunk, head, offset, f))
	w.detector.Counts.Records++
	w.detector.Counts.DeadLettered++
	w.detector.Counts.Faults[f.reason]++
}

// passedOver returns the dead letter of a part that was not decided.
func passedOver(name string, c *chunk, head []byte, offset int64, f *fault) *DeadLetter {
	return &DeadLetter{
		File: name, Offset: offset, Length: f.length, Shape: c.layers,
		Reason: f.reason.String(), Error: f.err.Error(), Value: head, Cut: true,
	}
}

// Alert appends the alert to those of the chunk.
func (w *worker) Alert(a *alert.Alert) error {
	a.Origin.Shape = joinShapes(w.chunk.layers, a.Origin.Shape)
	w.chunk.alerts = w.o.Append(w.chunk.alerts, a)
	w.chunk.findings = append(w.chunk.findings, newFinding(a))
	w.keepLess(w.chunk)
	return w.chunk.err
}

// DeadLetter appends the dead letter to those of the chunk.
func (w *worker) DeadLetter(d *detection.DeadLetter) error {
	if w.o.DeadLetters == nil {
		return nil
	}
	letter := &DeadLetter{
		File: w.record.File, Offset: w.record.Offset, Length: int64(len(w.record.Value)),
		Shape: joinShapes(w.chunk.layers, d.Shape.String()), Reason: d.Reason.String(), Error: d.Err.Error(), Value: d.Piece,
		Alerted: d.Alerted,
	}
	if d.Index >= 0 {
		letter.Index = &d.Index
	}
	if d.Count > 1 {
		letter.Count = d.Count
	}
	w.appendLetter(letter)
	return nil
}

func (w *worker) appendLetter(d *DeadLetter) {
	if w.o.DeadLetters == nil {
		return
	}
	letters, err := json.Append(w.chunk.letters, d, 0)
	if err != nil {
		panic("BUG: encoding a dead letter: " + err.Error()) // it has only strings, bytes and numbers
	}
	w.chunk.letters = append(letters, '\n')
}

// identity identifies the current record for findings without an ID. A record can have very many of them,
// so the identity is computed once.
func (w *worker) identity() string {
	if w.name == "" {
		w.name = contentIdentity(w.record.Value, w.record.Offset)
	}
	return w.name
}

// contentIdentity identifies a record by its bytes and its position, regardless of the file's name.
func contentIdentity(value []byte, offset int64) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:]) + "/" + strconv.FormatInt(offset, 10)
}
