package cloudtrail

import "bytes"

// Some of what AWS sends on the same ways holds no events: it is counted by name and passed.

// notice skips objects that only tell of something.
func (d *Decoder) notice(b []byte, chain Chain) (opened bool, err error) {
	m := d.event.marks
	event, _ := d.member(b, "Event")
	switch {
	case event.EqualString("s3:TestEvent"):
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
		return true, d.skip(KindS3Test, chain)
	case m.has(markDigest):
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
		return true, d.skip(KindDigest, chain)
	case m.has(markS3Bucket | markS3ObjectKey):
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
		return true, d.skip(KindLogFileNotice, chain)
	}
	return false, nil
}

// s3Notification skips the notice of a new object, which has what CloudTrail's events have, and s3
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
func (d *Decoder) s3Notification(b []byte, chain Chain) (opened bool, err error) {
	if v, _ := d.member(b, "s3"); len(v) == 0 || v[0] != '{' {
		return false, nil
	}
	return true, d.skip(KindS3Notification, chain)
}

// validationText is what CloudTrail sends to an SNS topic when a trail is set up; AWS's own
// aws-cloudtrail-processing-library knows it as CloudTrailValidationMessage.
const validationText = "CloudTrail validation message."

// isValidationText reports whether a text is that one.
func isValidationText(b []byte) bool { return string(bytes.TrimSpace(b)) == validationText }
