package cloudtrail

// Lambda gets a Kinesis record as {"kinesis":{"data":"…"},"eventSource":"aws:kinesis"}, the data in base64
// (https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html).

// kinesis opens the data.
func (d *Decoder) kinesis(b []byte, chain Chain) (opened bool, err error) {
	v, _ := d.member(b, "kinesis")
	return d.carry(v, "data", ShapeKinesis, chain)
}
