package topics

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An examination finds what a start would refuse, in any partition, and reads no more than the beginning of each.
//
// Guards: each case of Run, examine, errEnough.
func TestExamination(t *testing.T) {
	t.Parallel()
	const rebuild = "run regionwatch incidents rebuild"
	mark := func(f *fixture, partition int32) *kgo.Record {
		r, err := f.StateMark(context.Background(), partition)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	f := func(name string, input, state int32, prepare func(t *testing.T, f *fixture), parts ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opts []kfake.Opt
			for topic, n := range map[string]int32{testTopic: input, testState: state} {
				if n > 0 {
					opts = append(opts, kfake.SeedTopics(n, topic))
				}
			}
			f := newFixture(t, withState, opts...)
			found, err := f.admin.BrokerMetadata(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f.SetCluster(found.Cluster)
			if prepare != nil {
				prepare(t, f)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a read to the end of the log waits for longer
			defer cancel()
			err = (&Examination{Client: f.client, NewClient: f.o.NewClient, Group: testGroup, Input: testTopic, State: testState}).Run(ctx)
			mention(t, err, parts...)
			if s := new(StateError); errors.As(err, &s) != (len(parts) > 0 && parts[0] == rebuild) {
				t.Errorf("%v: of the state %t", err, errors.As(err, &s))
			}
		})
	}
	f("no input", 0, 1, nil)
	f("nothing", 2, 2, nil)
	f("no state yet", 1, 0, nil)
	f("no state any more", 1, 0, func(t *testing.T, f *fixture) { f.commit(t, testTopic, 0, 1, "") }, rebuild, "it was deleted")
	f("fewer partitions", 2, 1, nil, rebuild, "it has 1 partition,")
	f("no offset", 2, 2, func(_ *testing.T, f *fixture) { f.c.Produce(mark(f, 1)) }, rebuild, "partition 1", "has no offset")
	f("no beginning", 2, 2, func(t *testing.T, f *fixture) { f.commit(t, testTopic, 1, 1, "") }, rebuild, "partition 1", "its beginning is missing")
	f("an offset of an older topic", 1, 1, func(t *testing.T, f *fixture) { f.commit(t, testTopic, 0, 1, f.commitIDs(kadm.TopicID{1})) })
	f("state hidden", 1, 1, func(_ *testing.T, f *fixture) {
		f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testState, Err: kerr.InvalidTopicException, Count: -1})
	}, `looking for topic "state"`)
	f("state refused", 1, 1, func(_ *testing.T, f *fixture) {
		f.c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: testState, Err: kerr.TopicAuthorizationFailed, Count: -1})
	}, "listing topics: TOPIC_AUTHORIZATION_FAILED")
	open := func(t *testing.T, f *fixture) {
		f.c.Produce(mark(f, 0), stateRecord("a", "1"))
		client := f.c.Client(kgo.TransactionalID("one"), kgo.TransactionTimeout(10*time.Minute))
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), stateRecord("b", "2")).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	f("with an open transaction", 1, 1, func(t *testing.T, f *fixture) {
		f.commit(t, testTopic, 0, 1, "")
		open(t, f)
	})
	f("with an open transaction, no offset", 1, 1, open, rebuild, "has no offset")
}

// Without an answer of the brokers nothing is examined, which is an error.
func TestExaminationEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := &Examination{Client: f.c.Client(), NewClient: f.o.NewClient, Group: testGroup, Input: testTopic, State: testState}
	mention(t, e.Run(ctx), "asking for the cluster: ")
	f.admin = kadm.NewClient(f.c.Client())
	mention(t, f.examine(ctx, 0), `looking for topic "trail": `)
}
