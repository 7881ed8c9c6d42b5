package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The command that creates the state topic is that of a topic which incidents creates, with replicas if there are brokers.
func TestRunNoState(t *testing.T) {
	f := func(brokers int, want string) {
		t.Helper()
		c := newCluster(t, kfake.NumBrokers(brokers))
		o := c.options(t, func(o *Options) { o.StateTopic = "absent" })
		c.allow(t, append(o.needed(), ACL{Operation: kmsg.ACLOperationDescribe, Resource: kmsg.ACLResourceTypeTopic, Name: "absent"})...)
		s := stepOf(t, Run(t.Context(), o), stepState)
		want = "kafka-topics --bootstrap-server " + o.Connection.Addresses()[0] + " --command-config admin.properties --create --topic absent " + want
		if !slices.Equal(s.Commands, []string{want}) {
			t.Errorf("%q, want %q", s.Commands, want)
		}
	}
	c := newCluster(t)
	o := c.options(t, func(o *Options) { o.InputTopics, o.StateTopic = []string{"alerts"}, "absent" })
	c.allow(t, o.needed()...)
	if s := stepOf(t, Run(t.Context(), o), stepState); !strings.HasSuffix(s.Remedy, "as alerts, so create that first") || s.Commands != nil {
		t.Errorf("%+v", s)
	}
	const configs = " --config cleanup.policy=compact --config min.cleanable.dirty.ratio=0.1"
	f(2, "--partitions 2 --replication-factor 2"+configs+" --config segment.bytes=67108864")
	f(3, "--partitions 2 --replication-factor 3"+configs+" --config min.insync.replicas=2 --config segment.bytes=67108864")
}
