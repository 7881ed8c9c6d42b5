package policies

import (
	"context"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/processor/detection"
)

// RunTopics learns from the records that were committed to topics when it began, from a time on (zero means all), and
// writes the draft to stdout. It joins no group and commits nothing. If it returns an error, it wrote no draft.
func (l *Learning) RunTopics(ctx context.Context, topics []deadletters.Topic, from time.Time, stdout, stderr io.Writer) error {
	began := time.Now()
	learner := learn.NewLearner(began)
	lesson := newTopicLesson(learner, l.MaxEventBytes, runtime.GOMAXPROCS(0))
	lesson.from = from
	err := lesson.read(ctx, topics)
	counts := lesson.end()
	if err != nil {
		return err
	}
	source := "topic " + strings.Join(namesOf(topics), ", ")
	if !from.IsZero() {
		source += " from " + from.UTC().Format(time.RFC3339)
	}
	return l.write(learner, source, &lessonReport{display.Plural(counts.Records, "record"), counts, time.Since(began)}, stdout, stderr)
}

func namesOf(topics []deadletters.Topic) (names []string) {
	for i := range topics {
		names = append(names, topics[i].Name)
	}
	return names
}

// topicLesson hands the records of topics to several workers. The caller of newTopicLesson calls end, which waits for
// them.
type topicLesson struct {
	from   time.Time // of the records; zero means all
	class  class
	work   chan []*kgo.Record
	batch  []*kgo.Record
	bytes  int // of the batch
	counts []detection.Counts
	ended  sync.WaitGroup
}

// maxBatch and maxBatchBytes limit the records that are handed over at a time.
const (
	maxBatch      = 256
	maxBatchBytes = 1 << 20
)

func newTopicLesson(into *learn.Learner, maxEventBytes, workers int) *topicLesson {
	s := &topicLesson{class: class{into: into}, work: make(chan []*kgo.Record), counts: make([]detection.Counts, workers)}
	for i := range workers {
		p := s.class.pupil(maxEventBytes)
		s.ended.Go(func() {
			for batch := range s.work {
				for _, r := range batch {
					p.read(r.Value, &s.counts[i])
				}
			}
		})
	}
	return s
}

func (s *topicLesson) read(ctx context.Context, topics []deadletters.Topic) error {
	for i := range topics {
		if err := topics[i].Read(ctx, s.from, s.add); err != nil {
			return err
		}
		s.send()
	}
	return nil
}

func (s *topicLesson) add(r *kgo.Record) error {
	if r.Timestamp.Before(s.from) { // times in a partition need not be in order
		return nil
	}
	s.batch, s.bytes = append(s.batch, r), s.bytes+len(r.Value)
	if len(s.batch) >= maxBatch || s.bytes >= maxBatchBytes {
		s.send()
	}
	return nil
}

// send hands the batch to a worker. They take batches until end.
func (s *topicLesson) send() {
	if len(s.batch) > 0 {
		s.work <- s.batch
	}
	s.batch, s.bytes = nil, 0
}

// end waits for the workers and brings together what they learned and counted.
func (s *topicLesson) end() *detection.Counts {
	close(s.work)
	s.ended.Wait()
	s.class.end()
	var total detection.Counts
	for i := range s.counts {
		total.Add(&s.counts[i])
	}
	return &total
}
