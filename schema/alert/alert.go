// Package alert is the output of regionwatch: the alert record, its identity, and its encodings.
//
// It guarantees: an encoded alert is one line of valid UTF-8 JSON, and the same event under the same rule has the same
// id on every delivery. Field names are fixed: additions are compatible, changes are not.
//
// There are two encodings of the same facts, see [Format]: native JSON, and Detection Finding of the Open Cybersecurity
// Schema Framework. Both depend only on the alert: nothing here reads a clock.
//
// The package starts no goroutines.
package alert

import (
	"encoding/json"
)

// TimestampLayout is how a record's time is written, here and in dead letters: RFC 3339 with milliseconds.
const TimestampLayout = "2006-01-02T15:04:05.000Z07:00"

// Alert is one alert as written. Values from the event are raw JSON, so that no digit is lost, made clean by
// [AppendClean]; nil leaves the field out. They and the lists may alias reused buffers: the function that provides an
// Alert says how long it is valid, and it must be encoded before. Tags and MitreAttack are shared between alerts: do
// not change them.
type Alert struct {
	ID          string      `json:"id"`
	RuleID      string      `json:"ruleId"`
	RuleName    string      `json:"ruleName"`
	Severity    string      `json:"severity"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Runbook     string      `json:"runbook"`
	Reference   string      `json:"reference"`
	Tags        []string    `json:"tags"`
	MitreAttack []Technique `json:"mitreAttack"`

	EventTime          json.RawMessage `json:"eventTime,omitempty"`
	EventID            json.RawMessage `json:"eventID,omitempty"`
	EventName          json.RawMessage `json:"eventName,omitempty"`
	EventSource        json.RawMessage `json:"eventSource,omitempty"`
	AWSRegion          json.RawMessage `json:"awsRegion,omitempty"`
	RecipientAccountID json.RawMessage `json:"recipientAccountId,omitempty"`
	SourceIPAddress    json.RawMessage `json:"sourceIPAddress,omitempty"`
	UserAgent          json.RawMessage `json:"userAgent,omitempty"`
	UserIdentity       json.RawMessage `json:"userIdentity,omitempty"`
	UserName           json.RawMessage `json:"userName,omitempty"`
	ErrorCode          json.RawMessage `json:"errorCode,omitempty"`

	Principal Principal `json:"principal"`
	ARNs      []string  `json:"arns,omitempty"`
	Policy    Policy    `json:"policy"`
	Origin    Origin    `json:"origin"`

	// Partial is set if the event was damaged; PartialReason is a short stable code.
	Partial       bool   `json:"partial,omitempty"`
	PartialReason string `json:"partialReason,omitempty"`

	// Truncated names the fields that were cut or left out because the alert was too large for the broker, or the value
	// too deep or too long for any alert.
	Truncated []string `json:"truncated,omitempty"`

	// Event is the event as it came, without white space between tokens. EventOmitted says why it is missing:
	// OmittedDepth, OmittedNumber, OmittedSize, OmittedDamage. Both are empty if no copy was requested.
	Event        json.RawMessage `json:"event,omitempty"`
	EventOmitted string          `json:"eventOmitted,omitempty"`
}

// Technique is a MITRE ATT&CK tactic and technique by id.
type Technique struct {
	Tactic    string `json:"tactic"`
	Technique string `json:"technique"`
}

// Principal is who acted, as far as the event's userIdentity says. Empty fields are left out.
type Principal struct {
	Type      string `json:"type,omitempty"`
	Name      string `json:"name"`
	Session   string `json:"session,omitempty"`
	ARN       string `json:"arn,omitempty"`
	AccountID string `json:"accountId,omitempty"`
}

// Policy is the policy that decided.
type Policy struct {
	Version string `json:"version"`
	// Hash identifies the policy's content, whatever its version is called.
	Hash   string `json:"hash,omitempty"`
	Level  string `json:"level"`
	Reason string `json:"reason"`
	// Mode is ModeShadow for a finding of a level on trial; empty otherwise.
	Mode string `json:"mode,omitempty"`
	// Exception is set if it exempts the event; the alert is then a record of that, not a call to act.
	Exception *Exception `json:"exception,omitempty"`
	// Account is what the policy knows of the account: an object with name, owner, environment, group and tags.
	Account json.RawMessage `json:"account,omitempty"`
}

// ModeShadow is the mode of a level whose findings are reviewed before they alert.
const ModeShadow = "shadow"

// Exception is the exception that exempts an event.
type Exception struct {
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"`
	Owner  string `json:"owner,omitempty"`
}

// Origin is where the event came from: a record of a topic, or bytes of a file.
type Origin struct {
	Topic     string `json:"topic,omitempty"`
	Partition *int32 `json:"partition,omitempty"`
	File      string `json:"file,omitempty"`
	// Offset is the record's offset in its partition; for a file, the byte at which the event or line starts.
	Offset int64 `json:"offset"`
	// Index is the event's index in its record.
	Index int `json:"index"`
	// Timestamp is the record's, in RFC 3339, UTC, with milliseconds; empty for a file.
	Timestamp string `json:"timestamp,omitempty"`
	Shape     string `json:"shape"`
}
