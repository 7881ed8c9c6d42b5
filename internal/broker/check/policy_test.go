package check

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The topic of a policy is read as the processor reads it at the start.
//
// Guard: newestPolicy.
func TestRunPolicy(t *testing.T) {
	cleanup := "compact"
	f := func(want Status, about, remedy string, policies ...string) {
		t.Helper()
		c := newCluster(t)
		c.set(t, "policy", "cleanup.policy", cleanup)
		o := c.options(t, func(o *Options) { o.PolicyTopic = "policy" })
		c.allow(t, append(o.needed(), ACL{Operation: kmsg.ACLOperationDescribeConfigs, Resource: kmsg.ACLResourceTypeTopic, Name: "policy"})...)
		c.put(t, "policy", policies...)
		s := stepOf(t, Run(t.Context(), o), stepPolicy)
		if s.Status != want || !strings.Contains(s.Detail+s.Error, about) || !strings.HasPrefix(s.Remedy, remedy) || strings.Contains(s.Error+s.Remedy, "\n") {
			t.Errorf("%q: %+v", policies, s)
		}
	}
	f(OK, "1 partition, 2 replicas, policy v1 of 20", "", "version: v1")
	f(Warning, "policy v1 of 20", "that one is in force because the newest record is no valid policy: topic policy offset 1:", "version: v1", "versio: v2")
	f(Refused, "none of its records is a valid policy; the newest: topic policy offset 1:1:1:", "correct that (regionwatch validate", "x: 1", "y: 2\nz: 3")
	f(Refused, "it holds no policy", "write the policy to it")
	f(Refused, "it holds no policy", "write the policy to it", "") // a deletion
	cleanup = "compact,delete"
	f(Warning, "policy v1 of 20", "with cleanup.policy=compact,delete, the brokers delete the policy", "version: v1")
}
