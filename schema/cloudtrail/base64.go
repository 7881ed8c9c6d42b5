package cloudtrail

import "github.com/regionwatch/regionwatch/schema/jsonscan"

// Base64 (RFC 4648) is how binary layers travel within JSON and through the interfaces of Kinesis and
// Lambda. Both alphabets are read, padded or not, broken into lines or not.

// What base64Value holds for bytes that stand for no six bits.
const (
	base64Blank = 64 + iota // white space and padding, left out
	base64Wrong
)

// base64Value holds the six bits that a byte stands for in either alphabet.
var base64Value = func() (table [256]byte) {
	for i := range table {
		table[i] = base64Wrong
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = byte(i)
	}
	table['-'], table['_'] = table['+'], table['/']
	for _, c := range []byte(" \t\r\n=") {
		table[c] = base64Blank
	}
	return table
}()

// base64Probe is how many characters are looked at to tell base64 from other text.
const base64Probe = 88

// isBase64 reports whether b starts with base64 of something that we open. Words of plain text are base64
// too, by their letters: what they decode to is not.
func isBase64(b []byte) bool {
	var probe [base64Probe]byte
	for range MaxNesting {
		n, _ := decodeBase64(probe[:], b[:min(len(b), base64Probe)])
		b = probe[:n]
		if i := jsonscan.SkipSpace(b, 0); i < n && (isTextStart(b[i]) || b[i] == byteOrderMark[0]) {
			return true
		}
		if shape, _ := cutHeader(b); shape != ShapeNone || DetectCompression(b) != ShapeNone {
			return true
		}
	}
	return false
}

// base64 opens what b decodes to. Where it is damaged, what stands before the damage is opened first.
func (d *Decoder) base64(b []byte, chain Chain) error {
	if ok, err := d.charge(len(b)/4*3, b, chain); !ok {
		return err
	}
	text := d.buffers[d.depth]
	if cap(text) < len(b) {
		text = make([]byte, len(b))
		d.setBuffer(text)
	}
	n, stop := decodeBase64(text[:cap(text)], b)
	if err := d.open(text[:n:n], chain); err != nil || stop == len(b) {
		return err
	}
	return d.unreadable(ReasonEncoding, "reading base64", jsonscan.Unexpected(b, stop, "base64"), b, chain)
}

// decodeBase64 decodes src into dst, which has room for three quarters of it, or is src itself. It returns
// how many bytes that made, and where it stopped: at len(src), or at the first byte that does not belong.
func decodeBase64(dst, src []byte) (n, stop int) {
	var bits uint32
	have := 0
	for i, c := range src {
		value := base64Value[c]
		if value >= base64Blank {
			if value == base64Wrong {
				return n, i
			}
			continue
		}
		bits, have = bits<<6|uint32(value), have+6
		if have >= 8 {
			have -= 8
			dst[n] = byte(bits >> have)
			n++
		}
	}
	return n, len(src)
}
