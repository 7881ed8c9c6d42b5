package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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
}

// see takes an incident. Each revision must follow the one before.
func (b *incidentBook) see(r *kgo.Record, _ time.Time) {
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

// alertLoad produces alerts of many principals until ctx ends, and counts the different ones by itself. Every tenth is
// produced again later, as an at-least-once run would.
type alertLoad struct {
	mu     sync.Mutex
	counts map[string]uint64
	sum    uint64
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
		r := &kgo.Record{Topic: s.alerts, Partition: int32(n%23) % s.partitions, Key: []byte(account), Value: value}
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
		l.mu.Lock()
		l.counts[account+" "+user]++
		l.sum++
		l.mu.Unlock()
	}
}

// TestChaosIncidents strikes one of two instances of incidents with SIGKILL at random moments while alerts flow. For a
// reader of committed records, every different alert is in exactly one incident, and revisions have no gap.
func TestChaosIncidents(t *testing.T) {
	c := startCluster(t, 1)
	s := newScene(t, c.Bootstrap(), 6)
	incidents, policy := s.group+"-incidents", filepath.Join(t.TempDir(), "policy.yaml")
	s.makeTopic(t, incidents, nil)
	if err := os.WriteFile(policy, []byte("default:\n  unused_regions: [eu-west-3]\n  incidents: {update_interval: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{
		"incidents", "--brokers", s.bootstrap, "--alert-topic", s.alerts, "--dead-letter-topic", s.deadLetters, "--incident-topic", incidents,
		"--incident-state-topic", s.group + "-state", "--incident-group", s.group, "--create-topics", "--policy", policy, "--session-timeout", "6s",
	}
	book := &incidentBook{last: make(map[string]incidentRecord)}
	reader := follow(t, s.bootstrap, book.see, incidents)
	var instances []*instance
	for n := range 2 {
		instances = append(instances, startInstance(t, fmt.Sprintf("%s-%d", s.group, n), arguments))
	}
	for _, i := range instances {
		i.process().ready(t)
	}
	ctx, stop := context.WithCancel(t.Context())
	load := &alertLoad{counts: make(map[string]uint64)}
	var loading sync.WaitGroup
	loading.Go(func() { load.run(ctx, t, s, 500) })
	count := kills(t)
	for n := range count {
		i := instances[rand.IntN(len(instances))]
		if n%4 == 3 { // while it starts, joins and restores
			time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond)
		} else {
			i.process().ready(t)
			_, seen := book.counts()
			eventually(t, time.Minute, func() error {
				_, now := book.counts()
				return moreThan(int(now), int(seen))
			})
			time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		}
		i.strike(t)
	}
	stop()
	loading.Wait()
	if err := s.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, func() error {
		if _, sum := book.counts(); sum < load.sum {
			return fmt.Errorf("%d of %d alerts are in incidents", sum, load.sum)
		}
		return nil
	})
	for _, i := range instances {
		i.end(t)
	}
	reader.catchUp(t, time.Minute)
	counts, sum := book.counts()
	wrong := 0
	for who, want := range load.counts {
		if counts[who] != want {
			wrong++
			t.Errorf("%s: %d alerts, want %d", who, counts[who], want)
		}
	}
	for _, odd := range book.odd {
		t.Error(odd)
	}
	t.Logf("%d kills: %d alerts in %d incidents, want %d; %d wrong counts; %d aborted transactions by partition",
		count, sum, len(book.last), load.sum, wrong, reader.aborted)
	if sum != load.sum || len(counts) != len(load.counts) {
		t.Errorf("%d alerts of %d principals, want %d of %d", sum, len(counts), load.sum, len(load.counts))
	}
}
