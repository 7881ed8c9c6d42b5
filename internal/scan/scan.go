// Package scan decides the events in files as the processor decides those on a topic, without Kafka.
//
// Each file is treated like one Kafka record: its events may travel in any known shape, compressed or not. If a file
// holds several top-level values, usually NDJSON, each value is a record, identified by its byte offset in the
// (decompressed) text. Such files are read in chunks and may have any size. A single value is read whole and may have
// up to Options.MaxEventBytes.
//
// Alerts and dead letters are written in input order, however many chunks are decided in parallel. Input that cannot be
// decoded becomes a dead letter. A file that cannot be opened or read is reported as an error, and the other files are
// still scanned. Memory is bounded by the number of workers, the chunk size and MaxEventBytes; if a chunk has more than
// 16 MiB of alerts, the rest go to a temporary file until they are written.
//
// [Run] starts every goroutine and returns when all have ended.
package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Options of a scan. Policy, Append and Alerts are required.
type Options struct {
	Policy *policy.Policy
	// DecidedAt is the time at which exceptions are checked for expiry. At the zero time, all have expired.
	DecidedAt time.Time
	// Append appends an alert in the output format, including its line end. Several goroutines call it.
	Append func(dst []byte, a *alert.Alert) []byte
	// Alerts receives the alerts. DeadLetters receives one JSON object per line (see [DeadLetter]); if it is nil, dead
	// letters are dropped.
	Alerts, DeadLetters io.Writer

	MaxEventBytes int  // largest decompressed value, in bytes; 0 means cloudtrail.DefaultMaxBytes
	NoEventCopy   bool // omit the copy of the event from alerts
	Workers       int  // number of goroutines that decide; 0 means one per core

	// Visit, if set, is called for each worker. It returns a function that reads each record instead of the decision and
	// counts what the record held. Each worker calls its own.
	Visit func() func(record []byte, counts *detection.Counts)

	// Halt, if set, makes Run begin no more files once it is closed. It finishes those that it began, at least one.
	Halt <-chan struct{}

	// OnProgress, if set, is called after each chunk, in order. OnError is called for each file that could not be
	// opened or read to the end. OnFile is called for each file, in order, once all of it that can be read is decided.
	// All are called from Run's goroutine.
	OnProgress func(Progress)
	OnError    func(error)
	OnFile     func(s *Source, opened bool)
}

// Progress is how far a scan has come.
type Progress struct {
	Read   int64 // bytes of files, as stored
	Events uint64
	Alerts uint64
}

func (o *Options) maxEventBytes() int {
	if o.MaxEventBytes <= 0 {
		return cloudtrail.DefaultMaxBytes
	}
	return o.MaxEventBytes
}

func (o *Options) workers() int {
	if o.Workers <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return o.Workers
}

// Run scans the sources and returns a summary. When ctx ends, it stops; everything before the place named in the
// summary has been written. It returns an error if writing fails.
func Run(ctx context.Context, o Options, sources []Source) (*Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	workers := make([]*worker, o.workers())
	defer func() {
		cancel()
		running.Wait()
		for _, w := range workers {
			for _, spilled := range w.spills { // including those of chunks never written
				spilled.end()
			}
		}
	}()

	files := make(chan *file, o.workers())
	work := make(chan *chunk)
	running.Go(func() {
		defer close(work)
		defer close(files)
		readAll(ctx, &o, sources, files, work)
	})
	for i := range workers {
		workers[i] = newWorker(&o)
		running.Go(func() { workers[i].run(work) })
	}
	w := writer{o: &o, summary: &Summary{}}
	for f := range files {
		if err := w.file(f); err != nil {
			return w.summary, err
		}
		if w.summary.Stopped != nil {
			break
		}
	}
	if ctx.Err() != nil && w.summary.Stopped == nil && w.finished < len(sources) {
		w.summary.Stopped = &Place{File: sources[w.finished].Name} // between two files
	}
	return w.summary, nil
}

// readAll reads several sources at a time and sends the files in order. It returns when all readers have ended.
func readAll(ctx context.Context, o *Options, sources []Source, files chan<- *file, work chan<- *chunk) {
	var readers sync.WaitGroup
	defer readers.Wait()
	turns := make(chan struct{}, o.workers())
	for i := range sources {
		if i > 0 && isClosed(o.Halt) {
			return
		}
		f := &file{source: sources[i], chunks: make(chan *chunk, chunksAhead)}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case files <- f:
		case <-ctx.Done():
			return
		}
		readers.Go(func() {
			f.read(ctx, o, work)
			<-turns
		})
	}
}

// isClosed reports whether a channel that carries nothing is closed. A nil one is not.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// writer writes the results of chunks, in order.
type writer struct {
	o        *Options
	summary  *Summary
	progress Progress
	finished int // number of files
}

// file writes the results of one file. It returns an error if writing fails.
func (w *writer) file(f *file) error {
	var read, offset int64
	for c := range f.chunks {
		<-c.done
		if err := w.chunk(c); err != nil {
			return err
		}
		w.progress.Read += c.read - read
		read, offset = c.read, c.offset+c.length
		w.tell()
	}
	w.summary.Bytes += uint64(read)
	switch {
	case errors.Is(f.err, errStopped):
		w.summary.Stopped = &Place{File: f.source.Name, Offset: offset}
		return nil
	case f.err != nil && w.o.OnError != nil:
		w.o.OnError(f.err)
	}
	w.finished++
	if w.o.OnFile != nil {
		w.o.OnFile(&f.source, f.opened)
	}
	switch {
	case !f.opened:
		w.summary.Unopened++
		return nil
	case f.err != nil:
		w.summary.Unreadable++
	}
	w.summary.Files++
	return nil
}

func (w *writer) chunk(c *chunk) error {
	if err := c.writeAlerts(w.o.Alerts); err != nil {
		return err
	}
	if w.o.DeadLetters != nil {
		if _, err := w.o.DeadLetters.Write(c.letters); err != nil {
			return fmt.Errorf("writing dead letters: %w", err)
		}
	}
	w.summary.add(c)
	c.written()
	return nil
}

// tell calls OnProgress.
func (w *writer) tell() {
	if w.o.OnProgress == nil {
		return
	}
	w.progress.Events = w.summary.Counts.Events
	w.progress.Alerts = w.summary.Counts.Outcomes[policy.OutcomeAlerted]
	w.o.OnProgress(w.progress)
}
