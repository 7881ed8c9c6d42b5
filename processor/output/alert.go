package output

import (
	"encoding/json"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// The headers of an alert record.
const (
	HeaderAlertID       = "alert-id"
	HeaderRuleID        = "rule-id"
	HeaderSeverity      = "severity"
	HeaderContentType   = "content-type"
	HeaderPolicyVersion = "policy-version"
	HeaderPolicyHash    = "policy-hash"
)

// maxKeyBytes limits an alert's key. An account id has 12 digits; a key that is much longer is not one and would only
// take up room in the record.
const maxKeyBytes = 256

// AlertRecord encodes a as a record of its topic. If it exceeds the topic's limit, parts are left out, the copy of the
// event first, and shrunk is true. Key and headers are the same in every format; headers carried over from the input
// record come last. Nothing of it aliases the event. It changes a.
func (l *Limits) AlertRecord(topics Topics, format alert.Format, a *alert.Alert, carried []kgo.RecordHeader) (r *kgo.Record, shrunk bool, err error) {
	r = &kgo.Record{
		Topic: topics.of(a),
		Key:   accountKey(a.RecipientAccountID),
		Headers: append([]kgo.RecordHeader{
			{Key: HeaderAlertID, Value: []byte(a.ID)},
			{Key: HeaderRuleID, Value: []byte(a.RuleID)},
			{Key: HeaderSeverity, Value: []byte(a.Severity)},
			{Key: HeaderContentType, Value: []byte(alert.ContentType)},
			{Key: HeaderPolicyVersion, Value: []byte(a.Policy.Version)},
			{Key: HeaderPolicyHash, Value: []byte(a.Policy.Hash)},
		}, carried...),
	}
	limit := l.value(r)
	shrunk = a.Trim(limit)
	encoded := format.Append(nil, a)
	r.Value, err = format.Shrink(encoded, limit)
	return r, shrunk || len(r.Value) < len(encoded), err
}

// accountKey returns the account as text, so that the alerts of one account stay in order in one partition. It is nil
// if the event has none: such alerts are spread.
func accountKey(raw json.RawMessage) []byte {
	if len(raw) == 0 || len(raw) > maxKeyBytes {
		return nil
	}
	if raw[0] != '"' {
		return append([]byte(nil), raw...) // a number: its digits
	}
	var account string
	if json.Unmarshal(raw, &account) != nil || account == "" {
		return nil
	}
	return []byte(account)
}
