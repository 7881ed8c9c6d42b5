package deadletters

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// writer writes transactions with the replay's transactional ID.
type writer struct {
	client *kgo.Client
	id     string
	limit  time.Duration // transaction timeout, after which the brokers abort
}

// abortTimeout is how long an abort may take. If it fails, the brokers or the next replay abort.
const abortTimeout = 5 * time.Second

// maxWriteBytes is the largest request: one record of the largest size the settings allow.
const maxWriteBytes = 128 << 20

// newWriter initializes the transactional ID. That ends any open transaction of an earlier replay and fences its
// producer.
func newWriter(ctx context.Context, o *Replay, batchBytes func(topic string) int32) (*writer, error) {
	w := &writer{id: TransactionalID(o.Topic.Name), limit: o.Options.TransactionTimeout}
	partitioner := deadletter.Partitioner(o.Topic.Name)
	if o.To == ToInput {
		partitioner = kgo.ManualPartitioner()
	}
	client, err := o.Topic.Client(
		kgo.ClientID(clientID),
		kgo.TransactionalID(w.id),
		kgo.TransactionTimeout(o.Options.TransactionTimeout),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(o.Options.DeliveryTimeout),
		kgo.RecordPartitioner(partitioner),
		kgo.ProducerBatchMaxBytesFn(batchBytes),
		kgo.BrokerMaxWriteBytes(maxWriteBytes),
	)
	if err != nil {
		return nil, err
	}
	w.client = client
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("taking the transactional id %q: %w", w.id, err)
	}
	return w, nil
}

// TransactionalID returns the transactional ID of replays from a dead-letter topic. Every replay of a topic uses the
// same one, so that two of them cannot replay the same letter.
func TransactionalID(deadLetterTopic string) string { return deadLetterTopic + "-replay" }

// ErrReplaced is returned if another replay of the same topic has started.
var ErrReplaced = errors.New("another replay of the same dead-letter topic has taken over")

// write writes records in one transaction, all or none. It finishes even if ctx ends. After an error, the outcome is
// unknown until the topic is read.
func (w *writer) write(ctx context.Context, records []*kgo.Record) error {
	whole := context.WithoutCancel(ctx)
	ctx, cancel := context.WithTimeout(whole, w.limit)
	defer cancel()
	if err := w.client.BeginTransaction(); err != nil {
		return w.explain(fmt.Errorf("beginning a transaction: %w", err))
	}
	if err := w.produce(ctx, records); err != nil {
		return w.explain(errors.Join(err, w.abort(whole)))
	}
	if err := w.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return w.explain(fmt.Errorf("committing a transaction: %w", err))
	}
	return nil
}

// produce writes records and returns when all are acknowledged, or the first error.
func (w *writer) produce(ctx context.Context, records []*kgo.Record) error {
	var mu sync.Mutex
	var first error
	for _, r := range records {
		w.client.Produce(ctx, r, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = fmt.Errorf("producing to topic %q: %w", r.Topic, err)
			}
		})
	}
	if err := w.client.Flush(ctx); err != nil {
		return fmt.Errorf("waiting for acknowledgements: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	return first
}

func (w *writer) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, abortTimeout)
	defer cancel()
	if err := w.client.AbortBufferedRecords(ctx); err != nil {
		return fmt.Errorf("aborting a transaction: %w", err)
	}
	if err := w.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return fmt.Errorf("aborting a transaction: %w", err)
	}
	return nil
}

func (w *writer) explain(err error) error {
	if errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.TransactionCoordinatorFenced) {
		return fmt.Errorf("%w, or a transaction took longer than the brokers allow: %w", ErrReplaced, err)
	}
	return err
}

func (w *writer) close() { w.client.Close() }

// isTooLarge reports whether a topic rejected a record or batch because of its size.
func isTooLarge(err error) bool { return errors.Is(err, kerr.MessageTooLarge) }
