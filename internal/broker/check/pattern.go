package check

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
)

// beginning is how names begin, or a whole name. The zero value is how every name begins.
type beginning struct {
	text  string
	whole bool
}

// includes reports whether every name that b stands for is one that a stands for.
func (a beginning) includes(b beginning) bool {
	return a == b || !a.whole && strings.HasPrefix(b.text, a.text)
}

// maxBeginnings bounds what a pattern is taken apart into.
const maxBeginnings = 16

// beginnings returns how the names begin that a pattern matches as a whole: the least that prefixed and literal ACLs
// can say. Without a pattern there are none.
func beginnings(pattern string) (least []beginning) {
	if pattern == "" {
		return nil
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return []beginning{{}}
	}
	list := begin(re.Simplify())
	slices.SortFunc(list, func(a, b beginning) int { // what includes others stands before them
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

// begin returns how what re matches begins. The parser bounds how deep re is.
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

// beginClass takes a class of few characters for the choice between them. The ranges are pairs of runes.
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

// beginInTurn is for what comes one after another: a part counts where all before it are known in full.
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

// bounded returns the list, or where it is too long what includes all of it.
func bounded(list []beginning) []beginning {
	if len(list) > maxBeginnings {
		return []beginning{{}}
	}
	return list
}
