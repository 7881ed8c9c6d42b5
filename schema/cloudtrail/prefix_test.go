package cloudtrail

import "testing"

// Where an object, an array or a quoted text stands behind other text that ends its line, and where it ends.
func TestPrefixed(t *testing.T) {
	const event = `{"eventVersion":"1","eventName":"x","awsRegion":"y","readOnly":false}`
	f := func(line string, begin, end int) {
		t.Helper()
		if end < 0 {
			end += len(line) + 1
		}
		for _, before := range []string{"", "1\n"} {
			b := []byte(before + line + "\n{}")
			at, next, tried := NewDecoder(0).prefixed(b, len(before))
			if begin < 0 {
				if at != len(before) || next != len(before) || tried < len(before)+len(line) {
					t.Errorf("%q: from %d to %d, %d tried, want none", line, at-len(before), next-len(before), tried-len(before))
				}
			} else if at != len(before)+begin || next != len(before)+end || tried != next {
				t.Errorf("%q: from %d to %d, %d tried, want %d to %d", line, at-len(before), next-len(before), tried-len(before), begin, end)
			}
		}
	}
	f(`x {"a":1}`, 2, -1)
	f(`x {"a":1} `, 2, -2)
	f(`x{"a":1}`, 1, -1)
	f(`x {"a":1} y`, -1, 0)
	f(`x {"a":1} {"b":1}`, 10, -1)
	f(`x {a} {"b":1}`, 6, -1)
	f(`x {1 {"b":1}`, -1, 0) // within one that is damaged
	f(`x `+event+` y`, 2, -3)
	f(`x [{"a":1}]`, 2, -1)
	f(`x [ {"a":1} ]`, 2, -1)
	f(`x[{"a":1}]`, 1, -1)
	f(`x [{"a":1}] y`, -1, 0)
	f(`x [[{"a":1}]]`, -1, 0)
	f(`x [1] {"a":1}`, 6, -1)
	f(`x ] [{"a":1}]`, 4, -1)
	f(`x [1,{"a":1}]`, -1, 0)
	f(`x [1 [{"a":1}]`, -1, 0)
	f(`[{"a":1}]`, -1, 0)
	f(`x "{\"a\":1}"`, 2, -1)
	f(`x"{\"a\":1}"`, 1, -1)
	f(`x "{\"a\":1}" y`, -1, 0)
	f(`x "a" "{\"a\":1}"`, 6, -1)
	f(`x "a""{\"a\":1}"`, 5, -1)
	f(`"{\"a\":1}"`, -1, 0)
	f(`x ["{\"a\":1}"]`, 2, -1)
	f(`x [ "{\"a\":1}" ]`, 2, -1)
	f(`x["{\"a\":1}"]`, 1, -1)
	f(`x ["{\"a\":1}"] y`, -1, 0)
	f(`x [["{\"a\":1}"]]`, -1, 0)
	f(`x [1 ["{\"a\":1}"]`, -1, 0)
	f(`["{\"a\":1}"]`, -1, 0)
	f(`x`, -1, 0)
	f(``, -1, 0)
}
