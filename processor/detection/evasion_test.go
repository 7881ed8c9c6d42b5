package detection

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/regionwatch/regionwatch/schema/alert"
	"github.com/regionwatch/regionwatch/schema/schematest"
)

const (
	regionField   = `"awsRegion":"eu-central-1"`
	readOnlyField = `"readOnly":false`
	agentField    = `"userAgent":"aws-cli/2.15.0"`
	parameters    = `{"instanceType":"p4d.24xlarge","maxCount":8}`
)

// evasion is a trick on the matching event, which must still alert.
type evasion struct {
	name  string
	value string
	// partial is the reason of a partial alert, with which a dead letter goes; empty for a whole one.
	partial string
	// letters are the reasons of the dead letters.
	letters string
}

// An actor in an unused region writes part of the event. Nothing they write turns the alert into
// silence.
func TestEvasion(t *testing.T) {
	schema := alertSchema(t)
	for _, e := range evasions(t) {
		t.Run(e.name, func(t *testing.T) { e.check(t, schema) })
	}
}

func (e *evasion) check(t *testing.T, schema schematest.Schema) {
	r, counts := detect(t, e.value)
	if len(r.encoded) != 1 {
		t.Fatalf("%d alerts, dead letters %+v, counts %+v", len(r.encoded), r.letters, counts)
	}
	checkEncoded(t, r.encoded[0])
	validate(t, schema, r.encoded[0])
	a := &r.alerts[0]
	if a.PartialReason != e.partial || a.Partial != (e.partial != "") {
		t.Errorf("partial %t, %q, want %q", a.Partial, a.PartialReason, e.partial)
	}
	if a.Partial && a.EventOmitted != alert.OmittedDamage {
		t.Errorf("the copy of the damaged event is omitted for %q", a.EventOmitted)
	}
	var reasons, ids []string
	for _, l := range r.letters {
		reasons = append(reasons, l.Reason.String())
		if l.AlertID != "" {
			ids = append(ids, l.AlertID)
		}
		if l.Alerted != 1 || l.Count != 1 {
			t.Errorf("dead letter %+v, want Alerted and Count of 1", l)
		}
	}
	if got := strings.Join(reasons, " "); got != e.letters || (got == "") != (counts.Done == 1) {
		t.Errorf("dead letters %q, want %q; counts %+v", got, e.letters, counts)
	}
	if a.Partial != (len(ids) == 1 && ids[0] == a.ID) {
		t.Errorf("dead letters name the alerts %q, the alert is %q", ids, a.ID)
	}
}

// checkEncoded checks what holds for every alert, whatever the event.
func checkEncoded(t testing.TB, encoded string) {
	t.Helper()
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(encoded))
	d.UseNumber() // a number is kept as it came, even one that no float holds
	if err := d.Decode(&v); err != nil || d.More() {
		t.Errorf("%v in %.2000q", err, encoded)
	}
	if !utf8.ValidString(encoded) || strings.ContainsAny(encoded, "\n\r\u2028\u2029") {
		t.Errorf("no line of UTF-8: %.2000q", encoded)
	}
}

func evasions(t *testing.T) []evasion {
	var all []evasion
	add := func(more []evasion) { all = append(all, more...) }
	add(keyEvasions(t))
	add(valueEvasions(t))
	add(sizeEvasions(t))
	add(damageEvasions(t))
	add(splitEvasions(t))
	add(envelopeEvasions(t))
	return all
}

func keyEvasions(t *testing.T) []evasion {
	const alike = `{"awsRegion":"us-east-1","readOnly":true,"x":[{"awsRegion":"us-east-1","readOnly":true}]}`
	return []evasion{
		{name: "look-alike keys in requestParameters", value: with(t, parameters, alike)},
		{name: "look-alike keys in responseElements", value: with(t, `"responseElements":null`, `"responseElements":`+alike)},
		{name: "look-alike keys in userIdentity", value: with(t, `"webIdFederationData":{}`, `"webIdFederationData":`+alike)},
		{name: "look-alike keys in additionalEventData", value: with(t, `"managementEvent":true`, `"additionalEventData":`+alike)},
		{name: "look-alike keys in tags", value: with(t, parameters, `{"tags":[{"key":"awsRegion","value":"us-east-1"},{"key":"readOnly","value":"true"}]}`)},
		{name: "duplicate awsRegion, the last one wins", value: with(t, regionField, `"awsRegion":"us-east-1",`+regionField)},
		{name: "duplicate readOnly, the last one wins", value: with(t, readOnlyField, `"readOnly":true,`+readOnlyField)},
		{name: "duplicate awsRegion far apart", value: with(t, `{"eventVersion"`, `{"awsRegion":"us-east-1","readOnly":true,"eventVersion"`)},
		{name: "keys in another case", value: with(t, readOnlyField, readOnlyField+`,"ReadOnly":true,"readonly":true,"AWSRegion":"us-east-1","awsregion":"us-east-1"`)},
		{name: "keys with zero-width characters", value: with(t, readOnlyField, readOnlyField+`,"read`+"\u200b"+`Only":true,"aws`+"\u2060"+`Region":"us-east-1","\ufeffreadOnly":true`)},
		{name: "keys in full width", value: with(t, readOnlyField, readOnlyField+`,"ｒｅａｄＯｎｌｙ":true,"ａｗｓＲｅｇｉｏｎ":"us-east-1"`)},
		{name: "keys with NUL", value: with(t, readOnlyField, readOnlyField+`,"readOnly\u0000":true,"awsRegion\u0000":"us-east-1"`)},
		{name: "keys with invalid UTF-8", value: with(t, readOnlyField, readOnlyField+",\"readOnly\xff\":true,\"\xffawsRegion\":\"us-east-1\"")},
		{name: "escaped keys", value: strings.Replace(with(t, `"awsRegion"`, `"\u0061ws\u0052egion"`), `"readOnly"`, `"read\u004fnly"`, 1)},
		{name: "escaped key of a duplicate", value: with(t, readOnlyField, `"\u0072eadOnly":true,`+readOnlyField)},
		{name: "an empty key", value: with(t, readOnlyField, readOnlyField+`,"":{"readOnly":true}`)},
		{name: "marks of envelopes in requestParameters", value: with(t, parameters, `{"Records":[],"Message":"{}","detail":{},"detail-type":"x","body":"{}","payload":{},"messageType":"CONTROL_MESSAGE"}`)},
	}
}

func valueEvasions(t *testing.T) []evasion {
	agent := func(value string) string { return with(t, agentField, `"userAgent":`+value) }
	return []evasion{
		{name: "readOnly as a string", value: with(t, readOnlyField, `"readOnly":"false"`)},
		{name: "readOnly as another string", value: with(t, readOnlyField, `"readOnly":"False"`)},
		{name: "readOnly with escapes", value: with(t, readOnlyField, `"readOnly":"\u0066ALSE"`)},
		{name: "awsRegion with escapes", value: with(t, regionField, `"awsRegion":"eu\u002dcentral-1"`)},
		{name: "JSON text in userAgent", value: agent(`"\",\"readOnly\":true,\"x\":\""`)},
		{name: "a log file in userAgent", value: agent(`"{\"Records\":[{\"awsRegion\":\"us-east-1\",\"readOnly\":true}]}"`)},
		{name: "braces in userAgent", value: agent(`"}]}}}}{[{"`)},
		{name: "backslashes at the end of userAgent", value: agent(`"x\\\\\\\""`)},
		{name: "invalid UTF-8", value: agent("\"\xff\xfe\xc3\"")},
		{name: "overlong UTF-8", value: agent("\"\xc0\xa2\xe0\x80\xa2\"")},
		{name: "surrogates in UTF-8", value: agent("\"\xed\xa0\x80\xed\xb0\x80\"")},
		{name: "lone surrogates", value: agent(`"\ud800 \udfff \udc00\ud800"`)},
		{name: "NUL and control characters", value: agent(`"\u0000\u0001\u001b[2J\u007f"`)},
		{name: "line separators", value: agent("\"\u2028\u2029\u0085\"")},
		{name: "white space everywhere", value: strings.ReplaceAll(matching, `,"`, "\r\n\t , \"")},
		{name: "odd numbers", value: with(t, `"maxCount":8`, `"maxCount":[1e999999,-0,-0.0e-0,1E+1,123456789012345678901234567890]`)},
		{name: "wrong types", value: strings.Replace(agent(`{"a":[1]}`), `"eventName":"RunInstances"`, `"eventName":7`, 1)},
		{name: "userIdentity of the wrong type", value: with(t, `"userIdentity":{`, `"userIdentity":"x","x":{`)},
	}
}

func sizeEvasions(t *testing.T) []evasion {
	nested := func(open, end string, n int) string { return strings.Repeat(open, n) + "1" + strings.Repeat(end, n) }
	return []evasion{
		{name: "a user agent of 1 MB", value: with(t, `aws-cli/2.15.0`, strings.Repeat("x", 1<<20))},
		{name: "a user agent of 1 MB of escapes", value: with(t, `aws-cli/2.15.0`, strings.Repeat(`\ud83d`, 1<<20/6))},
		{name: "100,000 levels of arrays", value: with(t, parameters, nested("[", "]", 100_000))},
		{name: "100,000 levels of objects", value: with(t, parameters, nested(`{"readOnly":`, "}", 100_000))},
		{name: "100,000 keys", value: with(t, parameters, `{`+strings.Repeat(`"readOnly":true,`, 100_000)+`"x":1}`)},
		{name: "a number of 1 MB", value: with(t, `"maxCount":8`, `"maxCount":`+strings.Repeat("9", 1<<20))},
		{name: "a key of 1 MB", value: with(t, readOnlyField, readOnlyField+`,"`+strings.Repeat(`\u0072`, 1<<20/6)+`":true`)},
	}
}

func damageEvasions(t *testing.T) []evasion {
	// Some pipelines sort keys: then both decisive fields may come before what the attacker writes, or
	// after it.
	early := `{"awsRegion":"eu-central-1","readOnly":false,` + matching[1:]
	before, after, _ := strings.Cut(matching, readOnlyField)
	half, _, _ := strings.Cut(matching, `"eventName"`)
	return []evasion{
		{name: "end right after readOnly", value: before + readOnlyField, partial: "truncated", letters: "truncated"},
		{name: "end after readOnly", value: before + readOnlyField + `,"eventTy`, partial: "truncated", letters: "truncated"},
		{name: "end in a string", value: early[:len(early)-4], partial: "truncated", letters: "truncated"},
		{name: "damage after readOnly", value: before + readOnlyField + `,,` + after, partial: "syntax", letters: "syntax"},
		{name: "a control character in userAgent", value: strings.Replace(early, "aws-cli", "aws\x00cli", 1), partial: "syntax", letters: "syntax"},
		{name: "damage before readOnly", value: with(t, parameters, `{"a":}`), partial: "salvaged", letters: "syntax"},
		{name: "a control character before readOnly", value: with(t, "aws-cli", "aws\x01cli"), partial: "salvaged", letters: "syntax"},
		{name: "a bad escape before awsRegion", value: with(t, "RunInstances", `Run\xInstances`), partial: "salvaged", letters: "syntax"},
		{name: "damage with look-alikes before", value: with(t, parameters, `{"awsRegion":"us-east-1","readOnly":true,"a":}`), partial: "salvaged", letters: "syntax"},
		{name: "the start is missing", value: matching[len(half):], partial: "salvaged", letters: "not-an-object trailing-bytes"},
		{name: "garbage after the event", value: matching + "garbage", letters: "trailing-bytes"},
		{name: "a closing brace after the event", value: matching + "}", letters: "trailing-bytes"},
		{name: "NUL after the event", value: matching + "\x00", letters: "trailing-bytes"},
		{name: "a damaged neighbour", value: `{"Records":[{"awsRegion":"us-east-1","readOnly":tru},` + matching + `]}`, letters: "syntax"},
		{name: "a damaged line before", value: "{\"awsRegion\":\n" + matching, letters: "truncated"},
	}
}

// Damage that cuts the event in two, or its text out of an envelope, leaves each half without what the other
// one has.
func splitEvasions(t *testing.T) []evasion {
	const other = `{"eventVersion":"1.08","eventName":"ListBuckets","awsRegion":"us-east-1","readOnly":true}`
	shipped := `{"message":` + quoted(matching) + `,"host":"h"}`
	return []evasion{
		{name: "a closing brace after awsRegion", value: with(t, regionField, regionField+"}"), partial: "salvaged", letters: "trailing-bytes"},
		{name: "a closing brace within requestParameters", value: with(t, parameters, "{}}"), partial: "salvaged", letters: "trailing-bytes"},
		{name: "the same in a log file", value: `{"Records":[` + with(t, parameters, "{}}") + `]}`, partial: "salvaged", letters: "not-an-object syntax"},
		{name: "another event in the middle", value: with(t, parameters, "{"+other), partial: "salvaged", letters: "syntax trailing-bytes"},
		{name: "an opening brace after awsRegion", value: with(t, regionField+",", regionField+"{"), partial: "salvaged", letters: "syntax unknown-shape"},
		{name: "a quote in a shipper's text", value: strings.Replace(shipped, `{\"eventV`, `{"eventV`, 1), partial: "salvaged", letters: "truncated syntax"},
		{name: "a quote in a text that is all of the record", value: strings.Replace(quoted(matching), `aws-cli`, `aws"cli`, 1), partial: "salvaged", letters: "truncated trailing-bytes"},
	}
}

// envelopeEvasions play with what looks like an envelope, and with real ones.
func envelopeEvasions(t *testing.T) []evasion {
	const decoy = `{"eventVersion":"1.08","eventName":"ListBuckets","awsRegion":"us-east-1","readOnly":true}`
	notification := func(text string) string { return `{"Type":"Notification","Message":` + quoted(text) + `}` }
	atTop := func(members string) string { return matching[:len(matching)-1] + "," + members + "}" }
	return []evasion{
		{name: "an envelope in an envelope's text", value: notification(notification(`{"Records":[` + matching + `]}`))},
		{name: "an envelope in every layer", value: `{"Records":[{"eventSource":"aws:sqs","body":` + quoted(notification(`{"message":`+quoted(matching)+`}`)) + `}]}`},
		{name: "an envelope in userAgent", value: with(t, agentField, `"userAgent":`+quoted(notification(decoy)))},
		{name: "an event in userAgent, within a text", value: notification(with(t, agentField, `"userAgent":`+quoted("\n"+decoy+"\n")))},
		{name: "the start of a log file in userAgent", value: `{"Records":[` + with(t, agentField, `"userAgent":`+quoted(`{"Records":[`)) + `]}`},
		{name: "Message and detail in requestParameters", value: with(t, parameters, `{"Type":"Notification","Message":`+quoted(decoy)+`,"detail-type":"x","detail":`+decoy+`}`)},
		{name: "marks of every envelope beside the event's keys", value: atTop(`"Records":[],"detail":{},"detail-type":"x","messageType":"CONTROL_MESSAGE","Message":"","body":"","message":"","payload":null`)},
		{name: "a log file's mark before the event's keys", value: `{"Records":[],` + matching[1:]},
		{name: "marks of a digest and an insight", value: atTop(`"digestEndTime":"x","s3Bucket":"b","s3ObjectKey":[],"insightDetails":{}`)},
		{name: "two envelopes in one object", value: `{"message":"x","Message":` + quoted(decoy) + `,"Records":[` + matching + `]}`},
	}
}

// quoted returns the text as a JSON string.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Of two regions or two readOnly the last one counts, as in Python's and Go's decoders: these do not match.
func TestDuplicateKeysThatDoNotMatch(t *testing.T) {
	for _, value := range []string{
		with(t, regionField, regionField+`,"awsRegion":"us-east-1"`),
		with(t, readOnlyField, readOnlyField+`,"readOnly":true`),
		with(t, readOnlyField, readOnlyField+`,"read\u004fnly":true`),
	} {
		if r, counts := detect(t, value); len(r.alerts) != 0 || counts.Events != 1 || counts.Done != 1 {
			t.Errorf("alerts %q, counts %+v", r.encoded, counts)
		}
	}
}
