package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// Facts are what incidents need from an alert. The texts are copies, valid UTF-8 and bounded.
type Facts struct {
	ID       uuid.UUID
	RuleID   string
	Severity string // one of Severities
	Level    string // the policy's level that decided

	// Time is the event's own time, and Stamp the timestamp of its record. Either is zero if it is missing or not a
	// time after 1970.
	Time, Stamp time.Time

	Account, Region, Source, Action string // empty if the event lacks them
	Address, Agent                  string
	Failed                          bool // the call failed, with an error code

	Principal Principal // only Type and Name
	// Actor is who acted, identified by what the actor cannot choose, see [StableActor].
	Actor string

	Partial, Salvaged bool
	AccountFacts      []byte // raw policy.account, nil if there is none; aliases the encoded alert
}

// Severities are the severities of alerts, lowest first.
var Severities = []string{"Info", "Low", "Medium", "High", "Critical"}

// maxFact limits each text of Facts, in bytes. An ARN of IAM has up to 646.
const maxFact = 1 << 10

// ForeignError says why bytes are not a native alert to act on. Reason is a short stable word.
type ForeignError struct {
	Reason string // syntax, ocsf, field, no-alert
	Err    error
}

// Error returns the text for people.
func (e *ForeignError) Error() string { return "reading alert: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ForeignError) Unwrap() error { return e.Err }

// The reasons of a ForeignError.
const (
	ForeignSyntax  = "syntax"   // not a JSON object
	ForeignOCSF    = "ocsf"     // an OCSF finding
	ForeignField   = "field"    // a field that every native alert has is missing or wrong
	ForeignNoAlert = "no-alert" // a record of an exempted or shadowed event, which is not a call to act
)

// ReadFacts reads a native alert. The error is a [ForeignError]. Unknown members are checked and ignored; nothing
// recurses, and no text is longer than 1 KiB.
func ReadFacts(encoded []byte) (Facts, error) {
	m, err := splitAlert(encoded)
	if err != nil {
		return Facts{}, &ForeignError{ForeignSyntax, err}
	}
	if !m.class.IsNull() {
		return Facts{}, &ForeignError{ForeignOCSF, errors.New("it is an OCSF finding; incidents are made of native alerts")}
	}
	f := Facts{
		RuleID: fact(m.rule), Severity: fact(m.severity), Level: fact(m.policy.Member("level")),
		Time: instant(m.time), Stamp: instant(m.origin.Member("timestamp")),
		Account: fact(m.account), Region: fact(m.region), Source: fact(m.source), Action: fact(m.action),
		Address: fact(m.address), Agent: fact(m.agent), Failed: !m.failure.IsNull(),
		Principal: Principal{Type: fact(m.principal.Member("type")), Name: fact(m.principal.Member("name"))},
		Actor:     StableActor(m.identity, m.principal),
		Partial:   string(m.partial) == "true", Salvaged: m.reason.EqualString("salvaged"),
	}
	if facts := m.policy.Member("account"); len(facts) > 0 && facts[0] == '{' {
		f.AccountFacts = facts
	}
	return f, f.check(m)
}

// check returns an error if a field is missing that every native alert has.
func (f *Facts) check(m *members) error {
	id, err := uuid.ParseBytes(m.id.AppendText(nil))
	severity := false
	for _, s := range Severities {
		severity = severity || s == f.Severity
	}
	switch mode := m.policy.Member("mode"); {
	case err != nil || len(m.id) != len(`""`)+36:
		err = errors.New("its id is not a UUID")
	case f.RuleID == "":
		err = errors.New("it has no ruleId")
	case !severity:
		err = fmt.Errorf("severity %q is unknown", CutText(f.Severity, 40))
	case mode.EqualString(ModeShadow) || !m.policy.Member("exception").IsNull():
		return &ForeignError{ForeignNoAlert, errors.New("it records an event that was exempted or is in shadow mode")}
	}
	if err != nil {
		return &ForeignError{ForeignField, err}
	}
	f.ID = id
	return nil
}

// members are the values of an alert from which Facts are made, nil if missing.
type members struct {
	id, rule, severity, time, region, account, source, action, address, agent, failure, identity, principal, policy, origin,
	partial, reason, class jsonscan.Value
}

// splitAlert splits an alert into its members. The last of duplicate keys wins.
func splitAlert(encoded []byte) (*members, error) {
	var m members
	var s jsonscan.Scanner
	for i := jsonscan.SkipSpace(encoded, 0); ; {
		key, value, next, done, err := s.NextMember(encoded, i)
		switch {
		case err != nil:
			return nil, err
		case done:
			if end := jsonscan.SkipSpace(encoded, next); end != len(encoded) {
				return nil, jsonscan.Unexpected(encoded, end, "the end")
			}
			return &m, nil
		}
		if field := m.field(key); field != nil {
			*field = value
		}
		i = next
	}
}

// field returns the destination for the value of a key, or nil.
func (m *members) field(key jsonscan.Value) *jsonscan.Value {
	for _, f := range []struct {
		name  string
		value *jsonscan.Value
	}{
		{"id", &m.id}, {"ruleId", &m.rule}, {"severity", &m.severity}, {"eventTime", &m.time}, {"awsRegion", &m.region},
		{"recipientAccountId", &m.account}, {"eventSource", &m.source}, {"eventName", &m.action}, {"sourceIPAddress", &m.address},
		{"userAgent", &m.agent}, {"errorCode", &m.failure}, {"userIdentity", &m.identity}, {"principal", &m.principal},
		{"policy", &m.policy}, {"origin", &m.origin}, {"partial", &m.partial}, {"partialReason", &m.reason}, {"class_uid", &m.class},
	} {
		if key.EqualString(f.name) {
			return f.value
		}
	}
	return nil
}

// fact returns the text of a scalar, bounded; "" for anything else.
func fact(v jsonscan.Value) string {
	if v.IsNull() || v[0] == '{' || v[0] == '[' {
		return ""
	}
	text := v.Text()
	if cut := CutText(text, maxFact); len(cut) < len(text) {
		return strings.Clone(cut) // a long text is not kept for its beginning
	}
	return text
}

// instant returns the RFC 3339 time in a string, or zero. Times before 1970 and after 9999 don't count.
func instant(v jsonscan.Value) time.Time {
	if !v.IsString() || len(v) > 64 {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v.Text())
	if t = t.UTC(); err != nil || t.Unix() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
