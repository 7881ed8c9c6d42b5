package cloudtrail

import "bytes"

// What Lambda gets from SQS, SNS, Kinesis and S3 has keys of an event (awsRegion, eventSource), but it is
// a delivery: its eventSource names the sender in a way that no event does, "aws:sqs" where CloudTrail
// writes "sqs.amazonaws.com"
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html).

// isDelivery reports whether the object is one of these.
func (e *Event) isDelivery() bool {
	if !bytes.HasPrefix(e.EventSource, []byte(`"aws:`)) {
		return false
	}
	switch string(e.EventSource) {
	case `"aws:sqs"`, `"aws:sns"`, `"aws:kinesis"`, `"aws:s3"`:
		return true
	}
	return false
}

// delivery opens it.
func (d *Decoder) delivery(b []byte, chain Chain) (opened bool, err error) {
	switch string(d.event.EventSource) {
	case `"aws:sqs"`:
		return d.sqs(b, chain)
	case `"aws:sns"`:
		return d.snsRecord(b, chain)
	case `"aws:kinesis"`:
		return d.kinesis(b, chain)
	}
	return d.s3Notification(b, chain)
}
