package policies

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/processor/detection"
)

// lesson learns from files. With a snapshot it does so in stages: at the end of each, every file that was begun is
// finished, and the snapshot is written.
type lesson struct {
	options  *Learning
	class    class
	snapshot *snapshot // nil if there is none
	view     *scan.View
	stderr   io.Writer

	total scan.Summary // of this run, and of those that the snapshot is from
	shown scan.Progress
}

const (
	// stageTime is how long a stage begins files, at least, and stageWrites how many times as long as writing the last
	// snapshot took.
	stageTime   = 30 * time.Second
	stageWrites = 20
	// finishTime is how long the files that were begun may take after a signal.
	finishTime = 20 * time.Second
)

func (s *lesson) run(ctx context.Context, sources []scan.Source) (*scan.Summary, error) {
	if s.options.Snapshot == "" {
		summary, err := s.scan(ctx, nil, sources, nil)
		s.class.end()
		return summary, err
	}
	var err error
	if s.snapshot, err = openSnapshot(s.options.Snapshot, s.class.into); err == nil {
		err = s.snapshot.check(sources)
	}
	if err != nil {
		return &s.total, cli.Mistake(fmt.Errorf("flag --snapshot: %w", err))
	}
	s.snapshot.addTo(&s.total)
	rest, skipped := s.snapshot.rest(sources)
	if len(rest) < len(sources) {
		fmt.Fprintf(s.stderr, "%s of %s known from %s\n", display.Number(len(sources)-len(rest)), display.Plural(len(sources), "file"), display.Text(s.options.Snapshot))
	}
	s.advance(scan.Progress{Read: skipped})
	err = s.stages(ctx, rest)
	return &s.total, err
}

// stages learns from sources, stage by stage, until ctx ends.
func (s *lesson) stages(ctx context.Context, sources []scan.Source) error {
	last, stop := outlive(ctx, finishTime)
	defer stop()
	stage := s.options.stage
	if stage == 0 {
		stage = stageTime
	}
	for len(sources) > 0 {
		if ctx.Err() != nil {
			s.total.Stopped = &scan.Place{File: sources[0].Name}
			fmt.Fprintf(s.stderr, "%s has what was learned from %s; the same command continues\n", display.Text(s.options.Snapshot), display.Plural(s.total.Files, "file"))
			return nil
		}
		halt, cancel := context.WithTimeout(ctx, stage)
		finished := 0
		summary, err := s.scan(last, halt.Done(), sources, func(f *scan.Source, opened bool) {
			finished++
			if opened {
				s.snapshot.finish(f)
			}
		})
		cancel()
		if err != nil || summary.Stopped != nil {
			s.total.Stopped = summary.Stopped
			return err // the snapshot stays as it was after the last stage
		}
		s.class.end()
		sources = sources[finished:]
		began := time.Now()
		if err := s.save(summary); err != nil {
			return err
		}
		stage = max(stage, stageWrites*time.Since(began))
	}
	return nil
}

// save adds the counts of a stage and writes the snapshot.
func (s *lesson) save(stage *scan.Summary) error {
	s.snapshot.count(stage)
	s.total = scan.Summary{Unopened: s.total.Unopened + stage.Unopened}
	s.snapshot.addTo(&s.total)
	if err := s.snapshot.write(); err != nil {
		return fmt.Errorf("writing %s: %w", s.options.Snapshot, err)
	}
	return nil
}

// scan reads the events of sources.
func (s *lesson) scan(ctx context.Context, halt <-chan struct{}, sources []scan.Source, onFile func(*scan.Source, bool)) (*scan.Summary, error) {
	before := s.shown
	return scan.Run(ctx, scan.Options{
		Alerts: io.Discard, MaxEventBytes: s.options.MaxEventBytes, Halt: halt, OnFile: onFile,
		OnProgress: func(p scan.Progress) {
			s.advance(scan.Progress{Read: before.Read + p.Read, Events: before.Events + p.Events})
		},
		OnError: func(err error) {
			s.view.Clear()
			cli.Report(s.stderr, err)
		},
		Visit: func() func([]byte, *detection.Counts) { return s.class.pupil(s.options.MaxEventBytes).read },
	}, sources)
}

func (s *lesson) advance(p scan.Progress) {
	s.shown = p
	s.view.Progress(p)
}

// outlive returns a context that ends a while after ctx. The caller calls stop; it waits for the watching goroutine.
func outlive(ctx context.Context, while time.Duration) (last context.Context, stop func()) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-ctx.Done():
		case <-last.Done():
			return
		}
		select {
		case <-time.After(while):
			cancel()
		case <-last.Done():
		}
	})
	return last, func() {
		cancel()
		watching.Wait()
	}
}
