package processor

import (
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// Policies alternate as fast as possible, under load: each alert agrees with exactly one of them, and every event is
// decided exactly once. With -race this shows that nothing writes to a policy.
func TestPolicyChangesUnderLoad(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			policies := map[string]*policy.Policy{}
			severities := map[string]string{"v1": "Low", "v2": "Critical"}
			for version, severity := range severities {
				policy, err := policy.Compile(policy.Options{Version: version, Default: policy.Level{Severity: severity}})
				if err != nil {
					t.Fatal(err)
				}
				policies[version] = policy
			}
			const partitions, n = 4, 20_000
			c := newCluster(t, partitions)
			records, truth := sampleRecords(t, n, partitions, 0)
			c.Produce(records...)
			var current atomic.Pointer[policy.Policy]
			current.Store(policies["v1"])
			o := testOptions(c)
			o.Delivery, o.InstanceID, o.Policy = delivery, "one", current.Load
			o.DrainTimeout = 2 * time.Minute // two loops that never rest leave little of a busy machine
			ctx, quit := context.WithCancel(t.Context())
			var swapping sync.WaitGroup
			swapping.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					current.Store(policies[[]string{"v1", "v2"}[i%2]])
					runtime.Gosched() // otherwise this loop could occupy the only processor
				}
			})
			r := start(t, o, func(p *Processor) { p.newDecider = p.o.newDetector })
			c.Eventually("all decided", func() bool { return r.Status().Counts.Records >= n })
			quit()
			swapping.Wait()
			r.mustStop()

			seen, ids := map[string]int{}, map[string]bool{}
			for _, record := range c.ReadAll(alertTopic) {
				var a alert.Alert
				if err := json.Unmarshal(record.Value, &a); err != nil {
					t.Fatal(err)
				}
				p := policies[a.Policy.Version]
				if p == nil || a.Severity != severities[a.Policy.Version] || a.Policy.Hash != p.Hash() || ids[a.ID] {
					t.Errorf("alert %s of severity %s under %+v", a.ID, a.Severity, a.Policy)
				}
				ids[a.ID] = true
				seen[a.Policy.Version]++
			}
			if len(ids) != int(truth.Alerts(policy.DefaultUnusedRegions)) || len(seen) != 2 {
				t.Errorf("alerts by version %v, want %d in all and both versions", seen, truth.Alerts(policy.DefaultUnusedRegions))
			}
		})
	}
}
