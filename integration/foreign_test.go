package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestKafkaForeignMember has a program join the group with the protocol of KIP-848, which no setting of a classic group
// keeps out: it is told and counted while it is there.
func TestKafkaForeignMember(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		t.Parallel()
		s := newScene(t, broker, 2)
		p := start(t, s.run("--delivery", delivery, "--instance-id", "one", "--sessions", "1")...)
		p.ready(t)
		stranger, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ClientID("stranger"), kgo.ConsumerGroup(s.group),
			kgo.ConsumeTopics(s.input), kgo.Balancers(kgo.RangeBalancer()), kgo.ServerSideBalancer())
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		members := func(want float64) {
			t.Helper()
			eventually(t, time.Minute, func() error {
				if got := sum(p.metrics(t), "regionwatch_foreign_members"); got != want {
					return fmt.Errorf("%v foreign members, want %v", got, want)
				}
				return p.ended()
			})
		}
		members(1)
		if log := p.log.String(); !strings.Contains(log, "other programs are members of the group") || !strings.Contains(log, "stranger") {
			t.Error("the log does not name it")
		}
		// The broker has made the group one of the new protocol, and of two members each has a partition.
		eventually(t, time.Minute, func() error {
			groups, err := s.admin.DescribeConsumerGroups(t.Context(), s.group)
			if err != nil {
				return err
			}
			for _, m := range groups[s.group].Members {
				if m.ClientID == "stranger" && len(m.Assignment[s.input]) == 1 {
					return nil
				}
			}
			return fmt.Errorf("the stranger has no partition: %+v", groups[s.group].Members)
		})
		if got := sum(p.metrics(t), "regionwatch_assigned_partitions"); got != 1 {
			t.Errorf("%v partitions assigned, want the other one", got)
		}

		stranger.Close()
		members(0)
		s.produce(t, events(0, 10, 2)...)
		s.haveAlerts(t, 10)
		s.settle(t, time.Minute, p.ended)
		p.stop(t)
	})
}
