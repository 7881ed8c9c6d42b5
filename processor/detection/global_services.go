package detection

import "github.com/regionwatch/regionwatch/schema/cloudtrail"

// globalInDocs are event sources that AWS says are logged in the partition's global region only, beyond what
// the SDK's data tells (globalServices): the global endpoint of STS and the sign-in to the console, by AWS's notice of
// the change of 2021-11-22, as kept in https://github.com/SummitRoute/aws_breaking_changes/issues/51. It speaks of the
// partition aws; that the others do the same in their global region is assumed.
var globalInDocs = []string{"signin.amazonaws.com", "sts.amazonaws.com"}

// makeGlobalSources returns the event sources of global services by the region in which CloudTrail logs them.
func makeGlobalSources() map[string]map[string]bool {
	sources := make(map[string]map[string]bool)
	add := func(region, source string) {
		if sources[region] == nil {
			sources[region] = make(map[string]bool)
		}
		sources[region][source] = true
	}
	for _, s := range globalServices {
		add(s.Region, s.EventSource)
	}
	for _, p := range partitions {
		for _, source := range globalInDocs {
			add(p.GlobalRegion, source)
		}
	}
	return sources
}

// isGlobalService reports whether the event is of a service that CloudTrail logs in this one region of the partition,
// wherever the call came from.
func isGlobalService(r *regionEntry, source cloudtrail.Value) bool {
	if r == nil || r.globalSources == nil {
		return false
	}
	text, ok := plainText(source)
	if !ok {
		text, ok = shortText(source, make([]byte, maxNameBytes))
	}
	return ok && r.globalSources[string(text)]
}

// GlobalService is a service whose events CloudTrail logs in one region of each partition.
type GlobalService struct {
	EventSource string // such as iam.amazonaws.com
	Partition   string
	Region      string
}

// GlobalServices returns the global services, as far as the SDK's data tells of them.
func GlobalServices() []GlobalService { return append([]GlobalService(nil), globalServices...) }
