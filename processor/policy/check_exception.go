package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkExceptions checks each exception by itself.
func (c *checker) checkExceptions() {
	c.noteLevels()
	names := make(map[string]bool, len(c.o.Exceptions))
	for i := range c.o.Exceptions {
		x := &c.o.Exceptions[i]
		c.enter(PartException, i, x.Name)
		switch {
		case x.Name == "":
			c.add("name", -1, "an exception needs a name, under which its findings are counted")
		case names[x.Name]:
			c.add("name", -1, "duplicate name")
		}
		names[x.Name] = true
		c.checkText("name", x.Name)
		c.checkText("reason", x.Reason)
		c.checkText("owner", x.Owner)
		timed := c.checkTime("not_before", x.NotBefore)
		timed = c.checkTime("expires", x.Expires) && timed
		if timed && !x.Expires.IsZero() && !x.NotBefore.Before(x.Expires) {
			c.add("not_before", -1, fmt.Sprintf("%s is not before expires, %s: it can never apply",
				x.NotBefore.Format(time.RFC3339), x.Expires.Format(time.RFC3339)))
		}
		if x.isUnbounded() {
			c.add("", -1, "it would exempt everything; narrow it by accounts, groups, regions, event_sources, "+
				"event_names, principals, source_ips or service_invoked")
			continue
		}
		before := len(c.faults)
		c.checkConditions(x)
		if len(c.faults) == before {
			c.checkReach(x)
		}
	}
}

// checkTime checks that a time, if there is one, can be written as RFC 3339 in UTC, and is no slip.
func (c *checker) checkTime(key string, t time.Time) bool {
	year := t.UTC().Year()
	if t.IsZero() || 1970 <= year && year <= 9999 {
		return true
	}
	c.add(key, -1, fmt.Sprintf("the year %d in UTC is not within 1970 to 9999", year))
	return false
}

// isUnbounded reports whether the exception has no condition.
func (x *Exception) isUnbounded() bool {
	return len(x.Accounts)+len(x.Groups)+len(x.Regions)+len(x.EventSources)+len(x.EventNames)+len(x.Principals)+
		len(x.SourceIPs) == 0 && !x.ServiceInvoked
}

func (c *checker) checkConditions(x *Exception) {
	for i, id := range x.Accounts {
		c.checkAccountID("accounts", i, id)
	}
	for i, g := range x.Groups {
		if c.groups[g] == nil {
			c.add("groups", i, unknownGroup(g, c.groups))
		}
	}
	c.checkRegions("regions", x.Regions)
	for i, s := range x.EventSources {
		c.checkService("event_sources", i, s)
	}
	for i, s := range x.SourceIPs {
		c.checkSource(i, s)
	}
	for i, n := range x.EventNames {
		if n == "" || strings.ContainsAny(n, " :/") {
			c.add("event_names", i, fmt.Sprintf("%q is not an event name such as PutConfigRule; it can never apply", cut(n)))
		}
	}
	for i, p := range x.Principals {
		c.checkPrincipal(i, p)
	}
}

// checkService checks the name of an AWS service as CloudTrail writes it. A name without a dot would never match.
func (c *checker) checkService(field string, item int, name string) {
	switch {
	case name == "" || strings.ContainsAny(name, " :/") || strings.ToLower(name) != name:
		c.add(field, item, fmt.Sprintf("%q is not an AWS service name such as config.amazonaws.com; it can never apply", cut(name)))
	case !strings.ContainsAny(name, ".*?"):
		c.add(field, item, fmt.Sprintf("%q is not an AWS service name and can never apply; did you mean %q?", cut(name), cut(name)+".amazonaws.com"))
	}
}

// checkSource checks an address, a range or the name of a service.
func (c *checker) checkSource(item int, text string) {
	if _, ok := parsePrefix(text); ok {
		return
	}
	if strings.ContainsAny(text, "/:") || strings.Trim(text, "0123456789.") == "" {
		c.add("source_ips", item, fmt.Sprintf("%q is neither an address nor a range such as 192.0.2.0/24 or 2001:db8::/32", cut(text)))
		return
	}
	c.checkService("source_ips", item, text)
}

func (c *checker) checkPrincipal(item int, text string) {
	p, ok := parseARNPattern(text)
	switch {
	case len(text) > maxARNBytes:
		c.add("principals", item, fmt.Sprintf("the pattern has %d bytes, %d are allowed", len(text), maxARNBytes))
	case !ok:
		c.add("principals", item, fmt.Sprintf("%q is not an ARN pattern; want six parts, such as arn:aws:iam::*:role/NAME", cut(text)))
	case !MatchWildcard(p.parts[0], []byte("arn")):
		c.add("principals", item, fmt.Sprintf("%q can never apply: ARNs begin with arn:", cut(text)))
	case !MatchWildcard(p.parts[2], []byte("iam")) && !needsSession(&p):
		c.add("principals", item, fmt.Sprintf("%q can never apply: principals have iam ARNs", cut(text)))
	case !MatchWildcard(p.parts[3], nil):
		c.add("principals", item, fmt.Sprintf("%q can never apply: iam ARNs have no region", cut(text)))
	}
}

// needsSession reports whether the pattern asks for a session, whose name its creator chooses.
func needsSession(p *arnPattern) bool {
	return MatchWildcard(p.parts[2], []byte("sts")) && p.parts[2] != "*" || strings.HasPrefix(p.parts[5], "assumed-role/") || strings.HasPrefix(p.parts[5], "federated-user/")
}

// checkReach finds exceptions that can never apply: their accounts are in none of their groups, or their regions are in
// use wherever they look.
func (c *checker) checkReach(x *Exception) {
	levels := c.reached(x)
	if len(levels) == 0 {
		c.add("accounts", -1, "it can never apply: its accounts are in none of its groups")
		return
	}
	for i, code := range x.Regions {
		if !slices.ContainsFunc(levels, func(l *Level) bool { return l.IsUnused(code) }) {
			c.add("regions", i, fmt.Sprintf("%s is in use at every level the exception covers; it can never apply", code))
		}
	}
}

// reached returns the levels of the accounts that an exception covers.
func (c *checker) reached(x *Exception) (levels []*Level) {
	switch {
	case len(x.Accounts) > 0:
		for _, id := range x.Accounts {
			if len(x.Groups) == 0 || slices.Contains(x.Groups, c.groupOf[id]) {
				levels = append(levels, c.levelOf(id))
			}
		}
	case len(x.Groups) > 0:
		for _, g := range x.Groups {
			levels = append(levels, c.levelsIn[g]...)
		}
	default:
		return c.levels
	}
	return levels
}

// noteLevels lists every level of the policy, and the levels in each group.
func (c *checker) noteLevels() {
	c.levels = []*Level{&c.o.Default}
	c.levelsIn = make(map[string][]*Level, len(c.groups))
	for name, g := range c.groups {
		c.levelsIn[name] = []*Level{c.levelOfGroup(name)}
		if g.Level != nil {
			c.levels = append(c.levels, g.Level)
		}
	}
	for id, a := range c.accounts {
		if a.Level == nil {
			continue
		}
		c.levels = append(c.levels, a.Level)
		if g := c.groupOf[id]; g != "" {
			c.levelsIn[g] = append(c.levelsIn[g], a.Level)
		}
	}
}

// levelOf returns the level that applies to an account.
func (c *checker) levelOf(id string) *Level {
	if a := c.accounts[id]; a != nil && a.Level != nil {
		return a.Level
	}
	return c.levelOfGroup(c.groupOf[id])
}

func (c *checker) levelOfGroup(name string) *Level {
	if g := c.groups[name]; g != nil && g.Level != nil {
		return g.Level
	}
	return &c.o.Default
}
