package learn

import "math/bits"

// daySet is a set of days, in words of 64. The clock bounds the days, and so the words.
type daySet struct {
	base  int32 // the word of the first bit
	words []uint64
}

func (s *daySet) add(day int32) { s.addWord(day/64, 1<<(day%64)) }

// merge adds the days of o.
func (s *daySet) merge(o *daySet) {
	for i, w := range o.words {
		s.addWord(o.base+int32(i), w)
	}
}

func (s *daySet) addWord(word int32, days uint64) {
	if len(s.words) == 0 {
		s.base = word
	}
	if before := int(s.base - word); before > 0 {
		s.words, s.base = append(make([]uint64, before, before+len(s.words)), s.words...), word
	}
	for int(word-s.base) >= len(s.words) {
		s.words = append(s.words, 0)
	}
	s.words[word-s.base] |= days
}

func (s *daySet) len() (n int) {
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}
