package cloudtrail

import (
	"strings"
	"testing"
)

// sns is an SNS notification.
func sns(text string) string {
	return `{"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:eu-west-1:111111111111:t","Message":` +
		quote(text) + `,"Timestamp":"2026-01-01T00:00:00.000Z","SignatureVersion":"1"}`
}

// sqs is Lambda's record of an SQS message.
func sqs(body string) string {
	return `{"messageId":"m","receiptHandle":"r","body":` + quote(body) + `,"attributes":{},"eventSource":"aws:sqs",` +
		`"eventSourceARN":"arn:aws:sqs:eu-west-3:111111111111:q","awsRegion":"eu-west-3"}`
}

func TestSNSSuccess(t *testing.T) {
	expect(t, sns(paris), "event 0 sns eu-west-3 false")
	expect(t, sns(`{"Records":[`+paris+`]}`), "event 0 sns > records eu-west-3 false")
	expect(t, `{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"a","Sns":`+sns(paris)+`}]}`,
		"event 0 records > sns eu-west-3 false")
}

func TestSNSSkips(t *testing.T) {
	expect(t, `{"Type":"SubscriptionConfirmation","Token":"t","Message":"You have chosen to subscribe","SubscribeURL":"u"}`,
		"skip sns-confirmation")
	expect(t, sns("CloudTrail validation message."), "skip validation sns")
	expect(t, "CloudTrail validation message.\n", "skip validation")
	expect(t, sns(`{"s3Bucket":"b","s3ObjectKey":["AWSLogs/1/CloudTrail/x.json.gz"]}`), "skip log-file-notice sns")
	expect(t, sns(""), "skip empty")
}

func TestSNSFailure(t *testing.T) {
	expect(t, sns("hello"), "fault 0 unknown-shape")
	expect(t, `{"Type":"Notification"}`, "fault 0 unknown-shape")
	cut := sns(paris)
	expect(t, cut[:strings.Index(cut, `,"Timestamp`)+5], "event 0 sns eu-west-3 false\nfault -1 truncated")
	expect(t, cut[:strings.Index(cut, `,"Timestamp`)-3], "event 0 sns eu-west-3 false damaged\nfault 0 truncated sns")
}

func TestSQSSuccess(t *testing.T) {
	expect(t, `{"Records":[`+sqs(paris)+`,`+sqs(tokyo)+`]}`,
		"event 0 records > sqs eu-west-3 false\nevent 1 records > sqs ap-northeast-1 false")
	expect(t, `{"body":`+quote(sns(paris))+`}`, "event 0 sqs > sns eu-west-3 false")
	expect(t, `{"body":`+quote(sns(`{"Records":[`+paris+`]}`))+`}`, "event 0 sqs > sns > records eu-west-3 false")
	expect(t, `{"Messages":[{"MessageId":"m","Body":`+quote(paris)+`}]}`, "event 0 sqs eu-west-3 false")
	expect(t, `{"MessageId":"m","Body":`+quote(paris)+`}`, "event 0 sqs eu-west-3 false")
}

func TestSQSFailure(t *testing.T) {
	expect(t, `{"Records":[`+sqs("hello")+`,`+sqs(tokyo)+`]}`,
		"fault 0 unknown-shape records\nevent 1 records > sqs ap-northeast-1 false")
	expect(t, `{"body":7}`, "fault 0 unknown-shape")
}

func TestKinesisSuccess(t *testing.T) {
	record := `{"kinesis":{"partitionKey":"p","data":"` + toBase64(paris) + `"},"eventSource":"aws:kinesis","eventVersion":"1.0",` +
		`"eventID":"shardId-0:1","eventName":"aws:kinesis:record","awsRegion":"eu-central-1"}`
	expect(t, `{"Records":[`+record+`]}`, "event 0 records > kinesis > base64 eu-west-3 false")
}

func TestKinesisFailure(t *testing.T) {
	expect(t, `{"kinesis":{"data":"????"}}`, "fault 0 unknown-shape")
	expect(t, `{"kinesis":{}}`, "fault 0 unknown-shape")
}

func TestFirehoseSuccess(t *testing.T) {
	expect(t, `{"requestId":"r","timestamp":1,"records":[{"data":"`+toBase64(paris)+`"},{"data":"`+toBase64(compress(logs("DATA_MESSAGE", tokyo)))+`"}]}`,
		"event 0 firehose > base64 eu-west-3 false\nevent 1 firehose > base64 > gzip > cloudwatch-logs ap-northeast-1 false")
	expect(t, `{"invocationId":"i","records":[{"recordId":"1","data":"`+toBase64(paris)+`"}]}`, "event 0 firehose > base64 eu-west-3 false")
	expect(t, `{"records":[`+paris+`]}`, "event 0 firehose eu-west-3 false")
}

func TestFirehoseFailure(t *testing.T) {
	expect(t, `{"records":[{"data":"?"},{"datum":""},1,{"data":"`+toBase64(paris)+`"}]}`, "event 0 firehose > base64 eu-west-3 false\n"+
		"fault -1 unknown-shape firehose\nfault -1 unknown-shape firehose\nfault -1 unknown-shape firehose")
}

func TestLookupSuccess(t *testing.T) {
	result := func(event string) string {
		return `{"EventId":"e","EventName":"RunInstances","ReadOnly":"true","Username":"u","CloudTrailEvent":` + quote(event) + `}`
	}
	expect(t, result(paris), "event 0 lookup-events eu-west-3 false")
	expect(t, `{"Events":[`+result(paris)+`,`+result(tokyo)+`],"NextToken":"n"}`,
		"event 0 lookup-events eu-west-3 false\nevent 1 lookup-events ap-northeast-1 false")
}

func TestLookupFailure(t *testing.T) {
	expect(t, `{"CloudTrailEvent":"{"}`, "fault 0 truncated lookup-events")
	expect(t, `{"Events":[{"EventId":"e"}]}`, "fault 0 unknown-shape")
}

// insight is an Insights event.
const insight = `{"eventVersion":"1.08","eventTime":"2026-01-01T00:00:00Z","awsRegion":"eu-west-3","eventID":"e",` +
	`"eventType":"AwsCloudTrailInsight","recipientAccountId":"111111111111","sharedEventID":"s",` +
	`"insightDetails":{"state":"Start","eventSource":"ec2.amazonaws.com","eventName":"RunInstances"},"eventCategory":"Insight"}`

func TestNotices(t *testing.T) {
	expect(t, insight, "skip insight")
	expect(t, `{"awsAccountId":"1","digestStartTime":"a","digestEndTime":"b","digestS3Bucket":"c","digestS3Object":"d","logFiles":[{"s3Bucket":"b","s3Object":"o"}]}`,
		"skip digest")
	expect(t, `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-01T00:00:00.000Z","Bucket":"b"}`, "skip s3-test")
	expect(t, `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-3","eventName":"ObjectCreated:Put",`+
		`"userIdentity":{"principalId":"p"},"s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}`, "skip s3-notification records")
	expect(t, `{"s3Bucket":"b","s3ObjectKey":["k"]}`, "skip log-file-notice")
}

// What has the keys of a notice, but can be decided, is decided.
func TestNoticesLeanToEvents(t *testing.T) {
	expect(t, `{"eventSource":"aws:s3","awsRegion":"eu-west-3","eventName":"x","readOnly":false}`, "fault 0 unknown-shape")
	expect(t, paris[:len(paris)-1]+`,"Event":"s3:TestEvent","digestS3Object":"x","s3Bucket":"b","s3ObjectKey":[]}`,
		"event 0 event eu-west-3 false")
	expect(t, `{"s3Bucket":"b"}`, "fault 0 unknown-shape")
}
