package layer

import (
	"strings"
	"testing"
)

// Each kind is recognized by its first bytes; one byte less, or another, and it is not.
func TestDetect(t *testing.T) {
	f := func(text string, want Kind, wantInner ...string) {
		t.Helper()
		kind, inner := Detect([]byte(text))
		if kind != want || string(inner) != strings.Join(wantInner, "") {
			t.Errorf("%q: kind %d, want %d, inner %q", text, kind, want, inner)
		}
	}
	for _, text := range []string{"", " \r\n\t", "{", ` {"a":1}`, "[1]", `"x"`, "some text", "\x00", "null"} {
		f(text, None)
	}
	// UTF-16 by its mark, or by the zeros around the first character.
	for _, text := range []string{"\xff\xfe{\x00", "\xfe\xff\x00{", "\xff\xfeab", "{\x00\"\x00", "[\x00{\x00", "\x00{\x00\"", "\x00[\x00{"} {
		f(text, UTF16)
	}
	for _, text := range []string{"\xff\xfe{", "\xfe\xff\x00", "\x00{\x00", "\xff\xff{\x00", "\xfe\xfe\x00{", "a\x00b\x00", "\x00a\x00b", "\x00{\x00\x00", "\x00{\x01\x01"} {
		f(text, None)
	}
	f("a"+wide(`"awsRegion":"x"`), UTF16)
	f("{\x01\"\x00", None)
	// Compression.
	f("\x1f\x8b", Gzip)
	f("\x1f\x8a", None)
	f("\x28\xb5\x2f\xfd", Zstd)
	f("\x28\xb5\x2f\xfc", None)
	f("\x50\x2a\x4d\x18\x00", Zstd)
	f("\x5f\x2a\x4d\x18\x00", Zstd)
	f("\x50\x2a\x4d\x18", None)
	f("\x60\x2a\x4d\x18\x00", None)
	f("\x50\x2a\x4d\x19\x00", None)
	f("\x51\x2b\x4d\x18\x00", None)
	f("\xff\x06\x00\x00sNaPpY", Snappy)
	f("\xff\x06\x00\x00sNaPp", None)
	f("\x04\x22\x4d\x18", LZ4)
	f("\x04\x22\x4d\x19", None)
	for _, start := range []string{"\x78\x01", "\x78\x5e", "\x78\x9c", "\x78\xda"} {
		f(start+"\x00", Zlib)
	}
	f("\x78\x01", None)
	f("\x78\x02\x00", None) // the sum is wrong
	f("\x78\xbb\x00", None) // with a dictionary
	f("\x79\x18\x00", None) // another method
	f(toBase64(eventText), Base64)
}

// A header is one where JSON, another header, something compressed or base64 follows.
func TestDetectHeader(t *testing.T) {
	f := func(text string, want Kind, wantInner string) {
		t.Helper()
		kind, inner := Detect([]byte(text))
		if kind != want || string(inner) != wantInner {
			t.Errorf("%q: kind %d, want %d, inner %q", text, kind, want, inner)
		}
	}
	const confluent = "\x00\x00\x00\x00\x09"
	glue := func(zipped string) string { return "\x03" + zipped + strings.Repeat("\xaa", 16) }
	packed := toBase64(eventText)
	for _, inner := range []string{"{}", " [1]", `"x"`, "\x1f\x8b\x08", packed, "\x04{}", "\x02{}"} {
		f(confluent+inner, Confluent, inner)
		f(glue("\x00")+inner, Glue, inner)
		f(glue("\x05")+inner, Glue, inner)
		f(glue("\x01")+inner, None, "")
		f("\x01"+confluent[1:]+inner, None, "")
	}
	f(glue("\x00"), None, "")
	f(confluent, None, "")
	f(confluent+"text", None, "")
	f(confluent+"  ", None, "")
	f(confluent+confluent+"  ", None, "")
	f("\x02"+glue("\x00")[1:]+"{}", None, "")
	f(confluent+strings.Repeat("x", MinBase64+1), Confluent, strings.Repeat("x", MinBase64+1))
	// A header behind a header, once more.
	for _, inner := range []string{"{}", " {}", "\x04{}", strings.Repeat("x", MinBase64+1)} {
		f(confluent+confluent+inner, Confluent, confluent+inner)
	}
	f(confluent+confluent+confluent+"{}", None, "")
	f(confluent+confluent+"\x1f\x8b", None, "")
	f(confluent+"\x01\x00\x00\x00\x09{}", None, "")
	f(confluent+confluent, None, "")
	f(confluent+"\x00\x00\x00\x00\x09\x00{}", None, "")
	f(confluent+confluent+"\x00\x04{}", None, "")
}

// The field of a record of one field is all of it: the length, in Avro's or Protobuf's form, and JSON.
func TestDetectField(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		kind, inner := Detect([]byte(text))
		if string(inner) != want || (kind == Field) != (want != "") {
			t.Errorf("%q: kind %d, inner %q", text, kind, inner)
		}
	}
	for n := range 200 { // JSON is none, although its first byte could be the length of the rest
		f("[{"+strings.Repeat("x", n), "")
		f("{\""+strings.Repeat("x", n), "")
		f("\"{"+strings.Repeat("x", n), "")
	}
	f("\x02{}", "{}")         // Protobuf without its tag
	f("\x04{}", "{}")         // Avro: twice the length
	f("\x00\x04{}", "{}")     // the first branch of a union
	f("\x04\x04{}", "{}")     // the third
	f("\x05\x04{}", "")       // no branch
	f("\x0a\x02{}", "{}")     // a tag
	f("\x0b\x02{}", "")       // a tag of another type
	f("\x00\x0a\x02{}", "{}") // an index and a tag
	f("\x01\x0a\x02{}", "")   // another index
	f("\x00\x0b\x02{}", "")
	f("\x00\x00\x0a\x02{}", "")
	f("\x00\x0a\x00\x02{}", "")
	f("\x02  ", "")
	f("\x03x{}", "")
	f("\x03{}", "")
	f("\x05{}", "")
	f("\x02{} ", "")
	f("\x03{} ", "{} ")
	f("\x03 {}", " {}")
	f("\x02ab", "")
	f("\x00", "")
	f("\x00\x00", "")
	long := strings.Repeat("x", MinBase64+1)
	f("\x11"+long, long)
	f("\x24"+long+"x", long+"x")
	f("\x10"+long[1:], "")
	object := `{"a":"` + strings.Repeat("x", 300) + `"}` // 308 bytes: a varint of two
	f("\xb4\x02"+object, object)
	f("\xe8\x04"+object, object)
	f("\x0a\xb4\x02"+object, object)
	f("\x00\x0a\xb4\x02"+object, object)
}
