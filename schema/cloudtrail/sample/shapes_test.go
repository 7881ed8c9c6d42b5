package sample

import (
	"slices"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

func TestParseShapeSuccess(t *testing.T) {
	f := func(text string) {
		t.Helper()
		chain, err := ParseShape(text)
		if err != nil || FormatShape(chain) != text {
			t.Errorf("%s: got %s, %v", text, FormatShape(chain), err)
		}
	}
	f("event")
	f("records")
	f("array")
	f("ndjson")
	f("gzip+event")
	f("gzip+gzip+records")
	f("gzip")
	f("sqs+sns+records")
	f(strings.Repeat("gzip+", 8) + "event")
}

func TestParseShapeCompletes(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		chain, err := ParseShape(text)
		if err != nil || FormatShape(chain) != want {
			t.Errorf("%s: got %s, %v", text, FormatShape(chain), err)
		}
	}
	f("kinesis", "kinesis+base64")
	f("firehose+gzip+records", "firehose+base64+gzip+records")
	f("firehose+base64+event", "firehose+base64+event")
	f("sqs+zstd", "sqs+base64+zstd")
	f("lambda-kinesis+event", "records+kinesis+base64+event")
	f("gzip+lambda-logs", "gzip+cloudwatch-logs+base64+gzip+cloudwatch-logs")
}

func TestParseShapeFailure(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := ParseShape(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
	f("", `"" is not one of array, base64, binary-field, cloudwatch-logs,`)
	f("xml", `"xml" is not one of`)
	f("event+records", "event must be the innermost")
	f("records+gzip", "gzip cannot be directly in records")
	f("array+ndjson", "ndjson cannot be directly in array")
	f("prefixed+gzip", "gzip cannot be directly in prefixed")
	f("prefixed+array", "array cannot be directly in prefixed")
	f("records+prefixed", "prefixed cannot be directly in records")
	f("ndjson+gzip", "gzip cannot be directly in ndjson")
	f("confluent+gzip", "gzip cannot be directly in confluent")
	f("string+string", "string cannot be directly in string")
	f(strings.Repeat("gzip+", 9)+"event", "more than 8 layers")
	f(strings.Repeat("sqs+", 6)+"kinesis+gzip+event", "more than 8 layers")
}

// A shape is binary by its outermost layer. All names are known, those of Lambda's too.
func TestShapeNames(t *testing.T) {
	for text, want := range map[string]bool{"event": false, "gzip": true, "records": false, "base64+gzip": false, "confluent": true} {
		if IsBinary(mustShape(t, text)) != want {
			t.Errorf("%s is binary: %t", text, !want)
		}
	}
	if IsBinary(cloudtrail.Chain{}) {
		t.Error("no shape is binary")
	}
	names := ShapeNames()
	for _, name := range []string{"event", "gzip", "lambda-sqs", "wrapped"} {
		if !slices.Contains(names, name) || !slices.IsSorted(names) {
			t.Errorf("%s is not in %q", name, names)
		}
	}
}
