package cloudtrail

import (
	"bytes"
	"math/bits"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// class is what an object is, by its own keys.
type class uint8

// The classes, in the order in which they are tried. Envelopes are opened, and so is everything from classDelivery on.
const (
	classEvent      class = iota // decided, never opened
	classInsight                 // CloudTrail Insights: recognized, never opened
	classAggregated              // an aggregated event: recognized, never opened
	classNormalized              // CloudTrail columns in another form: a dead letter, never opened
	classEnvelope                // anything else
	classAttribute               // a key and a value: an envelope that is metadata if it holds no event
	classHalf                    // a readOnly, but no region: an envelope that may be half of an event beside damage
	classDelivery                // what AWS hands to a function: a dead letter if it holds no event
	classBare                    // one awsRegion: an event if it holds none
	classNoRegion                // an event by its keys, but without a region: an event if it holds none
	classNotice                  // plus a Kind: passed by that name if it holds no event
)

// isEvent reports whether the keys are an event's. One without a region may be a wrapper all the same.
func (c class) isEvent() bool { return c == classEvent || c == classNoRegion }

// isOpened reports whether events are looked for inside.
func (c class) isOpened() bool { return c >= classEnvelope }

// marks are the signs of what an object is: the keys that it has, some of them with a certain value.
type marks uint32

const (
	markVersion  marks = 1 << iota // eventVersion
	markSource                     // eventSource
	markName                       // eventName
	markIdentity                   // userIdentity
	markRegion                     // awsRegion, a string
	markReadOnly                   // readOnly
	// The same six in another letter case or form.
	foldedVersion
	foldedSource
	foldedName
	foldedIdentity
	foldedRegion
	foldedReadOnly
	foldedOther // another column that only CloudTrail has
	markClassUID
	markOCSF
	markCategoryInsight
	markTypeInsight
	markCategoryAggregated
	markTypeAggregated
	markDelivery  // eventSource or EventSource begins with aws:
	markS3        // s3, an object
	markDigest    // digestS3Object, digestEndTime
	markS3Test    // Event is s3:TestEvent
	markBucket    // s3Bucket
	markObjectKey // s3ObjectKey
	markControl   // messageType is CONTROL_MESSAGE
	markConfirm   // Type is SubscriptionConfirmation or UnsubscribeConfirmation
	markOther     // detail-type is a string, and not one of CloudTrail's
	markDetail    // detail
	markOriginal  // CloudTrailEvent or eventJson: the event as a text, beside which some of its fields are repeated
	markAttribute // key, name or field
	markValue     // value

	ownMarks    = markVersion | markSource | markName | markIdentity
	foldedMarks = foldedVersion | foldedSource | foldedName | foldedIdentity | foldedRegion | foldedReadOnly | foldedOther
	// foldedUnique are those that other formats do not have too.
	foldedUnique = foldedMarks &^ (foldedSource | foldedName)
)

// class returns what an object with these marks is. The first rule that fits decides; see docs/envelopes.md.
func (m marks) class() class {
	switch {
	case m&(markDelivery|markS3) == markDelivery|markS3:
		return classNotice + class(KindS3Notification)
	case m&markDelivery != 0:
		return classDelivery
	case m&(markCategoryInsight|markTypeInsight) != 0:
		return classInsight
	case m&(markCategoryAggregated|markTypeAggregated) != 0:
		return classAggregated
	case m&markOriginal != 0 && m&(ownMarks|markRegion) != 0:
		return classBare
	case m&markRegion != 0 && (m&markReadOnly != 0 || m.hasTwoOwn()):
		return classEvent
	case m.isNormalized():
		return classNormalized
	case m.hasTwoOwn():
		return classNoRegion
	case m&markRegion != 0:
		return classBare
	}
	return m.notice()
}

// hasTwoOwn reports whether the object has two of the keys that only CloudTrail writes.
func (m marks) hasTwoOwn() bool { return bits.OnesCount32(uint32(m&ownMarks)) > 1 }

// isNormalized reports whether the object has CloudTrail's columns, but not as CloudTrail writes them: Athena and
// ksqlDB change the case, ECS and Sentinel the names, OCSF everything.
func (m marks) isNormalized() bool {
	folded := m & foldedMarks
	isRow := bits.OnesCount32(uint32(folded|m&(ownMarks|markRegion|markReadOnly))) > 1 && folded&foldedUnique != 0
	return (isRow || m&(markClassUID|markOCSF) == markClassUID|markOCSF) && m&markOriginal == 0
}

// notice returns the class of objects that only tell of something, of metadata, and of all others.
func (m marks) notice() class {
	switch {
	case m&markS3Test != 0:
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
		return classNotice + class(KindS3Test)
	case m&markDigest != 0:
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
		return classNotice + class(KindDigest)
	case m&(markBucket|markObjectKey) == markBucket|markObjectKey:
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
		return classNotice + class(KindLogFileNotice)
	case m&markControl != 0:
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
		return classNotice + class(KindControl)
	case m&markConfirm != 0:
		// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
		return classNotice + class(KindSNSConfirmation)
	case m&(markOther|markDetail) == markOther|markDetail:
		// https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html
		return classNotice + class(KindOtherEventBridge)
	case m&(markAttribute|markValue) == markAttribute|markValue:
		return classAttribute
	case m&markReadOnly != 0:
		return classHalf
	}
	return classEnvelope
}

// sign is what a key says. The mark counts if the value fits; if a key is repeated, the last one counts.
type sign struct {
	mark marks
	fits func(v Value) bool // nil: any value
}

// signs are the keys that tell what an object is.
var signs = map[string]sign{
	"eventVersion": {mark: markVersion}, "eventName": {mark: markName}, "userIdentity": {mark: markIdentity},
	"readOnly": {mark: markReadOnly}, "awsRegion": {markRegion, Value.IsString},
	"EventSource": {markDelivery, isDeliverySource}, "s3": {markS3, isObject},
	"digestS3Object": {mark: markDigest}, "digestEndTime": {mark: markDigest}, "Event": {markS3Test, isText("s3:TestEvent")},
	"s3Bucket": {mark: markBucket}, "s3ObjectKey": {mark: markObjectKey}, "messageType": {markControl, isText("CONTROL_MESSAGE")},
	"CloudTrailEvent": {mark: markOriginal}, "cloudTrailEvent": {mark: markOriginal}, "eventJson": {mark: markOriginal},
	"Type":        {markConfirm, isText("SubscriptionConfirmation", "UnsubscribeConfirmation")},
	"detail-type": {markOther, isOtherDetail}, "detail": {mark: markDetail},
	"key": {mark: markAttribute}, "name": {mark: markAttribute}, "Key": {mark: markAttribute}, "Name": {mark: markAttribute},
	"field": {mark: markAttribute},
	"value": {mark: markValue}, "Value": {mark: markValue}, "class_uid": {mark: markClassUID},
	"category_uid": {mark: markOCSF}, "activity_id": {mark: markOCSF}, "type_uid": {mark: markOCSF},
}

// foldedSigns are CloudTrail's columns without case and separators.
var foldedSigns = map[string]marks{
	"eventversion": foldedVersion, "eventsource": foldedSource, "eventname": foldedName, "awsregion": foldedRegion,
	"readonly": foldedReadOnly, "useridentity": foldedIdentity, "useridentitytype": foldedIdentity,
	"useridentityarn": foldedIdentity, "recipientaccountid": foldedOther, "requestparameters": foldedOther,
	"responseelements": foldedOther, "additionaleventdata": foldedOther, "vpcendpointid": foldedOther,
	"eventtype": foldedName, "eventcategory": foldedName, // other formats have these too
	"cloudtrailevent": markOriginal, "eventjson": markOriginal,
}

// set adds what the member says. For a value that is not a string its first byte is enough.
func (m *marks) set(key, v Value) {
	var decoded [64]byte
	if len(key) > len(decoded) {
		return
	}
	name := []byte(key[1 : len(key)-1])
	if bytes.IndexByte(name, '\\') >= 0 {
		name = key.AppendText(decoded[:0])
	}
	switch string(name) {
	case "eventSource":
		*m = *m&^markDelivery | markSource
		if isDeliverySource(v) {
			*m |= markDelivery
		}
		return
	case "eventCategory":
		*m = m.either(v, "Insight", markCategoryInsight, "Aggregated", markCategoryAggregated)
		return
	case "eventType":
		*m = m.either(v, "AwsCloudTrailInsight", markTypeInsight, "AwsAggregatedEvent", markTypeAggregated)
		return
	}
	if s, ok := signs[string(name)]; ok {
		*m &^= s.mark
		if s.fits == nil || s.fits(v) {
			*m |= s.mark
		}
	}
	*m |= foldedMark(name)
}

// either sets the mark of the text that v is.
func (m marks) either(v Value, a string, markA marks, b string, markB marks) marks {
	m &^= markA | markB
	switch {
	case v.EqualString(a):
		m |= markA
	case v.EqualString(b):
		m |= markB
	}
	return m
}

// foldedMark returns the mark of a column whose name, the last part of a dotted one, is CloudTrail's in another form.
func foldedMark(name []byte) marks {
	if _, own := keyIDs[string(name)]; own {
		return 0
	}
	var folded [32]byte
	n := 0
	for _, c := range name[bytes.LastIndexByte(name, '.')+1:] {
		switch {
		case c == '_' || c == '-' || c == ' ':
			continue
		case n == len(folded):
			return 0
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		folded[n] = c
		n++
	}
	return foldedSigns[string(folded[:n])]
}

// isText returns a test for one of the texts.
func isText(texts ...string) func(v Value) bool {
	return func(v Value) bool {
		for _, text := range texts {
			if v.EqualString(text) {
				return true
			}
		}
		return false
	}
}

func isObject(v Value) bool { return len(v) > 0 && v[0] == '{' }

// isDeliverySource reports whether v is the eventSource of a delivery: Lambda, Pipes, S3 and SQS name the sender as
// "aws:sqs", where CloudTrail writes "sqs.amazonaws.com"
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html).
func isDeliverySource(v Value) bool {
	if len(v) < 2 || v[0] != '"' || v[1] != 'a' && v[1] != '\\' {
		return false // as most are
	}
	body := v[1 : len(v)-1]
	for _, want := range "aws:" {
		if len(body) == 0 {
			return false
		}
		c, size := jsonscan.FirstRune(body)
		if c != want {
			return false
		}
		body = body[size:]
	}
	return true
}

// maxDetailType is longer than any detail-type of CloudTrail's.
const maxDetailType = 256

// isOtherDetail reports whether a detail-type is a string, and none of those of CloudTrail's events. For the console's
// sign-in the documents say "AWS Console Signin", the events "AWS Console Sign In".
func isOtherDetail(v Value) bool {
	if !v.IsString() {
		return false
	}
	if len(v) > maxDetailType {
		return true
	}
	var room [maxDetailType]byte
	text := v.AppendText(room[:0])
	return !bytes.HasSuffix(text, []byte("via CloudTrail")) && !bytes.HasPrefix(text, []byte("AWS Console Sign"))
}

// class returns what the object is whose members e holds.
func (e *Event) class() class {
	if e.AWSRegion.IsString() && e.ReadOnly != nil && !e.original && !e.maybeDelivery() && !e.maybeRecognized() {
		return classEvent
	}
	var m marks
	for _, member := range [...]struct {
		mark marks
		v    Value
	}{{markVersion, e.EventVersion}, {markSource, e.EventSource}, {markName, e.EventName}, {markIdentity, e.UserIdentity}, {markReadOnly, e.ReadOnly}} {
		if member.v != nil {
			m |= member.mark
		}
	}
	if e.AWSRegion.IsString() {
		m |= markRegion
	}
	if e.original {
		m |= markOriginal
	}
	if isDeliverySource(e.EventSource) {
		m |= markDelivery
	}
	m = m.either(e.EventCategory, "Insight", markCategoryInsight, "Aggregated", markCategoryAggregated)
	return m.either(e.EventType, "AwsCloudTrailInsight", markTypeInsight, "AwsAggregatedEvent", markTypeAggregated).class()
}

// maybeDelivery reports whether the event's source may begin with aws: the others have another second letter.
func (e *Event) maybeDelivery() bool {
	c := jsonscan.At(e.EventSource, 2)
	return c == 'w' || c == '\\' || jsonscan.At(e.EventSource, 1) == '\\'
}

// maybeRecognized reports whether the event may be one of Insights or an aggregated one: the other categories begin with
// other letters, and the other types are shorter.
func (e *Event) maybeRecognized() bool {
	c := jsonscan.At(e.EventCategory, 1)
	return c == 'I' || c == 'A' || c == '\\' || len(e.EventType) >= len(`"AwsAggregatedEvent"`)
}
