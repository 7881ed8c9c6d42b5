package config

import "strings"

// Nearest returns the candidate that a user who wrote name most likely meant, or "" where none is near.
// Case does not count, and underscores are as good as hyphens.
func Nearest(name string, candidates []string) string {
	const longest = 64 // a longer name is no slip of the finger, and the distance costs its square
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

// begins reports whether one of two names is a beginning of the other that is long enough to tell.
func begins(a, b string) bool {
	const least = 3
	return min(len(a), len(b)) >= least && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// didYouMean returns ", did you mean …?" with its leading comma, or "" where nothing is near.
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
