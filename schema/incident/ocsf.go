package incident

import (
	"encoding/json"
	"fmt"
	"slices"

	segmentio "github.com/segmentio/encoding/json"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// The classification of a Detection Finding (https://schema.ocsf.io/1.6.0/classes/detection_finding).
const (
	classFinding  = 2004
	statusNew     = 1
	statusUpdated = 2 // "In Progress"
	statusDone    = 4 // "Resolved"
)

// activityIDs are activity_id by activity.
var activityIDs = map[string]int{Create: 1, Update: 2, Close: 3}

// AppendOCSF appends i as an OCSF Detection Finding, one line without a line break. Anything without an OCSF attribute
// goes into unmapped under its native name.
func AppendOCSF(dst []byte, i *Incident) []byte {
	dst, err := segmentio.Append(dst, newFinding(i), segmentio.TrustRawMessage)
	if err != nil {
		panic(fmt.Sprintf("BUG: encoding OCSF finding: %v", err)) // everything in a finding can be encoded
	}
	return dst
}

type finding struct {
	CategoryUID  int         `json:"category_uid"`
	CategoryName string      `json:"category_name"`
	ClassUID     int         `json:"class_uid"`
	ClassName    string      `json:"class_name"`
	ActivityID   int         `json:"activity_id"`
	ActivityName string      `json:"activity_name"`
	TypeUID      int         `json:"type_uid"`
	TypeName     string      `json:"type_name"`
	SeverityID   int         `json:"severity_id"`
	Severity     string      `json:"severity"`
	StatusID     int         `json:"status_id"`
	Status       string      `json:"status"`
	Time         int64       `json:"time"` // milliseconds since 1970, like all times
	StartTime    int64       `json:"start_time"`
	EndTime      int64       `json:"end_time"`
	Count        uint64      `json:"count"`
	Message      string      `json:"message"`
	Metadata     metadata    `json:"metadata"`
	FindingInfo  findingInfo `json:"finding_info"`
	Cloud        cloud       `json:"cloud"`
	Evidences    []evidence  `json:"evidences,omitempty"`
	Unmapped     unmapped    `json:"unmapped"`
}

type metadata struct {
	Version     string   `json:"version"`
	Profiles    []string `json:"profiles"`
	UID         string   `json:"uid"`
	Product     product  `json:"product"`
	LogProvider string   `json:"log_provider"`
	Sequence    uint64   `json:"sequence"`
}

type product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
}

type findingInfo struct {
	UID         string   `json:"uid"`
	Title       string   `json:"title"`
	Desc        string   `json:"desc"`
	FirstSeen   int64    `json:"first_seen_time"`
	LastSeen    int64    `json:"last_seen_time"`
	Analytic    analytic `json:"analytic"`
	RelatedUIDs []uid    `json:"related_events,omitempty"`
}

type analytic struct {
	UID    string `json:"uid"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type uid struct {
	UID  string `json:"uid"`
	Type string `json:"type"`
}

type cloud struct {
	Provider string   `json:"provider"`
	Region   string   `json:"region,omitempty"`
	Account  *account `json:"account,omitempty"`
}

type account struct {
	UID    string `json:"uid"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type evidence struct {
	Actor struct {
		User user `json:"user"`
	} `json:"actor"`
}

type user struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
	Type string `json:"type,omitempty"`
}

// unmapped holds, under native names, what has no OCSF attribute.
type unmapped struct {
	Kind         string          `json:"kind"`
	Partition    *int32          `json:"partition,omitempty"`
	Window       Window          `json:"window"`
	Counts       Counts          `json:"counts"`
	Actions      []Count         `json:"topActions"`
	Sources      []Count         `json:"topSources,omitempty"`
	Agents       []Count         `json:"topAgents,omitempty"`
	Regions      []Count         `json:"topRegions,omitempty"`
	Principals   []Count         `json:"topPrincipals,omitempty"`
	OtherRegions []string        `json:"otherRegions,omitempty"`
	Account      json.RawMessage `json:"account,omitempty"`
	Escalations  []Escalation    `json:"escalations,omitempty"`
	Continues    string          `json:"continues,omitempty"`
	Late         bool            `json:"late,omitempty"`
	LateFor      string          `json:"lateFor,omitempty"`
}

func newFinding(i *Incident) *finding {
	activity := activityIDs[i.Activity]
	f := &finding{
		CategoryUID: classFinding / 1000, CategoryName: "Findings", ClassUID: classFinding, ClassName: "Detection Finding",
		ActivityID: activity, ActivityName: i.Activity,
		TypeUID: classFinding*100 + activity, TypeName: "Detection Finding: " + i.Activity,
		SeverityID: slices.Index(alert.Severities, i.Severity) + 1, Severity: i.Severity,
		Time: i.LastSeen.UnixMilli(), StartTime: i.FirstSeen.UnixMilli(), EndTime: i.LastSeen.UnixMilli(),
		Count: i.Counts.Alerts, Message: i.Title,
		Metadata: metadata{
			Version: alert.OCSFVersion, Profiles: []string{"cloud"}, UID: fmt.Sprintf("%s/%d", i.ID, i.Revision),
			Product: product{"regionwatch", "regionwatch"}, LogProvider: "AWS CloudTrail", Sequence: i.Revision,
		},
		FindingInfo: findingInfo{
			UID: i.ID, Title: i.Title, Desc: "Alerts of one principal in one unused region, grouped by window.",
			FirstSeen: i.FirstSeen.UnixMilli(), LastSeen: i.LastSeen.UnixMilli(),
			Analytic: analytic{i.RuleID, 1, "Rule"},
		},
		Cloud: cloud{Provider: "AWS", Region: i.Region},
		Unmapped: unmapped{
			i.Kind, i.Partition, i.Window, i.Counts, i.Actions, i.Sources, i.Agents, i.Regions, i.Principals, i.OtherRegions,
			i.Account, i.Escalations, i.Continues, i.Late, i.LateFor,
		},
	}
	f.setStatus(i)
	f.setSubjects(i)
	return f
}

func (f *finding) setStatus(i *Incident) {
	switch {
	case i.Status == StatusClosed:
		f.StatusID, f.Status = statusDone, "Resolved"
	case i.Activity == Create:
		f.StatusID, f.Status = statusNew, "New"
	default:
		f.StatusID, f.Status = statusUpdated, "In Progress"
	}
}

func (f *finding) setSubjects(i *Incident) {
	if i.AccountID != "" {
		f.Cloud.Account = &account{i.AccountID, 10, "AWS Account"}
	}
	if p := i.Principal; p != nil {
		var e evidence
		e.Actor.User = user{p.Name, p.ID, p.Type}
		f.Evidences = []evidence{e}
	}
	for _, id := range i.AlertIDs {
		f.FindingInfo.RelatedUIDs = append(f.FindingInfo.RelatedUIDs, uid{id, "regionwatch alert"})
	}
}
