package sample

import "strconv"

// catalogue is the compiled tables of calls, identities and agents. A row is listed as many times as its weight, so
// that choosing takes one random number.
type catalogue struct {
	reads, writes             []*compiledCall // without those of global services
	globalReads, globalWrites []*compiledCall // with them
	agents                    []string
	addresses                 []string
}

type compiledCall struct {
	names                 string // from the end of eventTime to the start of awsRegion
	request, response     template
	additional, resources template // with key and comma; empty if there are none
	service, tls          template
	eventType, category   string // with the keys around recipientAccountId
	failures              []compiledFailure
	mayFail               bool
	who                   []*compiledIdentity
}

type compiledFailure struct {
	code string
	text template
}

type compiledIdentity struct {
	kind           kind
	userIdentity   template
	address, agent string
}

// of returns the calls to choose from for e.
func (c *catalogue) of(e *Event) []*compiledCall {
	global := e.Region == globalRegion
	switch {
	case e.ReadOnly == Write && global:
		return c.globalWrites
	case e.ReadOnly == Write:
		return c.writes
	case global:
		return c.globalReads
	default:
		return c.reads
	}
}

func newCatalogue() catalogue {
	people := compileIdentities()
	var c catalogue
	c.reads, c.globalReads = compileCalls(reads, people)
	c.writes, c.globalWrites = compileCalls(writes, people)
	for _, a := range agents {
		c.agents = appendTimes(c.agents, a.text, a.weight)
	}
	// The documentation blocks of RFC 5737.
	for _, block := range []string{"192.0.2.", "198.51.100.", "203.0.113."} {
		for host := 1; host < 255; host += 7 {
			c.addresses = append(c.addresses, block+strconv.Itoa(host))
		}
	}
	return c
}

// weighted is a compiled identity and how often it appears.
type weighted struct {
	identity *compiledIdentity
	weight   int
}

func compileIdentities() []weighted {
	out := make([]weighted, 0, len(identities))
	for _, id := range identities {
		compiled := &compiledIdentity{kind: id.kind, userIdentity: compile(id.userIdentity), address: id.address, agent: id.agent}
		out = append(out, weighted{compiled, id.weight})
	}
	return out
}

func compileCalls(table []call, people []weighted) (regional, all []*compiledCall) {
	for i := range table {
		c := &table[i]
		compiled := compileCall(c, people)
		all = appendTimes(all, compiled, c.weight)
		if !c.global {
			regional = appendTimes(regional, compiled, c.weight)
		}
	}
	return regional, all
}

func compileCall(c *call, people []weighted) *compiledCall {
	category := orElse(c.category, "Management")
	compiled := &compiledCall{
		names:      `","eventSource":"` + c.source + `","eventName":"` + c.name + `","awsRegion":"`,
		request:    compile(orElse(c.request, "null")),
		response:   compile(orElse(c.response, "null")),
		additional: compileField("additionalEventData", c.additional),
		resources:  compileField("resources", c.resources),
		service:    compileField("serviceEventDetails", c.service),
		tls:        compile(`,"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"` + hostOf(c) + `"}`),
		eventType: `,"eventType":"` + orElse(c.eventType, "AwsApiCall") + `","managementEvent":` +
			strconv.FormatBool(category == "Management") + `,"recipientAccountId":"`,
		category: `,"eventCategory":"` + category + `"`,
		mayFail:  c.eventType == "",
	}
	for _, f := range append(c.failures[:len(c.failures):len(c.failures)], anyFailures...) {
		compiled.failures = append(compiled.failures, compiledFailure{f.code, compile(f.text)})
	}
	allowed := c.callers
	if allowed == 0 {
		allowed = callers
	}
	for _, p := range people {
		if p.identity.kind&allowed != 0 {
			compiled.who = appendTimes(compiled.who, p.identity, p.weight)
		}
	}
	return compiled
}

// compileField compiles a field that is left out if value is empty.
func compileField(name, value string) template {
	if value == "" {
		return nil
	}
	return compile(`,"` + name + `":` + value)
}

// hostOf returns the host name of the service as clients call it.
func hostOf(c *call) string {
	if c.global {
		return c.source
	}
	const domain = ".amazonaws.com"
	return c.source[:len(c.source)-len(domain)] + ".${region}" + domain
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func appendTimes[T any](dst []T, v T, n int) []T {
	for range n {
		dst = append(dst, v)
	}
	return dst
}
