package scp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// globalActions are the actions that AWS exempts in its own policy that denies by region, because global services answer
// in one region: "General examples" of the guide to AWS Organizations, by copies of it read on 2026-11-28
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html).
var globalActions = []string{
	"a4b:*", "acm:*", "aws-marketplace-management:*", "aws-marketplace:*", "aws-portal:*", "budgets:*", "ce:*", "chime:*",
	"cloudfront:*", "config:*", "cur:*", "directconnect:*", "ec2:DescribeRegions", "ec2:DescribeTransitGateways",
	"ec2:DescribeVpnGateways", "fms:*", "globalaccelerator:*", "health:*", "iam:*", "importexport:*", "kms:*",
	"mobileanalytics:*", "networkmanager:*", "organizations:*", "pricing:*", "route53:*", "route53domains:*",
	"route53-recovery-cluster:*", "route53-recovery-control-config:*", "route53-recovery-readiness:*",
	"s3:GetAccountPublic*", "s3:ListAllMyBuckets", "s3:ListMultiRegionAccessPoints", "s3:PutAccountPublic*", "shield:*",
	"sts:*", "support:*", "trustedadvisor:*", "waf-regional:*", "waf:*", "wafv2:*", "wellarchitected:*",
}

// Exported is service control policies, all to be attached to one target.
type Exported struct {
	Policies [][]byte // JSON
	Notes    []string // what they deny that the policy exempts or uses
}

// Export makes service control policies that deny the regions that are unused under the target's level: the default
// level for the zero Target. It is one if that fits.
func Export(o *policy.Options, target Target) (*Exported, error) {
	e := &exporter{groups: policy.GroupsOf(o)}
	l, err := e.levelOf(o, target)
	if err != nil {
		return nil, err
	}
	exempt := len(l.AllowedRegions) > 0
	if l.ExemptGlobalServices != nil {
		exempt = *l.ExemptGlobalServices
	}
	if exempt {
		e.base.actions = slices.Clone(globalActions)
	}
	for i := range o.Exceptions {
		if x := &o.Exceptions[i]; e.concerns(x, target) {
			e.exception(x)
		}
	}
	e.warnOfOthers(o, l, target)
	policies, err := pack(e.denials(l))
	if err != nil {
		return nil, err
	}
	return &Exported{Policies: policies, Notes: e.notes}, nil
}

// levelOf returns the level that binds the target.
func (e *exporter) levelOf(o *policy.Options, target Target) (*policy.Level, error) {
	l, group := &o.Default, target.Group
	if target.Account != "" {
		at := slices.IndexFunc(o.Accounts, func(a policy.Account) bool { return a.ID == target.Account })
		if at >= 0 && o.Accounts[at].Level != nil {
			return o.Accounts[at].Level, nil
		}
		group = e.groups[target.Account]
	}
	at := slices.IndexFunc(o.Groups, func(g policy.Group) bool { return g.Name == group })
	switch {
	case at < 0 && target.Group != "":
		return nil, fmt.Errorf("the policy has no group %q", target.Group)
	case at >= 0 && o.Groups[at].Level != nil:
		l = o.Groups[at].Level
	}
	return l, nil
}

// concerns reports whether an exception applies to all that the target binds.
func (e *exporter) concerns(x *policy.Exception, target Target) bool {
	group := target.Group
	if target.Account != "" {
		group = e.groups[target.Account]
	}
	return (len(x.Accounts) == 0 || slices.Contains(x.Accounts, target.Account)) && (len(x.Groups) == 0 || slices.Contains(x.Groups, group))
}

// exporter collects what is exempt.
type exporter struct {
	groups map[string]string // of accounts, by id
	base   exempted          // in every region
	extra  []regional
	notes  []string
}

// exempted is actions and principals that are not denied.
type exempted struct{ actions, principals []string }

// regional is what is exempted in some regions.
type regional struct {
	exempted

	regions []string
}

// exception adds the exemptions of an exception, or notes that it has none that a service control policy can express.
func (e *exporter) exception(x *policy.Exception) {
	limited := len(x.SourceIPs) > 0 || x.ServiceInvoked || !x.NotBefore.IsZero() || !x.Expires.IsZero()
	byActor, byEvent := len(x.Principals) > 0, len(x.EventSources) > 0
	wild := slices.ContainsFunc(x.EventSources, func(s string) bool { return strings.ContainsAny(s, "*?") })
	if limited || byActor == byEvent || wild || byActor && len(x.EventNames) > 0 {
		e.notes = append(e.notes, fmt.Sprintf("the exception %q is not carried over: what it exempts is denied", oneLine(x.Name)))
		return
	}
	var own exempted
	for _, p := range x.Principals {
		if !strings.Contains(p, ":role/aws-service-role/") { // they are not bound anyway
			own.principals = append(own.principals, p)
		}
	}
	for _, source := range x.EventSources {
		own.actions = append(own.actions, actionsOf(source, x.EventNames)...)
	}
	if len(x.Regions) > 0 {
		e.extra = append(e.extra, regional{own, x.Regions})
	} else {
		e.base.add(&own)
	}
}

func (x *exempted) add(o *exempted) {
	addTo := func(list *[]string, texts []string) {
		for _, t := range texts {
			if !slices.Contains(*list, t) {
				*list = append(*list, t)
			}
		}
	}
	addTo(&x.actions, o.actions)
	addTo(&x.principals, o.principals)
}

// actionsOf returns the IAM actions for the events of a source; without names, all of them.
func actionsOf(source string, names []string) (list []string) {
	prefix := strings.TrimSuffix(source, ".amazonaws.com")
	for p, sources := range eventSources {
		if sources[0] == source {
			prefix = p
		}
	}
	if len(names) == 0 {
		return []string{prefix + ":*"}
	}
	for _, name := range names {
		switch prefix + ":" + name {
		case "s3:ListBuckets":
			name = "ListAllMyBuckets"
		case "s3:ListObjects*":
			name = "ListBucket"
		case "lambda:Invoke":
			name = "InvokeFunction"
		}
		list = append(list, prefix+":"+name)
	}
	return list
}

// warnOfOthers notes groups and accounts whose own level uses regions denied here: service control policies add up on the way
// down an organization, whereas levels replace each other.
func (e *exporter) warnOfOthers(o *policy.Options, l *policy.Level, target Target) {
	if target.Account != "" {
		return
	}
	var others []string
	for i := range o.Groups {
		if g := &o.Groups[i]; target.Group == "" && g.Level != nil && usesMore(g.Level, l) {
			others = append(others, "group "+oneLine(g.Name))
		}
	}
	for i := range o.Accounts {
		if a := &o.Accounts[i]; a.Level != nil && usesMore(a.Level, l) && (target.Group == "" || e.groups[a.ID] == target.Group) {
			others = append(others, "account "+a.ID)
		}
	}
	if len(others) == 0 {
		return
	}
	const most = 5
	text := strings.Join(others[:min(len(others), most)], ", ")
	if more := len(others) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	e.notes = append(e.notes, "some use regions that this denies, so do not attach it above them: "+text)
}

// usesMore reports whether one level uses a region that is unused under another.
func usesMore(l, other *policy.Level) bool {
	return slices.ContainsFunc(regions.All(), func(r regions.Region) bool { return other.IsUnused(r.Code) && !l.IsUnused(r.Code) })
}
