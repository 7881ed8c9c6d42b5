package check

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
)

// beginning is a prefix of names, or a whole name. The zero value is the prefix of every name.
type beginning struct {
	text  string
	whole bool
}

// includes reports whether a covers every name that b covers.
func (a beginning) includes(b beginning) bool {
	return a == b || !a.whole && strings.HasPrefix(b.text, a.text)
}

// maxBeginnings bounds how many prefixes and names a pattern is split into.
const maxBeginnings = 16

// beginnings returns the prefixes and names that cover every whole name the pattern matches: the narrowest that
// prefixed and literal ACLs can express. It returns none for an empty pattern.
func beginnings(pattern string) (least []beginning) {
	if pattern == "" {
		return nil
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return []beginning{{}}
	}
	list := begin(re.Simplify())
	slices.SortFunc(list, func(a, b beginning) int { // a prefix sorts before what it includes
		return cmp.Or(cmp.Compare(a.text, b.text), compareBools(a.whole, b.whole))
	})
	for _, b := range list {
		if !slices.ContainsFunc(least, func(l beginning) bool { return l.includes(b) }) {
			least = append(least, b)
		}
	}
	return least
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// begin returns the beginnings of what re matches. The parser bounds the depth of re.
func begin(re *syntax.Regexp) []beginning {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return []beginning{{"", true}}
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []beginning{{string(re.Rune), true}}
		}
	case syntax.OpCharClass:
		return beginClass(re.Rune)
	case syntax.OpCapture:
		return begin(re.Sub[0])
	case syntax.OpConcat:
		return beginInTurn(re.Sub)
	case syntax.OpAlternate:
		return beginWithAny(re.Sub)
	case syntax.OpQuest:
		return bounded(append(begin(re.Sub[0]), beginning{"", true}))
	case syntax.OpPlus:
		list := begin(re.Sub[0])
		for i := range list {
			list[i].whole = false
		}
		return list
	}
	return []beginning{{}}
}

// beginClass expands a small character class into its characters. The ranges are pairs of runes.
func beginClass(ranges []rune) (list []beginning) {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(list) == maxBeginnings {
				return []beginning{{}}
			}
			list = append(list, beginning{string(r), true})
		}
	}
	return list
}

// beginInTurn handles a concatenation. A part counts only if everything before it is known in full.
func beginInTurn(parts []*syntax.Regexp) []beginning {
	list := []beginning{{"", true}}
	for _, part := range parts {
		next := begin(part)
		var longer []beginning
		for _, b := range list {
			if !b.whole {
				longer = append(longer, b)
				continue
			}
			for _, n := range next {
				longer = append(longer, beginning{b.text + n.text, n.whole})
			}
		}
		if len(longer) > maxBeginnings {
			for i := range list {
				list[i].whole = false
			}
			return list
		}
		list = longer
	}
	return list
}

func beginWithAny(choices []*syntax.Regexp) (list []beginning) {
	for _, choice := range choices {
		list = append(list, begin(choice)...)
	}
	return bounded(list)
}

// bounded returns the list or, if that is too long, a beginning that includes all of it.
func bounded(list []beginning) []beginning {
	if len(list) > maxBeginnings {
		return []beginning{{}}
	}
	return list
}
