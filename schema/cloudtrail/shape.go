package cloudtrail

import "strings"

// Shape is one layer in which events travel: an envelope, an encoding, or the bare event.
// The zero value is ShapeNone.
type Shape uint8

// The shapes, by name. More come in as they are read.
const (
	ShapeNone        Shape = iota
	ShapeEvent             // a single event
	ShapeRecords           // {"Records":[…]}, CloudTrail's log file
	ShapeArray             // […]
	ShapeNDJSON            // several top-level values
	ShapeGzip              // RFC 1952
	ShapeZstd              // RFC 8878
	ShapeZlib              // RFC 1950
	ShapeSnappy            // snappy framing format
	ShapeLZ4               // LZ4 frame format
	ShapeBase64            // RFC 4648, both alphabets
	ShapeEventBridge       // detail-type and detail
	ShapeLogs              // CloudWatch Logs subscription
	ShapeSNS               // SNS notification
	ShapeSQS               // SQS body
	ShapeKinesis           // Lambda's kinesis.data
	ShapeFirehose          // records[].data
	ShapeLookup            // LookupEvents' CloudTrailEvent
	ShapeShipper           // Filebeat, Fluent Bit, Logstash, Vector: message, log, event.original
	ShapeConnect           // Kafka Connect: payload
	ShapeConfluent         // zero byte and schema id
	ShapeString            // a JSON text within a JSON string, nothing around it
	shapeCount
)

// ShapeCount is the number of shapes, for arrays indexed by Shape.
const ShapeCount = int(shapeCount)

var shapeNames = [shapeCount]string{
	"none", "event", "records", "array", "ndjson", "gzip", "zstd", "zlib", "snappy", "lz4", "base64",
	"eventbridge", "cloudwatch-logs", "sns", "sqs", "kinesis", "firehose", "lookup-events", "shipper",
	"kafka-connect", "confluent", "string",
}

// String returns the shape's name as it stands in alerts, dead letters and metrics.
func (s Shape) String() string {
	if int(s) < len(shapeNames) {
		return shapeNames[s]
	}
	return "none"
}

// MaxNesting is how many layers are opened before a record counts as too nested.
const MaxNesting = 8

// Chain is the layers around an event, the outermost first. The zero value is an empty chain.
type Chain struct {
	layers [MaxNesting + 1]Shape // one more for the event itself
	n      uint8
}

// Push returns the chain with one more layer inside. A full chain stays as it is.
func (c Chain) Push(s Shape) Chain {
	if int(c.n) < len(c.layers) {
		c.layers[c.n] = s
		c.n++
	}
	return c
}

// Len returns the number of layers.
func (c Chain) Len() int { return int(c.n) }

// At returns layer i, 0 being the outermost.
func (c Chain) At(i int) Shape { return c.layers[i] }

// String returns the chain for people: "sqs > sns > records".
func (c Chain) String() string {
	var b strings.Builder
	for i := range int(c.n) {
		if i > 0 {
			b.WriteString(" > ")
		}
		b.WriteString(c.layers[i].String())
	}
	return b.String()
}
