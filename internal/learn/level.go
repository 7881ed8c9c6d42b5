package learn

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// level is a set of accounts with the same allow list.
type level struct {
	allowed  regionSet
	accounts int
}

// levelsOf returns the different allow lists, the most common first.
func levelsOf(accounts []Account) []level {
	counts := map[regionSet]int{}
	for i := range accounts {
		counts[accounts[i].allowed]++
	}
	list := make([]level, 0, len(counts))
	for s, n := range counts {
		list = append(list, level{s, n})
	}
	slices.SortFunc(list, compareLevels)
	return list
}

// compareLevels sorts the most common first. An empty list comes last: it cannot be the default of an allow list.
func compareLevels(a, b level) int {
	if (a.allowed == 0) != (b.allowed == 0) {
		return cmp.Compare(bits.OnesCount64(uint64(b.allowed)), bits.OnesCount64(uint64(a.allowed)))
	}
	return cmp.Or(cmp.Compare(b.accounts, a.accounts), strings.Compare(strings.Join(a.allowed.codes(), " "), strings.Join(b.allowed.codes(), " ")))
}

// merge replaces levels by at most most lists, and returns for each old level the list that replaces it. It adds as few
// pairs of account and region as possible: exactly for up to exactLevels, beyond that by merging the two cheapest until
// there are few enough.
func merge(levels []level, most int) map[regionSet]regionSet {
	parts := make([][]level, len(levels))
	for i := range levels {
		parts[i] = levels[i : i+1]
	}
	for len(parts) > max(most, exactLevels) {
		parts = mergeCheapest(parts)
	}
	if len(parts) > most {
		parts = mergeExactly(parts, most)
	}
	into := make(map[regionSet]regionSet, len(levels))
	for _, part := range parts {
		union := unionOf(part)
		for _, l := range part {
			into[l.allowed] = union
		}
	}
	return into
}

// exactLevels is the largest number of lists for which merge tries every way: 21,147 of them.
const exactLevels = 9

func unionOf(part []level) (union regionSet) {
	for _, l := range part {
		union |= l.allowed
	}
	return union
}

// widening counts the pairs of account and region that merging a part adds.
func widening(part []level) (n int) {
	union := unionOf(part)
	for _, l := range part {
		n += l.accounts * bits.OnesCount64(uint64(union&^l.allowed))
	}
	return n
}

// mergeCheapest merges the two parts whose merging adds least.
func mergeCheapest(parts [][]level) [][]level {
	sums := make([]level, len(parts))
	for i, part := range parts {
		sums[i].allowed = unionOf(part)
		for _, l := range part {
			sums[i].accounts += l.accounts
		}
	}
	var first, second int
	least := -1
	for i := range sums {
		for j := i + 1; j < len(sums); j++ {
			if n := widening([]level{sums[i], sums[j]}); least < 0 || n < least {
				least, first, second = n, i, j
			}
		}
	}
	parts[first] = slices.Concat(parts[first], parts[second])
	return slices.Delete(parts, second, second+1)
}

// mergeExactly tries every way to put the parts into at most most blocks. A way names the block of each part; new
// blocks appear in order.
func mergeExactly(parts [][]level, most int) [][]level {
	way, best := make([]int, len(parts)), [][]level(nil)
	least := -1
	for {
		blocks := make([][]level, slices.Max(way)+1)
		for i, b := range way {
			blocks[b] = append(blocks[b], parts[i]...)
		}
		n := 0
		for _, b := range blocks {
			n += widening(b)
		}
		if len(blocks) <= most && (least < 0 || n < least) {
			least, best = n, blocks
		}
		if !nextWay(way) {
			return best
		}
	}
}

// nextWay turns a way into the next one, and reports whether there is one.
func nextWay(way []int) bool {
	for i := len(way) - 1; i > 0; i-- {
		if way[i] <= slices.Max(way[:i]) {
			way[i]++
			clear(way[i+1:])
			return true
		}
	}
	return false
}
