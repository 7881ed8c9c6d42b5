package cloudtrail

import (
	"strings"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
)

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
	ShapeWrapped           // an object or array that we have no name for
	ShapePrefixed          // text before an object on a line
	ShapeGlue              // Glue Schema Registry header
	ShapeField             // the one field of an Avro or Protobuf record
	shapeCount
)

// ShapeCount is the number of shapes, for arrays indexed by Shape.
const ShapeCount = int(shapeCount)

var shapeNames = [shapeCount]string{
	"none", "event", "records", "array", "ndjson", "gzip", "zstd", "zlib", "snappy", "lz4", "base64",
	"eventbridge", "cloudwatch-logs", "sns", "sqs", "kinesis", "firehose", "lookup-events", "shipper",
	"kafka-connect", "confluent", "string", "wrapped", "prefixed", "glue", "binary-field",
}

// String returns the shape's name as it stands in alerts, dead letters and metrics.
func (s Shape) String() string {
	if int(s) < len(shapeNames) {
		return shapeNames[s]
	}
	return "none"
}

// MaxNesting is how many layers are opened, one in the other, before a record counts as too nested: strings, base64,
// compression and headers. Objects and arrays nest without limit.
const MaxNesting = layer.MaxNesting

// maxChain is how many shapes a chain holds.
const maxChain = 15

// Chain is the layers around an event, the outermost first. The zero value is an empty chain.
type Chain struct {
	layers [maxChain]Shape
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

// names tell as what the events in the value of a key are counted. They are names only: what is found is the same without
// them. The pages that describe the envelopes:
//
//   - log file: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
//   - EventBridge: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html
//   - CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
//   - SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
//   - SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
//   - Kinesis: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
//   - Firehose: https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
//   - LookupEvents: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
//   - shippers: https://www.elastic.co/guide/en/ecs/current/ecs-base.html, https://vector.dev/docs/architecture/data-model/log/,
//     https://docs.fluentbit.io/manual/pipeline/filters/kubernetes
//   - Kafka Connect: https://kafka.apache.org/documentation/#connect_developing
var names = map[string]Shape{
	"Records": ShapeRecords, "detail": ShapeEventBridge, "logEvents": ShapeLogs, "awslogs": ShapeLogs,
	"Message": ShapeSNS, "Sns": ShapeSNS, "body": ShapeSQS, "Body": ShapeSQS, "Messages": ShapeSQS, "kinesis": ShapeKinesis,
	"records": ShapeFirehose, "CloudTrailEvent": ShapeLookup, "Events": ShapeLookup, "message": ShapeShipper, "log": ShapeShipper,
	"event": ShapeShipper, "event.original": ShapeShipper, "json": ShapeShipper, "payload": ShapeConnect,
}

// shapeOf returns as what the events are counted that stand in the value of a key, which starts with c.
func shapeOf(key Value, c byte) Shape {
	shape := names[string(key[1:len(key)-1])]
	switch {
	case (shape == ShapeRecords || shape == ShapeFirehose) && c != '[', shape == ShapeSQS && c != '"' && c != '[':
		return ShapeNone
	}
	return shape
}
