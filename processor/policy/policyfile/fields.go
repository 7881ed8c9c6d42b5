package policyfile

import (
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// levelFields are the keys of a level: in default, in a group and in an account.
var levelFields = []field[policy.Level]{
	regionsField("unused_regions", "A deny list: these regions are unused, all others are in use.",
		func(l *policy.Level) *[]string { return &l.UnusedRegions }),
	regionsField("allowed_regions", "An allow list: every other region is unused, including those that AWS opens later.",
		func(l *policy.Level) *[]string { return &l.AllowedRegions }),
	{
		"exempt_global_services", "Let events of global services pass in the one region in which CloudTrail logs them. By default true with allowed_regions, false with unused_regions.",
		flagSchema, func(r *reader, n *yaml.Node, l *policy.Level) {
			exempt := r.flag(n)
			l.ExemptGlobalServices = &exempt
		},
	},
	{
		"missing_read_only", "Outcome of an event in an unused region whose readOnly is neither true nor false; pass by default.",
		choiceSchema("pass", "alert"), func(r *reader, n *yaml.Node, l *policy.Level) {
			l.AlertOnMissingReadOnly = r.choice(n, "pass", "alert") == "alert"
		},
	},
	textField("severity", "Severity of the alerts; High by default.", choiceSchema(policy.Severities...),
		func(l *policy.Level) *string { return &l.Severity }),
	textField("failed_severity", "Severity of alerts of calls that failed; severity by default.", choiceSchema(policy.Severities...),
		func(l *policy.Level) *string { return &l.FailedSeverity }),
	{
		"mode", "shadow: findings are not alerts but marked, counted, and written to the shadow topic.",
		choiceSchema("alert", "shadow"), func(r *reader, n *yaml.Node, l *policy.Level) {
			l.Shadow = r.choice(n, "alert", "shadow") == "shadow"
		},
	},
	{
		"incidents", "How the alerts are grouped into incidents.",
		mappingSchema(incidentFields), func(r *reader, n *yaml.Node, l *policy.Level) {
			l.Incidents = &policy.Incidents{}
			readMapping(r, n, "incidents", incidentFields, l.Incidents)
		},
	},
}

// group is a group as written: the keys of its level are among its own.
type group struct {
	policy.Group
	level    policy.Level
	hasLevel bool
}

var groupFields = append([]field[group]{
	listField("accounts", "Ids of the accounts in the group. Accounts may name their group instead.", accountIDSchema,
		func(g *group) *[]string { return &g.Accounts }),
	listField("ous", "Paths of organizational units, such as Workloads/Prod. Accounts within one of them are in the group.", ouSchema,
		func(g *group) *[]string { return &g.OUs }),
	{"tags", "Accounts that have all of these tags are in the group.", groupTagsSchema, func(r *reader, n *yaml.Node, g *group) { g.Tags = r.groupTags(n) }},
}, within(levelFields, func(g *group) *policy.Level { g.hasLevel = true; return &g.level })...)

// account is an account as written.
type account struct {
	policy.Account
	level    policy.Level
	hasLevel bool
}

var accountFields = append([]field[account]{
	textField("name", "The account's name, for its alerts.", textSchema, func(a *account) *string { return &a.Name }),
	textField("owner", "Who answers for the account, for its alerts.", textSchema, func(a *account) *string { return &a.Owner }),
	textField("environment", "What the account is for, such as prod, for its alerts.", textSchema, func(a *account) *string { return &a.Environment }),
	textField("ou", "The path of its organizational unit, such as Workloads/Prod, by which groups find it.", ouSchema, func(a *account) *string { return &a.OU }),
	{
		"tags", "More facts for its alerts, by which groups find it.", schema{"type": "object", "additionalProperties": textSchema},
		func(r *reader, n *yaml.Node, a *account) { a.Tags = r.tags(n) },
	},
	textField("group", "The group that the account is in.", textSchema, func(a *account) *string { return &a.Group }),
}, within(levelFields, func(a *account) *policy.Level { a.hasLevel = true; return &a.level })...)

// tags returns a mapping of texts.
func (r *reader) tags(n *yaml.Node) map[string]string {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "want tags: one `key: value` a line%s", isNot(n))
		return nil
	}
	tags := make(map[string]string, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := r.text(n.Content[i])
		if _, twice := tags[key]; twice {
			r.fault(n.Content[i], "duplicate tag %q", cut(key))
		}
		tags[key] = r.text(n.Content[i+1])
	}
	return tags
}

// groupTags returns the tags of a group. None would be those of every account.
func (r *reader) groupTags(n *yaml.Node) map[string]string {
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fault(n, "there are no tags")
	}
	return r.tags(n)
}

var exceptionFields = []field[policy.Exception]{
	textField("name", "Unique; events are counted by it.", textSchema, func(x *policy.Exception) *string { return &x.Name }),
	textField("reason", "Why it is there, for auditors.", textSchema, func(x *policy.Exception) *string { return &x.Reason }),
	textField("owner", "Who answers for it, for auditors.", textSchema, func(x *policy.Exception) *string { return &x.Owner }),
	timeField("not_before", "When it begins to apply: a date, which is its first instant in UTC, or an RFC 3339 time.",
		func(x *policy.Exception) *time.Time { return &x.NotBefore }),
	timeField("expires", "When it stops applying: a date, which is its first instant in UTC, or an RFC 3339 time.",
		func(x *policy.Exception) *time.Time { return &x.Expires }),
	listField("accounts", "Ids of accounts.", accountIDSchema, func(x *policy.Exception) *[]string { return &x.Accounts }),
	listField("groups", "Names of groups.", textSchema, func(x *policy.Exception) *[]string { return &x.Groups }),
	regionsField("regions", "Region codes.", func(x *policy.Exception) *[]string { return &x.Regions }),
	listField("event_sources", "Event sources such as config.amazonaws.com, with * and ?.", textSchema, func(x *policy.Exception) *[]string { return &x.EventSources }),
	listField("event_names", "Event names such as PutConfigRule, with * and ?.", textSchema, func(x *policy.Exception) *[]string { return &x.EventNames }),
	listField("principals", "Patterns of ARNs of roles and users, compared as IAM's ArnLike does. A session is matched by its role.", textSchema,
		func(x *policy.Exception) *[]string { return &x.Principals }),
	listField("source_ips", "Addresses, ranges such as 192.0.2.0/24, and names of AWS services with * and ?.", textSchema,
		func(x *policy.Exception) *[]string { return &x.SourceIPs }),
	{
		"service_invoked", "Only calls that an AWS service made.", flagSchema,
		func(r *reader, n *yaml.Node, x *policy.Exception) { x.ServiceInvoked = r.flag(n) },
	},
}

// timeField is a key whose value is a time.
func timeField[T any](key, help string, of func(*T) *time.Time) field[T] {
	s := schema{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}(T.+)?$`}
	return field[T]{key, help, s, func(r *reader, n *yaml.Node, t *T) { *of(t) = r.time(n) }}
}

// textField is a key whose value is a text.
func textField[T any](key, help string, s schema, of func(*T) *string) field[T] {
	return field[T]{key, help, s, func(r *reader, n *yaml.Node, t *T) { *of(t) = r.text(n) }}
}

// listField is a key whose value is a list of texts.
func listField[T any](key, help string, item schema, of func(*T) *[]string) field[T] {
	s := schema{"type": "array", "items": item, "minItems": 1}
	return field[T]{key, help, s, func(r *reader, n *yaml.Node, t *T) { *of(t) = r.texts(key, n) }}
}

// regionsField is a key whose value is a list of region codes and region sets.
func regionsField[T any](key, help string, of func(*T) *[]string) field[T] {
	s := schema{"type": "array", "items": schema{"anyOf": []schema{regionSchema, {"type": "string", "pattern": "^@."}}}, "minItems": 1}
	return field[T]{key, help + " \"@NAME\" stands for the regions of a region set.", s, func(r *reader, n *yaml.Node, t *T) { *of(t) = r.regionList(key, n) }}
}

// within makes the fields of a part of a T fields of the T.
func within[T, P any](fields []field[P], of func(*T) *P) []field[T] {
	list := make([]field[T], len(fields))
	for i, f := range fields {
		list[i] = field[T]{f.key, f.help, f.schema, func(r *reader, n *yaml.Node, t *T) { f.read(r, n, of(t)) }}
	}
	return list
}
