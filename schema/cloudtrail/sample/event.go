package sample

import (
	"strconv"
	"time"
)

// The shares found in public data sets of real events.
const (
	writeShare      = 0.2  // of events
	writeErrorShare = 0.16 // of writes
	readErrorShare  = 0.04
	tlsShare        = 0.7  // events with tlsDetails
	consoleShare    = 0.1  // events with sessionCredentialFromConsole
	endpointShare   = 0.06 // events with vpcEndpointId
	latest          = 5 * time.Second
)

// appendEvent appends the event e as JSON, its fields in CloudTrail's own order.
func (g *Generator) appendEvent(dst []byte, e *Event) []byte {
	c := pick(g.random, g.calls.of(e))
	who := pick(g.random, c.who)
	return g.appendCall(dst, e, c, who, g.newScene(e))
}

// appendCall appends a call that an identity makes.
func (g *Generator) appendCall(dst []byte, e *Event, c *compiledCall, who *compiledIdentity, s *scene) []byte {
	dst = append(dst, `{"eventVersion":"1.11","userIdentity":`...)
	dst = g.fill(dst, who.userIdentity, s)
	dst = append(dst, `,"eventTime":"`...)
	dst = s.time.AppendFormat(dst, time.RFC3339)
	dst = append(dst, c.names...)
	dst = append(dst, e.Region...)
	dst = g.appendCaller(dst, who, s)
	failed := c.mayFail && g.chance(errorShare(e))
	if failed {
		dst = g.appendFailure(dst, c, s)
	}
	dst = append(dst, `,"requestParameters":`...)
	dst = g.fill(dst, c.request, s)
	dst = append(dst, `,"responseElements":`...)
	if failed {
		dst = append(dst, "null"...)
	} else {
		dst = g.fill(dst, c.response, s)
	}
	return g.appendRest(dst, e, c, who, s)
}

// appendRest appends the fields after responseElements.
func (g *Generator) appendRest(dst []byte, e *Event, c *compiledCall, who *compiledIdentity, s *scene) []byte {
	dst = g.fill(dst, c.additional, s)
	dst = append(dst, `,"requestID":"`...)
	dst = appendUUID(dst, g.random.Uint64(), g.random.Uint64())
	dst = append(dst, `","eventID":"`...)
	dst = append(dst, e.ID[:]...)
	dst = append(dst, `","readOnly":`...)
	dst = strconv.AppendBool(dst, e.ReadOnly == Read)
	dst = g.fill(dst, c.resources, s)
	dst = append(dst, c.eventType...)
	dst = append(dst, e.Account...)
	dst = append(dst, '"')
	if who.kind == awsAccount {
		dst = append(dst, `,"sharedEventID":"`...)
		dst = append(appendUUID(dst, g.random.Uint64(), g.random.Uint64()), '"')
	}
	dst = g.fill(dst, c.service, s)
	if g.chance(endpointShare) {
		dst = append(dst, `,"vpcEndpointId":"vpce-0`...)
		dst = append(g.appendRandom(dst, "0123456789abcdef", 4, 16), '"')
	}
	dst = append(dst, c.category...)
	switch {
	case g.chance(tlsShare):
		dst = g.fill(dst, c.tls, s)
	case g.chance(consoleShare):
		dst = append(dst, `,"sessionCredentialFromConsole":"true"`...)
	}
	return append(dst, '}')
}

// appendCaller appends the caller's origin and tools.
func (g *Generator) appendCaller(dst []byte, who *compiledIdentity, s *scene) []byte {
	address, agent := who.address, who.agent
	if address == "" {
		address, agent = s.address, pick(g.random, g.calls.agents)
	}
	dst = append(dst, `","sourceIPAddress":"`...)
	dst = append(dst, address...)
	dst = append(dst, `","userAgent":"`...)
	dst = append(dst, agent...)
	return append(dst, '"')
}

func (g *Generator) appendFailure(dst []byte, c *compiledCall, s *scene) []byte {
	f := pick(g.random, c.failures)
	dst = append(dst, `,"errorCode":"`...)
	dst = append(dst, f.code...)
	dst = append(dst, `","errorMessage":"`...)
	dst = g.fill(dst, f.text, s)
	return append(dst, '"')
}

func errorShare(e *Event) float64 {
	if e.ReadOnly == Write {
		return writeErrorShare
	}
	return readErrorShare
}

// newScene chooses who does what from where and when.
func (g *Generator) newScene(e *Event) *scene {
	late := time.Duration(g.random.Int64N(int64(latest)))
	g.scene = scene{
		account: e.Account, region: e.Region,
		user: pick(g.random, userNames), role: pick(g.random, roleNames), session: pick(g.random, sessionNames),
		address: pick(g.random, g.calls.addresses),
		time:    g.options.Start.Add(time.Duration(g.made-1)*g.options.Interval - late).UTC(),
	}
	return &g.scene
}
