package topics

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/processor/progress"
)

// Names of every test. Each test has its own cluster.
const (
	testTopic = "trail"
	testState = "state"
	testGroup = "regionwatch"
)

func testOptions() Options {
	return Options{
		Log: slog.New(slog.DiscardHandler), Tally: new(progress.Tally), Lag: progress.NewLags(), Ends: new(progress.Ends),
		Health: progress.NewHealth(0, time.Hour, 0),
	}
}

// fixture is topics on an embedded broker, what they logged, and the clients they made.
type fixture struct {
	*Topics
	c       *processortest.Cluster
	log     bytes.Buffer
	clients []*kgo.Client
}

// newFixture returns topics as they are after Check.
func newFixture(t *testing.T, change func(*Options), opts ...kfake.Opt) *fixture {
	t.Helper()
	f := &fixture{c: processortest.New(t, append([]kfake.Opt{kfake.GroupMinSessionTimeout(100 * time.Millisecond)}, opts...)...)}
	o := testOptions()
	o.Group, o.ClientID, o.Inputs, o.Partitions, o.Replicas = testGroup, "ours", []string{testTopic}, -1, -1
	o.Log = slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.NewClient = func(_ context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error) {
		f.clients = append(f.clients, f.c.Client(append(opts, kgo.ClientID(id))...))
		return f.clients[len(f.clients)-1], nil
	}
	if change != nil {
		change(&o)
	}
	f.Topics = New(o)
	f.SetCluster("one")
	f.client = f.c.Client(kgo.RequestRetries(0), kgo.MetadataMinAge(10*time.Millisecond))
	f.admin = kadm.NewClient(f.client)
	return f
}

// produce writes n records to a partition, one a second from begin on.
func (f *fixture) produce(topic string, partition int32, n int) {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: topic, Partition: partition, Value: []byte("x"), Timestamp: begin.Add(time.Duration(i) * time.Second)}
	}
	f.c.Produce(records...)
}

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// commit commits an offset with metadata, as the group.
func (f *fixture) commit(t *testing.T, topic string, partition int32, offset int64, metadata string) {
	t.Helper()
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1, Metadata: metadata})
	if err := f.admin.CommitAllOffsets(t.Context(), testGroup, offsets); err != nil {
		t.Fatal(err)
	}
}

// committed returns the committed offsets of a topic. Each must carry the ids of topic and cluster.
func (f *fixture) committed(t *testing.T, topic string) map[int32]int64 {
	t.Helper()
	offsets := make(map[int32]int64)
	if info := f.c.GroupInfo(testGroup); info != nil {
		for partition, c := range info.Commits[topic] {
			offsets[partition] = c.Offset
			if want := f.commitIDs(f.c.TopicInfo(topic).TopicID); !strings.HasPrefix(c.Metadata, want) {
				t.Errorf("partition %d: metadata %q, want %q", partition, c.Metadata, want)
			}
		}
	}
	return offsets
}

// told returns how often a text was logged.
func (f *fixture) told(part string) int { return strings.Count(f.log.String(), part) }

// mention asserts that an error mentions every part, or that there is none if there are no parts.
func mention(t *testing.T, err error, parts ...string) {
	t.Helper()
	if (err != nil) != (len(parts) > 0) {
		t.Errorf("error %v, want %q", err, parts)
	}
	for _, part := range parts {
		if err != nil && !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not mention %q", err, part)
		}
	}
}
