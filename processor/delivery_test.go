package processor

import (
	"testing"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

// mixed returns n values: one in ten is a finding, one in a hundred is damaged.
func mixed(n int) (all []string, alerts, dead int) {
	for i := range n {
		switch {
		case i%100 == 7:
			all = append(all, "bad")
			dead++
		case i%10 == 3:
			all = append(all, values(n, "alert %d")[i])
			alerts++
		default:
			all = append(all, "pass")
		}
	}
	return all, alerts, dead
}

// TestDelivery reads, decides and writes everything exactly once in both modes when nothing fails, and commits all of it,
// including records without a result.
func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			const n, partitions = 3000, 6
			c := newCluster(t, partitions)
			all, alerts, dead := mixed(n)
			c.ProduceValues(inputTopic, partitions, all...)

			o := testOptions(c)
			o.Delivery, o.InstanceID = delivery, "one"
			r := start(t, o)
			c.Eventually("all decided", func() bool { return r.Status().Counts.Records >= n })
			r.mustStop()

			if got := alertIDs(c.ReadAll(alertTopic)); len(got) != alerts {
				t.Errorf("%d different alerts, want %d", len(got), alerts)
			}
			if got := len(c.ReadAll(alertTopic)); got != alerts {
				t.Errorf("%d alerts, want %d", got, alerts)
			}
			if got := len(c.ReadAll(deadLetterTopic)); got != dead {
				t.Errorf("%d dead letters, want %d", got, dead)
			}
			checkCommitted(t, c, partitions)
		})
	}
}

// checkCommitted asserts that every input partition is committed to its end.
func checkCommitted(t *testing.T, c *processortest.Cluster, partitions int32) {
	t.Helper()
	for p := range partitions {
		if got, want := c.Committed(testGroup, inputTopic, p), c.End(inputTopic, p); got != want {
			t.Errorf("partition %d: committed %d, want %d", p, got, want)
		}
	}
}
