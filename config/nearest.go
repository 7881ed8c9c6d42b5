package config

import "strings"

// Nearest returns the candidate most likely meant by name, or "" if none is near. Case is ignored, and underscores equal
// hyphens.
func Nearest(name string, candidates []string) string {
	const longest = 64 // longer is not a typo, and the cost is quadratic
	if len(name) > longest {
		return ""
	}
	name = fold(name)
	best, at := "", max(2, len(name)/3)+1
	for _, c := range candidates {
		d := distance(name, fold(c))
		if begins(name, fold(c)) {
			d = 1
		}
		if d < at {
			best, at = c, d
		}
	}
	return best
}

// begins reports whether one name is a prefix of the other, and long enough to matter.
func begins(a, b string) bool {
	const least = 3
	return min(len(a), len(b)) >= least && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// didYouMean returns ", did you mean …?", or "" if nothing is near.
func didYouMean(name string, candidates []string) string {
	near := Nearest(name, candidates)
	if near == "" {
		return ""
	}
	return ", did you mean " + near + "?"
}

func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b
// (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
