package detection

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// maxKept is how much memory a buffer may keep between records. A larger one, grown for an unusual event, is freed.
const maxKept = 256 << 10

// texts collects the strings of one alert in one buffer, so that together they cost one allocation: each is appended to
// buf and its destination recorded; finish sets all of them.
type texts struct {
	buf   []byte
	spans []span
	dst   []*string // the destination of each span
}

// span is a part of the buffer.
type span struct{ start, end int }

func (t *texts) reset() {
	t.buf, t.spans, t.dst = t.buf[:0], t.spans[:0], t.dst[:0]
}

func (t *texts) bytes(s span) []byte { return t.buf[s.start:s.end] }

// since returns the span of what has been appended from start on.
func (t *texts) since(start int) span { return span{start, len(t.buf)} }

// set makes finish store the span in dst.
func (t *texts) set(dst *string, s span) {
	t.spans = append(t.spans, s)
	t.dst = append(t.dst, dst)
}

// finish makes the one string and stores its parts.
func (t *texts) finish() {
	all := string(t.buf)
	for i, s := range t.spans {
		*t.dst[i] = all[s.start:s.end]
	}
}

// scalar returns the value if it is a non-empty string or a number, else nil.
func scalar(v jsonscan.Value) jsonscan.Value {
	switch {
	case len(v) == 0, v.IsString() && len(v) == len(`""`):
		return nil
	case v.IsString(), v[0] == '-', v[0] >= '0' && v[0] <= '9':
		return v
	}
	return nil
}
