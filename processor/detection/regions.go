package detection

import (
	"slices"
	"strings"
)

//go:generate go run regions_gen.go

// Region is an AWS region.
type Region struct {
	Code      string // as it stands in awsRegion
	Partition string // aws, aws-cn, aws-us-gov, …
	Name      string // such as Europe (Paris)
	// OptIn is set for a region that an account has to enable before it can be used. The others are enabled
	// in every account and cannot be disabled.
	OptIn bool
}

// Partition is an AWS partition: regions that share nothing, accounts included, with those of others.
type Partition struct {
	ID           string
	GlobalRegion string // where global services are, unless they say otherwise
}

// Regions returns the catalogue: by partition, the regions that are enabled by default first.
func Regions() []Region { return slices.Clone(catalogue) }

// FindRegion returns the region with this code, exact case.
func FindRegion(code string) (Region, bool) {
	for _, r := range catalogue {
		if r.Code == code {
			return r, true
		}
	}
	return Region{}, false
}

// NearestRegion returns the code in the catalogue that a mistyped one most likely stands for, or "" where
// none is near.
func NearestRegion(code string) string {
	const far = 5 // more slips of the keyboard than that are another word
	nearest, least := "", far
	if len(code) > 2*maxRegionBytes {
		return ""
	}
	for _, r := range catalogue {
		if d := slips(code, r.Code); d < least {
			nearest, least = r.Code, d
		}
	}
	return nearest
}

// maxRegionBytes is longer than any region code.
const maxRegionBytes = 32

// slips counts the slips between two words: letters inserted, left out, replaced, or swapped with their
// neighbour (the optimal string alignment distance); case is one slip for the whole word.
func slips(a, b string) int {
	if lower := strings.ToLower(a); lower != a {
		return 1 + slips(lower, b)
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	before, last, row := rows[0], rows[1], rows[2]
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
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
