package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// skipOne reads text as one value with white space around it, as json.Valid does.
func skipOne(s *Scanner, text []byte) error {
	end, err := s.SkipValue(text, SkipSpace(text, 0))
	if err != nil {
		return err
	}
	if end = SkipSpace(text, end); end < len(text) {
		return Unexpected(text, end, "the end")
	}
	return nil
}

// padding behind a value has it read by words.
var padding = strings.Repeat(" ", 2*TextsWindow)

func TestSkipValueSuccess(t *testing.T) {
	f := func(text string, wantInvalid bool) {
		t.Helper()
		var s Scanner
		if err := skipOne(&s, []byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%q: encoding/json does not accept it", text)
		}
		if s.Invalid != wantInvalid {
			t.Errorf("%q: invalid UTF-8 is %v, want %v", text, s.Invalid, wantInvalid)
		}
		if err := skipOne(&s, []byte(text+padding)); err != nil {
			t.Errorf("%q and white space: %v", text, err)
		}
	}
	for _, text := range []string{
		`null`, `true`, `false`, `""`, `{}`, `[]`, ` { } `, "\t[\r\n]\n", `[[],{},[{}]]`,
		`0`, `-0`, `1`, `-12`, `1234567890123456789012345678901234567890`, `0.5`, `-0.50`, `1e5`, `1E+5`, `1e-05`,
		`1e999999`, `0e0`, `1.25e+10`, `"plain"`, `"a longer string than a word or two"`, "\"\x7f\"",
		`"\"\\\/\b\f\n\r\t\u00e9\uABCD\uabcd"`, `"\ud83d\ude00"`, `"12345678\n"`, `"1234567\n"`, `"é"`, `"日本語のテキスト"`, `"\u0000"`,
		`{"a":1}`, `{"a":1,"a":2}`, "{ \"a\" : 1 ,\n\"b\" : [ 1 , 2 ] }", `{"":{"":[""]}}`, `[1,[2,[3,{"a":[4]}]],5]`,
		`{"a": 1}`, `{"a":"b" }`, `{"x":{ "a":1}}`, `{"x":{ }}`, `{"x":{}}`, `{"x":[{"a":1},2]}`, `{"x":{"a":"b"},"y":"c"}`, "\"\ufffd\"",
		"\"\u2028\ufeff\U0010ffff\"", `"\uDBFF\uDFFF"`, `"\uda00\udc00"`,
	} {
		f(text, false)
	}
	for _, text := range []string{
		"\"\x80\"", `"\ud83dxude00x"`, `"\ud83d\nde00xx"`, "\"\xff\"", "\"12345678\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"",
		`"\uDA00"`, `"\uDFFF\uDBFF"`, `"\uDBFF\uDBFF"`, `"\ud800"`, `"\udc00"`, `"\ud800\ud800\udc00"`, `"\ud800\u0041"`, `"\ud800x"`, `"\ud800\n"`, "{\"\xff\":1}", "[\"\xff\",\"ok\"]",
	} {
		f(text, true)
	}
}

func TestSkipValueFailure(t *testing.T) {
	f := func(text string, offset int) {
		t.Helper()
		var s Scanner
		err := skipOne(&s, []byte(text))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: got %v, want a syntax error", text, err)
			return
		}
		if syntax.Offset != offset || syntax.Truncated != (offset == len(text)) {
			t.Errorf("%q: got offset %d, truncated %v, want offset %d", text, syntax.Offset, syntax.Truncated, offset)
		}
		if json.Valid([]byte(text)) {
			t.Errorf("%q: encoding/json accepts it", text)
		}
		if err := skipOne(&s, []byte(text+padding)); err == nil || offset < len(text) && StoppedAt(err, -1) != offset {
			t.Errorf("%q and white space: %v, want offset %d", text, err, offset)
		}
	}
	// The input ends too early.
	for _, text := range []string{
		``, ` `, `{`, `[`, `"`, `"a`, `"\`, `"\u`, `"\u123`, `{"a"`, `{"a" `, `{"a":`, `{"a": `, `{"a":1`, `{"a":1,`, `[1`, `[1,`,
		`-`, `1.`, `1e`, `1e+`, `t`, `tru`, `fals`, `nul`, `{"a":{"b":1}`, `{"a":[`, "\"\xff", `"12345678`, `"\ud800`, `"\ud800\`,
	} {
		f(text, len(text))
	}
	f(`}`, 0)
	f(`]`, 0)
	f(`,`, 0)
	f(`x`, 0)
	f(`'a'`, 0)
	f(`+1`, 0)
	f(`.5`, 0)
	f(`NaN`, 0)
	f(`True`, 0)
	f("\ufeff{}", 0)
	f("\v1", 0)
	f("\u00a01", 0)
	f(`truE`, 3)
	f(`nulL`, 3)
	f(`truex`, 4)
	f(`01`, 1)
	f(`-01`, 2)
	f(`-x`, 1)
	f(`1.x`, 2)
	f(`1.e5`, 2)
	f(`1e5.5`, 3)
	f(`1ex`, 2)
	f(`0x10`, 1)
	f(`1 2`, 2)
	f(`{}{}`, 2)
	f(`{a:1}`, 1)
	f(`{1:1}`, 1)
	f(`{,}`, 1)
	f(`{"a" 1}`, 5)
	f(`{"a"=1}`, 4)
	f(`{"a":}`, 5)
	f(`{"a":1,}`, 7)
	f(`{"a":1;}`, 6)
	f(`{"a":1]`, 6)
	f(`{"a":1 "b":2}`, 7)
	f(`{"a":"b""c":1}`, 8)
	f(`[,]`, 1)
	f(`[1,]`, 3)
	f(`[1,,2]`, 3)
	f(`[1}`, 2)
	f(`[1 2]`, 3)
	f(`[[1]}`, 4)
	f(`{"a":[1}]`, 7)
	f(`["a":1]`, 4)
	f("\"a\nb\"", 2)
	f("\"12345678\x00\"", 9)
	f("\"1234\x1f\"", 5)
	f("{\"a\tb\":1}", 3)
	f(`"\x"`, 2)
	f(`"\U1234"`, 2)
	f(`"\u12g4"`, 5)
	f(`"\u12"`, 5)
	f(`"\ud800\u12"`, 11)
	f(`"\ug123"`, 3)
	for _, c := range []string{"/", ":", "@", "G", "`", "g"} {
		f(`"\u000`+c+`"`, 6)
	}
	f(`{"a":"b"]`, 8)
	f(`{"a":{x}}`, 6)
	f(`{"x":[{"a":1}}`, 13)
	f(`"\'"`, 2)
	f(`/**/1`, 0)
	f(`[1]//`, 3)
}

// truncated reports whether err is an early end.
func truncated(err error) bool {
	syntax, ok := errors.AsType[*SyntaxError](err)
	return ok && syntax.Truncated
}

// deep returns levels of nesting in the pattern of open and close, around inside.
func deep(levels int, opening, inside, closing string) []byte {
	return []byte(strings.Repeat(opening, levels) + inside + strings.Repeat(closing, levels))
}

func TestSkipValueDeep(t *testing.T) {
	var s Scanner
	for _, levels := range []int{1, 31, 32, 63, 64, 65, 127, 128, 129, 10_001, 100_000} {
		for _, text := range [][]byte{
			deep(levels, `[`, ``, `]`), deep(levels, `{"a":`, `1`, `}`), deep(levels, `[{"a":`, `[]`, `}]`),
			deep(levels, "[ [ {\"a\" : \n", `{}`, ` } ] , 1 ]`),
		} {
			if err := skipOne(&s, text); err != nil {
				t.Errorf("%d levels of %.8s: %v", levels, text, err)
			}
			if err := skipOne(&s, text[:len(text)-1]); !truncated(err) {
				t.Errorf("%d levels of %.8s without the last byte: %v", levels, text, err)
			}
		}
		// A Unexpected closer at each boundary of the remembered bits must be seen.
		wrongCloser := deep(levels, `[{"a":`, `1`, `}]`)
		last := len(wrongCloser) - 1
		wrongCloser[last] = '}'
		if err := skipOne(&s, wrongCloser); StoppedAt(err, -1) != last {
			t.Errorf("%d levels with a Unexpected closer: %v", levels, err)
		}
	}
}

// What a damaged value leaves of its nesting is gone with the next one.
func TestSkipValueForgetsDamage(t *testing.T) {
	var s Scanner
	for range 10 {
		if _, err := s.SkipValue(deep(640, `[`, ``, ``), 0); !truncated(err) || len(s.deep) > 10 {
			t.Fatalf("%v, %d words are kept", err, len(s.deep))
		}
	}
}

// A key that is not whole is none.
func TestSkipKeyFailure(t *testing.T) {
	for text, want := range map[string]string{
		`"a`: "byte 2: the input ends, want the end of the string", "\"a\t\":1": `byte 2: found '\t', want no control character in a string`,
		"\"a\"\x7f": `byte 3: found '\x7f', want a colon`, "\"a\"\x80": "byte 3: found 0x80, want a colon", "\xff": "byte 0: found 0xff, want a key",
	} {
		if _, _, err := new(Scanner).SkipKey([]byte(text), 0); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestNextMember(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		var s Scanner
		var got []string
		b := []byte(text)
		for i := 0; ; {
			key, value, next, done, err := s.NextMember(b, i)
			if done && next != len(b) {
				t.Errorf("%s: done at %d", text, next)
			}
			if key != nil {
				got = append(got, string(key)+string(value))
			}
			if err != nil {
				got = append(got, err.Error())
			}
			if i = next; done || err != nil {
				break
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f(`{}`)
	f(`{ }`)
	f(`{"a":1}`, `"a"1`)
	f(` {"a":1}`, `byte 0: found ' ', want a comma or the end of the object`)
	f(`{ "a" : 1 , "b" : [ {} ] }`, `"a"1`, `"b"[ {} ]`)
	f(`{"a":"x","\u0061":null}`, `"a""x"`, `"\u0061"null`)
	f(`{"a":1,}`, `"a"1`, `byte 7: found '}', want a key`)
	f(`{,"a":1}`, `byte 1: found ',', want a key`)
	f(`{"a":1x`, `"a"1`, `byte 6: found 'x', want a comma or the end of the object`)
	f(`{"a":1{"b":1}`, `"a"1`, `byte 6: found '{', want a comma or the end of the object`)
	f(`{"a":[1,2`, `"a"`, `byte 9: the input ends, want a comma or the end of the array`)
	f(`{"a":1`, `"a"1`, `byte 6: the input ends, want a comma or the end of the object`)
	f(``, `byte 0: the input ends, want a comma or the end of the object`)
}

func TestNextElement(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		var s Scanner
		var got []string
		b := []byte(text)
		for i := 0; ; {
			value, next, done, err := nextElement(&s, b, i)
			if done && next != len(b) {
				t.Errorf("%s: done at %d", text, next)
			}
			if value != nil {
				got = append(got, string(value))
			}
			if err != nil {
				got = append(got, err.Error())
			}
			if i = next; done || err != nil {
				break
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f(`[]`)
	f(`[ ]`)
	f(`[1]`, `1`)
	f(`[ 1 , {"a":[]} , "x" ]`, `1`, `{"a":[]}`, `"x"`)
	f(`[1,]`, `1`, `byte 3: found ']', want a value`)
	f(`[,1]`, `byte 1: found ',', want a value`)
	f(`[1 2]`, `1`, `byte 3: found '2', want a comma or the end of the array`)
	f(`[1[2]`, `1`, `byte 2: found '[', want a comma or the end of the array`)
	f(`[1,`, `1`, `byte 3: the input ends, want a value`)
	f(`{"a":1}`, `byte 0: found '{', want a comma or the end of the array`)
	f(``, `byte 0: the input ends, want a comma or the end of the array`)
}

// FuzzScan holds the Scanner against encoding/json: it accepts the same texts, beyond 10,000 levels of
// nesting too, and takes them apart in the same way.
func FuzzScan(f *testing.F) {
	for _, text := range fuzzSeeds {
		f.Add([]byte(text))
		f.Add([]byte(text[:len(text)*2/3]))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Scanner
		err := skipOne(&s, text)
		if valid := json.Valid(text); valid != (err == nil) && !tooDeep(text) {
			t.Fatalf("%q: encoding/json says %v, got %v", text, valid, err)
		}
		var syntax *SyntaxError
		if errors.As(err, &syntax) && (syntax.Offset > len(text) || syntax.Truncated != (syntax.Offset == len(text))) {
			t.Fatalf("%q: offset %d, truncated %v", text, syntax.Offset, syntax.Truncated)
		}
		checkMembers(t, &s, text)
		checkElements(t, &s, text)
	})
}

// fuzzSeeds holds texts near what the Scanner has rules for.
var fuzzSeeds = []string{
	`{}`, `[]`, `null`, `-0.1e+5`, `01`, `"\ud83d\ude00\ud800"`, "\"\xff\xc0\x80\"", "{\"a\x00\":1}", `{"\u0061wsRegion":"eu\u002dcentral-1"}`,
	`{"awsRegion":"a","awsRegion":"b","readOnly":true,"readOnly":false}`, `{ "readOnly" : "False" , "awsRegion" : null }`,
	`{"a":[[[{"b":{"c":[1,2,{}]}}]]],"d":"e"}`, strings.Repeat(`[{"a":`, 70), `[1,2.5,"x",true,false,null,{"y":[]}]`,
	"{\n  \"Records\": [\n    {\"eventVersion\": \"1.08\"}\n  ]\n}", `{"detail-type":"AWS API Call via CloudTrail","detail":{}}`,
	`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1,"message":"{\"eventVersion\":\"1.08\"}"}]}`,
	`{"Type":"Notification","Message":"{\"Records\":[]}"}`, `{"body":"{}"}`, `{"payload":{"eventName":"x"}}`, `{"event.original":"{}"}`,
}

// tooDeep reports whether encoding/json may refuse the text for its depth alone.
func tooDeep(text []byte) bool {
	return bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > 10_000
}

// checkMembers steps through an object in two ways and compares.
func checkMembers(t *testing.T, s *Scanner, text []byte) {
	if len(text) == 0 || text[0] != '{' || tooDeep(text) {
		return
	}
	end, wantErr := s.SkipValue(text, 0)
	got := map[string]string{}
	for i := 0; ; {
		key, value, next, done, err := s.NextMember(text, i)
		if next < i || next > len(text) || value != nil && (key == nil || !json.Valid(value)) {
			t.Fatalf("%q: at %d got %q:%q, next %d", text, i, key, value, next)
		}
		if value != nil {
			got[key.Text()] = string(value)
		}
		if i = next; done || err != nil {
			if i != end || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("%q: steps end at %d with %v, skipping ends at %d with %v", text, i, err, end, wantErr)
			}
			break
		}
	}
	var want map[string]json.RawMessage
	if wantErr != nil || json.Unmarshal(text[:end], &want) != nil {
		return
	}
	if len(want) != len(got) {
		t.Fatalf("%q: got %d keys, want %d", text, len(got), len(want))
	}
	for key, value := range want {
		if got[key] != string(value) {
			t.Fatalf("%q: key %q: got %q, want %q", text, key, got[key], value)
		}
	}
}

// checkElements steps through an array in two ways and compares.
func checkElements(t *testing.T, s *Scanner, text []byte) {
	if len(text) == 0 || text[0] != '[' || tooDeep(text) {
		return
	}
	end, wantErr := s.SkipValue(text, 0)
	for i := 0; ; {
		value, next, done, err := nextElement(s, text, i)
		if next < i || next > len(text) || value != nil && !json.Valid(value) {
			t.Fatalf("%q: at %d got %q, next %d", text, i, value, next)
		}
		if i = next; done || err != nil {
			if i != end || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("%q: steps end at %d with %v, skipping ends at %d with %v", text, i, err, end, wantErr)
			}
			return
		}
	}
}

// nextElement steps through the values of an array as NextMember does through an object.
func nextElement(s *Scanner, b []byte, i int) (value Value, next int, done bool, err error) {
	start, done, err := NextItem(b, i)
	if done || err != nil {
		return nil, start, done, err
	}
	end, err := s.SkipValue(b, start)
	if err != nil {
		return nil, end, false, err
	}
	next, err = AfterValue(b, end, ']')
	return Value(b[start:end]), next, false, err
}
