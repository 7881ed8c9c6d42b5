package alert

import "encoding/json"

// finding is a Detection Finding (https://schema.ocsf.io/1.6.0/classes/detection_finding) with the cloud profile, as
// far as an alert fills it. Raw values are texts of the event, kept as the JSON they came as. Attributes that OCSF
// requires are never left out.
type finding struct {
	CategoryUID  int          `json:"category_uid"`
	CategoryName string       `json:"category_name"`
	ClassUID     int          `json:"class_uid"`
	ClassName    string       `json:"class_name"`
	ActivityID   int          `json:"activity_id"`
	ActivityName string       `json:"activity_name"`
	TypeUID      int          `json:"type_uid"`
	TypeName     string       `json:"type_name"`
	SeverityID   int          `json:"severity_id"`
	Severity     string       `json:"severity"`
	StatusID     int          `json:"status_id"`
	Status       string       `json:"status"`
	IsAlert      bool         `json:"is_alert"`
	Time         int64        `json:"time"` // milliseconds since 1970, like all times
	StartTime    *int64       `json:"start_time,omitempty"`
	EndTime      *int64       `json:"end_time,omitempty"`
	Message      string       `json:"message"`
	Metadata     metadata     `json:"metadata"`
	FindingInfo  findingInfo  `json:"finding_info"`
	Remediation  remediation  `json:"remediation"`
	Cloud        cloud        `json:"cloud"`
	API          *api         `json:"api,omitempty"`
	Evidences    []evidence   `json:"evidences"` // always one
	Resources    []resource   `json:"resources,omitempty"`
	Observables  []observable `json:"observables,omitempty"`
	Unmapped     unmapped     `json:"unmapped"`
	RawData      string       `json:"raw_data,omitempty"`
}

type metadata struct {
	Version      string          `json:"version"`
	Profiles     []string        `json:"profiles"`
	Product      product         `json:"product"`
	UID          string          `json:"uid"`
	LogProvider  string          `json:"log_provider"`
	OriginalTime json.RawMessage `json:"original_time,omitempty"`
	Labels       []string        `json:"labels,omitempty"`
	IsTruncated  bool            `json:"is_truncated,omitempty"`
}

type product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"` // required by OCSF 1.1
}

type findingInfo struct {
	UID           string         `json:"uid"`
	Title         string         `json:"title"`
	Desc          string         `json:"desc"`
	Analytic      analytic       `json:"analytic"`
	Attacks       []attack       `json:"attacks,omitempty"`
	RelatedEvents []relatedEvent `json:"related_events,omitempty"`
}

type analytic struct {
	UID    string `json:"uid"`
	Name   string `json:"name"`
	Desc   string `json:"desc"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type attack struct {
	Tactic    named `json:"tactic"`
	Technique named `json:"technique"`
}

// named is a tactic or a technique.
type named struct {
	UID  string `json:"uid"`
	Name string `json:"name,omitempty"`
}

type relatedEvent struct {
	UID  json.RawMessage `json:"uid"`
	Type string          `json:"type"`
}

type remediation struct {
	Desc       string   `json:"desc"`
	References []string `json:"references"` // the runbook and the rule's reference
}

type cloud struct {
	Provider string          `json:"provider"`
	Region   json.RawMessage `json:"region,omitempty"`
	Account  *account        `json:"account,omitempty"`
}

type account struct {
	UID    json.RawMessage `json:"uid"`
	TypeID int             `json:"type_id"`
	Type   string          `json:"type"`
}

type api struct {
	Operation json.RawMessage `json:"operation"`
	Service   *service        `json:"service,omitempty"`
	Response  *response       `json:"response,omitempty"`
}

type service struct {
	Name json.RawMessage `json:"name"`
}

type response struct {
	Error json.RawMessage `json:"error"`
}

type evidence struct {
	Actor       actor        `json:"actor"`
	SrcEndpoint *endpoint    `json:"src_endpoint,omitempty"`
	HTTPRequest *httpRequest `json:"http_request,omitempty"`
}

type actor struct {
	User    user            `json:"user"`
	Session *session        `json:"session,omitempty"`
	IDP     *idp            `json:"idp,omitempty"`
	AppName json.RawMessage `json:"app_name,omitempty"`
}

type user struct {
	Name    string          `json:"name"`
	TypeID  int             `json:"type_id"`
	Type    string          `json:"type,omitempty"` // CloudTrail's
	UID     string          `json:"uid,omitempty"`
	UIDAlt  json.RawMessage `json:"uid_alt,omitempty"`
	Account *account        `json:"account,omitempty"`
}

type session struct {
	UID           string          `json:"uid,omitempty"`
	Issuer        json.RawMessage `json:"issuer,omitempty"`
	CredentialUID json.RawMessage `json:"credential_uid,omitempty"`
	CreatedTime   *int64          `json:"created_time,omitempty"`
	IsMFA         *bool           `json:"is_mfa,omitempty"`
}

type idp struct {
	Name json.RawMessage `json:"name,omitempty"`
	UID  json.RawMessage `json:"uid,omitempty"`
}

type endpoint struct {
	IP      json.RawMessage `json:"ip,omitempty"`
	SvcName json.RawMessage `json:"svc_name,omitempty"`
}

type httpRequest struct {
	UserAgent json.RawMessage `json:"user_agent"`
}

type resource struct {
	UID    string `json:"uid"`
	RoleID int    `json:"role_id"`
	Role   string `json:"role"`
}

type observable struct {
	Name   string          `json:"name"` // required up to OCSF 1.3
	TypeID int             `json:"type_id"`
	Type   string          `json:"type"`
	Value  json.RawMessage `json:"value"`
}

// unmapped holds, under native names, what has no OCSF attribute, and values of the event that have the wrong type for
// theirs.
type unmapped struct {
	EventTime          json.RawMessage `json:"eventTime,omitempty"`
	EventID            json.RawMessage `json:"eventID,omitempty"`
	EventName          json.RawMessage `json:"eventName,omitempty"`
	EventSource        json.RawMessage `json:"eventSource,omitempty"`
	AWSRegion          json.RawMessage `json:"awsRegion,omitempty"`
	RecipientAccountID json.RawMessage `json:"recipientAccountId,omitempty"`
	SourceIPAddress    json.RawMessage `json:"sourceIPAddress,omitempty"`
	UserAgent          json.RawMessage `json:"userAgent,omitempty"`
	ErrorCode          json.RawMessage `json:"errorCode,omitempty"`

	UserIdentity  json.RawMessage `json:"userIdentity,omitempty"`
	UserName      json.RawMessage `json:"userName,omitempty"`
	Policy        Policy          `json:"policy"`
	Origin        Origin          `json:"origin"`
	Partial       bool            `json:"partial,omitempty"`
	PartialReason string          `json:"partialReason,omitempty"`
	Truncated     []string        `json:"truncated,omitempty"`
	EventOmitted  string          `json:"eventOmitted,omitempty"`
}
