package cloudtrail

// LookupEvents answers with {"Events":[{"CloudTrailEvent":"…"}]}, each event as a string beside a few of
// its fields (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html). Those
// fields, ReadOnly as a string among them, do not count: the event's own do.

// lookup opens one result or the list of them.
func (d *Decoder) lookup(b []byte, chain Chain) (opened bool, err error) {
	const key = "CloudTrailEvent"
	if opened, err = d.carry(b, key, ShapeLookup, chain); opened || err != nil {
		return opened, err
	}
	return d.carryList(b, "Events", key, ShapeLookup, chain)
}
