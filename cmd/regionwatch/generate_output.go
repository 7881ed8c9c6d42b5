package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/setup"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// recordWriter takes generated records. It belongs to one goroutine.
type recordWriter interface {
	name() string // for people
	write(ctx context.Context, r *sample.Record) error
	close() error    // writes what is left
	written() uint64 // how many records have arrived; final after close
}

// lines writes records as lines.
type lines struct {
	out     *bufio.Writer
	n       uint64
	waiting uint64 // records in the buffer
	failed  bool   // which has been told
}

func newLines(w io.Writer) *lines { return &lines{out: bufio.NewWriterSize(w, 256<<10)} }

func (l *lines) name() string { return "standard output" }

func (l *lines) write(_ context.Context, r *sample.Record) error {
	if l.out.Available() <= len(r.Value) {
		if err := l.close(); err != nil {
			return err
		}
	}
	l.waiting++
	_, err := l.out.Write(r.Value)
	if err == nil && !bytes.HasSuffix(r.Value, []byte("\n")) {
		err = l.out.WriteByte('\n')
	}
	return l.fault(err)
}

func (l *lines) close() error {
	if l.failed {
		return nil
	}
	err := l.fault(l.out.Flush())
	if err == nil {
		l.n, l.waiting = l.n+l.waiting, 0
	}
	return err
}

func (l *lines) fault(err error) error {
	if err == nil {
		return nil
	}
	l.failed = true
	return fmt.Errorf("writing records: %w", err)
}

func (l *lines) written() uint64 { return l.n }

// endings are what files are called after their outermost layer.
var endings = map[cloudtrail.Shape]string{
	cloudtrail.ShapeGzip: ".gz", cloudtrail.ShapeZstd: ".zst", cloudtrail.ShapeZlib: ".zz", cloudtrail.ShapeLZ4: ".lz4",
	cloudtrail.ShapeSnappy: ".sz", cloudtrail.ShapeBase64: ".b64",
}

// folder writes each record to a file of its own.
type folder struct {
	dir string
	n   uint64
}

func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making output folder: %w", err)
	}
	return &folder{dir: dir}, nil
}

func (f *folder) name() string { return f.dir }

func (f *folder) write(_ context.Context, r *sample.Record) error {
	ending := ".json" + endings[r.Shape.At(0)]
	name := filepath.Join(f.dir, fmt.Sprintf("%08d-%s%s", f.n, r.Account, ending))
	if err := os.WriteFile(name, r.Value, 0o644); err != nil {
		return fmt.Errorf("writing records: %w", err)
	}
	f.n++
	return nil
}

func (f *folder) close() error { return nil }

func (f *folder) written() uint64 { return f.n }

// topicWriter produces records to a topic, keyed by account, with all replicas' acknowledgement.
type topicWriter struct {
	client *kgo.Client
	topic  string
	acked  atomic.Uint64
	failed atomic.Pointer[error] // the first failure
}

func openTopic(ctx context.Context, s *config.Settings, topic, compression string) (*topicWriter, error) {
	client, err := setup.Reach(ctx, s,
		kgo.ClientID("regionwatch-generate"),
		kgo.DefaultProduceTopic(topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(setup.Codecs[compression]),
		kgo.MetadataMinAge(250*time.Millisecond),
		kgo.RecordDeliveryTimeout(generateDrain),
	)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, setup.ReachTimeout)
	defer cancel()
	if err := ensureTopic(ctx, client, s, topic); err != nil {
		client.Close()
		return nil, fmt.Errorf("topic %s on %s: %w", topic, strings.Join(s.Brokers, ","), err)
	}
	return &topicWriter{client: client, topic: topic}, nil
}

// ensureTopic checks that the topic is there, or makes it where that is wanted.
func ensureTopic(ctx context.Context, client *kgo.Client, s *config.Settings, topic string) error {
	admin := kadm.NewClient(client)
	if s.CreateTopics {
		_, err := admin.CreateTopic(ctx, setup.OrBroker(int32(s.Partitions)), setup.OrBroker(int16(s.Replicas)), nil, topic)
		if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		return fmt.Errorf("creating it: %w", err)
	}
	topics, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return fmt.Errorf("reaching the brokers: %w", err)
	}
	switch err := topics[topic].Err; {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return errors.New("it does not exist; --create-topics makes it")
	default:
		return err
	}
}

func (t *topicWriter) name() string { return "topic " + t.topic }

// write hands the record to the client, which waits while too many are on their way.
func (t *topicWriter) write(ctx context.Context, r *sample.Record) error {
	if err := t.failed.Load(); err != nil {
		return *err
	}
	record := &kgo.Record{Key: []byte(r.Account), Value: bytes.Clone(r.Value)}
	t.client.Produce(context.WithoutCancel(ctx), record, func(_ *kgo.Record, err error) {
		if err != nil {
			err = fmt.Errorf("writing to topic %s: %w", t.topic, err)
			t.failed.CompareAndSwap(nil, &err)
			return
		}
		t.acked.Add(1)
	})
	return nil
}

// close waits for the acknowledgements that are missing.
func (t *topicWriter) close() error {
	defer t.client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), generateDrain)
	defer cancel()
	if err := t.client.Flush(ctx); err != nil {
		return fmt.Errorf("waiting for acknowledgements of topic %s: %w", t.topic, err)
	}
	if err := t.failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (t *topicWriter) written() uint64 { return t.acked.Load() }
