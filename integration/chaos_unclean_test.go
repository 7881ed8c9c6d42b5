package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// makeUnsafeInput makes an input topic that broker 2 may lead without the records that only broker 1 has.
func (s *scene) makeUnsafeInput(t *testing.T) {
	t.Helper()
	one := "1"
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = s.input, -1, -1
	topic.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: []int32{1, 2}}}
	for name, value := range map[string]*string{"min.insync.replicas": &one, "unclean.leader.election.enable": new("true")} {
		topic.Configs = append(topic.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: name, Value: value})
	}
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

// leads waits until a broker leads the input with these in-sync replicas.
func (s *scene) leads(t *testing.T, broker int32, inSync ...int32) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		topics, err := s.admin.ListTopics(t.Context(), s.input)
		if err != nil {
			return err
		}
		p := topics[s.input].Partitions[0]
		if slices.Sort(p.ISR); p.Leader != broker || !slices.Equal(p.ISR, inSync) {
			return fmt.Errorf("%s: leader %d, in sync %v, want %d and %v", s.input, p.Leader, p.ISR, broker, inSync)
		}
		return nil
	})
}

// TestChaosUncleanElection has a broker that lacks the last records become the leader of the input: records that were read
// and committed are gone, and others get their offsets. Each of those alerts, in both modes: under an instance that runs,
// for one that starts while the committed offset lies beyond the end, and for one that starts when the end is beyond it again
// and only the leader epoch of the commit tells that it is not the same log.
func TestChaosUncleanElection(t *testing.T) {
	c := startCluster(t, 3)
	if _, single := c.(*containerCluster); single {
		t.Skip("it needs two replicas of a partition, and so REGIONWATCH_KAFKA_BROKER")
	}
	type instance struct {
		*scene
		*process
		arguments []string
		when      string
	}
	var instances []*instance
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		for _, when := range []string{"runs", "starts beyond the end", "starts within"} {
			s := newEmptyScene(t, c.Bootstrap(), 1)
			s.makeUnsafeInput(t)
			s.makeTopic(t, s.alerts, nil)
			s.makeTopic(t, s.deadLetters, nil)
			i := &instance{scene: s, arguments: s.run("--delivery", delivery, "--sessions", "1", "--instance-id", "one"), when: delivery + ", " + when}
			i.process = start(t, i.arguments...)
			instances = append(instances, i)
		}
	}
	running := func(i *instance) bool { return strings.HasSuffix(i.when, "runs") }
	beyond := func(i *instance) bool { return strings.HasSuffix(i.when, "end") }

	for _, i := range instances {
		i.leads(t, 1, 1, 2)
		i.produce(t, events(0, 20, 1)...)
		i.haveAlerts(t, 20)
	}
	c.Kill(t, 2)
	for _, i := range instances {
		i.leads(t, 1, 1)
		i.produce(t, events(20, 20, 1)...)
		i.haveAlerts(t, 40)
		i.settle(t, time.Minute)
		if !running(i) {
			i.process.stop(t)
		}
	}
	c.Kill(t, 1)
	c.Restart(t, 2)
	for _, i := range instances {
		i.leads(t, 2, 2)
		i.produce(t, events(40, 10, 1)...) // at the offsets 20 to 29
		if !running(i) && !beyond(i) {
			i.produce(t, events(50, 30, 1)...) // and up to 59
		}
	}
	for _, i := range instances {
		t.Log(i.when) // a failure is of the last one
		if !running(i) {
			i.process = start(t, i.arguments...)
		}
		if running(i) || beyond(i) {
			i.haveAlerts(t, 50)
			i.produce(t, events(50, 30, 1)...)
		}
		i.haveAlerts(t, 80)
		if sum(i.metrics(t), "regionwatch_data_losses_total") == 0 {
			t.Errorf("%s: the loss was not counted", i.when)
		}
	}
	c.Restart(t, 1) // it gives up the records that only it had
	for _, i := range instances {
		i.leads(t, 2, 1, 2)
		i.produce(t, events(80, 10, 1)...)
		i.haveAlerts(t, 90)
		i.settle(t, time.Minute, i.ended)
		i.process.stop(t)
	}
}
