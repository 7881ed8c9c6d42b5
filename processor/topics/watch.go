package topics

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/progress"
	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	// lookInterval is the time between two looks at the topics, and missingInterval while one is missing.
	lookInterval    = 5 * time.Second
	missingInterval = time.Second
)

// watch looks at the topics from time to time, with a separate client so that it sees what a hanging one does not:
// where the input ends, and whether a topic is gone or was created again. It belongs to one goroutine.
type watch struct {
	ts      *Topics
	ids     map[string]kadm.TopicID // of the topics that we read or write, as the clients know them
	missing map[string]bool         // named topics that did not exist at the last look
	since   time.Time               // when the state topic was found missing
	foreign string                  // members of the group that are not ours, as of the last look
}

func (ts *Topics) newWatch() *watch {
	return &watch{ts: ts, ids: make(map[string]kadm.TopicID), missing: make(map[string]bool)}
}

// Watch starts the goroutine that watches the topics. It ends when stop is called.
func (ts *Topics) Watch(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	client, err := ts.o.NewClient(ctx, "regionwatch-lag")
	if err != nil {
		cancel()
		return nil, err
	}
	ts.client, ts.admin = client, kadm.NewClient(client)
	w := ts.newWatch()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, func() { w.look(ctx, ts.admin) })
	}()
	return func() {
		cancel()
		<-done
		client.Close()
	}, nil
}

// run looks at the topics until ctx ends.
func (w *watch) run(ctx context.Context, look func()) {
	for {
		look()
		interval := lookInterval
		if len(w.missing) > 0 {
			interval = missingInterval
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		case <-w.ts.nudge:
			_ = retry.Sleep(ctx, missingInterval) // requests for a look may never stop
		}
	}
}

// look asks which topics exist and where the input ends. What it cannot learn stays as it was: readiness reports
// brokers that do not answer.
func (w *watch) look(ctx context.Context, admin *kadm.Client) {
	ts := w.ts
	ctx, cancel := context.WithTimeout(ctx, retry.AttemptTimeout)
	defer cancel()
	inputs, err := ts.inputTopics(ctx, admin)
	if err != nil {
		ts.o.Log.Debug("looking for the input topics", "error", err)
		return
	}
	ts.reportMatching(len(inputs))
	defer w.lookAtGroup(ctx, admin)
	w.compare(ctx, admin, inputs)
	if len(inputs) == 0 {
		return
	}
	ends, err := admin.ListEndOffsets(ctx, inputs.Names()...)
	if err != nil {
		ts.o.Log.Debug("looking for the end of the input", "error", err)
		return
	}
	ts.o.Ends.Set(ends)
	starts, err := admin.ListStartOffsets(ctx, inputs.Names()...)
	if err != nil {
		ts.o.Log.Debug("looking for the start of the input", "error", err)
	}
	ends.Each(func(o kadm.ListedOffset) {
		if start, ok := starts.Lookup(o.Topic, o.Partition); ok && o.Err == nil && start.Err == nil {
			ts.o.Lag.Reach(kadm.Partition{Topic: o.Topic, Partition: o.Partition}, start.Offset, o.Offset)
		}
	})
}

// lookAtGroup looks for members of the group that are not ours. A member that uses the classic protocol with another
// balancer is refused; one that uses KIP-848's protocol, or the same balancer, is not, and the partitions it takes are
// not watched.
func (w *watch) lookAtGroup(ctx context.Context, admin *kadm.Client) {
	group, ts := w.ts.o.Group, w.ts
	var clients []string
	classic, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return // not every principal may ask
	}
	for _, m := range classic[group].Members {
		clients = append(clients, m.ClientID)
	}
	if len(clients) == 0 { // of the new protocol, or none yet
		groups, err := admin.DescribeConsumerGroups(ctx, group)
		if err != nil {
			return
		}
		for _, m := range groups[group].Members {
			clients = append(clients, m.ClientID)
		}
	}
	clients = slices.DeleteFunc(clients, func(id string) bool { return strings.HasPrefix(id, ts.o.ClientID) })
	ts.o.Tally.Update(func(t *progress.Totals) { t.Foreign = uint64(len(clients)) })
	slices.Sort(clients)
	if foreign := fmt.Sprintf("%.200q", clients); foreign != w.foreign {
		if w.foreign = foreign; len(clients) > 0 {
			ts.o.Log.Error("other programs are members of the group: partitions assigned to them are not watched", "group", group, "clients", foreign)
		}
	}
}

// compare compares the topics with those that the clients know. A client never follows a topic that was deleted and
// created again: it must be remade. Clients notice that themselves when they fetch or produce; an idle instance does
// not.
func (w *watch) compare(ctx context.Context, admin *kadm.Client, inputs kadm.TopicDetails) {
	names := w.ts.namedTopics()
	if w.ts.o.State != "" {
		names = append(names, w.ts.o.State)
	}
	topics, err := admin.ListTopics(ctx, names...)
	if err != nil {
		w.ts.o.Log.Debug("looking for the topics", "error", err)
		return
	}
	for name, topic := range inputs {
		topics[name] = topic
	}
	var recreated []string
	for name, topic := range topics {
		switch {
		case errors.Is(topic.Err, kerr.UnknownTopicOrPartition) && name == w.ts.o.State:
			w.stateGone()
		case errors.Is(topic.Err, kerr.UnknownTopicOrPartition):
			w.gone(name)
		case topic.Err == nil:
			if w.exists(topic) {
				recreated = append(recreated, name)
			}
		}
	}
	w.ts.o.Health.SetMissing(quoteTopics(slices.Sorted(maps.Keys(w.missing))))
	if len(recreated) > 0 {
		w.ts.restart(fmt.Errorf("%w: topics %q: %w", retry.ErrRenew, recreated, kerr.UnknownTopicID))
	}
	if state, ok := topics[w.ts.o.State]; ok && state.Err == nil {
		if input, ok := inputs[w.ts.o.Inputs[0]]; ok {
			if err := w.ts.comparePartitions(input, state); err != nil {
				w.ts.restart(err)
			}
		}
	}
}

// gone records that a topic does not exist.
func (w *watch) gone(name string) {
	if !w.missing[name] {
		w.missing[name] = true
		w.ts.o.Log.Error("a topic is gone: waiting for it to be created again", "topic", name)
	}
}

// stateGone ends the process if the state topic does not exist, and not only for one broker. Waiting would not help: a
// topic that is created again is empty.
func (w *watch) stateGone() {
	if !w.missing[w.ts.o.State] {
		w.missing[w.ts.o.State], w.since = true, time.Now()
	}
	if time.Since(w.since) >= lookInterval {
		w.ts.restart(w.ts.stateError(-1, "it was deleted"))
	}
}

// exists records that a topic exists, and reports whether it differs from the one the clients know.
func (w *watch) exists(topic kadm.TopicDetail) (recreated bool) {
	was, known := w.ids[topic.Topic]
	w.ids[topic.Topic] = topic.ID
	wasMissing := w.missing[topic.Topic]
	delete(w.missing, topic.Topic)
	if recreated = known && was != topic.ID; recreated {
		w.ts.o.Tally.Update(func(t *progress.Totals) { t.Recreated++ })
		log := w.ts.o.Log.With("topic", topic.Topic, "old", topicID(was), "new", topicID(topic.ID))
		if w.ts.o.State != "" && topic.Topic == w.ts.o.Inputs[0] { // the state belongs to the old one: the process ends
			log.Error("a topic was deleted and created again")
		} else {
			log.Error("a topic was deleted and created again: continuing with the new one")
		}
	} else if wasMissing {
		w.ts.o.Log.Info("the topic exists again", "topic", topic.Topic)
	}
	return recreated
}

// topicID returns the id as Kafka's own tools print it.
func topicID(id kadm.TopicID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }
