package cloudtrail

import "bytes"

// EventBridge puts the event under detail and says what it is under detail-type
// (https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html): "AWS API Call via
// CloudTrail" and others that end alike. For the console's sign-in the documents say "AWS Console Signin",
// the events "AWS Console Sign In". An input transformer can leave detail alone of all that, as an object
// or quoted.

// eventBridge opens detail.
func (d *Decoder) eventBridge(b []byte, chain Chain) (opened bool, err error) {
	detail, whole := d.member(b, "detail")
	kind, _ := d.member(b, "detail-type")
	if len(detail) == 0 {
		return false, nil
	}
	if whole && kind.IsString() && !isCloudTrailDetail(kind) && !d.isEventObject(detail) {
		return true, d.skip(KindOtherEventBridge, chain)
	}
	return d.carry(b, "detail", ShapeEventBridge, chain)
}

// isCloudTrailDetail reports whether a detail-type is one of those that hold a CloudTrail event.
func isCloudTrailDetail(kind Value) bool {
	text := bytes.Trim(kind, `"`)
	return bytes.HasSuffix(text, []byte("via CloudTrail")) || bytes.HasPrefix(text, []byte("AWS Console Sign"))
}

// isEventObject reports whether v is an event by its own keys. It overwrites d.event.
func (d *Decoder) isEventObject(v Value) bool {
	if len(v) == 0 || v[0] != '{' {
		return false
	}
	_, err := d.scan.decodeEvent(v, &d.event)
	return err == nil && d.event.isEvent()
}
