package processor

import (
	"errors"
	"maps"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// assignedOnly is a balancer that is assigned what a test says.
type assignedOnly struct {
	kgo.GroupBalancer
	assigned map[string][]int32
	err      error
}

func (a *assignedOnly) ParseSyncAssignment([]byte) (map[string][]int32, error) {
	return a.assigned, a.err
}

// A partition is ours from the group's answer until it is not in one, or we are out of the group, and is read once the client
// has told us of it. One that goes and comes again is another term.
//
// Guards: each line of ParseSyncAssignment, announce and lose.
func TestOwnership(t *testing.T) {
	balancer := &assignedOnly{}
	own := newOwnership()
	own.GroupBalancer = balancer
	tp := func(n int32) kadm.Partition { return kadm.Partition{Topic: inputTopic, Partition: n} }
	assign := func(partitions ...int32) {
		t.Helper()
		balancer.assigned = map[string][]int32{inputTopic: partitions}
		if got, err := own.ParseSyncAssignment(nil); err != nil || len(got[inputTopic]) != len(partitions) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	check := func(what string, want map[kadm.Partition]int) {
		t.Helper()
		if got := own.announced(); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	assign(0)
	check("not announced", map[kadm.Partition]int{})
	if !own.owns(tp(0), 1) || own.owns(tp(0), 2) || own.owns(tp(1), 1) || own.owns(tp(1), 0) {
		t.Error("partition 0 is ours in term 1, and no other")
	}
	own.announce(7)
	check("announced", map[kadm.Partition]int{tp(0): 1})
	if own.inGeneration() != 7 {
		t.Errorf("generation %d", own.inGeneration())
	}
	assign(0, 1)
	check("one more", map[kadm.Partition]int{tp(0): 1})
	own.announce(8)
	check("announced too", map[kadm.Partition]int{tp(0): 1, tp(1): 2})
	assign(1)
	check("one less", map[kadm.Partition]int{tp(1): 2})
	assign(0, 1)
	own.announce(9)
	check("again", map[kadm.Partition]int{tp(0): 3, tp(1): 2})
	balancer.err = errors.New("torn")
	if _, err := own.ParseSyncAssignment(nil); !errors.Is(err, balancer.err) {
		t.Errorf("%v", err)
	}
	check("an answer that cannot be read", map[kadm.Partition]int{tp(0): 3, tp(1): 2})
	own.lose()
	check("lost", map[kadm.Partition]int{})
	if own.owns(tp(0), 3) {
		t.Error("what is lost is ours")
	}
}

// A coordinator that does not know the group's offsets yet does not know its members either, whatever it answers to a heartbeat.
//
// Guard: Loaded in isMember.
func TestMemberOfLoadedGroup(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	p, err := New(exactlyOnce(c))
	if err != nil {
		t.Fatal(err)
	}
	s := openSession(t, p)
	c.ControlKey(int16(kmsg.Heartbeat), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return r.ResponseKind(), nil, true
	})
	if !s.isMember(1) {
		t.Error("no member")
	}
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: testGroup, Err: kerr.GroupAuthorizationFailed, Count: -1})
	if s.isMember(1) {
		t.Error("a member of a group that gives no offsets")
	}
}
