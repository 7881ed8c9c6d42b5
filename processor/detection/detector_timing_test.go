package detection

import (
	"testing"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// encoder is a sink that encodes into a buffer that it uses again.
type encoder struct{ buf []byte }

func (e *encoder) Alert(a *alert.Alert) error {
	e.buf = alert.AppendJSON(e.buf[:0], a)
	return nil
}

func (e *encoder) DeadLetter(*DeadLetter) error { return nil }

// An event that does not match costs nothing, one that does the one string that holds its texts.
func TestDetectAllocations(t *testing.T) {
	f := func(name, value string, want float64) {
		t.Helper()
		d, p, r, sink := NewDetector(Options{}), defaultPolicy(t), record(value), &encoder{}
		got := testing.AllocsPerRun(100, func() {
			if err := d.Detect(p, r, sink); err != nil {
				t.Fatal(err)
			}
		})
		if got > want {
			t.Errorf("%s: %v allocations, want at most %v", name, got, want)
		}
	}
	f("used region", with(t, regionField, `"awsRegion":"us-east-1"`), 0)
	f("read-only", with(t, readOnlyField, `"readOnly":true`), 0)
	f("match", matching, 1)
	f("match by a user", eventBy(identities["IAMUser"]), 1)
}

func BenchmarkDetect(b *testing.B) {
	f := func(name, value string) {
		b.Run(name, func(b *testing.B) {
			d, p, r, sink := NewDetector(Options{}), defaultPolicy(b), record(value), &encoder{}
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			for b.Loop() {
				if err := d.Detect(p, r, sink); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	f("pass", seedEvent("us-east-1", "false"))
	f("alert", seedEvent("eu-central-1", "false"))
}
