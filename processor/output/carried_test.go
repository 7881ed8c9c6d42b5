package output

import (
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/alert"
)

func carryHeader(key, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(value)}
}

// An alert takes the first header of each chosen name, whole or not at all.
func TestCarry(t *testing.T) {
	t.Parallel()
	f := func(names, headers []string, want string, omitted int) {
		t.Helper()
		r := new(kgo.Record)
		for _, h := range headers {
			key, value, _ := strings.Cut(h, "=")
			r.Headers = append(r.Headers, carryHeader(key, value))
		}
		carried, n := Carry(names, r)
		var got []string
		for _, h := range carried {
			got = append(got, h.Key+"="+string(h.Value))
		}
		if strings.Join(got, " ") != want || n != omitted {
			t.Errorf("%.100q, %d omitted; want %.100q, %d omitted", got, n, want, omitted)
		}
	}
	f([]string{"a", "b"}, nil, "", 0)
	f([]string{"a", "b"}, []string{"b=2", "x=3", "a=1"}, "a=1 b=2", 0)
	f([]string{"a"}, []string{"A=upper", "a=first", "a=second"}, "a=first", 0)
	f(nil, []string{"a=1"}, "", 0)
	if maxCarriedBytes != 4096 {
		t.Error("docs/alerts.md and docs/settings.md say 4 KiB")
	}
	fits, tooLarge := strings.Repeat("x", maxCarriedBytes-1), strings.Repeat("x", maxCarriedBytes)
	f([]string{"a"}, []string{"a=" + fits}, "a="+fits, 0)
	f([]string{"a", "b"}, []string{"a=" + tooLarge, "b=2"}, "b=2", 1)
	f([]string{"a", "b"}, []string{"a=" + fits, "b=2"}, "a="+fits, 1)
}

func TestCheckCarried(t *testing.T) {
	t.Parallel()
	f := func(ok bool, names ...string) {
		t.Helper()
		if err := CheckCarried(names); (err == nil) != ok {
			t.Errorf("%q: %v", names, err)
		}
	}
	f(true)
	f(true, strings.Split(strings.Repeat("x ", MaxCarriedNames-1)+"x", " ")...)
	f(false, strings.Split(strings.Repeat("x ", MaxCarriedNames)+"x", " ")...)
	f(false, "")
	f(false, "traceparent", HeaderPolicyHash)
}

// The largest headers that are carried over leave an alert its place in a topic with the smallest limit, and an alert that
// is tried again keeps them, its finding and its trace.
//
// Guards: the headers in AlertRecord and in Limits.value; the context in reproducible.
func TestCarriedFits(t *testing.T) {
	t.Parallel()
	for _, format := range []alert.Format{alert.Native, alert.OCSF} {
		outputs := testOutputs(t)
		outputs.o.Format, outputs.o.CopyHeaders = format, []string{"a", "b", "c"}
		outputs.limits.learn("alerts", "1")
		type key struct{}
		tries := 0
		out := outputs.Open(t.Context(), func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
			if tries++; tries == 1 {
				promise(r, kgo.ErrRecordTimeout)
				return
			}
			if size := deadletter.Size(r); size > MinRecordBytes {
				t.Errorf("%v: a record of %d bytes", format, size)
			}
			if n := len(r.Headers); n != len(ownHeaders)+2 || r.Headers[n-1].Key != "c" {
				t.Errorf("%v: headers %.300v", format, r.Headers)
			}
			if r.Context.Value(key{}) != "trace" || findingOf(r) == nil {
				t.Errorf("%v: an alert that is tried again has lost its context", format)
			}
			promise(r, kerr.ErrorForCode(0))
		}, func() error { return nil })
		source := &kgo.Record{Context: context.WithValue(context.Background(), key{}, "trace")}
		for range 1000 {
			source.Headers = append(source.Headers, carryHeader("a", strings.Repeat("x", maxCarriedBytes-2)))
		}
		source.Headers = append(source.Headers, carryHeader("b", "xx"), carryHeader("c", ""))
		out.Begin(source)
		a := alert.Alert{ID: "1", RecipientAccountID: []byte(`"` + strings.Repeat("1", 200) + `"`), UserAgent: []byte(`"` + strings.Repeat("u", 60_000) + `"`)}
		if err := out.Alert(&a); err != nil {
			t.Fatal(err)
		}
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := outputs.o.Tally.Snapshot().HeadersOmitted; got != 1 {
			t.Errorf("%v: %d headers counted as omitted, want 1", format, got)
		}
		if tries != 2 {
			t.Errorf("%v: produced %d times, want twice", format, tries)
		}
	}
}
