package main

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

// recordPlace is where a record stands.
type recordPlace struct {
	topic     string
	partition int32
	offset    int64
}

// String writes the place as it is given.
func (p recordPlace) String() string { return fmt.Sprintf("%s:%d:%d", p.topic, p.partition, p.offset) }

var placePattern = regexp.MustCompile(`^([a-zA-Z0-9._-]{1,249}):([0-9]{1,10}):([0-9]{1,19})$`)

// parsePlace reads TOPIC:PARTITION:OFFSET.
func parsePlace(text string) (p recordPlace, ok bool) {
	parts := placePattern.FindStringSubmatch(text)
	if parts == nil {
		return p, false
	}
	partition, err := strconv.ParseInt(parts[2], 10, 32)
	offset, err2 := strconv.ParseInt(parts[3], 10, 64)
	return recordPlace{parts[1], int32(partition), offset}, err == nil && err2 == nil
}

// readRecord reads one committed record. It is in no group: nothing is committed.
func readRecord(ctx context.Context, s *config.Settings, p recordPlace) (*scan.Part, error) {
	if len(s.Brokers) == 0 {
		return nil, cli.Mistake(fmt.Errorf("%s: there is no such file, and for a record of a topic flag --brokers is required", p))
	}
	client, err := setup.Reach(ctx, s,
		kgo.ClientID("regionwatch-explain"),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: {p.partition: kgo.NewOffset().At(p.offset)}}),
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
		Value: record.Value, Topic: p.topic, Partition: p.partition, Offset: p.offset, Timestamp: record.Timestamp,
	}}, nil
}

// checkPlace tells which part of the place does not exist.
func checkPlace(ctx context.Context, client *kgo.Client, p recordPlace) error {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, p.topic)
	if err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, p.topic)
	if err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	start, known := starts.Lookup(p.topic, p.partition)
	end, _ := ends.Lookup(p.topic, p.partition)
	whole, _ := starts.Lookup(p.topic, 0) // every topic has it
	switch err := errors.Join(start.Err, end.Err); {
	case whole.Topic == "", errors.Is(whole.Err, kerr.UnknownTopicOrPartition):
		return cli.Mistake(errors.New("there is no such topic, or it may not be read"))
	case !known:
		return cli.Mistake(fmt.Errorf("the topic has the partitions 0 to %d", len(starts[p.topic])-1))
	case err != nil:
		return err
	case start.Offset == end.Offset:
		return cli.Mistake(fmt.Errorf("the partition has no committed records; its next one gets offset %d", end.Offset))
	case p.offset < start.Offset || p.offset >= end.Offset:
		return cli.Mistake(fmt.Errorf("the offset is out of range: the partition holds %d to %d", start.Offset, end.Offset-1))
	}
	return nil
}

// pollRecord waits for the record. Offsets can be empty: of transactions' ends, of aborted or compacted records.
func pollRecord(ctx context.Context, client *kgo.Client, p recordPlace) (*kgo.Record, error) {
	fetches := client.PollRecords(ctx, 1)
	if err := fetches.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, errors.New("the brokers hand out no record from there on")
		}
		return nil, err
	}
	records := fetches.Records()
	switch {
	case len(records) == 0:
		return nil, errors.New("the brokers hand out no record from there on")
	case records[0].Offset != p.offset:
		return nil, cli.Mistake(fmt.Errorf("no record has this offset any more; the next one has %d", records[0].Offset))
	case records[0].Attrs.IsControl():
		return nil, cli.Mistake(errors.New("the end of a transaction stands there, no record"))
	}
	return records[0], nil
}
