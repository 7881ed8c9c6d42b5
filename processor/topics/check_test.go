package topics

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Missing topics are named, with what to do; those that we may not see are another error, which ends the wait for the missing.
//
// Guard: err in checkNamed.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Options), fault kfake.Fault, parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, change, kfake.SeedTopics(1, testTopic))
			refused := new(kfake.FaultHandle)
			if fault.Count != 0 {
				refused = f.c.Fault(fault)
			}
			err := f.Check(t.Context(), f.admin)
			mention(t, err, parts...)
			if err != nil && f.o.State == "" && strings.Contains(err.Error(), "compacted") {
				t.Errorf("it asks for a state topic: %v", err)
			}
			if n := refused.Hits(); n > 1 {
				t.Errorf("%d looks, want an end at once", n)
			}
		})
	}
	outputs := func(names ...string) func(*Options) { return func(o *Options) { o.Outputs = names } }
	hidden := kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testTopic, Err: kerr.TopicAuthorizationFailed, Count: -1}
	f("none", nil, kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Observe: true, Count: -1})
	f("one", outputs("b"), kfake.Fault{}, `missing topic "b": create them`, "(--create-topics)")
	f("two, one of them twice", outputs("b", testTopic, "a", "b"), kfake.Fault{}, `missing topics "a", "b": create them`)
	f("with state", func(o *Options) { o.Outputs, o.State = []string{"a"}, testState }, kfake.Fault{}, `"a"`, `; topic "state" must be compacted, with as many partitions as "trail"`)
	f("a pattern may match nothing", func(o *Options) { o.Inputs, o.Pattern = []string{"none"}, true }, kfake.Fault{})
	f("hidden", outputs("a"), hidden, `looking for topic "trail": TOPIC_AUTHORIZATION_FAILED`)
	f("too many replicas", func(o *Options) { o.Outputs, o.Create, o.Replicas = []string{"a", testTopic}, true, 3 }, kfake.Fault{},
		`creating topic "a": INVALID_REPLICATION_FACTOR`)
}

// Missing topics are created as the options say. Another instance may be faster.
//
// Guard: TopicAlreadyExists in createTopics.
func TestCheckCreates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Outputs, o.Create, o.Partitions = []string{"a", "b"}, true, 3 }, kfake.SeedTopics(1, testTopic))
	if err := f.Check(t.Context(), f.admin); err != nil {
		t.Fatal(err)
	}
	if a, b := len(f.c.PartitionInfos("a")), len(f.c.PartitionInfos("b")); a != 3 || b != 3 || f.told("created topic") != 2 {
		t.Errorf("%d and %d partitions, want 3: %s", a, b, f.log.String())
	}
	f.log.Reset()
	if err := f.createTopics(t.Context(), f.admin, 3, nil, "a", "c"); err != nil || f.told("created topic") != 1 {
		t.Errorf("%v: %s", err, f.log.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mention(t, f.createTopics(ctx, f.admin, 3, nil, "d"), "creating topics: context canceled")
}

// A broker's own words are part of the error.
func TestReason(t *testing.T) {
	if err := reason(kerr.PolicyViolation, ""); err != error(kerr.PolicyViolation) { //nolint:errorlint // nothing is added
		t.Errorf("%v", err)
	}
	mention(t, reason(kerr.PolicyViolation, "three replicas, please"), "POLICY_VIOLATION", ": three replicas, please")
}

// Brokers learn of a new topic one after another, so one that is missing is looked for again, until the end of the context.
//
// Guard: topicPatience, and the errors of Sleep.
func TestCheckLooksAgain(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"", testState} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.State = state }, kfake.SeedTopics(1, testTopic, testState))
			missing := f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: cmp.Or(state, testTopic), Err: kerr.UnknownTopicOrPartition, Count: 2})
			if err := f.Check(t.Context(), f.admin); err != nil || missing.Hits() != 2 {
				t.Errorf("after %d looks: %v", missing.Hits(), err)
			}
		})
		t.Run("never "+state, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) { o.State = state }, kfake.SeedTopics(1, testTopic, testState))
			ctx, cancel := context.WithCancel(t.Context())
			end := sync.OnceFunc(func() { time.AfterFunc(topicPatience/16, cancel) }) // before it looks again
			f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: cmp.Or(state, testTopic), Err: kerr.UnknownTopicOrPartition, Count: -1,
				When: func(kmsg.Request) bool { end(); return true }})
			if err := f.Check(ctx, f.admin); err == nil || strings.Contains(err.Error(), "missing") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestQuoteTopics(t *testing.T) {
	for want, names := range map[string][]string{"": nil, `topic "a"`: {"a"}, `topics "a", "b"`: {"a", "b"}, `topics "a", "b", "c"`: {"a", "b", "c"}} {
		if got := quoteTopics(names); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// The input topics are those that exist, without the brokers' own.
func TestInputTopics(t *testing.T) {
	t.Parallel()
	f := func(name string, change func(*Options), want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, change, kfake.SeedTopics(1, testTopic, "trail-2", "a"))
			if err := f.c.CreateTopic("trail-internal", 1, map[string]string{"kfake.is_internal": "true"}); err != nil {
				t.Fatal(err)
			}
			topics, err := f.inputTopics(t.Context(), f.admin)
			if got := topics.Names(); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = f.inputTopics(ctx, kadm.NewClient(f.c.Client()))
			mention(t, err, "listing topics: ")
		})
	}
	f("named", func(o *Options) { o.Inputs = []string{testTopic, "none"} }, testTopic)
	f("patterns", func(o *Options) { o.Inputs, o.Pattern = []string{"^trail", "none"}, true }, testTopic, "trail-2")
}

// What is registered is called at a restart until it is unregistered.
func TestOnRestart(t *testing.T) {
	var told []string
	ts := New(testOptions())
	stop := ts.OnRestart(func(err error) { told = append(told, "a "+err.Error()) })
	ts.OnRestart(func(err error) { told = append(told, "b "+err.Error()) })
	ts.restart(kerr.UnknownTopicID)
	stop()
	ts.restart(kerr.InconsistentTopicID)
	slices.Sort(told)
	if want := []string{"a " + kerr.UnknownTopicID.Error(), "b " + kerr.InconsistentTopicID.Error(), "b " + kerr.UnknownTopicID.Error()}; !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
	ts.LookSoon()
	ts.LookSoon() // does not wait
	if len(ts.nudge) != 1 {
		t.Errorf("%d looks asked for, want one", len(ts.nudge))
	}
}
