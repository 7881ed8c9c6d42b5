package topics

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// State that could not be read is never empty state.
//
// Guards: the errors in offset.
func TestStateEndUnknown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	r := f.open(t)
	f.c.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return req.ResponseKind(), nil, true
	})
	mention(t, r.run(t.Context()), `looking for the end of topic "state" partition 0`, errNoAnswer.Error())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mention(t, r.run(ctx), `looking for the end of topic "state" partition 0: context canceled`)
}

// unreachable makes clients whose brokers do not answer.
func unreachable(_ context.Context, _ string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(opts, kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))...)
}

// A state whose records do not come has not been read.
//
// Guard: readPatience.
func TestReadStateInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions()
		o.State = testState
		o.NewClient = unreachable
		began := time.Now()
		err := (&StateReader{ts: New(o)}).readTo(t.Context(), 1, func() bool { return true }, nil)
		mention(t, err, `reading state topic "state" partition 0: no record has come for long`)
		if took := time.Since(began); took < readPatience || took > readPatience+2*pollTimeout {
			t.Errorf("after %v", took)
		}
	})
}

// What a successor has written since is not part of the state.
//
// Guard: the end in readTo.
func TestReadStateToItsEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withState, kfake.SeedTopics(1, testTopic, testState))
	f.produce(testState, 0, 5)
	n := 0
	r := &StateReader{ts: f.Topics}
	if err := r.readTo(t.Context(), 3, func() bool { return true }, func(_, _ []byte) error { n++; return nil }); err != nil || n != 3 {
		t.Errorf("%d records, %v, want 3", n, err)
	}
}

// A read goes on for as long as records come.
func TestReadIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &StateReader{last: time.Now()}
		for _, step := range []struct {
			after time.Duration
			n     int
			want  bool
		}{{readPatience, 0, false}, {1, 1, false}, {readPatience, 0, false}, {1, 0, true}} {
			time.Sleep(step.after)
			if got := r.isSilent(step.n); got != step.want {
				t.Errorf("%+v: %t", step, got)
			}
		}
	})
}

// What an answer says of the group's offset, and whether it says anything.
func TestCommittedIn(t *testing.T) {
	f := func(group int16, want int64, wantErr error, partitions ...kmsg.OffsetFetchResponseGroupTopicPartition) {
		t.Helper()
		g := kmsg.OffsetFetchResponseGroup{ErrorCode: group, Topics: []kmsg.OffsetFetchResponseGroupTopic{{Topic: testTopic, Partitions: partitions}}}
		at, metadata, err := committedIn(&kmsg.OffsetFetchResponse{Groups: []kmsg.OffsetFetchResponseGroup{g}})
		if !errors.Is(err, wantErr) || wantErr == nil && (at != want || (metadata == "x") != (want > 0)) {
			t.Errorf("%d, %q, %v, want %d, %v", at, metadata, err, want, wantErr)
		}
	}
	metadata := "x"
	f(0, 5, nil, kmsg.OffsetFetchResponseGroupTopicPartition{Offset: 5, Metadata: &metadata})
	f(kerr.GroupIDNotFound.Code, -1, nil)
	f(kerr.GroupAuthorizationFailed.Code, 0, kerr.GroupAuthorizationFailed)
	f(0, 0, kerr.UnstableOffsetCommit, kmsg.OffsetFetchResponseGroupTopicPartition{ErrorCode: kerr.UnstableOffsetCommit.Code})
	f(0, 0, errNoAnswer)
}
