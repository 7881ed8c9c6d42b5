package detection

import (
	"bytes"
	"time"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// timeLayouts are the ways in which pipelines write CloudTrail's eventTime. AWS writes RFC 3339; data lakes leave out
// the T and the zone. A time without a zone is UTC.
var timeLayouts = [...]string{
	time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700",
}

// appendEventTime appends v as a JSON string in RFC 3339 and UTC, and reports whether it is a time that is not already
// written so.
func appendEventTime(dst []byte, v jsonscan.Value) ([]byte, bool) {
	const longest = 64
	if !v.IsString() || len(v) > longest {
		return dst, false
	}
	var array [3 * longest]byte
	text := v.AppendText(array[:0])
	if isRFC3339(text) {
		return dst, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, string(text)); err == nil {
			dst = append(dst, '"')
			dst = t.UTC().AppendFormat(dst, time.RFC3339Nano)
			return append(dst, '"'), true
		}
	}
	return dst, false
}

// isRFC3339 reports whether text is an RFC 3339 time. What else time.Parse accepts, a one-digit hour and a comma
// (https://go.dev/issue/54580), is ruled out here.
func isRFC3339(text []byte) bool {
	const hour, minute = len("2006-01-02T"), len("2006-01-02T15:")
	if len(text) < len("2006-01-02T15:04:05Z") || text[minute-1] != ':' || bytes.IndexByte(text[hour:], ',') >= 0 {
		return false
	}
	_, err := time.Parse(time.RFC3339, string(text))
	return err == nil
}
