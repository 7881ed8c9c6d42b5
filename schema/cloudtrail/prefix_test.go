package cloudtrail

import "testing"

// What follows text on a line may be an array or quoted, and the text may be in braces.
func TestPrefixedForms(t *testing.T) {
	expect(t, "{app} "+paris, "event 0 prefixed eu-west-3 false")
	expect(t, "{app} "+paris+"\n{app} "+tokyo+"\n", "event 0 ndjson > prefixed eu-west-3 false\nevent 1 ndjson > prefixed ap-northeast-1 false")
	expect(t, "log: ["+paris+","+tokyo+"]", "event 0 prefixed > array eu-west-3 false\nevent 1 prefixed > array ap-northeast-1 false")
	expect(t, "log: [ "+paris+"]\nlog: "+tokyo, "event 0 ndjson > prefixed > array eu-west-3 false\nevent 1 ndjson > prefixed ap-northeast-1 false")
	expect(t, "main.go:12] log: ["+paris+"]", "event 0 prefixed > array eu-west-3 false")
	expect(t, `a] h: [{"c":`+quote(paris)+`}]`, "event 0 prefixed > array > wrapped eu-west-3 false")
	expect(t, "h: ["+quote(paris)+"]\nm="+quote(tokyo), "event 0 prefixed > array > string eu-west-3 false\nevent 1 prefixed > string ap-northeast-1 false")
	expect(t, "log: "+quote(paris), "event 0 prefixed > string eu-west-3 false")
	expect(t, "log: "+quote(paris)+"\nlog: "+quote(tokyo)+"\n", "event 0 prefixed > string eu-west-3 false\nevent 1 prefixed > string ap-northeast-1 false")
	expect(t, `{"message":`+quote("{app} "+paris)+`}`, "event 0 shipper > prefixed eu-west-3 false")
	expect(t, `{"message":`+quote("log: "+quote(paris))+`}`, "event 0 shipper > prefixed > string eu-west-3 false")
}

// The quoted text that ends a line is opened even if others stand before it, and never a decoy in place of the event around it.
func TestPrefixedTextAtTheEnd(t *testing.T) {
	expect(t, `a="b" log=`+quote(paris), "event 0 prefixed > string eu-west-3 false")
	expect(t, "F "+quote(`app: {"a":1} `+paris), "event 0 prefixed > string > prefixed eu-west-3 false")
	record := `{"message":` + quote(`app: {"readOnly":false}"userAgent":`+tokyo+`,"awsRegion":"eu-west-3"}`) + `}`
	if !isDecided(t, record) {
		t.Errorf("%s: %q", record, decode(t, record))
	}
}
