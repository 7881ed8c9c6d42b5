package cloudtrail

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/regionwatch/regionwatch/schema/cloudtrail/layer"
)

// Base64 is opened whatever its text starts with, and behind a prefix.
func TestBase64OfText(t *testing.T) {
	line := toBase64("<134>1 2024-05-01T10:11:12Z host cloudtrail - - - " + paris)
	beside := `{"host":"a","data":"` + line + `"}`
	expect(t, line, "event 0 base64 > prefixed eu-west-3 false")
	expect(t, beside, "event 0 wrapped > base64 > prefixed eu-west-3 false")
	expect(t, `[`+tokyo+`,"`+line+`"]`, "event 0 array ap-northeast-1 false\nevent 1 array > string > base64 > prefixed eu-west-3 false")
	expect(t, `{"data":"data:application/json;base64,`+toBase64(paris)+`"}`, "event 0 wrapped > base64 eu-west-3 false")
	expect(t, "x: "+toBase64(paris), "event 0 base64 eu-west-3 false")
	expect(t, `{"data":"x: `+toBase64(toBase64("log: "+paris))+`"}`, "event 0 wrapped > base64 > base64 > prefixed eu-west-3 false")
	expect(t, `{"a":"`+breakLines(line, `\n`)+`"}`, "event 0 wrapped > base64 > prefixed eu-west-3 false")
	expect(t, `{"a":"`+strings.ReplaceAll(line, "/", `\/`)+`"}`, "event 0 wrapped > base64 > prefixed eu-west-3 false")
	long := "<134>" + strings.Repeat("prefix ", 2_000)
	expect(t, toBase64(long+paris), "event 0 base64 > prefixed eu-west-3 false")
}

// Base64 is opened before marks beside it make the object an event. Guard: mayHold unquotes the string; the base64 behind a
// header, and in text that looks like a damaged array.
func TestBase64BesideMarks(t *testing.T) {
	packed := toBase64(compress(paris))
	for _, marks := range []string{`"awsRegion":"us-east-1"`, `"awsRegion":"us-east-1","eventName":"x"`} {
		f := func(text, chain string) {
			t.Helper()
			expect(t, `{`+marks+`,"message":`+text+`}`, "event 0 shipper > "+chain+" eu-west-3 false")
		}
		f(strings.ReplaceAll(quote(packed), "/", `\/`), "base64 > gzip")
		f(quote("\x00\x00\x00\x00\x0a"+toBase64(paris)), "confluent > base64")
		f(quote("[info] "+toBase64(paris)), "array > base64")
	}
	expect(t, "[info] "+toBase64(paris), "event 0 array > base64 eu-west-3 false\nfault 1 syntax array")
}

// Base64 of a text that we cannot read, but that has our keys, is a dead letter and not silence.
func TestBase64OfDamagedText(t *testing.T) {
	front := paris[strings.Index(paris, `"awsRegion"`):]
	expect(t, `{"host":"a","data":"`+toBase64(front)+`"}`, "event 0 wrapped > base64 eu-west-3 false salvaged\nfault 0 syntax wrapped > base64")
	for _, wide := range []string{toUTF16(paris), toUTF16("log " + paris)} {
		expect(t, `{"host":"a","data":"`+toBase64(wide)+`"}`, "fault -1 encoding wrapped > base64")
	}
}

// Base64 of anything else is metadata.
func TestBase64OfOthers(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("word", 100), strings.Repeat("several words of seventeenletters ", 100), strings.Repeat("0123456789abcdef", 8),
		"e2.amazonaws.com", toBase64(strings.Repeat("\x00\x01\x02", 500)), toBase64("just a text that is long enough to be looked into"),
	} {
		expect(t, `{"message":`+quote(paris)+`,"other":`+quote(text)+`}`, "event 0 shipper eu-west-3 false")
	}
}

// Binary in base64 is not taken for text because two of its bytes look like the start of an object.
func TestBase64OfBinary(t *testing.T) {
	if text := toBase64(strings.Repeat("\x01", 100) + `{"` + strings.Repeat("\x02", 100)); layer.IsBase64([]byte(text)) {
		t.Error("binary is opened")
	}
}

// A wrong character costs no more than what it stands for.
func TestBase64Damaged(t *testing.T) {
	packed := toBase64(tokyo + "\n" + paris)
	for _, at := range []int{40, len(packed) / 4, len(packed) / 3} {
		for _, damaged := range []string{packed[:at] + "!" + packed[at+1:], packed[:at] + "!" + packed[at:]} {
			got := strings.Join(decode(t, damaged), "\n")
			if !strings.Contains(got, "eu-west-3 false") || !strings.HasSuffix(got, "encoding base64") {
				t.Errorf("byte %d: %s", at, got)
			}
		}
	}
}

func toUTF16(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

// breakLines breaks base64 into lines of 76 characters, as MIME has it (RFC 2045).
func breakLines(text, end string) string {
	var b strings.Builder
	for ; len(text) > 76; text = text[76:] {
		b.WriteString(text[:76] + end)
	}
	return b.String() + text
}

func BenchmarkBase64Metadata(b *testing.B) {
	record := []byte(`{"message":` + quote(paris) + `,"other":"` + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00\x01\x02", 5_000))) + `"}`)
	d := NewDecoder(0)
	var f found
	b.SetBytes(int64(len(record)))
	for b.Loop() {
		f = found{}
		_ = d.Decode(record, &f)
	}
}
