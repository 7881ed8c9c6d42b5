package check

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor"
)

// The members of a group are counted by instance, and those of other programs are a warning.
func TestMembers(t *testing.T) {
	c := newCluster(t)
	o := c.options(t)
	c.allow(t, o.needed()...)
	member := func(client, instance string) {
		joined := make(chan struct{}, 10)
		opts := append(o.Connection.ClientOpts(), kgo.ClientID(client), kgo.ConsumerGroup(o.Group), kgo.ConsumeTopics("in"),
			kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { joined <- struct{}{} }))
		if instance != "" {
			opts = append(opts, kgo.InstanceID(instance))
		}
		client1, err := kgo.NewClient(opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client1.Close)
		select {
		case <-joined:
		case <-time.After(time.Minute):
			t.Fatal("the member has not joined")
		}
	}
	f := func(instances, remedy string) {
		t.Helper()
		s := stepOf(t, Run(t.Context(), o), stepJoin)
		if _, got, _ := strings.Cut(s.Detail, ", "); got != instances || !strings.HasPrefix(s.Remedy, remedy) || (s.Status == Warning) != (remedy != "") {
			t.Errorf("%+v, want %q", s, instances)
		}
	}
	member("regionwatch-0", "a-0")
	f("1 instance", "")
	member("regionwatch-1", "a-1")
	f("1 instance (2 members, one for each session of an instance)", "")
	member("regionwatch-0", "b-0")
	f("2 instances (3 members, one for each session of an instance)", "")
	member("regionwatch", "c-0") // at least once an instance is one member
	member("regionwatch", "")
	f("4 instances (5 members, one for each session of an instance)", "")
	member("other", "a-0x")
	f("4 instances (5 members, one for each session of an instance), 1 member of another program", "partitions of the other program")
}

// A coordinator that is not there yet, as on a new cluster, is asked again.
//
// Guard: coordinated.
func TestRunCoordinatorLater(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	o := c.options(t, func(o *Options) { o.Delivery, o.InstanceID, o.Sessions = processor.ExactlyOnce, "a", 1 })
	c.allow(t, o.needed()...)
	joins, ends := 0, 0
	c.ControlKey(int16(kmsg.JoinGroup), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if joins++; joins > 6 {
			return nil, nil, false
		}
		c.KeepControl()
		response := request.ResponseKind().(*kmsg.JoinGroupResponse)
		response.ErrorCode = kerr.NotCoordinator.Code
		return response, nil, true
	})
	c.ControlKey(int16(kmsg.EndTxn), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if ends++; ends > 6 {
			return nil, nil, false
		}
		c.KeepControl()
		response := request.ResponseKind().(*kmsg.EndTxnResponse)
		response.ErrorCode = kerr.CoordinatorNotAvailable.Code
		return response, nil, true
	})
	if r := Run(t.Context(), o); !r.OK() || joins < 6 || ends < 6 {
		t.Errorf("%d joins, %d ends: %+v", joins, ends, r.Steps)
	}
}
