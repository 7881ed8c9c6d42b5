package detection

import (
	"bytes"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// MaxARNs and MaxARNBytes bound the ARNs that an alert lists: the first MaxARNs different ones of its event,
// those of userIdentity first, so that the actor cannot crowd them out, none longer than
// MaxARNBytes. Where there are more, truncated names arns.
const (
	MaxARNs     = 100
	MaxARNBytes = 2 << 10
)

// arns appends every ARN that is a string of the event to t and returns their spans, none twice, sorted by
// their bytes, and whether there are more than fit.
func (t *texts) arns(spans []span, e *cloudtrail.Event) (_ []span, more bool) {
	for _, v := range [...]jsonscan.Value{e.UserIdentity, jsonscan.Value(e.Raw)} {
		for s := range v.Strings() {
			text, ok := t.appendARN(s)
			if !ok {
				continue
			}
			place, known := slices.BinarySearchFunc(spans, text, func(a, b span) int {
				return bytes.Compare(t.bytes(a), t.bytes(b))
			})
			if known || len(spans) == MaxARNs {
				t.buf = t.buf[:text.start]
				if known {
					continue
				}
				return spans, true
			}
			spans = slices.Insert(spans, place, text)
		}
	}
	return spans, false
}

// appendARN appends the text of a string if it is an ARN, by the test of AWS's own libraries: the prefix,
// and six parts.
func (t *texts) appendARN(s jsonscan.Value) (span, bool) {
	if len(s) > 2+6*MaxARNBytes || !bytes.HasPrefix(s, []byte(`"arn:`)) && bytes.IndexByte(s[:min(len(s), 5)], '\\') < 0 {
		return span{}, false // neither as it stands nor behind escapes
	}
	start := len(t.buf)
	t.buf = s.AppendText(t.buf)
	text := t.buf[start:]
	if len(text) > MaxARNBytes || !bytes.HasPrefix(text, []byte("arn:")) || bytes.Count(text, []byte(":")) < 5 {
		t.buf = t.buf[:start]
		return span{}, false
	}
	return t.since(start), true
}
