//go:build !race

// The race detector takes several times the memory and time: these tests are for the program as people run it.

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
)

const mib = 1 << 20

// peak returns the peak memory of the process so far, in bytes.
func (r *running) peak() int {
	r.t.Helper()
	return peakOf(r.t, r.cmd.Process)
}

// peakOf returns the peak memory of a process so far, in bytes, and 0 once it has ended. What the system reports of an ended
// process is no measure: it includes the memory of the one that started it.
func peakOf(t *testing.T, p *os.Process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, text, alive := strings.Cut(string(status), "VmHWM:")
	if !alive {
		return 0
	}
	n, err := strconv.Atoi(strings.Fields(text)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// worked returns how much processor time the process has used.
func (r *running) worked() time.Duration {
	r.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, from field 3 on
	fields, ticks := strings.Fields(rest), 0
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(f)
		if err != nil {
			r.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// eventually waits until condition holds, and fails the test if the process hardly works meanwhile, or works for too long. Its
// own time counts, because a busy machine may let it wait for minutes.
func (r *running) eventually(what string, condition func() bool) {
	r.t.Helper()
	const look, stillness, most = 5 * time.Millisecond, 15 * time.Second, 2 * time.Minute
	var before, still time.Duration
	for ; !condition(); time.Sleep(look) {
		still += look
		if now := r.worked(); now > before+200*time.Millisecond {
			before, still = now, 0
		}
		if still > stillness || before > most {
			r.t.Fatalf("after %v of processor time, still not: %s", r.worked(), what)
		}
	}
}

// metric returns the value of a metric without labels.
func (r *running) metric(name string) int {
	_, body := r.get("/metrics")
	_, text, _ := strings.Cut(body, "\n"+name+" ")
	text, _, _ = strings.Cut(text, "\n")
	n, _ := strconv.ParseFloat(text, 64)
	return int(n)
}

// produceToAll writes each value as its own batch to each of n partitions.
func produceToAll(t *testing.T, c *processortest.Cluster, codec kgo.CompressionCodec, n int32, values ...[]byte) {
	t.Helper()
	compressor, err := kgo.DefaultCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	once := &onceCompressor{Compressor: compressor}
	opts := []kgo.Opt{kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(512 * mib), kgo.BrokerMaxWriteBytes(1 << 30),
		kgo.MaxBufferedBytes(1 << 30), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if compressor != nil {
		opts = append(opts, kgo.WithCompressor(once))
	}
	producer := c.Client(opts...)
	defer producer.Close()
	for _, value := range values {
		once.packed = nil
		for p := range n {
			if err := producer.ProduceSync(t.Context(), &kgo.Record{Topic: "cloudtrail", Partition: p, Value: value}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// onceCompressor compresses a batch once, however many partitions it goes to. Its owner forgets it before the next one.
type onceCompressor struct {
	kgo.Compressor
	packed []byte
	codec  kgo.CompressionCodecType
}

// Compress implements kgo.Compressor.
func (o *onceCompressor) Compress(dst *bytes.Buffer, src []byte, flags ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	if o.packed == nil {
		packed, codec := o.Compressor.Compress(dst, src, flags...)
		o.packed, o.codec = bytes.Clone(packed), codec
	}
	return o.packed, o.codec
}

// nestedBomb returns a gzip of layers of quoted text that total about n bytes.
func nestedBomb(t *testing.T, n int) []byte {
	t.Helper()
	inner := []byte(matching[:len(matching)-1] + `,"requestParameters":"` + strings.Repeat("x", n/8) + `"}`)
	for range 7 {
		inner = []byte(`{"message":` + strconv.Quote(string(inner)) + `}`)
	}
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if _, err := w.Write(inner); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever bytes producers write to all partitions at once, and however slowly brokers take its output, the process
// stays within its memory limit, sets aside what it may not read, and continues. Exactly once, all that was
// polled together takes longer than a transaction may.
//
// Guards: decompressor.Decompress sets batches aside; takeTurn; MemoryNeeds; portion. That acks.fail forgets is left to
// TestSettle of processor/output: this test passes without.
func TestPeakUnderPoison(t *testing.T) {
	const partitions, event, batch, limit = 12, 16, 32, 384 // MiB, a quarter of the defaults; these settings may need 328
	bomb := nestedBomb(t, (event-1)*mib)
	for _, delivery := range []string{"at-least-once", "exactly-once"} {
		t.Run(delivery, func(t *testing.T) {
			c := processortest.New(t, kfake.SeedTopics(partitions, "cloudtrail"), kfake.SeedTopics(2, "cloudtrail-alerts", "cloudtrail-dead-letters"))
			blank := bytes.Repeat([]byte(" "), (event-1)*mib)
			huge := append([]byte(matching[:len(matching)-1]+`,"requestParameters":"`), bytes.Repeat([]byte("y"), (event-1)*mib)...)
			produceToAll(t, c, kgo.ZstdCompression(), partitions, blank, append(huge, `"}`...), bytes.Repeat([]byte("z"), (batch-2)*mib), bytes.Repeat([]byte("z"), (batch+1)*mib))
			produceToAll(t, c, kgo.NoCompression(), partitions, bomb, []byte(matching))
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				c.SleepControl(func() { time.Sleep(3 * time.Millisecond) })
				return nil, nil, false
			})
			r := startRun(t, strings.Join(c.ListenAddrs(), ","), "--delivery="+delivery, "--group=poison", "--instance-id=one", "--fetch-bytes=1MiB", fmt.Sprintf("--max-event-bytes=%dMiB", event),
				fmt.Sprintf("--max-batch-bytes=%dMiB", batch), fmt.Sprintf("--memory-limit=%dMiB", limit), "--transaction-timeout=1500ms")
			r.eventually("all partitions are read to their end", func() bool {
				for p := range int32(partitions) {
					if c.Committed("poison", "cloudtrail", p) < c.End("cloudtrail", p) {
						return false
					}
				}
				return true
			})
			t.Logf("peak %d MiB", r.peak()/mib)
			if peak := r.peak(); peak > limit*mib {
				t.Errorf("the peak is %d MiB, the limit %d MiB", peak/mib, limit)
			}
			if aborted := r.metric("regionwatch_transactions_aborted_total"); delivery == "exactly-once" && aborted == 0 {
				t.Error("no transaction took too long: the test tests less than it says")
			}
			if !metricIs(r, `regionwatch_faults_total{reason="batch-too-large"} 12`)() {
				t.Error("not every batch beyond its bound was set aside")
			}
		})
	}
}

// With many partitions and an alerts topic that acknowledges nothing, waiting records are bounded per process, not per
// partition.
//
// Guard: flow.HeldBytes.
func TestPeakWhileAlertsHang(t *testing.T) {
	const partitions, limit = 1000, 256
	for _, delivery := range []string{"at-least-once", "exactly-once"} {
		t.Run(delivery, func(t *testing.T) {
			c := processortest.New(t, kfake.SeedTopics(partitions, "cloudtrail"), kfake.SeedTopics(2, "cloudtrail-alerts", "cloudtrail-dead-letters"))
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "cloudtrail-alerts", Err: kerr.NotEnoughReplicas, Count: -1})
			records := noisyEvents(partitions, 100)
			c.Produce(records...)
			r := startRun(t, strings.Join(c.ListenAddrs(), ","), "--delivery="+delivery, "--group=hung", "--instance-id=one")
			read, same := 0, 0
			r.eventually("nothing more is read", func() bool {
				if now := r.metric("regionwatch_records_read_total"); now > read || now == 0 {
					read, same = now, 0
				} else {
					same++
				}
				return same > 40 // each look is answered by the process that would read
			})
			t.Logf("peak %d MiB after %d of %d records", r.peak()/mib, read, len(records))
			if peak := r.peak(); peak > limit*mib {
				t.Errorf("the peak is %d MiB, want at most %d", peak/mib, limit)
			}
			if read == len(records) {
				t.Error("all was read: the alerts topic did not hang")
			}
		})
	}
}

// A backlog on 12 partitions, of which one event in a hundred alerts, takes little memory, however long it is.
//
// Guard: memory.Tune.
func TestPeakOfBacklog(t *testing.T) {
	const partitions, limit = 12, 150
	for _, delivery := range []string{"at-least-once", "exactly-once"} {
		t.Run(delivery, func(t *testing.T) {
			c := processortest.New(t, kfake.SeedTopics(partitions, "cloudtrail"), kfake.SeedTopics(2, "cloudtrail-alerts", "cloudtrail-dead-letters"))
			records := noisyEvents(partitions, 30_000)
			for i, r := range records {
				if i%100 > 0 {
					r.Value = bytes.Replace(r.Value, []byte(`"readOnly":false`), []byte(`"readOnly":true`), 1)
				}
			}
			c.Produce(records...)
			r := startRun(t, strings.Join(c.ListenAddrs(), ","), "--delivery="+delivery, "--group=backlog", "--instance-id=one")
			r.eventually("all is done", func() bool { return r.metric("regionwatch_records_done_total") == len(records) })
			if alerts := r.metric("regionwatch_alerts_acked_total"); alerts != len(records)/100 {
				t.Errorf("%d alerts, want %d", alerts, len(records)/100)
			}
			t.Logf("peak %d MiB", r.peak()/mib)
			if peak := r.peak(); peak > limit*mib {
				t.Errorf("the peak is %d MiB, want at most %d", peak/mib, limit)
			}
		})
	}
}

// noisyEvents returns that many matching events for each partition, half of whose bytes compress to nothing less.
func noisyEvents(partitions int32, each int) (records []*kgo.Record) {
	noise := make([]byte, 300)
	for p := range partitions {
		for range each {
			_, _ = rand.Read(noise) // never fails
			event := matching[:len(matching)-1] + `,"requestParameters":"` + hex.EncodeToString(noise) + `"}`
			records = append(records, &kgo.Record{Topic: "cloudtrail", Partition: p, Value: []byte(event)})
		}
	}
	return records
}
