package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/incident"
)

// snapshot returns the incident as it is.
func (e *entry) snapshot() *incident.Incident {
	i := &incident.Incident{
		ID: e.id.String(), Activity: activities[e.activity], Revision: e.revision, Status: incident.StatusOpen, Kind: kinds[e.kind], Severity: e.severity.String(),
		RuleID: e.rule, AccountID: e.account.id, Region: e.region, Window: e.window(), FirstSeen: e.firstSeen.time(), LastSeen: e.lastSeen.time(),
		Counts: e.counts(), Actions: e.actions.top(), Sources: e.sources.top(), Agents: e.agents.top(),
		OtherRegions: slices.Clone(e.otherRegions), AlertIDs: texts(e.firstAlerts()), Escalations: e.reasons(),
	}
	if e.closedAt != 0 {
		i.Status = incident.StatusClosed
	}
	if e.account.id == "" {
		partition := e.partition
		i.Partition = &partition
	}
	if e.crowd != nil {
		i.Regions, i.Principals = e.crowd.regions.top(), e.crowd.principals.top()
	}
	if !e.storm {
		i.Principal = &incident.Principal{ID: e.actor, Type: e.actorType, Name: e.actorName}
	}
	if e.facts != "" {
		i.Account = json.RawMessage(e.facts)
	}
	i.Continues, i.Late, i.LateFor = text(e.continues), e.kind == kindLate, text(e.lateFor)
	if i.Title = title(i); e.overflow {
		i.Title = fmt.Sprintf("Activity in unused regions of many accounts of partition %d, beyond the limit of incidents", e.partition)
	}
	return i
}

// reasons returns the escalations to write.
func (e *entry) reasons() (list []incident.Escalation) {
	for _, x := range e.escalations {
		list = append(list, incident.Escalation{At: x.at.time(), Reason: reasons[x.reason], Detail: x.detail})
	}
	return list
}

func (e *entry) window() incident.Window {
	return incident.Window{Start: time.Unix(e.start, 0).UTC(), End: time.Unix(e.end, 0).UTC()}
}

func (e *entry) counts() incident.Counts {
	c := incident.Counts{
		Alerts: e.alerts, Failed: e.failed, Succeeded: e.alerts - e.failed, Partial: e.partial, Salvaged: e.salvaged,
		Actions: uint64(len(e.actions.list)), MoreActions: e.actions.more,
	}
	if e.ids.sketch != nil { // what is counted includes repeats
		c.Alerts, c.Estimate = min(e.ids.sketch.Estimate(), c.Alerts), true
		share := float64(c.Alerts) / float64(e.alerts)
		for _, n := range []*uint64{&c.Failed, &c.Partial, &c.Salvaged} {
			*n = uint64(float64(*n)*share + 0.5)
		}
		c.Succeeded = c.Alerts - c.Failed
	}
	return c
}

// firstAlerts returns the first alerts to arrive.
func (e *entry) firstAlerts() []uuid.UUID {
	if e.ids.sketch != nil {
		return e.firstIDs
	}
	return e.ids.first(incident.MaxAlertIDs)
}

func texts(ids []uuid.UUID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = id.String()
	}
	return list
}

// text returns an id as text; "" for none.
func text(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

func title(i *incident.Incident) string {
	where := "account " + i.AccountID
	if i.AccountID == "" {
		where = fmt.Sprintf("partition %d, which names no account", *i.Partition)
	}
	if i.Principal == nil {
		return "Activity of many principals in unused regions of " + where
	}
	return fmt.Sprintf("Activity in unused region %s by %s in %s", cmp.Or(i.Region, "(none)"), i.Principal.Name, where)
}
