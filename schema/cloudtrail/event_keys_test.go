package cloudtrail

import (
	"strings"
	"testing"
)

// A key whose end is missing is not the key that the decoder expects there.
//
// Guard: the words in equal.
func TestKeyWithNULs(t *testing.T) {
	d := NewDecoder(0)
	for range 4 {
		if err := d.Decode([]byte(paris), new(found)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{`"awsRegion":`, `"readOnly":`, `"eventID":`, `"eventVersion":`, `"requestParameters":`} {
		for n := 1; n < len(key); n++ {
			var f found
			record := strings.Replace(paris, key, key[:n]+strings.Repeat("\x00", len(key)-n), 1)
			if err := d.Decode([]byte(record), &f); err != nil || len(f.faults) == 0 {
				t.Errorf("%q: %v, %q", key[:n], err, f.lines)
			}
		}
	}
}
