package cloudtrail

import (
	"strings"
	"testing"
)

// An attacker in an unused region writes part of the event. Each row is a trick played on an event that
// must be decided: region eu-west-3, readOnly false, once.
func TestEvasionWithinAnEvent(t *testing.T) {
	const parameters = `{"a":[1,{"b":null}]}`
	in := func(value string) string { return strings.Replace(paris, parameters, value, 1) }
	agent := func(value string) string { return strings.Replace(paris, `"cli"`, value, 1) }
	add := func(member string) string { return paris[:len(paris)-1] + "," + member + "}" }
	decoy := `"awsRegion":"us-east-1","readOnly":true`
	tricks := map[string]string{
		"look-alike keys in requestParameters":   in(`{` + decoy + `,"x":{` + decoy + `}}`),
		"look-alike keys in a list":              in(`[[{` + decoy + `}]]`),
		"look-alike keys in userIdentity":        strings.Replace(paris, `{"type":"Root"}`, `{"type":"Root",`+decoy+`}`, 1),
		"look-alike keys in additionalEventData": add(`"additionalEventData":{` + decoy + `}`),
		"look-alike keys in responseElements":    add(`"responseElements":{` + decoy + `}`),
		"look-alike keys in tags":                add(`"tags":[{"key":"awsRegion","value":"us-east-1"},{"readOnly":true}]`),
		"keys of another case":                   add(`"AwsRegion":"us-east-1","AWSREGION":"us-east-1","readonly":true,"ReadOnly":true`),
		"zero-width characters in keys":          add("\"aws\u200bRegion\":\"us-east-1\",\"\ufeffreadOnly\":true"),
		"full-width characters in keys":          add("\"\uff41wsRegion\":\"us-east-1\",\"read\uff2fnly\":true"),
		"spaces in keys":                         add(`"awsRegion ":"us-east-1"," readOnly":true,"readOnly\u0000":true`),
		"JSON in the user agent":                 agent(quote(`","readOnly":true,"awsRegion":"us-east-1","x":"`)),
		"an event in the user agent":             agent(quote(tokyo)),
		"a log file in the user agent":           agent(quote(`{"Records":[` + tokyo + `]}`)),
		"the start of a log file":                agent(quote(`{"Records":[`)),
		"a line break and an event":              agent(quote("\n" + tokyo + "\n")),
		"gzip magic":                             agent(`"\u001f\u008b"`),
		"base64 of an event":                     agent(quote(toBase64(tokyo))),
		"SNS keys in requestParameters":          in(`{"Type":"Notification","Message":` + quote(tokyo) + `}`),
		"EventBridge keys in requestParameters":  in(`{"detail-type":"AWS API Call via CloudTrail","detail":` + tokyo + `}`),
		"a log file in requestParameters":        in(`{"Records":[` + tokyo + `]}`),
		"a message in requestParameters":         in(`{"message":` + quote(tokyo) + `,"log":` + quote(tokyo) + `}`),
		"NUL and control characters":             agent(`"\u0000\u0001\u001b[2J\u007f"`),
		"lone surrogates":                        agent(`"\ud800\udfff\udc00 \ud800"`),
		"overlong UTF-8":                         agent("\"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\""),
		"bytes that are not UTF-8":               agent("\"\xff\xfe\x80\""),
		"a user agent of 1 MB":                   agent(`"` + strings.Repeat("A", 1<<20) + `"`),
		"1 MB of escapes":                        agent(`"` + strings.Repeat(`\"`, 1<<19) + `"`),
		"100,000 levels":                         in(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)),
		"100,000 keys":                           in(`{` + strings.Repeat(`"awsRegion":"us-east-1",`, 100_000) + `"x":1}`),
		"numbers out of range":                   in(`[1e999999,-1e-999999,` + strings.Repeat("9", 10_000) + `]`),
		"an empty key":                           add(`"":""`),
		"a key of 100 kB":                        add(`"` + strings.Repeat("k", 100_000) + `":1`),
		"an escaped key of 100 kB":               add(`"` + strings.Repeat(`\u0061`, 20_000) + `":1`),
		"the envelopes' own keys at top level": add(`"Records":[],"detail":{},"detail-type":"x","messageType":"CONTROL_MESSAGE","logEvents":[],` +
			`"Message":"","Type":"SubscriptionConfirmation","body":"","records":[],"message":"","log":"","event":{},"payload":null,` +
			`"CloudTrailEvent":"","digestS3Object":"","s3Bucket":"","s3ObjectKey":[],"Event":"s3:TestEvent","insightDetails":{}`),
	}
	frames := map[string]func(string) string{
		"event": func(s string) string { return s }, "records": func(s string) string { return `{"Records":[` + s + `]}` },
		"eventbridge":     func(s string) string { return bridge("AWS API Call via CloudTrail", s) },
		"sns":             sns,
		"cloudwatch-logs": func(s string) string { return logs("DATA_MESSAGE", s) },
		"shipper":         func(s string) string { return `{"message":` + quoteBytes(s) + `}` },
		"kafka-connect":   func(s string) string { return `{"payload":` + s + `}` },
		"array":           func(s string) string { return `[` + s + `]` },
		"gzip":            compress, "base64": toBase64,
	}
	for name, record := range tricks {
		for shape, frame := range frames {
			if got := decode(t, frame(record)); len(got) != 1 || got[0] != "event 0 "+shape+" eu-west-3 false" {
				t.Errorf("%s, in %s: %q", name, shape, got)
			}
		}
	}
}

// quoteBytes is quote for text that need not be valid UTF-8.
func quoteBytes(text string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`).Replace(text) + `"`
}

// Duplicate keys: the last one wins, however it is written.
func TestEvasionDuplicateKeys(t *testing.T) {
	const used = `"awsRegion":"us-east-1","readOnly":true`
	const unused = `"awsRegion":"eu-west-3","readOnly":false`
	const escaped = `"\u0061wsRegion":"eu\u002dwest-3","read\u004fnly":false`
	expect(t, `{"eventVersion":"1",`+used+`,`+unused+`}`, "event 0 event eu-west-3 false")
	expect(t, `{"eventVersion":"1",`+unused+`,`+used+`}`, "event 0 event us-east-1 true")
	expect(t, `{"eventVersion":"1",`+used+`,`+escaped+`}`, "event 0 event eu-west-3 false")
	expect(t, `{"eventVersion":"1",`+escaped+`,`+used+`}`, "event 0 event us-east-1 true")
	expect(t, `{"eventVersion":"1","readOnly":"False","awsRegion":"eu-west-3"}`, "event 0 event eu-west-3 False")
}

// Damage, at whatever byte behind the decisive fields, takes nothing away.
func TestEvasionTruncation(t *testing.T) {
	decisive := strings.Index(paris, `"readOnly":false`) + len(`"readOnly":false`)
	for n := decisive; n < len(paris); n++ {
		expect(t, paris[:n], "event 0 event eu-west-3 false damaged\nfault 0 truncated event")
		expect(t, `{"Records":[`+paris[:n], "event 0 records eu-west-3 false damaged\nfault 0 truncated records")
		expect(t, sns(paris[:n]), "event 0 sns eu-west-3 false damaged\nfault 0 truncated sns")
	}
	for n := range decisive { // before it there is a dead letter, wherever it ends
		if got := decode(t, paris[:n]); n > 0 && !strings.HasPrefix(got[len(got)-1], "fault 0 truncated") {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

// Marks of several envelopes in one object: one of them is opened, or a dead letter is written.
func TestEvasionConflictingMarks(t *testing.T) {
	expect(t, `{"Records":[`+paris+`],"Message":`+quote(tokyo)+`,"message":"x"}`, "event 0 records eu-west-3 false\nevent 1 sns ap-northeast-1 false")
	expect(t, `{"message":"x","Records":[`+paris+`]}`, "event 0 records eu-west-3 false")
	expect(t, `{"detail-type":"x","message":`+quote(paris)+`}`, "event 0 shipper eu-west-3 false")
	expect(t, `{"Type":"x","logEvents":7,"body":`+quote(paris)+`}`, "event 0 sqs eu-west-3 false")
}

// A wrapper that repeats some of an event's fields hides nothing. An event without a region that holds none is one.
func TestEvasionWrapperWithMarks(t *testing.T) {
	expect(t, `{"eventSource":"app","eventName":"x","message":`+quote(paris)+`}`, "event 0 shipper eu-west-3 false")
	expect(t, `{"eventSource":"app","eventName":"x","detail":`+paris+`}`, "event 0 eventbridge eu-west-3 false")
	expect(t, `{"eventVersion":"1","eventName":"x","Records":[`+paris+`]}`, "event 0 records eu-west-3 false")
	expect(t, `{"userIdentity":{},"eventName":"x","awsRegion":null,"raw":`+quote(paris)+`}`, "event 0 wrapped eu-west-3 false")
	expect(t, `{"a":{"eventSource":"app","eventName":"x","raw":`+quote(paris)+`}}`, "event 0 wrapped eu-west-3 false")
	if got := decode(t, `{"eventSource":"app","eventName":"x","message":"hello"}`); len(got) != 1 || got[0] != "event 0 event  " {
		t.Errorf("an event without a region: %q", got)
	}
	expect(t, `{"eventVersion":"1","eventName":"x","awsregion":"eu-west-3","readonly":false}`, "fault 0 normalized")
	expect(t, `{"EVENTVERSION":"1","AWSREGION":"eu-west-3"}`, "fault 0 normalized")
	// Nor does a text of any key, in which nothing else is a fault.
	expect(t, `{"x":"{\"awsregion\":\"eu-west-3\",\"readonly\":false}"}`, "fault 0 normalized wrapped")
	expect(t, `{"x":"{\"awsregion\":\"eu-west-3\",\"readonly\":false}\n7"}`, "fault 0 normalized wrapped")
}

// Every text around an event is opened, whatever its key.
func TestEvasionEnvelopeInText(t *testing.T) {
	expect(t, sns(sns(paris)), "event 0 sns > sns eu-west-3 false")
	expect(t, `{"subject":`+quote(paris)+`,"Message":`+quote(tokyo)+`}`, "event 0 wrapped eu-west-3 false\nevent 1 sns ap-northeast-1 false")
	expect(t, `{"subject":`+quote(paris)+`}`, "event 0 wrapped eu-west-3 false")
	expect(t, `{"message":`+quote(tokyo)+`,"host":{"message":`+quote(paris)+`}}`, "event 0 shipper ap-northeast-1 false\nevent 1 shipper eu-west-3 false")
}
