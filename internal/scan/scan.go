package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// Options of a scan. Policy, Append and Alerts are required.
type Options struct {
	Policy *policy.Policy
	// DecidedAt is the time at which exceptions of the policy may have expired; the zero time is after every expiry.
	DecidedAt time.Time
	// Append appends an alert in the form that is wanted, line ends and all. It is called from several
	// goroutines.
	Append func(dst []byte, a *alert.Alert) []byte
	// Alerts takes the alerts, DeadLetters a JSON object a line (see [DeadLetter]); nil drops those.
	Alerts, DeadLetters io.Writer

	MaxEventBytes int  // bytes of one value after decompression; 0 means cloudtrail.DefaultMaxBytes
	NoEventCopy   bool // leave the copy of the event out of the alerts
	Workers       int  // how many chunks are decided at the same time; 0 means one a core

	// OnProgress, if set, is told of each chunk that is done, in order; OnError of each file that could
	// not be read to its end. Both are called from the goroutine of Run.
	OnProgress func(Progress)
	OnError    func(error)
}

// Progress is how far a scan has come.
type Progress struct {
	Read   int64 // bytes of files, as they are stored
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

// Run scans the sources and returns what it found. When ctx ends it stops: what has been written then is
// what stands before the place that the summary names. The error is one of writing.
func Run(ctx context.Context, o Options, sources []Source) (*Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	files := make(chan *file, o.workers())
	work := make(chan *chunk)
	running.Go(func() {
		defer close(work)
		defer close(files)
		readAll(ctx, &o, sources, files, work)
	})
	for range o.workers() {
		running.Go(func() { newWorker(&o).run(work) })
	}
	w := writer{o: &o, summary: newSummary()}
	for f := range files {
		if err := w.file(f); err != nil {
			return w.summary, err
		}
		if w.summary.Stopped != nil {
			break
		}
	}
	if ctx.Err() != nil && w.summary.Stopped == nil && w.summary.Files < len(sources) {
		w.summary.Stopped = &Place{File: sources[w.summary.Files].Name}
	}
	return w.summary, nil
}

// readAll reads the sources, several at a time, and announces each file in its turn. It returns when all
// readers have ended.
func readAll(ctx context.Context, o *Options, sources []Source, files chan<- *file, work chan<- *chunk) {
	var readers sync.WaitGroup
	defer readers.Wait()
	turns := make(chan struct{}, o.workers())
	for i := range sources {
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

// writer writes what came of the chunks, in order.
type writer struct {
	o        *Options
	summary  *Summary
	progress Progress
}

// file writes what came of one file. The error is one of writing.
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
	case f.err != nil:
		w.summary.Unreadable++
		if w.o.OnError != nil {
			w.o.OnError(f.err)
		}
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

// tell reports the progress.
func (w *writer) tell() {
	if w.o.OnProgress == nil {
		return
	}
	w.progress.Events = w.summary.Counts.Events
	w.progress.Alerts = w.summary.Counts.Outcomes[policy.OutcomeAlerted]
	w.o.OnProgress(w.progress)
}
