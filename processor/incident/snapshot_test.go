package incident

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// Each field of an incident has its own value of the entry.
//
// Guards: each line of snapshot, counts and reasons.
func TestSnapshot(t *testing.T) {
	seven := func(name string, n uint64, severity string) []incident.Count {
		return []incident.Count{{Name: name, Alerts: n, Succeeded: 7, Severity: severity}}
	}
	partition := int32(11)
	common := incident.Incident{
		Revision: 5, Status: incident.StatusClosed, Activity: incident.Update, Severity: "High", RuleID: "AWS.UnusedRegion",
		AccountID: "111122223333", Window: incident.Window{Start: day, End: day.AddDate(0, 0, 1)},
		FirstSeen: day.Add(time.Nanosecond), LastSeen: day.Add(time.Hour), Account: []byte(`{"name":"prod"}`),
		Counts:  incident.Counts{Alerts: 1_500, Failed: 600, Succeeded: 900, Partial: 7, Salvaged: 6, Actions: 2, MoreActions: true},
		Actions: append(seven("x", 301, "Low"), seven("ec2.amazonaws.com RunInstances", 300, "Info")...),
		Sources: seven("192.0.2.1", 300, "Info"), Agents: append(seven("é", 301, "Low"), seven("aws-cli", 300, "Info")...),
		Escalations: []incident.Escalation{
			{At: day, Reason: incident.EscalatedRegion, Detail: "ap-east-1"}, {At: time.Unix(0, 6).UTC(), Reason: incident.EscalatedCount, Detail: "10 alerts"},
		},
		AlertIDs: []string{alertID(1).String(), alertID(2).String()},
	}
	one, late, storm := common, common, common
	one.ID, late.ID, storm.ID = alertID(100).String(), alertID(101).String(), alertID(102).String()
	one.Kind, late.Kind, storm.Kind = incident.KindIncident, incident.KindLate, incident.KindStorm
	one.Region, late.Region = "eu-west-3", "eu-west-3"
	one.Principal = &incident.Principal{ID: "arn:aws:iam::111122223333:role/dev", Type: "AssumedRole", Name: "dev"}
	late.Principal = &incident.Principal{ID: one.Principal.ID, Name: "dev"}
	one.OtherRegions, one.Continues, late.Late, late.LateFor = []string{"ap-east-1", "eu-central-1"}, alertID(9).String(), true, alertID(8).String()
	storm.AccountID, storm.Partition = "", &partition
	storm.Regions, storm.Principals = seven("eu-west-3", 300, "Info"), append(seven("b", 301, "Low"), seven("a", 300, "Info")...)
	one.Title = "Activity in unused region eu-west-3 by dev in account 111122223333"
	late.Title = one.Title
	storm.Title = "Activity in unused regions of many accounts of partition 11, beyond the limit of incidents"
	used := map[string]bool{}
	for i, want := range []incident.Incident{one, late, storm} {
		e := fullEntries()[i]
		e.id, e.estimated = alertID(100+i), false
		for _, id := range []uuid.UUID{alertID(1), alertID(2)} {
			e.ids.add(&id)
		}
		got := e.snapshot()
		if !reflect.DeepEqual(got, &want) {
			t.Errorf("%+v\nwant %+v", *got, want)
		}
		for f, v := range reflect.ValueOf(*got).Fields() {
			used[f.Name] = used[f.Name] || !v.IsZero()
		}
		if e.closedAt = 0; e.snapshot().Status != incident.StatusOpen {
			t.Error("what is not closed must be open")
		}
	}
	for f := range reflect.TypeFor[incident.Incident]().Fields() {
		if !used[f.Name] {
			t.Errorf("field %s of an incident has a value in none of this test", f.Name)
		}
	}
}

// A title names what there is.
func TestTitle(t *testing.T) {
	partition := int32(3)
	for want, i := range map[string]*incident.Incident{
		"Activity in unused region (none) by dev in account 1":                                 {AccountID: "1", Principal: &incident.Principal{Name: "dev"}},
		"Activity of many principals in unused regions of account 1":                           {AccountID: "1"},
		"Activity of many principals in unused regions of partition 3, which names no account": {Partition: &partition},
	} {
		if got := title(i); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
