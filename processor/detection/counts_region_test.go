package detection

import (
	"fmt"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// Whatever regions events name, the room that their counts take is the same, and each event with a region is in it.
func TestRegionCounts(t *testing.T) {
	if len(regions.All()) > OtherRegion {
		t.Fatalf("%d regions do not fit in %d slots", len(regions.All()), OtherRegion)
	}
	var lines []string
	for i := range 1000 {
		lines = append(lines, with(t, regionField, fmt.Sprintf(`"awsRegion":"nowhere-%d"`, i)))
	}
	lines = append(lines, matching, with(t, regionField, `"awsRegion":null`), with(t, readOnlyField, `"readOnly":true`))
	_, c := detect(t, strings.Join(distinct(lines...), "\n"))
	if got := c.Regions[OtherRegion]; got != (RegionEvents{Used: 1000}) {
		t.Errorf("regions that the catalogue lacks: %+v", got)
	}
	var sum Counts
	sum.Add(&c)
	sum.Add(&c)
	total := uint64(0)
	for i := range sum.Regions {
		total += sum.Regions[i].Total()
	}
	if want := sum.Events - sum.Outcomes[policy.OutcomeNoRegion]; total != want || want != 2*1002 {
		t.Errorf("%d events by region, want %d", total, want)
	}
	for i, r := range regions.All() {
		want := RegionEvents{}
		if r.Code == "eu-central-1" {
			want = RegionEvents{Unused: 2, Alerted: 2}
		}
		if sum.Regions[i] != want {
			t.Errorf("%s: %+v, want %+v", r.Code, sum.Regions[i], want)
		}
	}
}
