// Package nearest finds the word that was most likely meant by a mistyped one.
package nearest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Of returns the candidate most likely meant by a word, or "" if none is near. Case is ignored, and underscores equal
// hyphens. Of candidates that are equally near it returns the first.
func Of(word string, candidates []string) string {
	const longest = 64 // longer is not a typo, and the cost is quadratic
	if len(word) > longest {
		return ""
	}
	word = fold(word)
	far := min(max(2, len(word)/3), len(word)/2) // more edits make another word
	best, at := "", far+1
	for _, c := range candidates {
		d := levenshtein.ComputeDistance(word, fold(c))
		if begins(word, fold(c)) {
			d = min(d, far)
		}
		if d < at {
			best, at = c, d
		}
	}
	return best
}

// begins reports whether one word is a prefix of the other, and long enough to matter.
func begins(a, b string) bool {
	const least = 3
	return min(len(a), len(b)) >= least && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

func fold(word string) string { return strings.ReplaceAll(strings.ToLower(word), "_", "-") }
