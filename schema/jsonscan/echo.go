package jsonscan

// Echo remembers objects that were read to their end without damage. The calls of one session carry the same
// userIdentity and tlsDetails again and again: bytes that equal bytes which have been checked need no second check.
// An object ends where its text says so, so that equal bytes are the whole value. The zero value is usable. It is
// bounded, whatever the input.
type Echo struct {
	texts [echoTexts][]byte
	last  uint8 // the text that was found or kept last, which is the likeliest
	next  uint8 // the text to be replaced next
	turn  uint8 // counts the objects
	worth uint8 // grows with hits and shrinks with misses: where nothing repeats, few objects are compared
}

const (
	echoTexts = 4    // a power of two
	maxEcho   = 1024 // bytes of the longest text that is kept

	// One hit is worth four misses. Where there are fewer hits, only every so many objects are looked at.
	echoGain, maxEchoWorth, echoSample = 4, 64, 16
)

// looks reports whether to look for the next object.
func (e *Echo) looks() bool {
	e.turn++
	return e.worth > 0 || e.turn%echoSample == 0
}

// find returns the length of the text that stands at b[i], or 0.
func (e *Echo) find(b []byte, i int) int {
	for n := range uint8(echoTexts) {
		k := (e.last + n) % echoTexts
		text := e.texts[k]
		size := len(text)
		if size == 0 || i < 0 || i >= len(b)-size || b[i+size-1] != '}' {
			continue
		}
		if string(b[i:i+size]) == string(text) {
			e.last, e.worth = k, min(e.worth+echoGain, maxEchoWorth)
			return size
		}
	}
	return 0
}

// keep copies the object that was not found, instead of the text that has been there for longest.
func (e *Echo) keep(object []byte) {
	if e.worth > 0 {
		e.worth--
	}
	if len(object) > maxEcho || object[0] != '{' {
		return
	}
	k := e.next % echoTexts
	e.texts[k] = append(e.texts[k][:0], object...)
	e.last, e.next = k, k+1
}

// SkipRepeated is SkipValue for values that are in e, or that it puts there.
func (s *Scanner) SkipRepeated(b []byte, i int, e *Echo) (end int, err error) {
	if !e.looks() {
		return s.SkipValue(b, i)
	}
	if n := e.find(b, i); n > 0 {
		return i + n, nil
	}
	if end, err = s.SkipValue(b, i); err == nil && !s.Invalid {
		e.keep(b[i:end])
	}
	return end, err
}
