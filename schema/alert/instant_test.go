package alert

import (
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Only an RFC 3339 time in a string, from 1970 on, is an instant.
func TestInstant(t *testing.T) {
	f := func(text string, want time.Time) {
		t.Helper()
		if got := instant(jsonscan.Value(text)); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	f(`"2021-10-19T04:50:27Z"`, time.Date(2021, 10, 19, 4, 50, 27, 0, time.UTC))
	f(`"2021-10-19T04:50:27.5+02:00"`, time.Date(2021, 10, 19, 2, 50, 27, 5e8, time.UTC))
	f(`"1970-01-01T00:00:00Z"`, time.Unix(0, 0))
	f(`"1969-12-31T23:59:59Z"`, time.Time{})
	f(`"9999-12-31T23:59:59Z"`, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	f(`"9999-12-31T23:59:59-01:00"`, time.Time{}) // the year 10000 in UTC, which RFC 3339 cannot write
	f(`"yesterday"`, time.Time{})
	f(`1634619027`, time.Time{})
	f(`"2021-10-19T04:50:27.`+strings.Repeat("0", 60)+`Z"`, time.Time{}) // a time, but too long
}
