package detection

import "github.com/regionwatch/regionwatch/schema/cloudtrail"

// globalInDocs are event sources that AWS says are logged in the partition's global region only, beyond what
// the SDK's data tells (globalServices): the global endpoint of STS and the sign-in to the console, by AWS's notice of
// the change of 2021-11-22, as kept in https://github.com/SummitRoute/aws_breaking_changes/issues/51. It speaks of the
// partition aws; that the others do the same in their global region is assumed.
var globalInDocs = []string{"signin.amazonaws.com", "sts.amazonaws.com"}

// globalRegions are by event source the regions, one for each partition, in which CloudTrail logs a global service.
var globalRegions = makeGlobalRegions()

func makeGlobalRegions() map[string][]string {
	regions := make(map[string][]string)
	for _, s := range globalServices {
		regions[s.EventSource] = append(regions[s.EventSource], s.Region)
	}
	for _, p := range partitions {
		for _, source := range globalInDocs {
			regions[source] = append(regions[source], p.GlobalRegion)
		}
	}
	return regions
}

// isGlobalService reports whether the event is of a service that CloudTrail logs in this one region of the partition,
// wherever the call came from.
func isGlobalService(r *regionEntry, source cloudtrail.Value) bool {
	if r == nil {
		return false
	}
	var array [maxNameBytes]byte
	text, ok := shortText(source, array[:])
	if !ok {
		return false
	}
	for _, region := range globalRegions[string(text)] {
		if region == r.code {
			return true
		}
	}
	return false
}

// GlobalService is a service whose events CloudTrail logs in one region of each partition.
type GlobalService struct {
	EventSource string // such as iam.amazonaws.com
	Partition   string
	Region      string
}

// GlobalServices returns the global services, as far as the SDK's data tells of them.
func GlobalServices() []GlobalService { return append([]GlobalService(nil), globalServices...) }
