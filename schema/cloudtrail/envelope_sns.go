package cloudtrail

// SNS puts the text under Message and "Notification" under Type
// (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html). Lambda gets the same
// object under Records[].Sns (https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html).

// sns opens Message.
func (d *Decoder) sns(b []byte, chain Chain) (opened bool, err error) {
	kind, _ := d.member(b, "Type")
	if kind.EqualString("SubscriptionConfirmation") || kind.EqualString("UnsubscribeConfirmation") {
		return true, d.skip(KindSNSConfirmation, chain)
	}
	return d.carry(b, "Message", ShapeSNS, chain)
}

// snsRecord opens what Lambda gets: the notification is its own layer, the record around it is none.
func (d *Decoder) snsRecord(b []byte, chain Chain) (opened bool, err error) {
	v, _ := d.member(b, "Sns")
	return d.carry(v, "Message", ShapeSNS, chain)
}
