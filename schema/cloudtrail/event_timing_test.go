package cloudtrail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	segmentio "github.com/segmentio/encoding/json"
)

// benchEvents is the variable that names a file of events, one per line, plain or gzip, to measure with.
// Without it the sample events of the tests are measured.
const benchEvents = "REGIONWATCH_BENCH_EVENTS"

// decodedEvent has the fields of Event for decoders that fill structs.
type decodedEvent struct {
	EventVersion       string          `json:"eventVersion"`
	UserIdentity       json.RawMessage `json:"userIdentity"`
	EventTime          string          `json:"eventTime"`
	EventSource        string          `json:"eventSource"`
	EventName          string          `json:"eventName"`
	AWSRegion          string          `json:"awsRegion"`
	SourceIPAddress    string          `json:"sourceIPAddress"`
	UserAgent          string          `json:"userAgent"`
	ErrorCode          string          `json:"errorCode"`
	EventID            string          `json:"eventID"`
	ReadOnly           json.RawMessage `json:"readOnly"`
	EventType          string          `json:"eventType"`
	RecipientAccountID string          `json:"recipientAccountId"`
	EventCategory      string          `json:"eventCategory"`
}

// unused decides as the rule does, for a policy with one unused region that no measured event is in.
func (e *decodedEvent) unused() bool {
	return e.AWSRegion == "ap-east-1" && string(e.ReadOnly) == "false"
}

// BenchmarkDecode compares what it takes to decode and decide an event that does not match.
func BenchmarkDecode(b *testing.B) {
	events, size := readBenchEvents(b)
	run := func(name string, matches func(event []byte) (bool, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size / len(events)))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				match, err := matches(events[i])
				if match || err != nil {
					b.Fatal("want no match, got", match, err)
				}
				if i++; i == len(events) {
					i = 0
				}
			}
		})
	}
	var s scanner
	var event Event
	run("regionwatch", func(v []byte) (bool, error) {
		_, err := s.decodeEvent(v, &event)
		return event.AWSRegion.EqualString("ap-east-1") && string(event.ReadOnly) == "false", err
	})
	run("encoding-json", func(v []byte) (bool, error) {
		var e decodedEvent
		err := json.Unmarshal(v, &e)
		return e.unused(), err
	})
	run("segmentio-unmarshal", func(v []byte) (bool, error) {
		var e decodedEvent
		err := segmentio.Unmarshal(v, &e)
		return e.unused(), err
	})
	var tokens segmentio.Tokenizer
	run("segmentio-tokenizer", func(v []byte) (bool, error) {
		tokens.Reset(v)
		return tokenize(&tokens), tokens.Err
	})
	run("segmentio-valid", func(v []byte) (bool, error) { return !segmentio.Valid(v), nil })
}

// tokenize decides on the tokens of an event, without copying anything.
func tokenize(t *segmentio.Tokenizer) bool {
	var key, region, readOnly segmentio.RawValue
	for t.Next() {
		switch {
		case t.Depth != 1:
		case t.IsKey:
			key = t.Value
		case string(key) == `"awsRegion"`:
			region = t.Value
		case string(key) == `"readOnly"`:
			readOnly = t.Value
		}
	}
	return string(region) == `"ap-east-1"` && string(readOnly) == "false"
}

// readBenchEvents returns the events to measure on and how many bytes they have.
func readBenchEvents(b *testing.B) (events [][]byte, size int) {
	name := os.Getenv(benchEvents)
	var in io.Reader = strings.NewReader(strings.Join(sampleEvents(), "\n"))
	if name != "" {
		file, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		defer file.Close()
		in = file
		if strings.HasSuffix(name, ".gz") {
			if in, err = gzip.NewReader(file); err != nil {
				b.Fatal(err)
			}
		}
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, DefaultMaxBytes)
	for lines.Scan() {
		events = append(events, bytes.Clone(lines.Bytes()))
		size += len(lines.Bytes())
	}
	if err := lines.Err(); err != nil || len(events) == 0 {
		b.Fatal("reading events:", err)
	}
	return events, size
}
