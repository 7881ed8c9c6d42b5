package config

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

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
		d := levenshtein.ComputeDistance(name, fold(c))
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
