package regions

// globalService is a service whose events CloudTrail logs in one region of a partition.
type globalService struct{ eventSource, region string }

// partition is an AWS partition: a set of regions that shares nothing with others, not even accounts.
type partition struct {
	id           string
	globalRegion string // the region of its global services, unless they say otherwise
}

// globalInDocs are event sources that AWS logs only in a partition's global region, beyond what the SDK's data says:
// the global endpoint of STS and console sign-in, by AWS's notice of the change of 2021-11-22, as kept in
// https://github.com/SummitRoute/aws_breaking_changes/issues/51. It covers the partition aws; we assume the same of the
// others.
var globalInDocs = []string{"signin.amazonaws.com", "sts.amazonaws.com"}

// globalSources holds the event sources of global services by the region in which CloudTrail logs them.
var globalSources = makeGlobalSources()

func makeGlobalSources() []map[string]bool {
	sources := make([]map[string]bool, len(catalogue))
	add := func(region, source string) {
		i := Index([]byte(region))
		if sources[i] == nil {
			sources[i] = make(map[string]bool)
		}
		sources[i][source] = true
	}
	for _, s := range globalServices {
		add(s.region, s.eventSource)
	}
	for _, p := range partitions {
		for _, source := range globalInDocs {
			add(p.globalRegion, source)
		}
	}
	return sources
}

// HasGlobal reports whether CloudTrail logs any global service in the region, given by its index in [All].
func HasGlobal(region int) bool { return globalSources[region] != nil }

// LogsGlobally reports whether eventSource is a service that CloudTrail logs in this region only, wherever in the
// partition the call came from. The region is given by its index in [All].
func LogsGlobally(region int, eventSource []byte) bool {
	return globalSources[region][string(eventSource)]
}
