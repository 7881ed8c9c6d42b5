package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// topicPatience is how long to look for a missing topic: brokers learn about new ones at different times.
const topicPatience = 2 * time.Second

// Check checks that the topics we name exist: otherwise a misspelt topic would look like a quiet one. An input
// pattern may match nothing yet.
func (ts *Topics) Check(ctx context.Context, admin *kadm.Client) error {
	if err := ts.checkNamed(ctx, admin); err != nil || ts.o.State == "" {
		return err
	}
	return ts.checkState(ctx, admin)
}

func (ts *Topics) checkNamed(ctx context.Context, admin *kadm.Client) error {
	missing, err := ts.missingTopics(ctx, admin)
	for since := time.Now(); err == nil && len(missing) > 0 && !ts.o.Create && time.Since(since) < topicPatience; {
		if err := retry.Sleep(ctx, topicPatience/8); err != nil {
			return err
		}
		missing, err = ts.missingTopics(ctx, admin)
	}
	if err != nil || len(missing) == 0 {
		return err
	}
	if !ts.o.Create {
		return fmt.Errorf("missing %s: create them, or let them be created (--create-topics)%s", quoteTopics(missing), ts.aboutState())
	}
	return ts.createTopics(ctx, admin, ts.o.Partitions, nil, missing...)
}

// aboutState says what the state topic must be like, for those who create topics.
func (ts *Topics) aboutState() string {
	if ts.o.State == "" {
		return ""
	}
	return fmt.Sprintf("; topic %q must be compacted, with as many partitions as %q", ts.o.State, ts.o.Inputs[0])
}

// namedTopics returns every topic named in full, once, but for the state topic.
func (ts *Topics) namedTopics() []string {
	names := slices.Clone(ts.o.Outputs)
	if !ts.o.Pattern {
		names = append(names, ts.o.Inputs...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// missingTopics returns the named topics that do not exist. A topic that we may not see is a separate error: brokers
// answer the same whether it exists or not. Topics are requested one by one because a refusal of several together names
// none.
func (ts *Topics) missingTopics(ctx context.Context, admin *kadm.Client) (missing []string, err error) {
	var errs []error
	for _, name := range ts.namedTopics() {
		topics, err := admin.ListTopics(ctx, name)
		if err == nil {
			err = topics[name].Err
		}
		switch {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			missing = append(missing, name)
		case err != nil:
			errs = append(errs, fmt.Errorf("looking for topic %q: %w", name, err))
		}
	}
	return missing, errors.Join(errs...)
}

// createTopics creates missing topics. Another instance may be faster.
func (ts *Topics) createTopics(ctx context.Context, admin *kadm.Client, partitions int32, configs map[string]*string, names ...string) error {
	created, err := admin.CreateTopics(ctx, partitions, ts.o.Replicas, configs, names...)
	if err != nil {
		return fmt.Errorf("creating topics: %w", err)
	}
	var errs []error
	for _, topic := range created.Sorted() {
		switch {
		case topic.Err == nil:
			ts.o.Log.Info("created topic", "topic", topic.Topic)
		case !errors.Is(topic.Err, kerr.TopicAlreadyExists):
			errs = append(errs, fmt.Errorf("creating topic %q: %w", topic.Topic, reason(topic.Err, topic.ErrMessage)))
		}
	}
	return errors.Join(errs...)
}

// reason adds the broker's message to an error.
func reason(err error, message string) error {
	if message == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, message)
}

// quoteTopics names topics in a phrase, empty if there are none.
func quoteTopics(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	if len(names) == 1 {
		return "topic " + quoted[0]
	}
	return "topics " + strings.Join(quoted, ", ")
}

// inputTopics returns the existing input topics: those that are named, or those that match the patterns now.
func (ts *Topics) inputTopics(ctx context.Context, admin *kadm.Client) (kadm.TopicDetails, error) {
	names := ts.o.Inputs
	if ts.o.Pattern {
		names = nil // all but the brokers' own
	}
	topics, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	for name, topic := range topics {
		if topic.Err != nil || ts.o.Pattern && !ts.matches(name) {
			delete(topics, name)
		}
	}
	return topics, nil
}

// reportMatching logs when topics stop or start matching the input patterns. Without it an instance that may not see
// its topics would look idle: brokers list only those that we may describe. Only the goroutine that watches the topics
// calls it.
func (ts *Topics) reportMatching(topics int) {
	if !ts.o.Pattern || ts.unmatched == (topics == 0) {
		return
	}
	if ts.unmatched = topics == 0; ts.unmatched {
		ts.o.Log.Warn("no topic matches the input pattern: nothing is read until one does that we may read", "pattern", ts.o.Inputs)
		return
	}
	ts.o.Log.Info("topics match the input pattern", "pattern", ts.o.Inputs, "topics", topics)
}
