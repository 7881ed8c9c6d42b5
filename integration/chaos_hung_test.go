package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// makeTopicOn makes a topic whose partitions are on these brokers, one replica each.
func (s *scene) makeTopicOn(t *testing.T, name string, brokers ...int32) {
	t.Helper()
	one := "1"
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, -1, -1
	for i, broker := range brokers {
		topic.ReplicaAssignment = append(topic.ReplicaAssignment,
			kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(i), Replicas: []int32{broker}})
	}
	topic.Configs = append(topic.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: "min.insync.replicas", Value: &one})
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = []kmsg.CreateTopicsRequestTopic{topic}
	response, err := request.RequestWith(t.Context(), s.client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// coordinateElsewhere gives the scene a group that broker 2 does not coordinate.
func (s *scene) coordinateElsewhere(t *testing.T) {
	t.Helper()
	name := s.group
	eventually(t, time.Minute, func() error {
		s.group = fmt.Sprint(name, "-", rand.Uint32())
		found := s.admin.FindGroupCoordinators(t.Context(), s.group)
		err := found.Error()
		if err == nil && found[s.group].NodeID == 2 {
			err = errors.New("broker 2 would coordinate the group")
		}
		return err
	})
}

// leaderless waits until the other brokers have given up the leader of a topic.
func (s *scene) leaderless(t *testing.T, topic string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		topics, err := s.admin.ListTopics(t.Context(), topic)
		if err == nil && topics[topic].Partitions[0].Leader >= 0 {
			err = fmt.Errorf("%s still has a leader", topic)
		}
		return err
	})
}

// hungScene has input on brokers 1 and 3, and one partition of it, alerts and dead letters on broker 2 alone.
type hungScene struct {
	*scene
	delivery string
	one, two *process
	test     *testing.T // ends the instances
}

// start starts an instance.
func (s *hungScene) start(name string) *process {
	return start(s.test, s.run("--delivery", s.delivery, "--sessions", "1", "--delivery-timeout", "4s", "--instance-id", name)...)
}

// shared waits until both instances are ready and have all partitions between them.
func (s *hungScene) shared(t *testing.T) {
	t.Helper()
	eventually(t, 2*time.Minute, func() error {
		assigned := 0.0
		for _, p := range []*process{s.one, s.two} {
			if err := p.ended(); err != nil {
				return errors.Join(errStop, err)
			}
			if _, err := p.get("/readyz"); err != nil {
				return err
			}
			own := sum(p.metrics(t), "regionwatch_assigned_partitions")
			if assigned += own; own == 0 {
				return errors.New("an instance has no partition")
			}
		}
		if assigned != 4 {
			return fmt.Errorf("%v partitions assigned, want 4", assigned)
		}
		return nil
	})
}

// gauge waits for a series of an instance to be above 0.
func (p *process) gauge(t *testing.T, series string) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		if p.metrics(t)[series] <= 0 {
			return fmt.Errorf("%s is 0", series)
		}
		return nil
	})
}

// TestChaosHungLeader hangs the broker that leads the alerts, the dead letters and one partition of the input, and then
// restarts it. A member whose alert is stuck neither holds up another one that joins nor stays out when it is evicted; what
// waits shows in the gauges, the unreadable partition's too; and a dead letter that could not be written in time, and no
// longer fits when it can, is written in parts, once.
func TestChaosHungLeader(t *testing.T) {
	c := startCluster(t, 3)
	if _, single := c.(*containerCluster); single {
		t.Skip("it needs three brokers, and so REGIONWATCH_KAFKA_BROKER")
	}
	var scenes []*hungScene
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		s := &hungScene{scene: newEmptyScene(t, c.Bootstrap(), 4), delivery: delivery, test: t}
		s.coordinateElsewhere(t)
		s.makeTopicOn(t, s.input, 1, 3, 2, 1)
		s.makeTopicOn(t, s.alerts, 2)
		s.makeTopicOn(t, s.deadLetters, 2)
		scenes = append(scenes, s)
	}
	all := func(phase string, do func(t *testing.T, s *hungScene)) {
		ok := t.Run(phase, func(t *testing.T) {
			for _, s := range scenes {
				t.Run(s.delivery, func(t *testing.T) {
					t.Parallel()
					do(t, s)
				})
			}
		})
		if !ok {
			t.FailNow()
		}
	}
	all("before", func(t *testing.T, s *hungScene) {
		s.one = s.start("one")
		s.produce(t, events(0, 32, 4)...)
		s.haveAlerts(t, 32)
		s.settle(t, time.Minute, s.one.ended)
		s.one.stop(t)
		s.produce(t, &kgo.Record{Partition: 2, Value: []byte(event(eventID(32), "eu-central-1", false))})
	})
	c.Pause(t, 2)
	// The broker does not simply go on: for a moment it would take the dead letter by the settings that it had when it hung.
	restart := sync.OnceFunc(func() {
		c.Kill(t, 2)
		c.Restart(t, 2)
	})
	defer restart()
	all("hung", func(t *testing.T, s *hungScene) {
		s.leaderless(t, s.deadLetters)
		s.one = s.start("one")
		s.one.ready(t)
		s.one.gauge(t, fmt.Sprintf(`regionwatch_stalled_seconds{partition="2",topic="%s"}`, s.input)) // records may wait there
		stuck := events(33, 12, 3)                                                                    // in three of four partitions: one of them will move
		for _, r := range stuck {
			if r.Partition == 2 {
				r.Partition = 3
			}
		}
		s.produce(t, stuck...)
		letter := make([]byte, 300<<10)
		for i := range letter {
			letter[i] = "0123456789abcdefghijklmnopqrstuv"[rand.IntN(32)]
		}
		s.produce(t, &kgo.Record{Partition: 0, Value: letter})
		s.one.gauge(t, "regionwatch_unacked_seconds")
		s.two = s.start("two")
		s.shared(t)
		s.one.gauge(t, "regionwatch_records_returned_total")
		m := members{scene: s.scene}
		m.evict(t, 0)
		m.evict(t, 1)
		s.shared(t)
		if s.delivery == atLeastOnce {
			eventually(t, time.Minute, func() error {
				return moreThan(int(sum(s.one.metrics(t), "regionwatch_redelivered_total")+sum(s.two.metrics(t), "regionwatch_redelivered_total")), 0)
			})
		}
		small := "100000"
		eventually(t, 2*time.Minute, func() error { // the controller may be the one that hangs
			altered, err := s.admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &small}}, s.deadLetters)
			if err == nil {
				_, err = altered.On(s.deadLetters, nil)
			}
			return err
		})
	})
	restart()
	all("after", func(t *testing.T, s *hungScene) {
		s.haveAlerts(t, 45)
		s.settle(t, time.Minute, s.one.ended, s.two.ended)
		letters := s.readAll(t, s.deadLetters)
		if n := len(letters); n < 4 || n > 16 {
			t.Errorf("%s: the dead letter is in %d records", s.delivery, n)
		}
		if n := len(s.readAll(t, s.alerts)); s.delivery == exactlyOnce && n != 45 {
			t.Errorf("%d alerts, want 45", n)
		}
		for _, p := range []*process{s.one, s.two} {
			p.calm(t)
			p.stop(t)
		}
	})
}
