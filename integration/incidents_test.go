package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// incidentRecord is the part of an incident that the test needs.
type incidentRecord struct {
	ID        string
	Revision  uint64
	Account   string `json:"recipientAccountId"`
	Principal struct{ ID string }
	Counts    struct{ Alerts uint64 }
}

// incidentBook is what a reader of committed incidents knows: the last record of each.
type incidentBook struct {
	mu   sync.Mutex
	last map[string]incidentRecord
	odd  []string
	gaps gaps // between alerts that become part of incidents, by input partition

	partitions int32
}

// see takes an incident. Each revision must follow the one before.
func (b *incidentBook) see(r *kgo.Record, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var i incidentRecord
	if err := json.Unmarshal(r.Value, &i); err != nil {
		b.odd = append(b.odd, err.Error())
		return
	}
	if want := b.last[i.ID].Revision + 1; i.Revision != want {
		b.odd = append(b.odd, fmt.Sprintf("incident %s at %d/%d: revision %d, want %d", i.ID, r.Partition, r.Offset, i.Revision, want))
	}
	if i.Counts.Alerts > b.last[i.ID].Counts.Alerts {
		b.gaps.note(partitionOf(i.Account, b.partitions), now)
	}
	b.last[i.ID] = i
}

// counts returns the alerts of each principal in an account, as incidents say.
func (b *incidentBook) counts() (counts map[string]uint64, sum uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts = make(map[string]uint64)
	for _, i := range b.last {
		counts[i.Account+" "+i.Principal.ID] += i.Counts.Alerts
		sum += i.Counts.Alerts
	}
	return counts, sum
}

// partitionOf is where the alerts of an account go.
func partitionOf(account string, partitions int32) int32 {
	n, _ := strconv.Atoi(account)
	return int32(n) % partitions
}

// alertLoad produces alerts of many principals until ctx ends, and counts the different ones by itself. Every tenth is
// produced again later, as an at-least-once run would.
type alertLoad struct {
	counts map[string]uint64 // read it when the load has stopped, like the others
	sum    uint64
	again  uint64

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startAlerts begins a load of rate different alerts a second.
func startAlerts(t *testing.T, s *scene, rate int) *alertLoad {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &alertLoad{counts: make(map[string]uint64), cancel: cancel}
	l.done.Go(func() { l.run(ctx, t, s, rate) })
	t.Cleanup(l.stop)
	return l
}

func (l *alertLoad) stop() {
	l.cancel()
	l.done.Wait()
}

func (l *alertLoad) run(ctx context.Context, t *testing.T, s *scene, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	var again []*kgo.Record
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		account, user := fmt.Sprintf("%012d", n%23), fmt.Sprintf("arn:aws:iam::%012d:user/u%d", n%23, n%7)
		value, err := json.Marshal(map[string]any{
			"id": uuid.NewString(), "ruleId": "AWS.UnusedRegion", "severity": "High", "eventTime": time.Now().UTC().Format(time.RFC3339),
			"eventName": "RunInstances", "eventSource": "ec2.amazonaws.com", "awsRegion": "eu-west-3", "recipientAccountId": account,
			"userIdentity": map[string]string{"type": "IAMUser", "arn": user}, "principal": map[string]string{"type": "IAMUser", "name": "u", "arn": user},
		})
		if err != nil {
			t.Error(err)
			return
		}
		r := &kgo.Record{Topic: s.alerts, Partition: partitionOf(account, s.partitions), Key: []byte(account), Value: value}
		records := []*kgo.Record{r}
		if again = append(again, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value}); n%10 == 9 {
			records, again = append(records, again[rand.IntN(len(again))]), again[:0]
		}
		for _, r := range records {
			s.client.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("producing: %v", err)
				}
			})
		}
		l.counts[account+" "+user]++
		l.sum++
		l.again += uint64(len(records) - 1)
	}
}
