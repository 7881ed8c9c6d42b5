package cloudtrail

import (
	"strings"
	"testing"
)

// BenchmarkDecodeShapes measures the whole way from a record to its events beside reading the events alone.
func BenchmarkDecodeShapes(b *testing.B) {
	list := strings.Repeat(paris+"\n", 1000)
	records := `{"Records":[` + strings.Repeat(paris+",", 999) + paris + `]}`
	for _, c := range []struct{ name, record string }{
		{"event", paris}, {"ndjson", list}, {"records", records}, {"sns", sns(paris)}, {"logs", logs("DATA_MESSAGE", paris, paris, paris)},
		{"gzip", compress(records)}, {"zstd", zstdWithSize(records)}, {"base64", toBase64(records)},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, sink, value := NewDecoder(0), new(ignore), []byte(c.record)
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Decode(value, sink); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(sink.events), "ns/event")
		})
	}
	b.Run("events-alone", func(b *testing.B) {
		var s scanner
		var e Event
		value := []byte(paris)
		b.SetBytes(int64(len(value)))
		for b.Loop() {
			if _, err := s.decodeEvent(value, &e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
