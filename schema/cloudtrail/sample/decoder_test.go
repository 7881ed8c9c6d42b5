package sample

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// everyShape holds each layer that can be made, on its own and within others.
var everyShape = []string{
	"event", "records", "array", "ndjson", "gzip", "zstd", "zlib", "snappy", "lz4", "base64", "eventbridge",
	"cloudwatch-logs", "sns", "sqs", "kinesis", "firehose", "lookup-events", "shipper", "kafka-connect", "confluent", "string",
	"lambda-sqs", "lambda-sns", "lambda-kinesis", "lambda-logs",
	"gzip+records", "zstd+ndjson", "zlib+array", "snappy+records", "lz4+ndjson", "base64+gzip+event", "confluent+ndjson",
	"sns+records", "sqs+sns+records", "sqs+gzip+records", "lambda-sqs+sns+eventbridge", "lambda-sns+ndjson", "lambda-logs+eventbridge",
	"array+eventbridge", "ndjson+sqs+sns", "ndjson+records", "records+records", "array+array+sns", "ndjson+array+kafka-connect",
	"kinesis+gzip+cloudwatch-logs", "firehose+gzip+cloudwatch-logs", "kafka-connect+sns+records", "kafka-connect+base64+zstd+records",
	"shipper+kafka-connect+records", "shipper+lambda-sqs+sns+gzip+cloudwatch-logs", "string+sqs+sns", "sqs+string+records", "confluent+string+event",
	"eventbridge+eventbridge", "lookup-events+records", "cloudwatch-logs+eventbridge", "base64+base64+lz4+shipper+zstd+ndjson",
	"wrapped", "prefixed", "glue", "binary-field", "wrapped+sns+records", "kinesis+wrapped", "ndjson+prefixed", "sns+prefixed+event",
	"prefixed+wrapped+gzip+records", "glue+zlib+event", "confluent+binary-field+event", "binary-field+records", "base64+glue+array",
	"gzip+zstd+zlib+snappy+lz4+base64+sns+event", "eventbridge+base64+gzip+array",
}

// TestDecoderFindsTheTruth sends records of each shape through the decoder: it must find the very events
// that are in them, in the layers that were asked for, and the damage of the records that are damaged.
func TestDecoderFindsTheTruth(t *testing.T) {
	for _, shape := range append(slices.Clone(everyShape), "wrapped+records", "kafka-connect+ndjson", "eventbridge+prefixed") {
		t.Run(shape, func(t *testing.T) {
			chain := mustShape(t, shape)
			g := mustNew(t, Options{Seed: 11, MatchShare: 0.2, DamagedShare: 0.4, EventsPerRecord: 4, Shapes: []cloudtrail.Chain{chain}})
			compareWithDecoder(t, g, 300)
		})
	}
}

// TestDecoderFindsTheTruthOfAMixedTopic has all shapes side by side, read by one decoder.
func TestDecoderFindsTheTruthOfAMixedTopic(t *testing.T) {
	var chains []cloudtrail.Chain
	made := make(map[cloudtrail.Shape]bool)
	for _, shape := range everyShape {
		chain := mustShape(t, shape)
		chains = append(chains, chain)
		for i := range chain.Len() {
			made[chain.At(i)] = true
		}
	}
	for s := cloudtrail.ShapeEvent; int(s) < cloudtrail.ShapeCount; s++ {
		if !made[s] {
			t.Errorf("%s is not made", s)
		}
	}
	compareWithDecoder(t, mustNew(t, Options{Seed: 12, MatchShare: 0.2, DamagedShare: 0.2, Shapes: chains}), 4000)
}

// compareWithDecoder decodes records, compares each with what is said of it, and all with the truth.
func compareWithDecoder(t *testing.T, g *Generator, records int) {
	t.Helper()
	d := cloudtrail.NewDecoder(0)
	found := Truth{Regions: make(map[string]Tally)}
	for i := range records {
		r := g.Next()
		s := reader{}
		if err := d.Decode(r.Value, &s); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(factsOf(r.Events), s.facts()); diff != "" || s.faults > 0 != r.DeadLettered() || s.skips > 0 {
			t.Fatalf("record %d of %s (%v): %d faults, %d skips, %s\n%s", i, FormatShape(r.Shape), r.Damage, s.faults, s.skips, diff, r.Value)
		}
		for _, shape := range s.shapes {
			// A header of Confluent's is none before a number.
			if want := readAs(r.Shape); shape != want && r.Damage != DamageNotObject {
				t.Fatalf("record %d: read as %s, want %s", i, shape, want)
			}
		}
		r.Events = append(s.events, lostOf(r.Events)...)
		if s.invalid != (r.Damage == DamageUTF8) {
			t.Fatalf("record %d of %s (%v): invalid UTF-8 is %v", i, FormatShape(r.Shape), r.Damage, s.invalid)
		}
		found.Add(r)
	}
	if diff := cmp.Diff(g.Truth(), found); diff != "" || found.Partial == 0 || found.DeadLettered == 0 {
		t.Errorf("truth:\n%s", diff)
	}
}

// readAs returns the chain that the decoder names: the event itself goes without saying in anything.
func readAs(chain cloudtrail.Chain) string {
	text := chain.String()
	if text == "event" {
		return text
	}
	return strings.TrimSuffix(text, " > event")
}

func lostOf(events []Event) []Event {
	return slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return !e.Lost })
}

// reader is a sink that gathers what the decoder finds.
type reader struct {
	events        []Event
	shapes        []string
	faults, skips int
	invalid       bool
}

func (r *reader) Event(e *cloudtrail.Event) error {
	found := Event{Partial: e.Damage != nil, ReadOnly: Unknown}
	if e.EventID.IsString() {
		copy(found.ID[:], e.EventID[1:len(e.EventID)-1])
	}
	if e.AWSRegion.IsString() {
		found.Region = e.AWSRegion.Text()
	}
	switch strings.ToLower(strings.Trim(string(e.ReadOnly), `"`)) {
	case "false":
		found.ReadOnly = Write
	case "true":
		found.ReadOnly = Read
	}
	r.events = append(r.events, found)
	r.shapes = append(r.shapes, e.Shape.String())
	r.invalid = r.invalid || e.InvalidUTF8
	return nil
}

func (r *reader) Skip(cloudtrail.Kind, cloudtrail.Chain) { r.skips++ }

func (r *reader) Fault(*cloudtrail.Fault) error { r.faults++; return nil }

func (r *reader) facts() []fact { return factsOf(r.events) }

func TestShapesOfLambda(t *testing.T) {
	for alias := range aliases {
		g := mustNew(t, Options{Shapes: []cloudtrail.Chain{mustShape(t, alias)}})
		want := map[string]string{"lambda-sqs": `"eventSource":"aws:sqs"`, "lambda-sns": `"EventSource":"aws:sns"`,
			"lambda-kinesis": `"eventSource":"aws:kinesis"`, "lambda-logs": `{"awslogs":{"data":"`}[alias]
		if text := string(g.Next().Value); !strings.Contains(text, want) {
			t.Errorf("%s: %s is not in %s", alias, want, text)
		}
	}
}
