package policy

import (
	"encoding/binary"
	"net/netip"
	"regexp"
	"testing"
)

var twelveDigits = regexp.MustCompile(`\A[0-9]{12}\z`)

// FuzzAccountKey holds account ids against their definition in words: 12 digits, each another key.
func FuzzAccountKey(f *testing.F) {
	for _, id := range []string{"111122223333", "000000000000", "999999999999", "99999999999:", "/00000000000", "1111222233334", "", "11112222333\xfa", "\xfa11122223333", "0\xb000000000000"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		key, ok := accountKey([]byte(id))
		if want := twelveDigits.MatchString(id); ok != want {
			t.Fatalf("%q is an account: %t, want %t", id, ok, want)
		}
		if !ok {
			return
		}
		// The key determines the id, so no two ids share one.
		back := binary.LittleEndian.AppendUint64(nil, key&0x0f0f0f0f0f0f0f0f)
		back = binary.LittleEndian.AppendUint32(back, uint32(key>>4)&0x0f0f0f0f)
		for i := range back {
			back[i] += '0'
		}
		if string(back) != id {
			t.Errorf("%q has the key %x, which is that of %q", id, key, back)
		}
	})
}

// FuzzParseIPv4 holds addresses of IPv4 against net/netip.
func FuzzParseIPv4(f *testing.F) {
	for _, text := range []string{"192.0.2.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3.256", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.", "::1.2.3.4", "1.2.3.4%eth0", "1..2.3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseIPv4([]byte(text))
		want, err := netip.ParseAddr(text)
		if isIPv4 := err == nil && want.Is4(); ok != isIPv4 || ok && got != want {
			t.Errorf("%q is %v, %t, want %v, %t", text, got, ok, want, isIPv4)
		}
	})
}
