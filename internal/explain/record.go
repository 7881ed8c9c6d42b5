package explain

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/scan"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/processor/detection"
)

// Place identifies a record.
type Place struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String formats the place as TOPIC:PARTITION:OFFSET.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.Topic, p.Partition, p.Offset) }

// placePattern leaves the bound of a topic's name to ParsePlace: expressions with large bounds take much memory.
var placePattern = regexp.MustCompile(`^([a-zA-Z0-9._-]+):([0-9]{1,10}):([0-9]{1,19})$`)

const maxTopicName = 249

// ParsePlace parses TOPIC:PARTITION:OFFSET.
func ParsePlace(text string) (p Place, ok bool) {
	parts := placePattern.FindStringSubmatch(text)
	if parts == nil || len(parts[1]) > maxTopicName {
		return p, false
	}
	partition, err := strconv.ParseInt(parts[2], 10, 32)
	offset, err2 := strconv.ParseInt(parts[3], 10, 64)
	return Place{parts[1], int32(partition), offset}, err == nil && err2 == nil
}

// ReadRecord reads one committed record. It joins no group, so it commits nothing.
func ReadRecord(ctx context.Context, s *config.Settings, p Place) (*scan.Part, error) {
	if len(s.Brokers) == 0 {
		return nil, cli.Mistake(fmt.Errorf("%s: no such file; for a record of a topic, flag --brokers is required", p))
	}
	client, err := setup.Reach(ctx, s,
		kgo.ClientID("regionwatch-explain"),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.Topic: {p.Partition: kgo.NewOffset().At(p.Offset)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.MaxDecompressBatchBytes(s.MaxBatchBytes),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, setup.ReachTimeout)
	defer cancel()
	if err := checkPlace(ctx, client, p); err != nil {
		return nil, fmt.Errorf("reading %s from %s: %w", p, strings.Join(s.Brokers, ","), err)
	}
	record, err := pollRecord(ctx, client, p)
	if err != nil {
		return nil, fmt.Errorf("reading %s from %s: %w", p, strings.Join(s.Brokers, ","), err)
	}
	return &scan.Part{Record: detection.Record{
		Value: record.Value, Topic: p.Topic, Partition: p.Partition, Offset: p.Offset, Timestamp: record.Timestamp,
	}}, nil
}

// checkPlace returns an error that names the part of the place that does not exist.
func checkPlace(ctx context.Context, client *kgo.Client, p Place) error {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, p.Topic)
	if err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, p.Topic)
	if err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	start, known := starts.Lookup(p.Topic, p.Partition)
	end, _ := ends.Lookup(p.Topic, p.Partition)
	whole, _ := starts.Lookup(p.Topic, 0) // every topic has partition 0
	switch err := errors.Join(start.Err, end.Err); {
	case whole.Topic == "", errors.Is(whole.Err, kerr.UnknownTopicOrPartition):
		return cli.Mistake(errors.New("no such topic, or no permission to read it"))
	case !known:
		return cli.Mistake(fmt.Errorf("the topic has partitions 0 to %d", len(starts[p.Topic])-1))
	case err != nil:
		return err
	case start.Offset == end.Offset:
		return cli.Mistake(fmt.Errorf("the partition has no committed records; the next offset is %d", end.Offset))
	case p.Offset < start.Offset || p.Offset >= end.Offset:
		return cli.Mistake(fmt.Errorf("the offset is out of range: the partition holds %d to %d", start.Offset, end.Offset-1))
	}
	return nil
}

// pollRecord waits for the record. Not every offset has one: transaction markers, aborted and compacted records.
func pollRecord(ctx context.Context, client *kgo.Client, p Place) (*kgo.Record, error) {
	fetches := client.PollRecords(ctx, 1)
	if err := fetches.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, errors.New("the brokers return no record from there on")
		}
		return nil, err
	}
	records := fetches.Records()
	switch {
	case len(records) == 0:
		return nil, errors.New("the brokers return no record from there on")
	case records[0].Offset != p.Offset:
		return nil, cli.Mistake(fmt.Errorf("the record at this offset is gone; the next one is at %d", records[0].Offset))
	case records[0].Attrs.IsControl():
		return nil, cli.Mistake(errors.New("it is the end of a transaction, not a record"))
	}
	return records[0], nil
}
