package cloudtrail

// Firehose sends batches as {"requestId":"…","timestamp":…,"records":[{"data":"…"}]}, each data in base64
// (https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html). A function that
// transforms them gets the same list
// (https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html).

// firehose opens the records.
func (d *Decoder) firehose(b []byte, chain Chain) (opened bool, err error) {
	return d.carryList(b, "records", "data", ShapeFirehose, chain)
}
