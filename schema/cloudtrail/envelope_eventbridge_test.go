package cloudtrail

import "testing"

// bridge is an EventBridge event.
func bridge(detailType, detail string) string {
	return `{"version":"0","id":"1","detail-type":"` + detailType + `","source":"aws.ec2","account":"111111111111",` +
		`"time":"2026-01-01T00:00:00Z","region":"eu-west-3","resources":[],"detail":` + detail + `}`
}

func TestEventBridgeSuccess(t *testing.T) {
	for _, kind := range []string{
		"AWS API Call via CloudTrail", "AWS Service Event via CloudTrail", "AWS Console Action via CloudTrail",
		"AWS Console Signin via CloudTrail", "AWS Console Sign In via CloudTrail", "AWS Console Signin", "AWS Console Sign In",
		"AWS Network Activity Event via CloudTrail",
		"a name of our own", // the detail is an event all the same
	} {
		expect(t, bridge(kind, paris), "event 0 eventbridge eu-west-3 false")
	}
	expect(t, `{"detail":`+paris+`}`, "event 0 eventbridge eu-west-3 false")
	expect(t, `{"detail":`+quote(paris)+`,"rule":"x"}`, "event 0 eventbridge eu-west-3 false")
	expect(t, `[`+bridge("AWS API Call via CloudTrail", paris)+`,{"detail":`+tokyo+`}]`,
		"event 0 array > eventbridge eu-west-3 false\nevent 1 array > eventbridge ap-northeast-1 false")
}

func TestEventBridgeSkips(t *testing.T) {
	expect(t, bridge("EC2 Instance State-change Notification", `{"state":"running"}`), "skip other-eventbridge")
	expect(t, bridge("AWS Insight via CloudTrail", insight), "skip insight eventbridge")
}

func TestEventBridgeFailure(t *testing.T) {
	expect(t, bridge("AWS API Call via CloudTrail", `{"state":"running"}`), "fault 0 unknown-shape")
	expect(t, bridge("AWS API Call via CloudTrail", `7`), "fault 0 unknown-shape")
	expect(t, `{"detail-type":"AWS API Call via CloudTrail"}`, "fault 0 unknown-shape")
	cut := bridge("AWS API Call via CloudTrail", paris)
	expect(t, cut[:len(cut)-2], "event 0 eventbridge eu-west-3 false damaged\nfault 0 truncated eventbridge")
	expect(t, cut[:len(cut)-1], "event 0 eventbridge eu-west-3 false\nfault -1 truncated")
}
