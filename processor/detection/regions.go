package detection

import (
	"slices"
	"strings"
)

// CatalogueDate is the date of the region catalogue's sources.
const CatalogueDate = "2026-08-07"

// Region is an AWS region.
type Region struct {
	Code      string // as it stands in awsRegion
	Partition string // aws, aws-cn, aws-us-gov, …
	// OptIn is set for a region that an account has to enable before it can be used. The others are enabled
	// in every account and cannot be disabled.
	OptIn bool
}

// catalogue lists the regions of every partition, from botocore's partitions.json (commit 0e6e2404 of
// 2026-08-07). Opt-in are the regions of the partition aws launched on 2019-03-20 or later
// (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html).
var catalogue = slices.Concat(
	regionsOf("aws", false, "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1",
		"ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
		"eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1"),
	regionsOf("aws", true, "af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3",
		"ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2",
		"eu-south-1", "eu-south-2", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
	regionsOf("aws-cn", false, "cn-north-1", "cn-northwest-1"),
	regionsOf("aws-us-gov", false, "us-gov-east-1", "us-gov-west-1"),
	regionsOf("aws-eusc", false, "eusc-de-east-1"),
	regionsOf("aws-iso", false, "us-iso-east-1", "us-iso-west-1"),
	regionsOf("aws-iso-b", false, "us-isob-east-1", "us-isob-west-1"),
	regionsOf("aws-iso-e", false, "eu-isoe-west-1"),
	regionsOf("aws-iso-f", false, "us-isof-east-1", "us-isof-south-1"),
)

func regionsOf(partition string, optIn bool, codes ...string) []Region {
	regions := make([]Region, len(codes))
	for i, code := range codes {
		regions[i] = Region{Code: code, Partition: partition, OptIn: optIn}
	}
	return regions
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
