// Package incident is the incident record: a summary of the alerts of one principal in one region of one account within
// one window of time, with its identity and encodings.
//
// It guarantees: an encoded incident is one line of valid UTF-8 JSON, and the same key and window have the same id in every
// process and release. Field names are fixed: additions are compatible, changes are not.
//
// There are two encodings, native JSON and Detection Finding of the Open Cybersecurity Schema Framework. Both depend
// only on the incident: nothing here reads a clock. The package starts no goroutines.
package incident

import (
	"encoding/json"
	"fmt"
	"time"

	segmentio "github.com/segmentio/encoding/json"
)

// Incident is one incident as written. Times are UTC.
type Incident struct {
	ID       string `json:"id"`
	Activity string `json:"activity"` // one of the activities
	Revision uint64 `json:"revision"` // 1 for the first record of an incident, then 2, 3, …
	Status   string `json:"status"`   // StatusOpen or StatusClosed
	Kind     string `json:"kind"`     // one of the kinds
	Title    string `json:"title"`
	Severity string `json:"severity"` // the highest of its alerts

	RuleID    string `json:"ruleId"`
	AccountID string `json:"recipientAccountId,omitempty"`
	// Partition is set if the alerts name no account, and replaces it.
	Partition *int32     `json:"partition,omitempty"`
	Region    string     `json:"awsRegion,omitempty"` // none in a storm
	Principal *Principal `json:"principal,omitempty"` // none in a storm
	Window    Window     `json:"window"`
	FirstSeen time.Time  `json:"firstSeen"`
	LastSeen  time.Time  `json:"lastSeen"`
	Counts    Counts     `json:"counts"`

	Actions    []Count `json:"topActions"`
	Sources    []Count `json:"topSources,omitempty"`
	Agents     []Count `json:"topAgents,omitempty"`
	Regions    []Count `json:"topRegions,omitempty"`    // of a storm
	Principals []Count `json:"topPrincipals,omitempty"` // of a storm

	// OtherRegions are the other unused regions in which the principal has an incident in the same window, or alerts in a
	// storm.
	OtherRegions []string        `json:"otherRegions,omitempty"`
	AlertIDs     []string        `json:"alertIds"` // of the first alerts to arrive, up to MaxAlertIDs
	Account      json.RawMessage `json:"account,omitempty"`
	Escalations  []Escalation    `json:"escalations,omitempty"` // the last MaxEscalations

	Continues string `json:"continues,omitempty"` // the incident of the same key in the previous window
	Late      bool   `json:"late,omitempty"`      // it is a late incident
	LateFor   string `json:"lateFor,omitempty"`   // of a late incident: the one that its alerts belong to
}

// Count is how often something was seen. Lists of counts are ranked by severity, then success, then alerts.
type Count struct {
	Name      string `json:"name"`
	Alerts    uint64 `json:"alerts"`
	Succeeded uint64 `json:"succeeded"`
	Severity  string `json:"severity"`
}

// The limits of an incident.
const (
	MaxAlertIDs    = 20
	MaxEscalations = 50
	MaxTop         = 10 // entries of each list of counts
	MaxRegions     = 40 // in OtherRegions
)

// Principal is who acted, identified by what the actor cannot choose.
type Principal struct {
	ID   string `json:"id"` // see alert.StableActor
	Type string `json:"type,omitempty"`
	Name string `json:"name"`
}

// Window is a span of event time, the end not included.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Counts are the figures of an incident. Alerts = Failed + Succeeded.
type Counts struct {
	Alerts uint64 `json:"alerts"`
	// Estimate is set if Alerts, Failed and Succeeded are no longer exact.
	Estimate  bool   `json:"countIsEstimate,omitempty"`
	Failed    uint64 `json:"failed"`
	Succeeded uint64 `json:"succeeded"`
	Partial   uint64 `json:"partial,omitempty"`  // of damaged events
	Salvaged  uint64 `json:"salvaged,omitempty"` // of those, found by searching damaged bytes
	Actions   uint64 `json:"distinctActions"`
	// MoreActions is set if there are more actions than are distinguished.
	MoreActions bool `json:"moreActions,omitempty"`
}

// Escalation is why an incident was written early.
type Escalation struct {
	At     time.Time `json:"at"` // event time of the alert
	Reason string    `json:"reason"`
	Detail string    `json:"detail"`
}

// The activities, named as in OCSF.
const (
	Create = "Create"
	Update = "Update"
	Close  = "Close"
)

// The statuses.
const (
	StatusOpen   = "open"
	StatusClosed = "closed"
)

// The kinds. A storm holds the alerts of an account and window beyond the limit on incidents; a late incident holds
// those that came after the grace of their incident.
const (
	KindIncident = "incident"
	KindStorm    = "storm"
	KindLate     = "late"
)

// The reasons of escalations.
const (
	EscalatedCount    = "count"
	EscalatedSuccess  = "first-success"
	EscalatedAction   = "new-action"
	EscalatedSeverity = "severity"
	EscalatedRegion   = "new-region"
)

// ContentType is the media type of an encoded incident.
const ContentType = "application/json"

// AppendJSON appends the native JSON of i, one line without a line break.
func AppendJSON(dst []byte, i *Incident) []byte {
	dst, err := segmentio.Append(dst, i, segmentio.TrustRawMessage)
	if err != nil {
		panic(fmt.Sprintf("BUG: encoding incident: %v", err)) // everything in an Incident can be encoded
	}
	return dst
}

// Decode returns the incident that AppendJSON wrote. An error means that encoded is not one.
func Decode(encoded []byte) (*Incident, error) {
	var i Incident
	if err := json.Unmarshal(encoded, &i); err != nil {
		return nil, fmt.Errorf("reading incident: %w", err)
	}
	return &i, nil
}
