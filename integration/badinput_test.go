package integration

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// memoryBound is the memory that no input may make a process exceed: the limit of one record after decompression is
// 64 MiB, and a record of 50 MB comes in copies through a client's buffers.
const memoryBound = 600 << 20

// badRecord is a record between two good ones, and its outcome.
type badRecord struct {
	name   string
	value  []byte
	reason string // of its dead letters; empty if it is counted and passed
	alerts int
}

func badRecords(t *testing.T) []badRecord {
	t.Helper()
	hit := event(eventID(900_000), "eu-central-1", false)
	change := func(old, replacement string) []byte {
		if !strings.Contains(hit, old) {
			t.Fatalf("the event has no %s", old)
		}
		return []byte(strings.Replace(hit, old, replacement, 1))
	}
	deep := strings.Repeat("[", 100_000)
	return []badRecord{
		{"tombstone", nil, "", 0},
		{"empty", []byte{}, "", 0},
		{"truncated before the decision", []byte(hit[:400]), "truncated", 0},
		{"truncated after the decision", []byte(hit[:len(hit)-20]), "truncated", 1},
		{"not JSON", []byte("hello, world"), "syntax", 0},
		{"JSON of another kind", []byte(`{"temperature":21.5}`), "unknown-shape", 0},
		{"number where a region belongs", change(`"eu-central-1"`, `17`), "", 0},
		{"object where readOnly belongs", change(`"readOnly":false`, `"readOnly":{"a":1}`), "", 0},
		{"array where an identity belongs", change(`"eventSource":"athena.amazonaws.com"`, `"eventSource":[1,2]`), "", 1},
		{"invalid UTF-8", change(`aws-cli/2.15.0`, "\xff\xfe\x80"), "", 1},
		{"lone surrogate", change(`aws-cli/2.15.0`, `\ud800`), "", 1},
		{"nested 100,000 deep", change(`"queryString":"***"`, `"queryString":`+deep+strings.Repeat("]", 100_000)), "", 1},
		{"nested 100,000 deep and never closed", change(`"queryString":"***"`, `"queryString":`+deep), "", 0}, // see below
		{"bytes after a whole event", []byte(hit + "}"), "trailing-bytes", 1},
		{"gzip that ends early", zip(t, hit)[:200], "truncated compression", 0},
		{"gzip bomb", bomb(t), "syntax too-large", 0},
	}
}

// bomb returns less than a megabyte that decompresses to 700.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 700 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestKafkaBadInput puts bad records of every kind between good ones in one partition. No neighbour may be
// lost, and each bad one must come to what the design says.
func TestKafkaBadInput(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 1)
		bad := badRecords(t)
		var records []*kgo.Record
		for n, b := range bad {
			records = append(records, &kgo.Record{Value: b.value}, &kgo.Record{Value: []byte(event(eventID(n), "eu-central-1", false))})
		}
		s.produce(t, records...)
		p := start(t, s.run("--delivery", delivery)...)
		s.settle(t, longest, p.ended)
		if peak := p.peakRSS(); runtime.GOOS == "linux" && (peak == 0 || peak > memoryBound) {
			t.Errorf("the process took %d MiB", peak>>20)
		}
		p.stop(t)

		alerts, reasons := map[int64]int{}, map[int64][]string{} // by offset of the record
		for _, r := range s.readAll(t, s.alerts) {
			alerts[alertOffset(t, r)]++
		}
		for _, r := range s.readAll(t, s.deadLetters) {
			offset, err := strconv.ParseInt(header(r, "dead-letter-offset"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			reasons[offset] = append(reasons[offset], header(r, "dead-letter-reason"))
			if !bytes.Equal(r.Value, records[offset].Value) {
				t.Errorf("the dead letter of offset %d is not as it came", offset)
			}
		}
		for n, b := range bad {
			at := int64(2 * n)
			if alerts[at+1] != 1 || reasons[at+1] != nil {
				t.Errorf("%s: its neighbour came to %d alerts and the dead letters %v", b.name, alerts[at+1], reasons[at+1])
			}
			if b.name == "nested 100,000 deep and never closed" { // salvaged or not, it may not be lost
				if alerts[at] > 1 || len(reasons[at]) != 1 {
					t.Errorf("%s: %d alerts, dead letters %v", b.name, alerts[at], reasons[at])
				}
				continue
			}
			want := strings.Fields(b.reason)
			if alerts[at] != b.alerts || !slices.Equal(reasons[at], want) {
				t.Errorf("%s: %d alerts and the dead letters %v, want %d and %v", b.name, alerts[at], reasons[at], b.alerts, want)
			}
		}
	})
}

// TestKafkaHugeRecord sends records of 50 MB: a log file that can be read, and damage. The damage comes
// back in parts that together are the record.
func TestKafkaHugeRecord(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newEmptyScene(t, broker, 1)
		large := strconv.Itoa(60 << 20)
		s.makeTopic(t, s.input, map[string]*string{"max.message.bytes": &large})
		s.makeTopic(t, s.alerts, nil)
		s.makeTopic(t, s.deadLetters, nil)
		var file bytes.Buffer
		file.WriteString(`{"Records":[`)
		events := 0
		for ; file.Len() < 50_000_000; events++ {
			if events > 0 {
				file.WriteByte(',')
			}
			region := "us-east-1"
			if events%1000 == 0 {
				region = "eu-west-3"
			}
			file.WriteString(event(eventID(events), region, false))
		}
		file.WriteString(`]}`)
		damage := []byte(`{"eventVersion":"1.08","userAgent":"` + incompressible(50_000_000))
		neighbour := func(n int) *kgo.Record {
			return &kgo.Record{Value: []byte(event(eventID(n), "eu-central-1", false))}
		}
		s.produce(t, neighbour(900_001), &kgo.Record{Value: file.Bytes()}, neighbour(900_002), &kgo.Record{Value: damage}, neighbour(900_003))
		p := start(t, s.run("--delivery", delivery)...)
		s.settle(t, longest, p.ended)
		if peak := p.peakRSS(); runtime.GOOS == "linux" && (peak == 0 || peak > memoryBound) {
			t.Errorf("the process took %d MiB", peak>>20)
		}
		p.stop(t)

		if got, want := len(s.readAll(t, s.alerts)), (events+999)/1000+3; got != want {
			t.Errorf("%d alerts, want %d", got, want)
		}
		var joined []byte
		for n, r := range s.readAll(t, s.deadLetters) {
			if header(r, "dead-letter-reason") != "truncated" || header(r, "dead-letter-part") != strconv.Itoa(n+1) {
				t.Errorf("part %d: headers %v", n, r.Headers)
			}
			joined = append(joined, r.Value...)
		}
		if !bytes.Equal(joined, damage) {
			t.Errorf("the parts of the dead letter are %d bytes together, not the %d that came", len(joined), len(damage))
		}
	})
}

// incompressible returns so many letters and digits in an order that no codec makes much of. It is the same each time: one text
// of sixty looks like base64 of something to open.
func incompressible(bytes int) string {
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text := make([]byte, bytes)
	for i := range text {
		text[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(text)
}
