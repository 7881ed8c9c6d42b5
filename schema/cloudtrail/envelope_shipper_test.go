package cloudtrail

import (
	"strings"
	"testing"
)

func TestShipperSuccess(t *testing.T) {
	const want = "event 0 shipper eu-west-3 false"
	expect(t, `{"@timestamp":"t","host":{"name":"h"},"log":{"file":{"path":"/p"}},"message":`+quote(paris)+`}`, want) // Filebeat
	expect(t, `{"file":"/p","host":"h","message":`+quote(paris)+`,"source_type":"file"}`, want)                       // Vector
	expect(t, `{"log":`+quote(paris+"\n")+`,"stream":"stdout"}`, want)                                                // Fluent Bit, Docker
	expect(t, `{"log":`+paris+`}`, want)                                                                              // … with a JSON parser
	expect(t, `{"@timestamp":"t","event":{"original":`+quote(paris)+`},"message":"PutObject by x"}`, want)            // Elastic
	const both = want + "\nevent 1 shipper ap-northeast-1 false"
	expect(t, `{"event.original":`+quote(paris)+`,"message":`+quote(tokyo)+`}`, both)
	expect(t, `{"event":{"original":`+quote(paris)+`},"message":`+quote(tokyo)+`}`, both)
	expect(t, `{"message":`+quote(`{"Records":[`+paris+`]}`)+`}`, "event 0 shipper > records eu-west-3 false")
	expect(t, `{"message":"`+toBase64(compress(paris))+`"}`, "event 0 shipper > base64 > gzip eu-west-3 false")
	expect(t, `{"message":`+quote("\ufeff "+paris)+`}`, want)
}

func TestShipperFailure(t *testing.T) {
	expect(t, `{"message":"GET / 200"}`, "fault 0 unknown-shape")
	expect(t, `{"message":7}`, "fault 0 unknown-shape")
	expect(t, `{"message":`+quote(paris[:len(paris)-1])+`}`, "event 0 shipper eu-west-3 false damaged\nfault 0 truncated shipper")
	// The second half of an event that a shipper cut in two.
	expect(t, `{"log":`+quote(paris[99:])+`}`, "event 0 shipper eu-west-3 false salvaged\nfault 0 syntax shipper")
}

func TestConnectSuccess(t *testing.T) {
	expect(t, `{"schema":{"type":"string"},"payload":`+quote(paris)+`}`, "event 0 kafka-connect eu-west-3 false")
	expect(t, `{"schema":null,"payload":`+paris+`}`, "event 0 kafka-connect eu-west-3 false")
	expect(t, `{"payload":null}`, "skip empty")
}

func TestConnectFailure(t *testing.T) {
	expect(t, `{"schema":null,"payload":{"a":1}}`, "fault 0 unknown-shape")
	expect(t, `{"schema":null,"payload":true}`, "fault 0 unknown-shape")
}

func TestConfluentSuccess(t *testing.T) {
	expect(t, "\x00\x00\x00\x00\x07"+paris, "event 0 confluent eu-west-3 false")
	expect(t, "\x00\x7b\x00\x00\x07"+`[`+paris+`]`, "event 0 confluent > array eu-west-3 false")
}

func TestConfluentFailure(t *testing.T) {
	expect(t, "\x00\x00\x00\x00\x07", "fault 0 syntax")
	expect(t, "\x00\x00\x00\x00\x07{", "fault 0 truncated confluent")
}

func TestStringSuccess(t *testing.T) {
	expect(t, quote(paris), "event 0 string eu-west-3 false")
	expect(t, quote(toBase64(paris)), "event 0 string > base64 eu-west-3 false")
}

func TestStringFailure(t *testing.T) {
	expect(t, `"hello"`, "fault 0 not-an-object")
	expect(t, `"awsRegion"`, "fault 0 not-an-object")
	expect(t, `"{`, "fault 0 truncated string")
	cut := quote(paris)
	expect(t, cut[:len(cut)-1], "event 0 string eu-west-3 false\nfault -1 truncated string")
	expect(t, cut[:len(cut)-30], "event 0 string eu-west-3 false damaged\nfault 0 truncated string")
	expect(t, quote(paris)+quote("hello"), "event 0 string eu-west-3 false\nfault -1 trailing-bytes")
	// A line break that should be \n does not end it.
	expect(t, strings.Replace(cut, `,`, ",\n", 1), "event 0 string eu-west-3 false\nfault -1 trailing-bytes string")
}

// JSON is not taken for a field of a binary format, although its first byte could be its length.
//
// Guard: IsTextStart in Detect.
func TestTextIsNoBinaryField(t *testing.T) {
	const start, end = `{"awsRegion":"eu-west-3","readOnly":false,"x":"`, `"}`
	for n := range 100 {
		e := start + strings.Repeat("x", n) + end
		expect(t, "["+e+"]", "event 0 array eu-west-3 false")
		expect(t, e+"\n"+e, "event 0 ndjson eu-west-3 false\nevent 1 ndjson eu-west-3 false")
	}
}
