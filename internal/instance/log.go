package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
)

// watchEvery is how often [LogProgress] polls.
const watchEvery = time.Second

// LogProgress logs, until ctx ends, what an operator wants to see of a running processor: that it is connected, that it has
// joined the consumer group, assigned partitions and where they start, when it becomes ready or stops being ready, and a summary at every interval; 0 means no summaries.
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
	connected  bool
	members    []progress.Member
	began      time.Time // start of the summary's interval
	every      time.Duration
	partitions []string
	ready      bool
	silent     bool             // the brokers do not answer
	last       processor.Status // at the last summary
}

func (w *watcher) look(s processor.Status, notReady error, now time.Time) {
	if s.Connected && !w.connected {
		w.connected = true
		w.log.Info("connected")
	}
	for _, m := range s.Members {
		if !slices.Contains(w.members, m) {
			w.log.Info("joined the consumer group", "member", m.ID, "generation", m.Generation)
		}
	}
	w.members = s.Members
	names, known := []string{}, true
	for _, t := range s.Partitions {
		names = append(names, fmt.Sprintf("%s:%d", t.Topic, t.Partition))
		known = known && t.Start >= 0
	}
	slices.Sort(names)
	if ready := notReady == nil; !slices.Equal(names, w.partitions) && (known || ready) {
		w.partitions = names
		w.log.Info("partitions assigned", "partitions", len(names), "start_offsets", offsets(s.Partitions))
	}
	switch {
	case notReady == nil && !w.ready:
		w.ready = true
		w.log.Info("ready")
	case notReady != nil && w.ready:
		w.ready = false
		w.log.Warn("not ready", "error", notReady)
	}
	if silent := errors.Is(notReady, progress.ErrSilence); silent != w.silent {
		w.silent = silent
		w.tellSilence(notReady)
	}
	if w.every > 0 && now.Sub(w.began) >= w.every {
		w.log.Info("summary", append([]any{"seconds", now.Sub(w.began).Round(time.Second).Seconds()}, attributes(&w.last, &s)...)...)
		w.began, w.last = now, s
	}
}

// tellSilence logs that the brokers have fallen silent, or that they answer again, in the words of a start.
func (w *watcher) tellSilence(notReady error) {
	if w.silent {
		w.log.Warn("the brokers do not answer, trying again until they do", "error", notReady)
		return
	}
	w.log.Info("the brokers answer")
}

// attributes returns the difference in counts between two statuses, and the lag of the later one.
func attributes(from, to *processor.Status) []any {
	a, b := &from.Counts, &to.Counts
	if to.Stage != nil {
		return append(stageCounts(from.Stage, to.Stage), "dead_letters", to.DeadLetter-from.DeadLetter, "partitions", to.Assigned, "lag", to.Lag)
	}
	return []any{
		"events", b.Events - a.Events, "alerts", to.Acked - from.Acked, "dead_letters", to.DeadLetter - from.DeadLetter,
		"shadowed", b.Outcomes[policy.OutcomeShadowed] - a.Outcomes[policy.OutcomeShadowed],
		"exempted", b.Outcomes[policy.OutcomeExempted] - a.Outcomes[policy.OutcomeExempted],
		"partitions", to.Assigned, "lag", to.Lag,
	}
}

// stageCounts returns the difference in a stage's counts; from may be empty.
func stageCounts(from, to []processor.StageCount) (list []any) {
	for i, c := range to {
		if i < len(from) {
			c.N -= from[i].N
		}
		list = append(list, c.Name, c.N)
	}
	return list
}

// offsets lists where partitions start, up to what fits in a log line.
func offsets(partitions []processor.PartitionStatus) string {
	const most = 64
	var list []string
	for _, t := range partitions[:min(len(partitions), most)] {
		start := "?"
		if t.Start >= 0 {
			start = fmt.Sprint(t.Start)
		}
		list = append(list, fmt.Sprintf("%s:%d:%s", t.Topic, t.Partition, start))
	}
	if n := len(partitions) - most; n > 0 {
		list = append(list, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, " ")
}
