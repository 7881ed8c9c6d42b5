package cloudtrail

import (
	"strings"
	"testing"
)

// Envelopes as they are documented in public, with one event (paris) in each. None of them has its own code: the names
// only tell as what the event is counted.
func TestEnvelopesInTheWild(t *testing.T) {
	q, b64 := quote(paris), toBase64(paris)
	for name, record := range map[string]string{
		"Splunk HEC, object":     `{"time":1,"host":"h","source":"s","sourcetype":"aws:cloudtrail","index":"aws","event":` + paris + `}`,
		"Splunk HEC, string":     `{"time":"1.000","host":"h","event":` + q + `,"fields":{"env":"prod"}}`,
		"Splunk export":          `{"preview":false,"offset":0,"lastrow":true,"result":{"_raw":` + q + `,"_time":"2026-01-01","linecount":"1"}}`,
		"Wazuh":                  `{"integration":"aws","aws":{"log_info":{"aws_account_alias":"","log_file":"x","s3bucket":"b"},"source":"cloudtrail",` + paris[1:] + `}`,
		"Wazuh archive":          `{"timestamp":"t","rule":{"level":3,"id":"80202"},"agent":{"id":"000"},"full_log":` + q + `,"decoder":{"name":"json"},"location":"Wazuh-AWS"}`,
		"OTLP":                   `{"resourceLogs":[{"resource":{"attributes":[{"key":"cloud.provider","value":{"stringValue":"aws"}}]},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{"timeUnixNano":"1","severityNumber":9,"body":{"stringValue":` + q + `},"attributes":[{"key":"log.file.name","value":{"stringValue":"x.json"}}]}]}]}]}`,
		"OTLP, parsed":           `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + paris + `}]}]}]}`,
		"CloudEvents":            `{"specversion":"1.0","type":"t","source":"/s","id":"1","time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":` + paris + `}`,
		"CloudEvents, base64":    `{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":"` + b64 + `"}`,
		"Cribl":                  `{"_raw":` + q + `,"_time":1.5,"cribl_breaker":"AWS","host":"h","source":"s3://b/k"}`,
		"Humio":                  `{"@rawstring":` + q + `,"@timestamp":1,"#type":"cloudtrail","@id":"x"}`,
		"Sumo Logic":             `{"_messagetime":1,"_raw":` + q + `,"_sourcecategory":"aws/cloudtrail","_view":""}`,
		"Elasticsearch":          `{"_index":"i","_id":"1","_score":1.0,"_source":` + paris + `}`,
		"Elasticsearch, search":  `{"took":1,"hits":{"total":{"value":1},"hits":[{"_index":"i","_source":{"message":` + q + `}}]}}`,
		"Datadog":                `{"id":"A","type":"log","attributes":{"service":"cloudtrail","tags":["source:cloudtrail"],"attributes":` + paris + `}}`,
		"Datadog forwarder":      `{"message":` + q + `,"ddsource":"cloudtrail","ddtags":"env:x","service":"cloudtrail","aws":{"s3":{"bucket":"b"}}}`,
		"Pub/Sub push":           `{"message":{"data":"` + b64 + `","messageId":"1","attributes":{"a":"b"}},"subscription":"projects/p/subscriptions/s"}`,
		"Pub/Sub pull":           `{"receivedMessages":[{"ackId":"x","message":{"data":"` + b64 + `","messageId":"1","publishTime":"t"}}]}`,
		"Event Hubs capture":     `{"SequenceNumber":1,"Offset":"1","EnqueuedTimeUtc":"t","SystemProperties":{},"Properties":{},"Body":"` + b64 + `"}`,
		"Azure diagnostic":       `{"records":[{"time":"t","resourceId":"/x","category":"c","properties":` + paris + `}]}`,
		"Debezium":               `{"schema":{"type":"struct","fields":[{"type":"string","optional":false,"field":"doc"}]},"payload":{"before":null,"after":{"id":1,"doc":` + q + `},"source":{"version":"2","connector":"postgresql","name":"n"},"op":"c","ts_ms":1}}`,
		"ksqlDB row":             `{"row":{"columns":["2026-01-01",5,` + q + `,null,true]}}`,
		"kafka-rest":             `[{"topic":"t","key":"a","value":` + paris + `,"partition":0,"offset":1}]`,
		"kafka-rest, binary":     `{"records":[{"key":null,"value":"` + b64 + `"}]}`,
		"Lambda's Kafka":         `{"eventSource":"aws:kafka","eventSourceArn":"a","bootstrapServers":"b","records":{"trail-0":[{"topic":"trail","partition":0,"offset":15,"timestamp":1,"timestampType":"CREATE_TIME","key":"MTExMTIyMjIzMzMz","value":"` + b64 + `","headers":[{"h":[104,105]}]}]}}`,
		"Lambda destination":     `{"version":"1.0","timestamp":"t","requestContext":{"requestId":"r","functionArn":"arn","condition":"Success"},"requestPayload":` + paris + `,"responseContext":{"statusCode":200},"responsePayload":null}`,
		"CloudTrail Lake":        `{"QueryStatus":"FINISHED","QueryResultRows":[[{"eventID":"e"},{"eventName":"RunInstances"},{"eventJson":` + q + `}]]}`,
		"CloudTrail Lake, row":   `{"eventID":"e","eventName":"RunInstances","eventSource":"ec2","awsRegion":"us-east-1","eventJson":` + q + `}`,
		"LookupEvents":           `{"Events":[{"EventId":"e","EventName":"RunInstances","ReadOnly":"true","EventSource":"ec2","Username":"u","Resources":[],"CloudTrailEvent":` + q + `}]}`,
		"LookupEvents, Java":     `{"events":[{"eventId":"e","eventName":"RunInstances","readOnly":"true","eventSource":"ec2","username":"u","cloudTrailEvent":` + q + `}]}`,
		"Chronicle":              `{"log_type":"AWS_CLOUDTRAIL","entries":[{"log_text":` + q + `,"ts_rfc3339":"t"}]}`,
		"Chronicle, inline":      `{"inline_source":{"logs":[{"data":"` + b64 + `","log_entry_time":"t"}]}}`,
		"Snowflake":              `{"RECORD_METADATA":{"topic":"t","partition":0,"offset":1},"RECORD_CONTENT":` + paris + `}`,
		"Snowflake, rows":        `{"resultSetMetaData":{"numRows":1},"data":[["1",` + q + `,null]]}`,
		"journald":               `{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1","PRIORITY":"6","_HOSTNAME":"h","MESSAGE":` + q + `}`,
		"journald, bytes":        `{"_HOSTNAME":"h","SYSLOG_IDENTIFIER":"trail","MESSAGE":` + quote("trail: "+paris) + `}`,
		"Filebeat, json key":     `{"@timestamp":"t","@metadata":{"beat":"filebeat"},"log":{"offset":0,"file":{"path":"/p"}},"json":` + paris + `}`,
		"Filebeat, log metadata": `{"@timestamp":"t","log":{"offset":0,"file":{"path":"/p"}},"stream":"stdout","message":` + quote("F "+paris) + `}`,
		"GELF":                   `{"version":"1.1","host":"h","short_message":` + q + `,"timestamp":1.5,"level":6,"_facility":"x"}`,
		"GELF, full":             `{"version":"1.1","host":"h","short_message":"{\"eventV","full_message":` + q + `,"level":6}`,
		"StreamAlert":            `{"Events":[` + paris + `]}`,
		"StreamAlert, Firehose":  `{"record":` + paris + `,"source_entity":"b","source_service":"s3","log_schema_type":"cloudtrail:events"}`,
		"get-log-events":         `{"events":[{"timestamp":1,"message":` + q + `,"ingestionTime":2}],"nextForwardToken":"f/1","nextBackwardToken":"b/1"}`,
		"filter-log-events":      `{"events":[{"logStreamName":"s","timestamp":1,"message":` + q + `,"ingestionTime":2,"eventId":"31"}],"searchedLogStreams":[{"logStreamName":"s","searchedCompletely":true}]}`,
		"Logs Insights":          `{"results":[[{"field":"@timestamp","value":"t"},{"field":"@message","value":` + q + `},{"field":"@ptr","value":"Cm"}]],"status":"Complete"}`,
		"EventBridge, own type":  bridge("trail.forwarded", `{"Records":[`+paris+`]}`),
		"EventBridge, string":    bridge("trail.forwarded", q),
		"EventBridge, message":   bridge("trail.forwarded", `{"message":`+q+`,"tags":[]}`),
		"EventBridge archive":    `{"Entries":[{"Source":"x","DetailType":"y","Detail":` + q + `}]}`,
		"Pipes, Kinesis":         `[{"kinesisSchemaVersion":"1.0","partitionKey":"1","sequenceNumber":"2","data":"` + b64 + `","eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-0:2","eventName":"aws:kinesis:record","awsRegion":"eu-central-1","invokeIdentityArn":"a","eventSourceARN":"b"}]`,
		"Pipes, SQS":             `[{"messageId":"m","receiptHandle":"r","body":` + q + `,"attributes":{},"eventSource":"aws:sqs","awsRegion":"eu-central-1"}]`,
		"GetRecords":             `{"Records":[{"SequenceNumber":"4","ApproximateArrivalTimestamp":1.0,"Data":"` + b64 + `","PartitionKey":"p"}],"MillisBehindLatest":0}`,
		"SNS notice, payload":    `{"s3Bucket":"b","s3ObjectKey":["k"],"payload":` + q + `}`,
		"S3 notice, payload":     `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"x","eventName":"ObjectCreated:Put","s3":{"object":{"key":"k"}},"content":` + q + `}]}`,
		"digest, payload":        `{"digestEndTime":"t","digestS3Object":"o","logFiles":[],"x":` + paris + `}`,
		"log formatter":          `{"level":"info","awsRegion":"us-east-1","account":"1","message":` + q + `}`,
		"RFC 5424":               "<134>1 2026-01-01T00:00:00Z h trail 1 ID1 [x@1 a=\"b\"] " + paris,
		"RFC 3164":               "<134>Jan  1 00:00:00 h trail[12]: " + paris + "\n",
		"containerd":             "2026-01-01T00:00:00.000000000Z stdout F " + paris + "\n",
		"docker":                 `{"log":` + quote(paris+"\n") + `,"stream":"stdout","time":"2026-01-01T00:00:00Z"}`,
		"CloudWatch export":      "2026-01-01T00:00:00.000Z " + paris,
		"Vector":                 `{"file":"/p","host":"h","message":` + q + `,"source_type":"file","timestamp":"t"}`,
		"Confluent twice":        "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x02" + paris,
		"Glue":                   "\x03\x00" + strings.Repeat("\x0a", 16) + paris,
		"Glue, zlib":             "\x03\x05" + strings.Repeat("\x0a", 16) + zlibbed(paris),
		"Confluent Avro string":  "\x00\x00\x00\x00\x01" + avro(paris),
		"Avro, nullable":         "\x00\x00\x00\x00\x01\x02" + avro(paris),
		"Protobuf":               "\x0a" + varint(len(paris)) + paris,
		"Confluent Protobuf":     "\x00\x00\x00\x00\x01\x00\x0a" + varint(len(paris)) + paris,
		"URL-safe, unpadded":     `{"data":"` + strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(b64), "=") + `"}`,
		"compressed in base64":   `{"data":"` + toBase64(compress(paris)) + `"}`,
		"twice quoted":           `{"data":` + quote(quote(paris)) + `}`,
		"escaped slashes":        `{"data":"` + strings.ReplaceAll(b64, "/", `\/`) + `"}`,
	} {
		lines := decode(t, record)
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "event 0 ") || !strings.HasSuffix(lines[0], " eu-west-3 false") {
			t.Errorf("%s: %q", name, lines)
		}
	}
}

// Rows with CloudTrail's columns in another form are dead letters that say what to send, and are not opened: their columns
// hold what an actor wrote.
func TestNormalizedRows(t *testing.T) {
	decoy := quote(tokyo)
	for name, record := range map[string]string{
		"Athena":   `{"eventversion":"1.08","useridentity":{"type":"Root"},"awsregion":"eu-west-3","readonly":"false","useragent":` + decoy + `}`,
		"ksqlDB":   `{"EVENTVERSION":"1.08","AWSREGION":"eu-west-3","READONLY":false,"USERAGENT":` + decoy + `}`,
		"ECS":      `{"@timestamp":"t","cloud":{"region":"eu-west-3"},"aws":{"cloudtrail":{"event_version":"1.08","user_identity":{"type":"Root"},"read_only":false,"request_parameters":` + decoy + `}}}`,
		"OCSF":     `{"class_uid":6003,"category_uid":6,"activity_id":1,"cloud":{"region":"eu-west-3"},"http_request":{"user_agent":` + decoy + `}}`,
		"Sentinel": `{"TimeGenerated":"t","EventVersion":"1.08","EventName":"RunInstances","AWSRegion":"eu-west-3","ReadOnly":false,"UserAgent":` + decoy + `,"Type":"AWSCloudTrail"}`,
		"flat ECS": `{"aws.cloudtrail.event_version":"1.08","aws.cloudtrail.event_type":"AwsApiCall","cloud.region":"eu-west-3","user_agent.original":` + decoy + `}`,
		"in a row": `{"schema":{},"payload":{"EVENTVERSION":"1.08","AWSREGION":"eu-west-3","USERAGENT":` + decoy + `}}`,
		"quoted":   `{"message":` + quote(`{"eventversion":"1.08","awsregion":"eu-west-3","useragent":`+decoy+`}`) + `}`,
	} {
		var f found
		if err := NewDecoder(0).Decode([]byte(record), &f); err != nil {
			t.Fatal(err)
		}
		if len(f.lines) != 1 || len(f.faults) != 1 || f.faults[0].Reason != ReasonNormalized || !strings.Contains(f.faults[0].Err.Error(), "send the event itself") {
			t.Errorf("%s: %q", name, f.lines)
		}
	}
}

// An event inside a wrapper that was not opened yet, in an array with an empty one, is decided once.
func TestEventBesideEmptyArray(t *testing.T) {
	record := `[[],{"awsRegion":"us-east-1","message":{"eventVersion":"1","eventName":"x","awsRegion":"eu-west-3","readOnly":false,"requestParameters":` + tokyo + `}}]`
	expect(t, record, "fault 0 unknown-shape array > array\nevent 1 array > shipper eu-west-3 false")
}

// In a list of events an element that holds none is a dead letter; metadata is not.
func TestElementsWithoutEvents(t *testing.T) {
	expect(t, `{"logEvents":[{"id":"1","message":"hello"},{"id":"2","message":`+quote(paris)+`}]}`,
		"event 0 cloudwatch-logs eu-west-3 false\nfault -1 unknown-shape cloudwatch-logs")
	expect(t, `{"items":[`+paris+`,7,"x",{"a":1},null]}`, "event 0 wrapped eu-west-3 false"+strings.Repeat("\nfault -1 unknown-shape wrapped", 4))
	expect(t, `{"attributes":[{"key":"a","value":`+quote(paris)+`},{"key":"b","value":"c"}]}`, "event 0 wrapped eu-west-3 false")
	expect(t, `{"columns":["a",5,`+quote(paris)+`,{"b":1}]}`, "event 0 wrapped eu-west-3 false")
	expect(t, `{"a":[`+tokyo+`,`+quote(paris)+`]}`, "event 0 wrapped ap-northeast-1 false\nevent 1 wrapped eu-west-3 false")
	expect(t, `{"tags":[{"a":1},{"b":2}],"message":`+quote(paris)+`}`, "event 0 shipper eu-west-3 false")
}

// A delivery without an event is a dead letter, be there events beside it.
func TestEmptyDelivery(t *testing.T) {
	expect(t, `{"a":{"eventSource":"aws:sqs","body":"hello"},"message":`+quote(paris)+`}`,
		"fault 0 unknown-shape wrapped\nevent 1 shipper eu-west-3 false")
	expect(t, `{"eventSource":"aws:new","x":{"y":"z"}}`, "fault 0 unknown-shape")
}

func zlibbed(text string) string { return compressors[ShapeZlib](text) }

func varint(n int) string {
	var b []byte
	for ; n > 127; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n)))
}

// avro is a string with its length as a zigzag varint.
func avro(text string) string { return varint(2*len(text)) + text }

// What follows text on a line may be an array or quoted, and the text may be in braces.
func TestPrefixedForms(t *testing.T) {
	expect(t, "{app} "+paris, "event 0 prefixed eu-west-3 false")
	expect(t, "{app} "+paris+"\n{app} "+tokyo+"\n", "event 0 ndjson > prefixed eu-west-3 false\nevent 1 ndjson > prefixed ap-northeast-1 false")
	expect(t, "log: ["+paris+","+tokyo+"]", "event 0 prefixed > array eu-west-3 false\nevent 1 prefixed > array ap-northeast-1 false")
	expect(t, "log: [ "+paris+"]\nlog: "+tokyo, "event 0 ndjson > prefixed > array eu-west-3 false\nevent 1 ndjson > prefixed ap-northeast-1 false")
	expect(t, "main.go:12] log: ["+paris+"]", "event 0 prefixed > array eu-west-3 false")
	expect(t, `a] h: [{"c":`+quote(paris)+`}]`, "event 0 prefixed > array > wrapped eu-west-3 false")
	expect(t, "h: ["+quote(paris)+"]\nm="+quote(tokyo), "event 0 prefixed > array > string eu-west-3 false\nevent 1 prefixed > string ap-northeast-1 false")
	expect(t, "log: "+quote(paris), "event 0 prefixed > string eu-west-3 false")
	expect(t, "log: "+quote(paris)+"\nlog: "+quote(tokyo)+"\n", "event 0 prefixed > string eu-west-3 false\nevent 1 prefixed > string ap-northeast-1 false")
	for _, space := range []string{" ", "\t", "\r\n", " \t\r"} {
		expect(t, `log: {"c":`+paris+`}`+space, "event 0 prefixed > wrapped eu-west-3 false")
	}
	expect(t, `{"message":`+quote("{app} "+paris)+`}`, "event 0 shipper > prefixed eu-west-3 false")
	expect(t, `{"message":`+quote("log: "+quote(paris))+`}`, "event 0 shipper > prefixed > string eu-west-3 false")
}

// The quoted text that ends a line is opened even if others stand before it, and never a decoy in place of the event around it.
func TestPrefixedTextAtTheEnd(t *testing.T) {
	expect(t, `a="b" log=`+quote(paris), "event 0 prefixed > string eu-west-3 false")
	expect(t, "F "+quote(`app: {"a":1} `+paris), "event 0 prefixed > string > prefixed eu-west-3 false")
	record := `{"message":` + quote(`app: {"readOnly":false}"userAgent":`+tokyo+`,"awsRegion":"eu-west-3"}`) + `}`
	if !isDecided(t, record) {
		t.Errorf("%s: %q", record, decode(t, record))
	}
}
