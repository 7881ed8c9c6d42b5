package detection

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// benchEventsName is the variable that names a file of events, one per line, plain or gzip, to measure on.
// Without it generated events are measured.
const benchEventsName = "REGIONWATCH_BENCH_EVENTS"

// benchEvents returns the events to measure on and how many bytes they have.
func benchEvents(b *testing.B) (events [][]byte, size int) {
	b.Helper()
	if name := os.Getenv(benchEventsName); name != "" {
		events = readEvents(b, name)
	} else {
		events = generateEvents(b)
	}
	for _, event := range events {
		size += len(event)
	}
	return events, size
}

// generateEvents makes events that do not match.
func generateEvents(b *testing.B) (events [][]byte) {
	b.Helper()
	g, err := sample.New(sample.Options{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	for range 2000 {
		events = append(events, bytes.Clone(g.Next().Value))
	}
	return events
}

// readEvents reads the lines of the file.
func readEvents(b *testing.B, name string) (events [][]byte) {
	b.Helper()
	file, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			b.Fatal(err)
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, cloudtrail.DefaultMaxBytes)
	for lines.Scan() {
		events = append(events, bytes.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil || len(events) == 0 {
		b.Fatalf("reading events: %d in %s: %v", len(events), name, err)
	}
	return events
}

// ignored is a sink for decoding alone.
type ignored struct{}

func (ignored) Event(*cloudtrail.Event) error          { return nil }
func (ignored) Skip(cloudtrail.Kind, cloudtrail.Chain) {}
func (ignored) Fault(*cloudtrail.Fault) error          { return errSink }
