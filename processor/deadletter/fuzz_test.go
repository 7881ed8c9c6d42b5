package deadletter

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// FuzzParse: whatever is in the dead-letter topic, it is read without a panic, and a letter of it can be replayed.
func FuzzParse(f *testing.F) {
	whole := &Encoder{Topic: "dead"}
	whole.Begin(&kgo.Record{
		Topic: "in", Partition: 1, Offset: 2, Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 500),
		Headers: []kgo.RecordHeader{header("h", string(bytes.Repeat([]byte("h"), 400)))},
	})
	for _, room := range []int{1 << 20, 1 << 10} {
		for _, r := range whole.Encode(&Fault{Reason: "syntax", Index: -1, Offset: -1}).Records(room) {
			f.Add(joinHeaders(r.Headers), r.Value)
		}
	}
	f.Add([]byte(MarkerHeader+"\x001\x00"), []byte(`{"to":"input","records":[{"topic":"t","offsets":[1]}]}`))
	f.Fuzz(func(t *testing.T, headers, value []byte) {
		r := &kgo.Record{Topic: "dead", Value: value}
		parts := bytes.Split(headers, []byte{0})
		for i := 0; i+1 < len(parts); i += 2 {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: string(parts[i]), Value: parts[i+1]})
		}
		l, err := Parse(r)
		if m, markerErr := ParseMarker(r); markerErr == nil && l != nil {
			m.Marks(l)
		}
		if err != nil {
			return
		}
		var a Assembler
		for range 3 { // the same part again and again
			part := *l
			if whole := a.Add(&part); whole != nil {
				if n := Replays(whole.Replayed().Headers); n != whole.Replays+1 && whole.Replays < MaxReplays {
					t.Errorf("replay %d after %d", n, whole.Replays)
				}
				whole.FirstOrigin()
			}
		}
		a.Finish()
	})
}

func joinHeaders(headers []kgo.RecordHeader) (joined []byte) {
	for _, h := range headers {
		joined = append(append(append(append(joined, h.Key...), 0), h.Value...), 0)
	}
	return joined
}
