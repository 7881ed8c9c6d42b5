package instance

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// watchEvery is how often [LogProgress] polls.
const watchEvery = time.Second

// LogProgress logs, until ctx ends, what an operator wants to see of a running processor: assigned partitions and where
// they start, when it becomes ready or stops being ready, and a summary at every interval; 0 means no summaries.
func LogProgress(ctx context.Context, p Progress, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	w := watcher{log: log, began: time.Now(), every: every}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(p.Status(), p.Ready(), time.Now())
		}
	}
}

// Progress is what LogProgress needs from a processor.
type Progress interface {
	Status() processor.Status
	Ready() error
}

// watcher remembers what was logged.
type watcher struct {
	log        *slog.Logger
	began      time.Time // start of the summary's interval
	every      time.Duration
	partitions []string
	ready      bool
	last       processor.Status // at the last summary
}

func (w *watcher) look(s processor.Status, notReady error, now time.Time) {
	names, known := []string{}, true
	for _, t := range s.Partitions {
		names = append(names, fmt.Sprintf("%s:%d", t.Topic, t.Partition))
		known = known && t.Next >= 0
	}
	slices.Sort(names)
	if ready := notReady == nil; !slices.Equal(names, w.partitions) && (known || ready) {
		w.partitions = names
		w.log.Info("partitions assigned", "partitions", len(names), "next_offsets", offsets(s.Partitions))
	}
	switch {
	case notReady == nil && !w.ready:
		w.ready = true
		w.log.Info("ready")
	case notReady != nil && w.ready:
		w.ready = false
		w.log.Warn("not ready", "error", notReady)
	}
	if w.every > 0 && now.Sub(w.began) >= w.every {
		w.log.Info("summary", append([]any{"seconds", now.Sub(w.began).Round(time.Second).Seconds()}, attributes(&w.last, &s)...)...)
		w.began, w.last = now, s
	}
}

// attributes returns the difference in counts between two statuses, and the lag of the later one.
func attributes(from, to *processor.Status) []any {
	a, b := &from.Counts, &to.Counts
	return []any{
		"events", b.Events - a.Events, "alerts", to.Acked - from.Acked, "dead_letters", to.DeadLetter - from.DeadLetter,
		"shadowed", b.Outcomes[policy.OutcomeShadowed] - a.Outcomes[policy.OutcomeShadowed],
		"exempted", b.Outcomes[policy.OutcomeExempted] - a.Outcomes[policy.OutcomeExempted],
		"partitions", to.Assigned, "lag", to.Lag,
	}
}

// offsets lists where partitions start, up to what fits in a log line.
func offsets(partitions []processor.PartitionStatus) string {
	const most = 64
	var list []string
	for _, t := range partitions[:min(len(partitions), most)] {
		next := "?"
		if t.Next >= 0 {
			next = fmt.Sprint(t.Next)
		}
		list = append(list, fmt.Sprintf("%s:%d:%s", t.Topic, t.Partition, next))
	}
	if n := len(partitions) - most; n > 0 {
		list = append(list, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, " ")
}
