package alert

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// sampleAlert returns an alert with every field that one can have together.
func sampleAlert() *Alert {
	partition := int32(3)
	return &Alert{
		ID: "ccf5b9f8-c889-5937-86c5-42bb9770dc5f", RuleID: "AWS.UnusedRegion", RuleName: "Unused AWS Region", Severity: "High",
		Title: "Non-read-only API call in unused region eu-central-1 by user example-role", Description: "d",
		Runbook: "https://runbook", Reference: "https://reference", Tags: []string{"AWS"},
		MitreAttack: []Technique{{"TA0005", "T1535"}},
		EventTime:   json.RawMessage(`"2021-10-19T04:50:27Z"`), EventID: json.RawMessage(`"1111"`),
		EventName: json.RawMessage(`"CreateLogStream"`), EventSource: json.RawMessage(`"logs.amazonaws.com"`),
		AWSRegion: json.RawMessage(`"eu-central-1"`), RecipientAccountID: json.RawMessage(`"111122223333"`),
		SourceIPAddress: json.RawMessage(`"192.0.2.1"`), UserAgent: json.RawMessage(`"aws-cli"`),
		UserIdentity: json.RawMessage(`{"n":12345678901234567890}`), UserName: json.RawMessage(`"example-role"`),
		ErrorCode: json.RawMessage(`"AccessDenied"`),
		Principal: Principal{"AssumedRole", "example-role", "example-user", "arn:aws:sts::111122223333:assumed-role/a/b", "111122223333"},
		ARNs:      []string{"arn:aws:iam::111122223333:role/a"}, Policy: Policy{Version: "1", Level: "default", Reason: "eu-central-1 is in unused_regions"},
		Origin: Origin{Topic: "cloudtrail", Partition: &partition, Offset: 42, Timestamp: "2021-10-19T04:55:00.000Z", Shape: "records"},
		Event:  json.RawMessage(`{"awsRegion":"eu-central-1"}`),
	}
}

// The field names and their order are the format.
func TestAppendJSONWritesTheFormat(t *testing.T) {
	a := sampleAlert()
	a.Partial, a.PartialReason, a.Truncated, a.EventOmitted = true, "syntax", []string{"arns"}, OmittedSize
	const want = `{"id":"ccf5b9f8-c889-5937-86c5-42bb9770dc5f","ruleId":"AWS.UnusedRegion","ruleName":"Unused AWS Region",` +
		`"severity":"High","title":"Non-read-only API call in unused region eu-central-1 by user example-role",` +
		`"description":"d","runbook":"https://runbook","reference":"https://reference","tags":["AWS"],` +
		`"mitreAttack":[{"tactic":"TA0005","technique":"T1535"}],"eventTime":"2021-10-19T04:50:27Z","eventID":"1111",` +
		`"eventName":"CreateLogStream","eventSource":"logs.amazonaws.com","awsRegion":"eu-central-1",` +
		`"recipientAccountId":"111122223333","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli",` +
		`"userIdentity":{"n":12345678901234567890},"userName":"example-role","errorCode":"AccessDenied",` +
		`"principal":{"type":"AssumedRole","name":"example-role","session":"example-user",` +
		`"arn":"arn:aws:sts::111122223333:assumed-role/a/b","accountId":"111122223333"},` +
		`"arns":["arn:aws:iam::111122223333:role/a"],` +
		`"policy":{"version":"1","level":"default","reason":"eu-central-1 is in unused_regions"},` +
		`"origin":{"topic":"cloudtrail","partition":3,"offset":42,"index":0,"timestamp":"2021-10-19T04:55:00.000Z","shape":"records"},` +
		`"partial":true,"partialReason":"syntax","truncated":["arns"],"event":{"awsRegion":"eu-central-1"},"eventOmitted":"size"}`
	if got := string(AppendJSON([]byte("before"), a)); got != "before"+want {
		t.Errorf("got  %s\nwant before%s", got, want)
	}
}

func TestAppendJSONLeavesOutWhatIsMissing(t *testing.T) {
	got := string(AppendJSON(nil, &Alert{Tags: []string{}, MitreAttack: []Technique{}, Origin: Origin{File: "a.json"}}))
	const want = `{"id":"","ruleId":"","ruleName":"","severity":"","title":"","description":"","runbook":"","reference":"",` +
		`"tags":[],"mitreAttack":[],"principal":{"name":""},"policy":{"version":"","level":"","reason":""},` +
		`"origin":{"file":"a.json","offset":0,"index":0,"shape":""}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Texts come from events too: whatever stands in them, the line stays one line of valid JSON.
func TestAppendJSONOfHostileTexts(t *testing.T) {
	for _, text := range []string{"\xff\xfe", "\x00\x01\x1b[31m", "a\nb\r\u2028", `","id":"x`, strings.Repeat("plain", 5) + "\xc3", "\xed\xa0\x80", "\\"} {
		a := sampleAlert()
		for _, f := range a.textFields() {
			*f.text = text
		}
		a.ARNs = []string{text}
		got := AppendJSON(nil, a)
		if !utf8.Valid(got) || !json.Valid(got) || bytes.ContainsAny(got, "\n\r\u2028") {
			t.Errorf("%q: %s", text, got)
		}
		var b Alert
		if err := json.Unmarshal(got, &b); err != nil || b.Title != string([]rune(text)) {
			t.Errorf("%q came back as %q: %v", text, b.Title, err)
		}
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	a, dst := sampleAlert(), make([]byte, 0, 4<<10)
	if n := testing.AllocsPerRun(100, func() { AppendJSON(dst, a) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
