package cloudtrail

import "testing"

// A value that follows another one on its own line makes a text of lines; within one value nothing opens behind what closes.
func TestIsBrokenIntoLines(t *testing.T) {
	for text, want := range map[string]bool{
		"[1]": false, "[1]\n": false, "[1]\n[2]": true, "[1] \t\r\n[2]": true, "[1]\n \n[2]": true, "[1]\n{}": true, "{}\n[1]": true, "{}\r\n{}": true,
		"[1]\n2": false, "[1,\n[2]]": false, "{\"a\":\n{}}": false, "[{},\n{}]": false, "[[1]\n]": false, "[1]\n\"x\"": false, "[1\n[": false,
		"[1]\nx\n[2]": false, "[1]\n1\n[2]\n[3]": true,
	} {
		if got := isBrokenIntoLines([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// Damage in a list costs none of the values around it.
func TestListDamage(t *testing.T) {
	const first, last = "event 0 array eu-west-3 false\n", " array ap-northeast-1 false"
	expect(t, `[`+paris+`,[1,oops],`+tokyo+`]`, first+"fault 1 syntax array > array\nevent 2"+last)
	expect(t, `[["a long text",1,oops],`+tokyo+`]`, "fault 0 syntax array > array\nevent 1"+last)
	expect(t, `[`+paris+`[`+tokyo+`]]`, first+"fault 1 syntax array\nevent 2"+last+"\nfault -1 trailing-bytes")
	expect(t, `[`+paris+`!`+tokyo+`]`, first+"fault 1 syntax array\nevent 2"+last)
	expect(t, "["+paris+"!,\n"+tokyo+"]", first+"fault 1 syntax array\nevent 2"+last)
	// At the start of a line without a comma before it stands the next value of the text.
	expect(t, "["+paris+"!\n"+tokyo, first+"fault 1 syntax array\nevent 2 ndjson ap-northeast-1 false")
}
