package detection

import (
	"bytes"
	"slices"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// MaxARNs and MaxARNBytes limit the ARNs that an alert lists: the first MaxARNs different ones of its event, those of
// userIdentity first, so that the actor cannot crowd them out, none longer than MaxARNBytes. If there are more,
// truncated names arns.
const (
	MaxARNs     = 100
	MaxARNBytes = 2 << 10
)

// arns appends every string of the event that is an ARN to t. It returns their spans, without duplicates, sorted by
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

// appendARN appends the text of a string if it is an ARN by the test that AWS's own libraries use: the prefix, and six
// parts.
func (t *texts) appendARN(s jsonscan.Value) (span, bool) {
	if len(s) > 2+6*MaxARNBytes || !bytes.HasPrefix(s, []byte(`"arn:`)) && bytes.IndexByte(s[:min(len(s), 5)], '\\') < 0 {
		return span{}, false // it does not begin like one, escaped or not
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
