package cloudtrail

// CloudWatch Logs sends what a subscription filter lets through as {"messageType":"DATA_MESSAGE",
// "logEvents":[{"message":"…"}]}, gzipped
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html). Each message is one
// event as a string. CONTROL_MESSAGE only checks that the destination can be reached. Lambda gets the whole
// as {"awslogs":{"data":"…"}}, in base64.

// logs opens the messages.
func (d *Decoder) logs(b []byte, chain Chain) (opened bool, err error) {
	kind, _ := d.member(b, "messageType")
	if kind.EqualString("CONTROL_MESSAGE") {
		return true, d.skip(KindControl, chain)
	}
	return d.carryList(b, "logEvents", "message", ShapeLogs, chain)
}

// lambdaLogs opens what Lambda gets.
func (d *Decoder) lambdaLogs(b []byte, chain Chain) (opened bool, err error) {
	v, _ := d.member(b, "awslogs")
	return d.carry(v, "data", ShapeLogs, chain)
}
