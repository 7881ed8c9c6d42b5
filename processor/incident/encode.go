package incident

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// encode returns the value of the state record of an entry.
func (e *entry) encode() []byte {
	b := append(make([]byte, 0, 512), stateVersion)
	b = append(b, byte(e.kind), byte(e.activity), byte(e.severity))
	b = appendFlags(b, e.storm, e.overflow, e.created, e.unsent, e.estimated)
	b = appendText(b, e.account.id)
	b = binary.AppendUvarint(b, uint64(e.partition))
	b = appendText(b, e.rule)
	for _, s := range []string{e.region, e.actor, e.actorType, e.actorName} {
		if !e.storm {
			b = appendText(b, s)
		}
	}
	b = binary.AppendVarint(b, e.start)
	b = binary.AppendUvarint(b, uint64(e.end-e.start))
	b = e.appendHistory(b)
	b = e.appendCounts(b)
	b = appendText(b, e.facts)
	return e.appendLinks(b)
}

// appendHistory appends when what happened.
func (e *entry) appendHistory(b []byte) []byte {
	for _, i := range []instant{e.firstSeen, e.lastSeen, e.sent, e.lastArrival, e.closedAt} {
		b = appendInstant(b, i)
	}
	b = binary.AppendUvarint(b, e.revision)
	b = binary.AppendUvarint(b, uint64(len(e.escalations)))
	for i := range e.escalations {
		x := &e.escalations[i]
		b = append(appendInstant(b, x.at), byte(x.reason))
		b = appendText(b, x.detail)
	}
	return b
}

// appendCounts appends what was counted.
func (e *entry) appendCounts(b []byte) []byte {
	for _, n := range []uint64{e.alerts, e.failed, e.partial, e.salvaged, uint64(e.remembered)} {
		b = binary.AppendUvarint(b, n)
	}
	if e.estimated {
		b = appendIDs(append(b, byte(len(e.firstIDs))), e.firstIDs)
	}
	b = e.actions.append(b)
	b = e.sources.append(b)
	b = e.agents.append(b)
	if e.crowd != nil {
		b = e.crowd.regions.append(b)
		b = e.crowd.principals.append(b)
	}
	return b
}

// append appends the list: its length and whether there was more, then its names.
func (t *tally) append(b []byte) []byte {
	n := uint64(len(t.list)) << 1
	if t.more {
		n |= 1
	}
	b = binary.AppendUvarint(b, n)
	for i := range t.list {
		c := &t.list[i]
		b = appendText(b, c.name)
		b = binary.AppendUvarint(b, c.alerts)
		b = binary.AppendUvarint(b, c.succeeded)
		b = append(b, byte(c.severity))
	}
	return b
}

// appendLinks appends what other incidents there are.
func (e *entry) appendLinks(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(e.otherRegions)))
	for _, region := range e.otherRegions {
		b = appendText(b, region)
	}
	b = appendFlags(b, e.continues != uuid.Nil)
	if e.continues != uuid.Nil {
		b = append(b, e.continues[:]...)
	}
	if e.kind == kindLate {
		b = append(b, e.lateFor[:]...)
	}
	return b
}

func appendIDs(b []byte, ids []uuid.UUID) []byte {
	for i := range ids {
		b = append(b, ids[i][:]...)
	}
	return b
}

// encode returns the value of the state record of an account: how its time is divided.
func (s schedule) encode() []byte {
	b := append([]byte{stateVersion}, byte(len(s)))
	for _, segment := range s {
		b = binary.AppendVarint(b, segment.From)
		b = binary.AppendUvarint(b, uint64(segment.Window))
	}
	return b
}

// encodeGone returns the value of the state record of an incident whose grace has ended.
func encodeGone(e ended) []byte {
	b := binary.AppendUvarint([]byte{stateVersion}, uint64(e.late))
	return appendText(b, e.account.id)
}
