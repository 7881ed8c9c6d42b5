package output

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"log/slog"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/detection"
	"github.com/regionwatch/regionwatch/processor/retry"
	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// script is a client that answers each record with the next error, and nil after the last.
type script struct {
	errs     []error
	produced []*kgo.Record
}

func (s *script) produce(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	s.produced = append(s.produced, r)
	if len(s.produced) <= len(s.errs) {
		promise(r, s.errs[len(s.produced)-1])
		return
	}
	promise(r, nil)
}

// What fails is tried again if time or size can help, and is reported otherwise; a topic that has changed makes the topics be looked at.
//
// Guards: the cases of again and of alone.
func TestAgain(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped")
	f := func(name string, errs []error, stop, want error, produced, looks int, redelivered uint64) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outputs, client, asked := testOutputs(t), &script{errs: errs}, 0
				outputs.o.LookSoon = func() { asked++ }
				out := outputs.Open(t.Context(), client.produce, func() error { return stop })
				out.send(&kgo.Record{Topic: "alerts", Value: []byte("x")}, nil)
				if err := out.Flush(); !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Errorf("%v, want %v", err, want)
				}
				if n := outputs.o.Tally.Snapshot().Redelivered; len(client.produced) != produced || asked != looks || n != redelivered {
					t.Errorf("%d produced, %d looks, %d redelivered, want %d, %d and %d", len(client.produced), asked, n, produced, looks, redelivered)
				}
			})
		})
	}
	f("passes", nil, nil, nil, 1, 0, 0)
	f("timed out", []error{kgo.ErrRecordTimeout, kgo.ErrRecordRetries}, nil, nil, 3, 0, 2)
	f("a deleted topic", []error{kerr.UnknownTopicOrPartition, kerr.UnknownTopicOrPartition}, nil, nil, 3, 2, 2)
	f("created again", []error{kerr.UnknownTopicID}, nil, retry.ErrRenew, 1, 1, 0)
	f("refused", []error{kerr.TopicAuthorizationFailed}, nil, kerr.TopicAuthorizationFailed, 1, 0, 0)
	f("stopped", []error{kgo.ErrRecordTimeout}, stopped, stopped, 1, 0, 0)
	f("too large beside others", []error{kerr.MessageTooLarge}, nil, nil, 2, 0, 0)
	f("too large, then timed out", []error{kerr.MessageTooLarge, kgo.ErrRecordTimeout}, nil, nil, 3, 0, 1)
	f("too large, then refused", []error{kerr.MessageTooLarge, kerr.TopicAuthorizationFailed}, nil, kerr.TopicAuthorizationFailed, 2, 0, 0)
}

// A topic that is missing is waited for with a backoff that grows: the second wait is longer than the first.
//
// Guard: rounds in Flush and in alone.
func TestBackoffGrows(t *testing.T) {
	t.Parallel()
	for name, first := range map[string][]error{"flush": nil, "alone": {kerr.MessageTooLarge}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &script{errs: append(first, kerr.UnknownTopicOrPartition, kerr.UnknownTopicOrPartition)}
				outputs, log := testOutputs(t), new(strings.Builder)
				outputs.o.Log = slog.New(slog.NewTextHandler(log, nil))
				out := outputs.Open(t.Context(), client.produce, func() error { return nil })
				out.send(&kgo.Record{Topic: "alerts", Value: []byte("x")}, nil)
				began := time.Now()
				if err := out.Flush(); err != nil || time.Since(began) != 300*time.Millisecond {
					t.Errorf("%v after %v, want nil after 100 and 200 ms", err, time.Since(began))
				}
				if told := strings.Count(log.String(), "trying again"); first == nil && told != 2 {
					t.Errorf("told %d times, want twice", told)
				}
			})
		})
	}
}

// Output topics are named once.
func TestTopicNames(t *testing.T) {
	for _, test := range []struct {
		topics Topics
		want   []string
	}{
		{Topics{Alerts: "b", DeadLetters: "a"}, []string{"a", "b"}},
		{Topics{Alerts: "b", DeadLetters: "a", Shadow: "b", Exempted: "c"}, []string{"a", "b", "c"}},
	} {
		if got := test.topics.Names(); !slices.Equal(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	all := Topics{Alerts: "a", DeadLetters: "d", Shadow: "s", Exempted: "e"}
	if all.kindOf("a") != kindAlert || all.kindOf("d") != kindDeadLetter || all.kindOf("s") != kindUnpublished || all.kindOf("e") != kindUnpublished {
		t.Error("a topic is of another kind")
	}
	for want, a := range map[string]alert.Policy{"a": {}, "s": {Mode: alert.ModeShadow}, "e": {Mode: alert.ModeShadow, Exception: &alert.Exception{}}} {
		if got := all.of(&alert.Alert{Policy: a}); got != want {
			t.Errorf("topic %q, want %q", got, want)
		}
	}
}

// What the brokers say is a limit, within what is credible and what is set.
func TestLimits(t *testing.T) {
	for said, want := range map[string]int{
		"": 1 << 20, "x": 1 << 20, "0": 1 << 20, "-5": 1 << 20, "1": MinRecordBytes, strconv.Itoa(MinRecordBytes - 1): MinRecordBytes, "50000": 50_000,
		"1048577": 1 << 20,
	} {
		l := NewLimits(1 << 20)
		l.learn("alerts", said)
		l.learn("others", "20000")
		if got := l.Batch("alerts"); got != want || l.BatchBytes("alerts") != int32(want) || l.Batch("others") != 20_000 {
			t.Errorf("%q: %d, want %d", said, got, want)
		}
	}
	l := NewLimits(MinRecordBytes * 20)
	for _, want := range []int{MinRecordBytes * 5, MinRecordBytes * 5 / 4, MinRecordBytes} {
		if could := l.Quarter("alerts"); !could || l.Batch("alerts") != want {
			t.Errorf("a quarter is %d (%t), want %d", l.Batch("alerts"), could, want)
		}
	}
	if l.Quarter("alerts") || l.Batch("alerts") != MinRecordBytes {
		t.Errorf("the smallest limit became %d", l.Batch("alerts"))
	}
}

// A limit is lowered to half of what was rejected, but not because of a record that was made before it was lowered.
func TestLower(t *testing.T) {
	r := &kgo.Record{Topic: "alerts", Value: noise(100_000)}
	size := deadletter.Size(r)
	for limit, want := range map[int]int{size - 1: size - 1, size: size / 2, size * 2: size / 2} {
		l := NewLimits(1 << 20)
		l.learn("alerts", strconv.Itoa(limit))
		if !l.lower(r) || l.Batch("alerts") != want {
			t.Errorf("of a limit of %d became %d, want %d", limit, l.Batch("alerts"), want)
		}
	}
	small := &kgo.Record{Topic: "alerts", Value: []byte("x")}
	l := NewLimits(1 << 20)
	if !l.lower(small) || l.Batch("alerts") != MinRecordBytes || l.lower(small) {
		t.Errorf("a small record leaves %d", l.Batch("alerts"))
	}
}

// Findings without a time, or in shadow mode, have no delay.
func TestFindingsWithoutTime(t *testing.T) {
	var s findings
	at := time.Unix(100, 0)
	s.add(&finding{findingLabels{"default", "alerted"}, "event", time.Time{}})
	s.add(&finding{findingLabels{"default", "shadowed"}, "event", at})
	s.add(&finding{findingLabels{"default", "alerted"}, "sqs", at})
	var other findings
	other.add(&finding{findingLabels{"default", "alerted"}, "sns", at})
	s.merge(&other)
	if want := map[findingLabels]uint64{{"default", "alerted"}: 3, {"default", "shadowed"}: 1}; !maps.Equal(s.counts, want) || len(s.alerts) != 2 {
		t.Errorf("%v, %d with a delay", s.counts, len(s.alerts))
	}
}

// What several workers got acknowledged adds up, and is shown.
func TestAckedAdds(t *testing.T) {
	outputs := testOutputs(t)
	var alerts []string
	var letters []int64
	outputs.o.OnAlert = func(encoded []byte) { alerts = append(alerts, string(encoded)) }
	outputs.o.OnDeadLetter = func(d DeadLetter) { letters = append(letters, d.Offset) }
	var sum, one Acked
	one.alerts, one.deadLetters, one.unpublished = 1, 2, 3
	one.findings.add(&finding{findingLabels{"default", "alerted"}, "event", time.Unix(100, 0)})
	one.addAlert([]byte("a"))
	one.addDeadLetter(DeadLetter{Offset: 7})
	sum.Add(&one)
	sum.Add(&one)
	outputs.Delivered(sum)
	if got := outputs.o.Tally.Snapshot(); got.AlertsAcked != 2 || got.DeadLettersAcked != 4 || got.UnpublishedAcked != 6 || sum.findings.counts[findingLabels{"default", "alerted"}] != 2 {
		t.Errorf("%+v", sum)
	}
	if !slices.Equal(alerts, []string{"a", "a"}) || !slices.Equal(letters, []int64{7, 7}) {
		t.Errorf("shown: %q, %v", alerts, letters)
	}
}

// Each record is counted by its topic, alerts are kept to be shown, and letters only if everything was acknowledged.
func TestTake(t *testing.T) {
	outputs, client := testOutputs(t), new(script)
	outputs.o.Shadow = "shadow"
	outputs.o.OnAlert, outputs.o.OnDeadLetter = func([]byte) {}, func(DeadLetter) {}
	out := outputs.Open(t.Context(), client.produce, func() error { return nil })
	fill := func() {
		t.Helper()
		out.Begin(&kgo.Record{Topic: "cloudtrail", Partition: 2, Offset: 7, Value: []byte("x")})
		shadowed := alert.Policy{Level: "default", Mode: alert.ModeShadow}
		for _, p := range []alert.Policy{{Level: "default"}, shadowed, shadowed} {
			if err := out.Alert(&alert.Alert{ID: "a", Policy: p}); err != nil {
				t.Fatal(err)
			}
		}
		fault := cloudtrail.Fault{Reason: cloudtrail.ReasonSyntax, Err: errors.New("byte 0: bad"), Index: 4}
		if err := out.DeadLetter(&detection.DeadLetter{Fault: fault, Count: 3, Alerted: 1}); err != nil {
			t.Fatal(err)
		}
	}
	letter := DeadLetter{Topic: "cloudtrail", Partition: 2, Offset: 7, Index: 4, Reason: "syntax", Error: "byte 0: bad", Alerted: 1, Count: 3}
	for _, all := range []bool{true, false} {
		fill()
		got := out.Take(all)
		if got.alerts != 1 || got.unpublished != 2 || got.deadLetters != 1 || len(got.seen.alerts) != 1 || len(got.findings.counts) != 2 {
			t.Errorf("%+v", got)
		}
		if want := []DeadLetter{letter}; all && !reflect.DeepEqual(got.letters, want) || !all && len(got.letters) > 0 {
			t.Errorf("letters %+v, want %+v", got.letters, want)
		}
	}
	if got := out.Take(true); got.alerts+got.deadLetters+got.unpublished != 0 || len(got.letters) > 0 {
		t.Errorf("taken twice: %+v", got)
	}
}

// The age of what is not acknowledged is that of the oldest worker that is still at work.
func TestUnacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outputs := testOutputs(t)
		never := func(context.Context, *kgo.Record, func(*kgo.Record, error)) {}
		one, two := outputs.Open(t.Context(), never, nil), outputs.Open(t.Context(), never, nil)
		one.send(&kgo.Record{}, nil)
		time.Sleep(time.Minute)
		two.send(&kgo.Record{}, nil)
		time.Sleep(time.Second)
		if got := outputs.Unacked(); got != time.Minute+time.Second {
			t.Errorf("%v", got)
		}
		one.Close()
		if got := outputs.Unacked(); got != time.Second {
			t.Errorf("%v when one has ended", got)
		}
	})
}

// A record that makes very many alerts asks from time to time whether to go on, and starts anew with the next record.
func TestAlertsStop(t *testing.T) {
	asked, client := 0, new(script)
	out := testOutputs(t).Open(t.Context(), client.produce, func() error { asked++; return nil })
	for _, want := range []int{1, 1, 2} {
		out.Begin(&kgo.Record{})
		n := stopEvery
		if want == 1 && asked == 1 {
			n-- // one short of it
		}
		for range n {
			if err := out.Alert(&alert.Alert{}); err != nil {
				t.Fatal(err)
			}
		}
		if asked != want {
			t.Errorf("asked %d times, want %d", asked, want)
		}
	}
}

// A batch that cannot be opened becomes a letter with the batch in it, unless that is too large.
func TestSetBatchAside(t *testing.T) {
	for extra, want := range map[int]string{0: deadletter.HoldsBatch, 1: deadletter.HoldsSource} {
		outputs, client := testOutputs(t), new(script)
		out := outputs.Open(t.Context(), client.produce, func() error { return nil })
		raw := rawBatch(maxBatchLetter + extra)
		d, err := decompress.New(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		standIn, err := d.Decompress(raw[61:], kgo.CodecGzip)
		if err != nil {
			t.Fatal(err)
		}
		b := d.Batch(&kgo.Record{Value: standIn[len(standIn)-17 : len(standIn)-1]})
		out.SetBatchAside(&kgo.Record{Topic: "cloudtrail", Partition: 3}, b, &deadletter.Fault{Reason: "batch-too-large", Index: -1})
		l, err := deadletter.Parse(client.produced[0])
		if err != nil || l.Holds != want || l.Origin.Partition != 3 || l.Origin.Offset != 40 || l.LastOffset != 45 {
			t.Errorf("%+v, %v, want it to hold %q", l, err, want)
		}
	}
}

// rawBatch returns a batch of n bytes that no codec unpacks.
func rawBatch(n int) []byte {
	raw := make([]byte, n)
	be := binary.BigEndian
	be.PutUint64(raw, 40)
	be.PutUint32(raw[8:], uint32(n-12))
	raw[16] = 2
	be.PutUint32(raw[23:], 5)
	be.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// A letter in flight has a copy of its record, and the record's trace. Nothing keeps the copy once the next record begins.
//
// Guards: the copy in SetAside, the context in sendLetter, and what Begin releases.
func TestLetterIsItsOwn(t *testing.T) {
	type key struct{}
	client := new(script)
	out := testOutputs(t).Open(t.Context(), client.produce, nil)
	r := &kgo.Record{Topic: "cloudtrail", Value: []byte("value"), Context: context.WithValue(t.Context(), key{}, "trace")}
	out.Begin(r)
	out.SetAside(&deadletter.Fault{Reason: "syntax", Index: -1})
	r.Value[0] = 'X'
	l, err := deadletter.Parse(client.produced[0])
	if trace := client.produced[0].Context.Value(key{}); err != nil || string(l.Value) != "value" || trace != "trace" {
		t.Errorf("%+v, %v, of trace %v", l, err, trace)
	}
	if trace := traceOf(context.WithValue(t.Context(), key{}, "own"), r).Value(key{}); trace != "own" {
		t.Errorf("the record's trace hides the worker's own values: %v", trace)
	}
	copied := weak.Make(out.copied)
	client.produced = nil
	out.Begin(nil)
	if runtime.GC(); copied.Value() != nil {
		t.Error("the copy is kept")
	}
	runtime.KeepAlive(out)
	if d := newDeadLetter(r, new(deadletter.Fault)); d.Count != 1 {
		t.Errorf("a letter without a count stands for %d faults", d.Count)
	}
	for _, r := range []*kgo.Record{nil, {}} {
		if got := traceOf(t.Context(), r); got != t.Context() {
			t.Errorf("without a trace the context is %v", got)
		}
	}
}

// A record in a letter is a copy, unless it is large.
func TestCopyRecord(t *testing.T) {
	r := &kgo.Record{Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("x")}}, Offset: 7}
	c := CopyRecord(r)
	r.Key[0], r.Value[0], r.Headers[0].Value[0], r.Headers[0].Key = 'X', 'X', 'X', "X"
	if string(c.Key) != "k" || string(c.Value) != "v" || c.Headers[0].Key != "h" || string(c.Headers[0].Value) != "x" || c.Offset != 7 {
		t.Errorf("%+v", c)
	}
}

// Headers that do not fit are counted once for each record, not for each of its alerts.
func TestHeadersOmitted(t *testing.T) {
	outputs, client := testOutputs(t), new(script)
	outputs.o.CopyHeaders = []string{"large", "small"}
	out := outputs.Open(t.Context(), client.produce, func() error { return nil })
	out.Begin(&kgo.Record{Headers: []kgo.RecordHeader{{Key: "large", Value: noise(maxCarriedBytes)}, {Key: "small", Value: []byte("x")}}})
	for range 2 {
		if err := out.Alert(&alert.Alert{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := outputs.o.Tally.Snapshot().HeadersOmitted; n != 1 {
		t.Errorf("%d headers left out, want 1", n)
	}
	for _, r := range client.produced {
		if last := r.Headers[len(r.Headers)-1]; last.Key != "small" {
			t.Errorf("headers %v", r.Headers)
		}
	}
	for i, want := range []string{HeaderPolicyHash, "small"} {
		out.Begin(&kgo.Record{Headers: []kgo.RecordHeader{{Key: "small", Value: []byte("y")}}[:i]})
		if err := out.Alert(&alert.Alert{}); err != nil {
			t.Fatal(err)
		}
		if headers := client.produced[2+i].Headers; headers[len(headers)-1].Key != want {
			t.Errorf("the next record's alert has %v, want %q last", headers, want)
		}
	}
}
