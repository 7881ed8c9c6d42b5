package cloudtrail

// SQS hands out the text under Body, within a list under Messages
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html). Lambda
// gets it under Records[].body (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).

// sqs opens the body or the bodies.
func (d *Decoder) sqs(b []byte, chain Chain) (opened bool, err error) {
	for _, name := range [...]string{"body", "Body"} {
		if opened, err = d.carry(b, name, ShapeSQS, chain); opened || err != nil {
			return opened, err
		}
	}
	return d.carryList(b, "Messages", "Body", ShapeSQS, chain)
}
