package grouping

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// The headers of an incident record.
const (
	HeaderIncidentID  = "incident-id"
	HeaderActivity    = "activity"
	HeaderSeverity    = "severity"
	HeaderContentType = "content-type"
)

// record encodes an incident. Its key is the account, so that the records of an incident stay in order.
func (s *Stage) record(i *incident.Incident) *kgo.Record {
	key, encode := i.AccountID, incident.AppendJSON
	if i.Partition != nil {
		key = "partition " + strconv.Itoa(int(*i.Partition))
	}
	if s.o.OCSF {
		encode = incident.AppendOCSF
	}
	return &kgo.Record{
		Topic: s.o.IncidentTopic, Key: []byte(key), Value: encode(nil, i),
		Headers: []kgo.RecordHeader{
			{Key: HeaderIncidentID, Value: []byte(i.ID)},
			{Key: HeaderActivity, Value: []byte(i.Activity)},
			{Key: HeaderSeverity, Value: []byte(i.Severity)},
			{Key: HeaderContentType, Value: []byte(incident.ContentType)},
		},
	}
}

// unreadable returns the fault of a record that is not an alert to group.
func unreadable(err error) *deadletter.Fault {
	return &deadletter.Fault{Reason: deadletter.ReasonNotAlert, Err: err, Index: -1, Offset: -1}
}
