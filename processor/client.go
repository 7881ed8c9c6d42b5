package processor

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/regionwatch/regionwatch/processor/retry"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
	"github.com/twmb/franz-go/plugin/kslog"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/topics"
)

// Settings of the clients besides Options, with the reason for each number.
const (
	// clientID is the prefix of our clients' ids.
	clientID = "regionwatch"
	// minFetchBytes is the least to fetch from one broker, however many there are.
	minFetchBytes = 64 << 10
	// fetchWait is how long a broker may hold an empty fetch. A partition that becomes ready meanwhile waits for it, so
	// it is part of an alert's delay.
	fetchWait = 250 * time.Millisecond
	// metadataMinAge is how soon metadata may be requested again: a new leader is found that fast.
	metadataMinAge = 250 * time.Millisecond
	// metadataMaxAge is how late a new topic of a pattern, or a new partition, is noticed.
	metadataMaxAge = 30 * time.Second
	// linger lets the alerts of one batch leave together.
	linger = 2 * time.Millisecond
	// bufferedBytes limits unacknowledged alerts and dead letters; beyond it the workers wait.
	bufferedBytes = 16 << 20
	// rewind is how far before the last record consuming continues if the broker lost records and cannot say which:
	// records may repeat (their alerts have the same ids), none is skipped.
	rewind = 5 * time.Minute
	// requestOverhead is how long a broker may take to answer beyond what a request allows; after that it counts as
	// hung.
	requestOverhead = 5 * time.Second
	// commitTimeout limits the commit when partitions are revoked.
	commitTimeout = 5 * time.Second
	// defaultRevokePatience is how long a worker may wait for acknowledgements when its partition is revoked. The group
	// waits as long.
	defaultRevokePatience = 5 * time.Second
	// minCommitInterval is the client library's minimum.
	minCommitInterval = 100 * time.Millisecond
)

// clients returns how many members of the group this instance runs, each with its client.
func (o *Options) clients() int {
	if o.Delivery == ExactlyOnce {
		return o.Sessions
	}
	return 1
}

// bufferedBytes returns how much one client may have in flight to the output topics.
func (o *Options) bufferedBytes() int { return max(bufferedBytes, 2*o.MaxRecordBytes) }

// heartbeat returns the interval between heartbeats: four in a session, so that three may be lost.
func (o *Options) heartbeat() time.Duration {
	return min(o.SessionTimeout/4, 1500*time.Millisecond)
}

// baseOpts are the options of every client.
func (p *Processor) baseOpts(ctx context.Context, id string) []kgo.Opt {
	return []kgo.Opt{
		kgo.WithContext(ctx),
		kgo.ClientID(id),
		kgo.SeedBrokers(shuffled(p.o.Brokers)...),
		kgo.MetadataMinAge(metadataMinAge),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.DialTimeout(requestOverhead),
		kgo.RequestTimeoutOverhead(requestOverhead),
		kgo.RetryBackoffFn(retry.Backoff),
		// A starting cluster may close connections that it does not serve yet.
		kgo.AlwaysRetryEOF(),
	}
}

// newClient makes a client that belongs to no group.
func (p *Processor) newClient(ctx context.Context, id string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(slices.Concat(p.baseOpts(ctx, id), opts, p.o.ClientOpts)...)
}

// shuffled returns addresses in random order. A new client asks the first one first: with a fixed order, each new
// session would begin with the same broker, even if that is the one that refuses us.
func shuffled(addresses []string) []string {
	addresses = slices.Clone(addresses)
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] }) //nolint:gosec // not a secret
	return addresses
}

// fetchShare returns how much one client fetches from one broker. All clients fetch at the same time, and one fetch is
// buffered while the previous one is decided, so one client gets at most half of FetchBytes.
func (p *Processor) fetchShare() int32 {
	return int32(min(max(p.o.FetchBytes/max(p.brokers*p.health.Clients, 2), minFetchBytes), p.o.FetchBytes))
}

// groupOpts are the options of a client that consumes in the group and produces.
func (p *Processor) groupOpts(ctx context.Context, id string, limits *output.Limits) []kgo.Opt {
	o := &p.o
	opts := append(p.baseOpts(ctx, id),
		kgo.WithLogger(quietLogger{kslog.New(o.Logger), o.Logger}),
		kgo.WithHooks(p.health, kprom.NewMetrics("kafka", kprom.Registry(o.Registry), kprom.WithStaticLabel(map[string]string{"client_id": id}))),

		kgo.ConsumerGroup(o.Group),
		kgo.ConsumeTopics(o.InputTopics...),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(o.SessionTimeout),
		kgo.HeartbeatInterval(o.heartbeat()),
		kgo.RebalanceTimeout(o.RebalanceTimeout),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), // see topics.Member
		kgo.ConsumeResetOffset(kgo.RewindOffset(rewind)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // a transaction marker may be a partition's last record: it is not lag
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(p.fetchShare()),
		kgo.FetchMaxPartitionBytes(int32(o.FetchPartitionBytes)),
		kgo.MaxDecompressBatchBytes(o.MaxBatchBytes),
		kgo.WithDecompressor(p.decompressor),

		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(o.DeliveryTimeout),
		kgo.ProducerLinger(linger),
		kgo.MaxBufferedBytes(o.bufferedBytes()),
		kgo.ProducerBatchMaxBytesFn(limits.BatchBytes),
		kgo.RecordPartitioner(topics.StatePartitioner{Partitioner: deadletter.Partitioner(o.DeadLetterTopic), State: o.StateTopic}),
	)
	if o.Rack != "" {
		opts = append(opts, kgo.Rack(o.Rack))
	}
	if o.InputPattern {
		opts = append(opts, kgo.ConsumeRegex())
	}
	return opts
}

// quietLogger passes on the client library's warnings and errors, and at our debug level its information, which is a
// line per transaction and rebalance.
type quietLogger struct {
	kgo.Logger
	ours *slog.Logger
}

// Level returns the highest level that the library needs to format.
func (l quietLogger) Level() kgo.LogLevel {
	if l.ours.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

// Log implements kgo.Logger. It leaves out that requests end because the client is closed: we have closed it, and a clean stop logs
// no errors.
func (l quietLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	for _, v := range keyvals {
		if err, ok := v.(error); ok && errors.Is(err, kgo.ErrClientClosed) {
			return
		}
	}
	l.Logger.Log(level, msg, keyvals...)
}
