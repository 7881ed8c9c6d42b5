package processor

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// encodeRecords returns values as records of a batch.
func encodeRecords(values ...string) (encoded []byte) {
	for i, v := range values {
		r := kmsg.Record{OffsetDelta: int32(i), Value: []byte(v)}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // a length of 0 takes one byte
		encoded = r.AppendTo(encoded)
	}
	return encoded
}

// fetchedBatch returns a batch of n records as it is fetched, compressed.
func fetchedBatch(t *testing.T, n int, records []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(records); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(kgo.CodecGzip), LastOffsetDelta: int32(n - 1),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(n), Records: packed.Bytes()}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	return raw
}

// standIn has a batch kept compressed, and returns the record that stands for it.
func standIn(t *testing.T, d *decompress.Decompressor, raw []byte) *kgo.Record {
	t.Helper()
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	const header = 61
	encoded, err := d.Decompress(raw[header:], kgo.CodecGzip)
	if err != nil {
		t.Fatal(err)
	}
	var r kmsg.Record
	if err := r.ReadFrom(encoded); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = encoded[0] }) // as long as it lives, so does the batch
	return &kgo.Record{Topic: inputTopic, Offset: int64(r.OffsetDelta), Value: r.Value}
}

// Each way that a batch can end has its own counts, and its records count against the limit like any others.
//
// Guards: each count in batch and setBatchAside.
func TestBatchCounts(t *testing.T) {
	const n = 40 // tiny records, which take much more memory than their bytes
	whole := encodeRecords(make([]string, n)...)
	damaged := fetchedBatch(t, n, whole)
	damaged[len(damaged)-1]++
	compression := detection.Counts{Records: 1, DeadLettered: 1}
	compression.Faults[cloudtrail.ReasonCompression] = 1
	cut := compression
	cut.Records, cut.Done = n+1, n
	for name, c := range map[string]struct {
		raw    []byte
		want   decided
		left   time.Duration // until the limit of one record a second allows the next poll
		reason string
	}{
		"decided":   {fetchedBatch(t, n, whole), decided{Counts: detection.Counts{Records: n, Done: n}, inside: n - 1}, (n - 1) * time.Second, ""},
		"damaged":   {damaged, decided{Counts: compression}, 0, cloudtrail.ReasonCompression.String()},
		"cut":       {fetchedBatch(t, n, append(whole, 2)), decided{Counts: cut, inside: n}, n * time.Second, cloudtrail.ReasonCompression.String()},
		"too large": {fetchedBatch(t, 1, encodeRecords(strings.Repeat("x", 2<<20))), decided{Counts: detection.Counts{Records: 1, DeadLettered: 1}, batches: 1}, 0, deadletter.ReasonBatchTooLarge},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, log := quietProcessor(t, func(o *Options) { o.MaxRecordsPerSecond, o.MaxBatchBytes = 1, 1<<20 })
			p.newDecider = func() decider { return &scripted{} }
			client, err := p.newClient(t.Context(), "test")
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			reason := ""
			out := p.outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
				for _, h := range r.Headers {
					if h.Key == deadletter.HeaderReason {
						reason = string(h.Value)
					}
				}
				promise(r, nil)
			}, func() error { return nil })
			defer out.Close()
			d := p.newDecision(client, out, nil)
			r := standIn(t, p.decompressor, c.raw)
			if p.decompressor.Batch(r) == nil {
				t.Fatalf("%s: the batch is not kept compressed", name)
			}
			decided, err := d.decide(nil, time.Now(), []*kgo.Record{r})
			if decided != 1 || err != nil {
				t.Errorf("%s: %d decided, %v", name, decided, err)
			}
			if got := d.take(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %+.200v, want %+.200v", name, got, c.want)
			}
			if left := max(p.pace.Left(), 0); left != c.left || reason != c.reason {
				t.Errorf("%s: the next poll in %v, want %v; dead letter %q, want %q", name, left, c.left, reason, c.reason)
			}
			if d.turn || d.decider != nil {
				t.Errorf("%s: it keeps its turn", name)
			}
			if told := log.count("a batch cannot be read; it is set aside") == 1 && log.count("reason="+c.reason) == 1; told != (c.reason != "") {
				t.Errorf("%s: %s", name, log.text.String())
			}
		})
	}
}

// A record whose decision panics counts as one that was set aside, and the next one has another decider.
//
// Guards: each line of the recovery in guarded.
func TestPanicCounts(t *testing.T) {
	p, log := quietProcessor(t)
	made := 0
	p.newDecider = func() decider { made++; return &scripted{} }
	out := p.outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) { promise(r, nil) }, nil)
	defer out.Close()
	d := p.newDecision(nil, out, nil)
	records := []*kgo.Record{{Value: []byte("pass")}, {Value: []byte("panic")}, {Value: []byte("")}}
	if n, err := d.decide(nil, time.Now(), records); n != len(records) || err != nil {
		t.Errorf("%d decided, %v", n, err)
	}
	got := d.take()
	if got.Records != 3 || got.Done != 2 || got.DeadLettered != 1 || got.panics != 1 || made != 2 || log.count("BUG: deciding a record panicked") != 1 {
		t.Errorf("%+.300v with %d deciders, want 2", got, made)
	}
}

// failing is a decider that fails.
type failing struct {
	scripted
	err error
}

func (f *failing) Detect(*policy.Policy, *detection.Record, detection.Sink) error { return f.err }

// A large record whose dead letter is not acknowledged is not decided: nothing later would find the failure.
//
// Guards: Settle in one and group.
func TestUnsettledRecord(t *testing.T) {
	large := &kgo.Record{Topic: inputTopic, Value: []byte("bad " + strings.Repeat("x", cloudtrail.HeavyBytes))}
	for name, change := range map[string]func(*Options){
		"at least once": func(*Options) {},
		"exactly once":  func(o *Options) { o.Delivery = ExactlyOnce },
		"of a stage":    withStage,
	} {
		p, _ := quietProcessor(t, change)
		p.newDecider = func() decider { return &scripted{} }
		p.staged.addPoison(large)
		out := p.outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
			promise(r, kerr.TopicAuthorizationFailed)
		}, func() error { return nil })
		defer out.Close()
		if n, err := p.newDecision(nil, out, nil).decide(nil, time.Now(), []*kgo.Record{large, large}); n != 0 || err == nil {
			t.Errorf("%s: %d decided, %v", name, n, err)
		}
	}
}

// A batch that was polled as one record is not done while only some of its records are: it is stopped, or one of them fails.
//
// Guards: each error in the loop of batch.
func TestBatchIsDoneAsAWhole(t *testing.T) {
	p, _ := quietProcessor(t, func(o *Options) { o.MaxBatchBytes = 1 << 20 })
	client, err := p.newClient(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	out := p.outputs.Open(t.Context(), nil, func() error { return nil })
	defer out.Close()
	failure := errors.New("no record is decided")
	for _, want := range []error{errStopped, failure} {
		quit := make(chan struct{})
		p.newDecider = func() decider {
			if errors.Is(want, failure) {
				return &failing{err: failure}
			}
			return &scripted{hold: func(r *detection.Record) {
				if r.Offset == 1 {
					close(quit)
				}
			}}
		}
		d := p.newDecision(client, out, quit)
		raw := fetchedBatch(t, 40, encodeRecords(make([]string, 40)...))
		r := standIn(t, p.decompressor, raw)
		if size, want := p.bytesOf([]*kgo.Record{r}), decompress.RecordBytes+len(r.Value)+len(raw); size != want {
			t.Errorf("it takes %d bytes, want %d", size, want)
		}
		if n, err := d.decide(nil, time.Now(), []*kgo.Record{r}); n != 0 || !errors.Is(err, want) || d.turn {
			t.Errorf("%d decided, %v, want none, %v; it keeps its turn: %t", n, err, want, d.turn)
		}
	}
}

// A record that takes much memory is decided while no other is, and its decider, which has grown, is not kept. While it waits
// for its turn, a stop ends it.
//
// Guards: Heavy in one, and all that endTurn and the end of decide do.
func TestHeavyRecordHasItsTurn(t *testing.T) {
	p, _ := quietProcessor(t)
	made, heavy := 0, len(p.deciders.heavy)
	p.newDecider = func() decider {
		made++
		return &scripted{hold: func(r *detection.Record) {
			if taken := heavy - len(p.deciders.heavy); taken != 0 {
				t.Errorf("offset %d begins with %d turns taken", r.Offset, taken)
			}
			if r.Offset == 2 {
				return
			}
			if err := r.Heavy(); err != nil || r.Heavy() != nil || len(p.deciders.heavy) != 0 {
				t.Errorf("offset %d: %v, with %d turns free", r.Offset, err, len(p.deciders.heavy))
			}
		}}
	}
	out := p.outputs.Open(t.Context(), nil, func() error { return nil })
	defer out.Close()
	quit := make(chan struct{})
	d := p.newDecision(nil, out, quit)
	var records []*kgo.Record
	for offset := range int64(3) {
		records = append(records, &kgo.Record{Topic: inputTopic, Offset: offset, Value: []byte("pass")})
	}
	if n, err := d.decide(nil, time.Now(), records); n != 3 || err != nil || d.done.Done != 3 {
		t.Errorf("%d decided, %d counted, %v", n, d.done.Done, err)
	}
	if made != 3 || d.turn || len(p.deciders.heavy) != heavy || d.decider != nil || d.record.Value != nil {
		t.Errorf("%d deciders were made, want 3; turn kept: %t, decider: %v, record: %q", made, d.turn, d.decider, d.record.Value)
	}
	<-p.deciders.heavy // another record has its turn
	close(quit)
	if err := d.takeTurn(); !errors.Is(err, errStopped) {
		t.Errorf("a stop while it waits: %v", err)
	}
}

// A record is free once it is decided, and one that took its turn before the next one has it: a worker may be idle for long.
//
// Guards: forget in the end of decide and in endTurn.
func TestDecidedRecordIsFree(t *testing.T) {
	p, _ := quietProcessor(t)
	p.newDecider = func() decider { return &scripted{} }
	out := p.outputs.Open(t.Context(), nil, func() error { return nil })
	defer out.Close()
	d := p.newDecision(nil, out, nil)
	for name, decide := range map[string]func(*kgo.Record){
		"at the end": func(r *kgo.Record) {
			if n, err := d.decide(nil, time.Now(), []*kgo.Record{r}); n != 1 || err != nil {
				t.Errorf("%d decided, %v", n, err)
			}
		},
		"after its turn": func(r *kgo.Record) {
			if err := d.takeTurn(); err != nil {
				t.Fatal(err)
			}
			d.output.Begin(r)
			d.endTurn()
		},
	} {
		kept := func() weak.Pointer[kgo.Record] { // and nothing else has it
			r := &kgo.Record{Topic: inputTopic, Value: []byte("pass")}
			decide(r)
			return weak.Make(r)
		}()
		if runtime.GC(); kept.Value() != nil {
			t.Errorf("%s the record is kept", name)
		}
	}
}
