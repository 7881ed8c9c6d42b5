package policyfile

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/processor/policy"
)

var (
	durationSchema = schema{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(h|m|s))+$`}
	countSchema    = schema{"type": "integer", "minimum": 1}
)

// incidentFields are the keys of incidents.
var incidentFields = []field[policy.Incidents]{
	durationField("window", "Span of event time that an incident covers, cut in UTC; 24h by default. A change applies to windows that begin later.",
		func(g *policy.Incidents) *time.Duration { return &g.Window }),
	{
		"threshold", "How many alerts, or distinct actions, a window needs before it is an incident; 1 by default.",
		countSchema, func(r *reader, n *yaml.Node, g *policy.Incidents) { g.Threshold = r.count(n) },
	},
	{
		"threshold_of", "What threshold counts; alerts by default.", choiceSchema("alerts", "actions"),
		func(r *reader, n *yaml.Node, g *policy.Incidents) {
			g.ByAction = r.choice(n, "alerts", "actions") == "actions"
		},
	},
	durationField("quiet", "Time without alerts after the window's end until the incident closes; 1h by default.",
		func(g *policy.Incidents) *time.Duration { return &g.Quiet }),
	durationField("grace", "How long after closing alerts still join; 24h by default. Later ones form a separate late incident.",
		func(g *policy.Incidents) *time.Duration { return &g.Grace }),
	durationField("update_interval", "The least time between two updates of an incident, escalations aside; 5m by default.",
		func(g *policy.Incidents) *time.Duration { return &g.Update }),
	{
		"escalations", "Alert counts at which an incident is written at once, ascending; powers of ten by default.",
		schema{"type": "array", "items": countSchema, "minItems": 1}, readEscalations,
	},
}

// durationField is a key whose value is a duration such as 90m.
func durationField(key, help string, of func(*policy.Incidents) *time.Duration) field[policy.Incidents] {
	return field[policy.Incidents]{key, help, durationSchema, func(r *reader, n *yaml.Node, g *policy.Incidents) {
		text := r.text(n)
		d, err := time.ParseDuration(text)
		switch {
		case text == "":
		case err != nil || d <= 0:
			r.fault(n, "%s: %q is not a duration such as 24h, 90m or 30s", key, cut(text))
		default:
			*of(g) = d
		}
	}}
}

// count reads a number of at least 1.
func (r *reader) count(n *yaml.Node) uint64 {
	text := r.text(n)
	v, err := strconv.ParseUint(text, 10, 64)
	if text != "" && (err != nil || v == 0) {
		r.fault(n, "%q is not a whole number of at least 1", cut(text))
	}
	return v
}

func readEscalations(r *reader, n *yaml.Node, g *policy.Incidents) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fault(n, "want a list of alert counts such as [10, 100, 1000]%s", isNot(n))
		return
	}
	for _, item := range n.Content {
		g.Escalations = append(g.Escalations, r.count(item))
	}
}
