package scp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// MaxCharacters is how long a service control policy may be, white space included
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
const MaxCharacters = 5120

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

// Exported is a service control policy.
type Exported struct {
	Policy []byte   // JSON
	Notes  []string // what it denies that the policy exempts or uses
}

// Export makes a service control policy that denies the regions that are unused under the target's level: the default
// level for the zero Target.
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
		e.actions = slices.Clone(globalActions)
	}
	for i := range o.Exceptions {
		if x := &o.Exceptions[i]; e.concerns(x, target) {
			e.exception(x)
		}
	}
	e.warnOfOthers(o, l, target)
	text := e.write(l, "  ")
	if len(text) > MaxCharacters {
		text = e.write(l, "")
	}
	if len(text) > MaxCharacters {
		return nil, fmt.Errorf("the service control policy has %d characters, of which %d exempt principals and %d exempt actions; AWS allows %d",
			len(text), length(e.principals), length(e.actions), MaxCharacters)
	}
	return &Exported{Policy: text, Notes: e.notes}, nil
}

func length(texts []string) (n int) {
	for _, t := range texts {
		n += len(`"",`) + len(t)
	}
	return n
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
	groups                     map[string]string // of accounts, by id
	actions, principals, notes []string
}

// exception adds the exemptions of an exception, or notes that it has none that a service control policy can express.
func (e *exporter) exception(x *policy.Exception) {
	limited := len(x.Regions)+len(x.SourceIPs) > 0 || x.ServiceInvoked || !x.NotBefore.IsZero() || !x.Expires.IsZero()
	byActor, byEvent := len(x.Principals) > 0, len(x.EventSources) > 0
	wild := slices.ContainsFunc(x.EventSources, func(s string) bool { return strings.ContainsAny(s, "*?") })
	if limited || byActor == byEvent || wild || byActor && len(x.EventNames) > 0 {
		e.notes = append(e.notes, fmt.Sprintf("the exception %q is not carried over: what it exempts is denied", oneLine(x.Name)))
		return
	}
	for _, p := range x.Principals {
		if !strings.Contains(p, ":role/aws-service-role/") && !slices.Contains(e.principals, p) { // they are not bound anyway
			e.principals = append(e.principals, p)
		}
	}
	for _, source := range x.EventSources {
		for _, action := range actionsOf(source, x.EventNames) {
			if !slices.Contains(e.actions, action) {
				e.actions = append(e.actions, action)
			}
		}
	}
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

// write writes the service control policy, on one line without an indent.
func (e *exporter) write(l *policy.Level, indent string) []byte {
	type statement struct {
		Sid       string
		Effect    string
		Action    string   `json:",omitempty"`
		NotAction []string `json:",omitempty"`
		Resource  string
		Condition map[string]map[string][]string
	}
	s := statement{Sid: "DenyUnusedRegions", Effect: "Deny", NotAction: e.actions, Resource: "*", Condition: map[string]map[string][]string{}}
	if len(e.actions) == 0 {
		s.Action = "*"
	}
	operator := "StringEquals"
	if len(l.AllowedRegions) > 0 {
		operator = "StringNotEquals"
	}
	s.Condition[operator] = map[string][]string{"aws:RequestedRegion": l.Regions()}
	if len(e.principals) > 0 {
		s.Condition["ArnNotLike"] = map[string][]string{"aws:PrincipalArn": e.principals}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{s}}); err != nil {
		panic("BUG: encoding a service control policy: " + err.Error()) // it is made of texts
	}
	return b.Bytes()
}
