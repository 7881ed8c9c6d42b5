package sample

import "github.com/regionwatch/regionwatch/schema/cloudtrail"

// form is how an envelope is written: the text around everything it holds, and around each part.
type form struct {
	head, before, after, tail template
	separator                 string
	several                   bool // can hold several parts
	quoted                    bool // holds texts, as JSON strings; else parts that are JSON values
}

// forms are the envelopes. If there are several forms, one is chosen at random. The decoder's files, envelope_*.go,
// link the pages that describe them.
var forms = map[cloudtrail.Shape][]form{
	cloudtrail.ShapeRecords: {{head: compile(`{"Records":[`), separator: ",", tail: compile("]}"), several: true}},
	cloudtrail.ShapeArray:   {{head: compile("["), separator: ",", tail: compile("]"), several: true}},
	cloudtrail.ShapeNDJSON:  {{separator: "\n", tail: compile("\n"), several: true}},
	cloudtrail.ShapeEventBridge: {
		around(`{"version":"0","id":"${uuid}","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"${account}",`+
			`"time":"${time}","region":"${region}","resources":[],"detail":`, "}"),
		around(`{"detail":`, "}"), // what an input transformer leaves
	},
	cloudtrail.ShapeLogs: {{
		head: compile(`{"messageType":"DATA_MESSAGE","owner":"${account}","logGroup":"CloudTrail/logs",` +
			`"logStream":"${account}_CloudTrail_${region}","subscriptionFilters":["regionwatch"],"logEvents":[`),
		before: compile(`{"id":"${number:1000000000}","timestamp":1793491200000,"message":`), after: compile("}"),
		separator: ",", tail: compile("]}"), several: true, quoted: true,
	}},
	cloudtrail.ShapeSNS: {quoting(snsHead, snsTail)},
	cloudtrail.ShapeSQS: {
		quoting(`{"MessageId":"${uuid}","ReceiptHandle":"${text:64}","MD5OfBody":"${hex:32}","Body":`, "}"),
		quoting(`{"Messages":[{"MessageId":"${uuid}","ReceiptHandle":"${text:64}","Body":`, "}]}"),
	},
	cloudtrail.ShapeKinesis: {quoting(kinesisHead, kinesisTail)},
	cloudtrail.ShapeFirehose: {{
		head:   compile(`{"requestId":"${uuid}","timestamp":1793491200000,"records":[`),
		before: compile(`{"data":`), after: compile("}"), separator: ",", tail: compile("]}"), several: true, quoted: true,
	}},
	cloudtrail.ShapeLookup: {{
		head: compile(`{"Events":[`),
		before: compile(`{"EventId":"${uuid}","EventName":"RunInstances","ReadOnly":"true","AccessKeyId":"AKIA${id:16}",` +
			`"EventSource":"ec2.amazonaws.com","Username":"example-user","Resources":[],"CloudTrailEvent":`),
		after: compile("}"), separator: ",", tail: compile(`],"NextToken":"${text:40}"}`), several: true, quoted: true,
	}},
	cloudtrail.ShapeShipper: {
		quoting(`{"@timestamp":"${time}","@metadata":{"beat":"filebeat","type":"_doc"},"log":{"file":{"path":"/var/log/trail.json"}},"message":`,
			`,"input":{"type":"aws-s3"}}`),
		quoting(`{"date":1793491200.000000,"log":`, `,"stream":"stdout"}`),
		quoting(`{"@timestamp":"${time}","event":{"kind":"event","dataset":"aws.cloudtrail","original":`, `},"tags":["forwarded"]}`),
		quoting(`{"@timestamp":"${time}","event.original":`, `,"event.dataset":"aws.cloudtrail"}`),
	},
	cloudtrail.ShapeConnect: {
		around(`{"schema":{"type":"struct","optional":false,"name":"cloudtrail"},"payload":`, "}"),
		quoting(`{"schema":{"type":"string","optional":false},"payload":`, "}"),
	},
	// Envelopes without a name.
	cloudtrail.ShapeWrapped: {
		quoting(`{"_time":1793491200.123,"_raw":`, `,"host":"example","sourcetype":"aws:cloudtrail","cribl_breaker":"CloudTrail"}`),
		quoting(`{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"example"}}]},"scopeLogs":`+
			`[{"logRecords":[{"timeUnixNano":"1793491200000000000","body":{"stringValue":`, `}}]}]}]}`),
		quoting(`{"subscription":"projects/example/subscriptions/trail","text":`, `,"attributes":{"readOnly":"maybe"}}`),
		around(`{"specversion":"1.0","type":"com.example.trail","source":"/trail","id":"${uuid}","data":`, `}`),
		around(`{"_index":"trail","_id":"${text:20}","_score":1.0,"_source":`, `}`),
	},
	cloudtrail.ShapePrefixed: {
		around(`<134>1 ${time} host.example.com cloudtrail 1234 - [meta sequenceId="${number:1000}"] `, ""),
		around(`<134>Nov  1 00:00:00 host.example.com cloudtrail: `, ""),
		around(`${time} stdout F `, ""),
	},
}

const (
	snsHead = `{"Type":"Notification","MessageId":"${uuid}","TopicArn":"arn:aws:sns:${region}:${account}:cloudtrail","Message":`
	snsTail = `,"Timestamp":"${time}","SignatureVersion":"1","Signature":"${text:86}==",` +
		`"SigningCertURL":"https://sns.${region}.amazonaws.com/cert.pem","UnsubscribeURL":"https://sns.${region}.amazonaws.com/"}`
	kinesisHead = `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"${account}","sequenceNumber":"${number:1000000000}","data":`
	kinesisTail = `,"approximateArrivalTimestamp":1793491200.123},"eventSource":"aws:kinesis","eventVersion":"1.0",` +
		`"eventID":"shardId-000000000000:${number:1000000000}","eventName":"aws:kinesis:record","awsRegion":"${region}",` +
		`"invokeIdentityArn":"arn:aws:iam::${account}:role/lambda","eventSourceARN":"arn:aws:kinesis:${region}:${account}:stream/trail"}`
)

// quotedWrappers is how many forms of ShapeWrapped hold texts. They come first.
const quotedWrappers = 3

// lambdaForms are the forms of a record passed to Lambda, within records.
var lambdaForms = map[cloudtrail.Shape]form{
	cloudtrail.ShapeSQS: quoting(`{"messageId":"${uuid}","receiptHandle":"${text:64}","body":`,
		`,"attributes":{"ApproximateReceiveCount":"1"},"messageAttributes":{},"md5OfBody":"${hex:32}","eventSource":"aws:sqs",`+
			`"eventSourceARN":"arn:aws:sqs:${region}:${account}:cloudtrail","awsRegion":"${region}"}`),
	cloudtrail.ShapeSNS: quoting(`{"EventSource":"aws:sns","EventVersion":"1.0",`+
		`"EventSubscriptionArn":"arn:aws:sns:${region}:${account}:cloudtrail:${uuid}","Sns":`+snsHead, snsTail+"}"),
}

// lambdaLogs is the event that CloudWatch Logs sends to Lambda.
var lambdaLogs = quoting(`{"awslogs":{"data":`, "}}")

// around returns a form that holds one JSON value.
func around(before, after string) form {
	return form{before: compile(before), after: compile(after)}
}

// quoting returns a form that holds one text.
func quoting(before, after string) form {
	return form{before: compile(before), after: compile(after), quoted: true}
}

// formAt returns the form of the envelope at a place of the chain.
func (g *Generator) formAt(depth int) *form {
	shape := g.record.Shape.At(depth)
	if depth > 0 && g.record.Shape.At(depth-1) == cloudtrail.ShapeRecords {
		if f, ok := lambdaForms[shape]; ok {
			return &f
		}
	}
	if g.isLambdaLogs(depth) {
		return &lambdaLogs
	}
	choice := forms[shape]
	if shape == cloudtrail.ShapeWrapped && g.shapeIn(depth) != cloudtrail.ShapeEvent { // an envelope would be recognized alone
		choice = choice[:quotedWrappers]
	}
	if len(choice) == 1 {
		return &choice[0]
	}
	return &choice[g.random.IntN(len(choice))]
}

// isLambdaLogs reports whether the envelope is the one for Lambda, which holds base64.
func (g *Generator) isLambdaLogs(depth int) bool {
	return g.record.Shape.At(depth) == cloudtrail.ShapeLogs && g.shapeIn(depth) == cloudtrail.ShapeBase64
}
