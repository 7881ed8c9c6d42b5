package rules

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const dashboardFile = "../grafana/dashboard.json"

type dashboard struct {
	UID         string  `json:"uid"`
	Panels      []panel `json:"panels"`
	Annotations struct {
		List []struct {
			Name, Expr string
			Datasource source
		}
	}
	Templating struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
}

type source struct{ Type, UID string }

type panel struct {
	ID          int
	Type, Title string
	Description string
	Datasource  source
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct {
		RefID      string
		Datasource source
		Expr       string
		Legend     string `json:"legendFormat"`
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// core are the panel types that every Grafana has.
var core = []string{"row", "stat", "timeseries", "table"}

// Panels have unique ids, do not overlap, and use only what every Grafana has.
func TestDashboardPanels(t *testing.T) {
	d := readDashboard(t)
	ids, taken := map[int]string{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if other, ok := ids[p.ID]; ok || p.ID == 0 {
			t.Errorf("%q has the id %d of %q", p.Title, p.ID, other)
		}
		ids[p.ID] = p.Title
		if !slices.Contains(core, p.Type) {
			t.Errorf("%q is a %s, which not every Grafana has", p.Title, p.Type)
		}
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("%q does not fit in 24 columns: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%q lies over %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("%q has no description, or asks for nothing", p.Title)
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.RefID == "" {
				t.Errorf("%q has two targets %q", p.Title, target.RefID)
			}
			refs[target.RefID] = true
		}
	}
}

// variable matches a Grafana variable within a query.
var variable = regexp.MustCompile(`\$(\{)?([a-z_]+)(\})?`)

// filled returns a query as Grafana sends it, or the undefined variable in it.
func filled(query string, known map[string]bool) (filled, missing string) {
	query = strings.NewReplacer("$__rate_interval", "1m", "$__interval", "1m", "$__range", "6h").Replace(query)
	for _, match := range variable.FindAllStringSubmatch(query, -1) {
		if !known[match[2]] {
			missing = match[2]
		}
	}
	return query, missing
}

// The dashboard only queries what the program exposes, and always through the selected data source.
func TestDashboardNames(t *testing.T) {
	d, v := readDashboard(t), readVocabulary(t)
	known := map[string]bool{}
	for _, variable := range d.Templating.List {
		known[variable.Name] = true
	}
	check := func(what, query string, s source) {
		t.Helper()
		query, missing := filled(query, known)
		if missing != "" {
			t.Errorf("%s: no variable %q", what, missing)
		}
		for _, fault := range v.faults(query) {
			t.Errorf("%s: %s", what, fault)
		}
		if s != (source{"prometheus", "${datasource}"}) {
			t.Errorf("%s asks %+v, not the data source that is chosen", what, s)
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr, target.Datasource)
			if len(p.Targets) > 1 && target.Legend == "" {
				t.Errorf("%s: a query of several without a legend", p.Title)
			}
		}
	}
	for _, a := range d.Annotations.List {
		check(a.Name, a.Expr, a.Datasource)
	}
	for _, variable := range d.Templating.List {
		if variable.Type != "query" {
			continue
		}
		var q struct{ Query string }
		if err := json.Unmarshal(variable.Query, &q); err != nil {
			t.Fatal(err)
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(q.Query, "label_values("), ")")
		comma := strings.LastIndex(inner, ", ")
		selector, label := inner[:comma], inner[comma+2:]
		selector, _ = filled(selector, known)
		for _, fault := range v.faults("sum by (" + label + ") (" + selector + ")") {
			t.Errorf("variable %s: %s", variable.Name, fault)
		}
	}
}

// Everything an alert looks at is shown on the dashboard.
func TestDashboardShowsWhatAlerts(t *testing.T) {
	var shown strings.Builder
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			shown.WriteString(target.Expr + "\n")
		}
	}
	v := readVocabulary(t)
	for _, r := range parseRules(t) {
		for _, name := range regexp.MustCompile(`regionwatch_[a-z_]+`).FindAllString(r.Expr, -1) {
			if v.metrics[name] != nil && !strings.Contains(shown.String(), family(v.metrics, name)) {
				t.Errorf("%s looks at %s, which the dashboard does not show", r.Alert+r.Record, name)
			}
		}
	}
}
