package main

import (
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// regionList writes region codes for people. A partition of which all regions are among them is named as a whole:
// under an allow list that is every partition but the company's own.
func regionList(codes []string) string {
	missing := map[string]bool{} // partitions of which a region is not among the codes
	for _, r := range regions.All() {
		if !slices.Contains(codes, r.Code) {
			missing[r.Partition] = true
		}
	}
	var list, whole []string
	for _, r := range regions.All() {
		name := "all of " + r.Partition
		switch {
		case !slices.Contains(codes, r.Code) || !missing[r.Partition] && slices.Contains(whole, name):
		case missing[r.Partition]:
			list = append(list, r.Code)
		default:
			whole = append(whole, name)
		}
	}
	return strings.Join(append(list, whole...), ", ")
}
