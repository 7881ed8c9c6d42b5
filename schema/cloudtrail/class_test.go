package cloudtrail

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/salvage"
)

// The class of an object is the same whether it was read as an event or while stepping through an envelope.
func TestClass(t *testing.T) {
	f := func(text string, want class) {
		t.Helper()
		var s scanner
		var e Event
		if _, err := s.decodeEvent([]byte(text), &e); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var w walker
		w.classify(&s, []byte(text))
		w.settleOpen([]byte(text), &salvage.Run{}, nil)
		if got := w.classes[0]; got != want {
			t.Errorf("%s: got class %d, want %d", text, got, want)
		}
		if got := e.class(); got != want && (!got.isOpened() || want < classNormalized) {
			t.Errorf("%s: as an event it is %d, want %d", text, got, want)
		}
	}
	f(sampleEvent, classEvent)
	f(`{"awsRegion":"x","readOnly":null}`, classEvent)
	f(`{"awsRegion":"x","eventName":"y","eventVersion":"1"}`, classEvent)
	f(`{"eventName":"x","eventVersion":"1"}`, classNoRegion)
	f(`{"eventSource":"x","userIdentity":{}}`, classNoRegion)
	f(`{"\u0065ventSource":"x","userIdentity":{}}`, classNoRegion)
	f(`{"eventVersion":"1","eventSource":"x","x":{"eventSource":"aws:sqs"}}`, classNoRegion)
	f(`{"awsRegion":"x"}`, classBare)
	f(`{"awsRegion":1}`, classEnvelope)
	f(`{"awsRegion":1,"readOnly":true}`, classHalf)
	f(`{"eventSource":"x","eventSource":"y"}`, classEnvelope)
	f(`{"requestParameters":{"awsRegion":"x","readOnly":true}}`, classEnvelope)
	f(`{}`, classEnvelope)
	// Deliveries, whatever else they have. If a key is repeated, the last one counts.
	for _, source := range []string{"aws:sqs", "aws:kinesis", "aws:kafka", "aws:", "aws:something-new", `\u0061ws:sqs`, `a\u0077s\u003as3`} {
		f(`{"eventSource":"`+source+`","eventVersion":"1","eventName":"x","awsRegion":"y","readOnly":false}`, classDelivery)
	}
	f(`{"EventSource":"aws:sns","EventVersion":"1.0"}`, classDelivery)
	f(`{"eventSource":"aws:sqs","eventSource":"ec2.amazonaws.com","eventName":"x"}`, classNoRegion)
	f(`{"eventSource":"ec2.amazonaws.com","eventSource":"aws:sqs","eventName":"x"}`, classDelivery)
	for _, source := range []string{"aws", "AWS:sqs", " aws:sqs", `aws\u0020:`, "xaws:"} {
		f(`{"eventSource":"`+source+`","eventName":"x"}`, classNoRegion)
	}
	f(`{"eventSource":"aws:s3","awsRegion":"x","s3":{}}`, classNotice+class(KindS3Notification))
	f(`{"eventSource":"aws:s3","awsRegion":"x","s3":"y"}`, classDelivery)
	// Recognized.
	f(`{"eventVersion":"1","eventName":"x","eventCategory":"Insight"}`, classInsight)
	f(`{"awsRegion":"x","eventType":"AwsCloudTrailInsight"}`, classInsight)
	f(`{"awsRegion":"x","eventType":"AwsCloudTrailInsight","readOnly":false}`, classInsight)
	f(`{"awsRegion":"x","eventCategory":"\u0049nsight","readOnly":false}`, classInsight)
	f(`{"awsRegion":"x","eventCategory":"Insight","readOnly":false}`, classInsight)
	f(`{"awsRegion":"x","eventType":"AwsAggregatedEvent","readOnly":false}`, classAggregated)
	f(`{"awsRegion":"x","eventType":"\u0041wsAggregatedEvent","readOnly":false,"eventName":"x","eventVersion":"1"}`, classAggregated)
	f(`{"awsRegion":"x","readOnly":false,"eventCategory":"Aggregated"}`, classAggregated)
	f(`{"eventVersion":"1","eventSource":"x","eventCategory":"Aggregated"}`, classAggregated)
	f(`{"awsRegion":"x","eventType":"AwsAggregatedEvent"}`, classAggregated)
	f(`{"awsRegion":"x","eventCategory":"Insight","eventCategory":"Management"}`, classBare)
	f(`{"Event":"s3:TestEvent"}`, classNotice+class(KindS3Test))
	f(`{"Event":"s3:testevent"}`, classEnvelope)
	f(`{"Event":"s3:TestEvent","Event":"x"}`, classEnvelope)
	f(`{"digestEndTime":""}`, classNotice+class(KindDigest))
	f(`{"s3Bucket":"","s3ObjectKey":[]}`, classNotice+class(KindLogFileNotice))
	f(`{"s3Bucket":""}`, classEnvelope)
	f(`{"detail-type":"x","detail":{}}`, classNotice+class(KindOtherEventBridge))
	f(`{"detail-type":"AWS API Call via CloudTrail","detail":{}}`, classEnvelope)
	f(`{"detail-type":"AWS Console Signin","detail":{}}`, classEnvelope)
	f(`{"detail-type":"x"}`, classEnvelope)
	f(`{"detail-type":1,"detail":{}}`, classEnvelope)
	long := strings.Repeat("x", maxDetailType-len(`"via CloudTrail"`))
	f(`{"detail-type":"`+long+`via CloudTrail","detail":{}}`, classEnvelope)
	f(`{"detail-type":"`+long+`xvia CloudTrail","detail":{}}`, classNotice+class(KindOtherEventBridge))
	f(`{"digestS3Object":""}`, classNotice+class(KindDigest))
	f(`{"s3ObjectKey":[]}`, classEnvelope)
	f(`{"messageType":"CONTROL_MESSAGE"}`, classNotice+class(KindControl))
	f(`{"messageType":"DATA_MESSAGE"}`, classEnvelope)
	for text, want := range map[string]class{
		"SubscriptionConfirmation": classNotice + class(KindSNSConfirmation), "UnsubscribeConfirmation": classNotice + class(KindSNSConfirmation),
		"Notification": classEnvelope,
	} {
		f(`{"Type":"`+text+`"}`, want)
	}
	// Columns in another form.
	for _, row := range []string{
		`{"eventversion":"1","awsregion":"x"}`, `{"EVENTVERSION":"1","READONLY":false}`, `{"event_version":"1","user_identity":{}}`,
		`{"EventVersion":"1","AWSRegion":"x","EventName":"y"}`, `{"aws.cloudtrail.event_version":"1","aws.cloudtrail.read_only":true}`,
		`{"detail.awsRegion":"x","detail.eventName":"y"}`, `{"UserIdentityType":"x","EventSource":"y"}`,
		`{"class_uid":3005,"category_uid":3,"api":{}}`, `{"event-version":1,"Aws Region":"x"}`,
	} {
		f(row, classNormalized)
	}
	f(`{"eventname":"x"}`, classEnvelope)
	f(`{"event_name":"x","event_source":"y"}`, classEnvelope) // other formats have both
	f(`{"EventName":"x","ReadOnly":"true","EventSource":"y","CloudTrailEvent":"{}"}`, classEnvelope)
	f(`{"eventName":"x","eventSource":"y","cloudTrailEvent":"{}"}`, classBare) // the SDK for Java writes this
	f(`{"key":"a","value":{"stringValue":"b"}}`, classAttribute)
	for _, key := range []string{"key", "Key", "name", "Name", "field"} {
		f(`{"`+key+`":"a"}`, classEnvelope)
		f(`{"`+key+`":"a","value":1}`, classAttribute)
		f(`{"Value":1,"`+key+`":"a"}`, classAttribute)
	}
	f(`{"value":1}`, classEnvelope)
	for _, key := range []string{"category_uid", "activity_id", "type_uid"} {
		f(`{"class_uid":3005,"`+key+`":3}`, classNormalized)
	}
	f(`{"category_uid":3,"activity_id":3,"type_uid":3}`, classEnvelope)
	f(`{"class_uid":3005,"type_uid":3,"eventJson":"{}"}`, classEnvelope)
	// Each column in another form, beside one that other formats have too.
	for name := range foldedSigns {
		switch foldedSigns[name] {
		case foldedName:
			f(`{"`+strings.ToUpper(name)+`":"x","EVENT_SOURCE":"y"}`, classEnvelope)
		case markOriginal:
			f(`{"`+strings.ToUpper(name)+`":"{}","EVENT_NAME":"y","AWS_REGION":"x"}`, classEnvelope)
		case foldedSource:
		default:
			f(`{"`+strings.ToUpper(name)+`":"x","EVENT_SOURCE":"y"}`, classNormalized)
			f(`{"`+strings.ToUpper(name)+`":"x"}`, classEnvelope)
			f(`{"x.y.`+name+`":"x","event_name":"y"}`, classNormalized)
			f(`{"`+name+strings.Repeat("x", 32-len(name))+`":"x","event_name":"y"}`, classEnvelope)
			f(`{"`+name+strings.Repeat("-", 40)+`":"x","event_name":"y"}`, classNormalized)
		}
	}
	f(`{"`+strings.Repeat("x", 33)+`":"x","eventName":"y"}`, classEnvelope)
	// A key counts up to a bound.
	for n, want := range map[int]class{64: classNormalized, 65: classEnvelope} {
		const name = ".eventversion"
		f(`{"`+strings.Repeat("x", n-len(name)-2)+name+`":"x","event_name":"y"}`, want)
	}
	escaped := "userI" + strings.NewReplacer("d", `\u0064`, "e", `\u0065`, "n", `\u006e`, "t", `\u0074`, "i", `\u0069`).Replace("dentity")
	f(`{"`+escaped+`":{},"eventName":"y"}`, classNoRegion)
}

// A number beyond the names has none.
func TestUnknownNames(t *testing.T) {
	for _, got := range []string{reasonCount.String(), kindCount.String(), shapeCount.String()} {
		if got != "none" && got != "unknown" {
			t.Errorf("%q", got)
		}
	}
}
