package incident

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Values of the state are a version byte and fields one after another: numbers as varints of the least length, texts as
// their length and bytes. There is one encoding of each value.

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendInstant(b []byte, i instant) []byte { return binary.AppendVarint(b, int64(i)) }

// appendFlags appends up to eight flags, the first in the lowest bit.
func appendFlags(b []byte, flags ...bool) []byte {
	var v byte
	for i, f := range flags {
		if f {
			v |= 1 << i
		}
	}
	return append(b, v)
}

// reader reads fields. After the first one that is wrong, all are zero and err says where it was. No length is believed
// beyond its limit, nor beyond the bytes that there are.
type reader struct {
	all, rest []byte
	err       error
	names     names
}

// newReader returns a reader of a value, after its version.
func newReader(value []byte, n names) reader {
	r := reader{all: value, rest: value, names: n}
	if v := r.byte(255); r.err == nil && v != stateVersion {
		r.err = fmt.Errorf("it has version %d, this program reads version %d", v, stateVersion)
	}
	return r
}

// fail notes that the field that was just read is wrong.
func (r *reader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("it is damaged before byte %d of %d", len(r.all)-len(r.rest), len(r.all))
	}
	r.rest = nil
}

// end returns the error of a value that must have been read to its end.
func (r *reader) end() error {
	if len(r.rest) > 0 {
		r.fail()
	}
	return r.err
}

// byte reads a byte up to most.
func (r *reader) byte(most byte) byte {
	if len(r.rest) == 0 || r.err != nil {
		r.fail()
		return 0
	}
	v := r.rest[0]
	if r.rest = r.rest[1:]; v > most {
		r.fail()
		return 0
	}
	return v
}

// flags reads n flags.
func (r *reader) flags(n int, into ...*bool) {
	v := r.byte(1<<n - 1)
	for i, f := range into {
		*f = v&(1<<i) != 0
	}
}

// number reads a number up to most.
func (r *reader) number(most uint64) uint64 {
	if len(r.rest) > 0 && r.rest[0] < 0x80 && uint64(r.rest[0]) <= most { // most are
		v := r.rest[0]
		r.rest = r.rest[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(r.rest)
	if v > most || n != max(1, (bits.Len64(v)+6)/7) {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// signed reads a number between least and most.
func (r *reader) signed(least, most int64) int64 {
	u := r.number(math.MaxUint64)
	v := int64(u>>1) ^ -int64(u&1)
	if v < least || v > most {
		r.fail()
		return 0
	}
	return v
}

// bytes reads up to most bytes. They alias the value.
func (r *reader) bytes(most int) []byte {
	n := r.number(uint64(most))
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// textBytes reads a text of up to most bytes. They alias the value.
func (r *reader) textBytes(most int) []byte {
	b := r.bytes(most)
	if !utf8.Valid(b) {
		r.fail()
		return nil
	}
	return b
}

// text reads a text that is rarely shared, name one that often is.
func (r *reader) text(most int) string { return string(r.textBytes(most)) }

func (r *reader) name(most int) string {
	b := r.bytes(most)
	if shared, ok := r.names[string(b)]; ok { // does not allocate
		return shared
	}
	if !utf8.Valid(b) {
		r.fail()
		return ""
	}
	return r.names.share(string(b))
}

// endOf reads a text that is often the end of another, and takes no memory then.
func (r *reader) endOf(whole string, most int) string {
	b := r.textBytes(most)
	if at := len(whole) - len(b); at >= 0 && whole[at:] == string(b) {
		return whole[at:]
	}
	return string(b)
}

func (r *reader) instant() instant {
	return instant(r.signed(leastInstant.UnixNano(), mostInstant.UnixNano()))
}

func (r *reader) id() (id uuid.UUID) {
	if len(r.rest) < len(id) {
		r.fail()
		return id
	}
	copy(id[:], r.rest)
	r.rest = r.rest[len(id):]
	return id
}
