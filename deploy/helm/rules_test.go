package helm

import (
	"encoding/json"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
)

// rules renders the rules with individual values set, keyed by the alert's name.
func rules(t *testing.T, set ...string) map[string]monitoring.Rule {
	t.Helper()
	set = append(set, "podMonitor.enabled=true", "prometheusRule.enabled=true", "networkPolicy.prometheusNamespace=monitoring")
	byName := map[string]monitoring.Rule{}
	for _, g := range only[*monitoring.PrometheusRule](t, render(t, withSet("testdata/minimal.values.yaml", set)...)).Spec.Groups {
		for _, r := range g.Rules {
			if strings.Contains(r.Expr.StrVal, "job=~") || !strings.Contains(r.Expr.StrVal, `job="siem/watch-regionwatch"`) {
				t.Errorf("%s%s is about other jobs than the release's: %s", r.Record, r.Alert, r.Expr.StrVal)
			}
			if r.Alert != "" {
				byName[r.Alert] = r
			}
		}
	}
	return byName
}

func TestRuleValues(t *testing.T) {
	plain := rules(t)
	changed := rules(t, "prometheusRule.disabled={RegionwatchDown,RegionwatchStalled}", "prometheusRule.thresholds.RegionwatchLagOld=300",
		"prometheusRule.thresholds.RegionwatchDeadLetters=0", "prometheusRule.thresholds.RegionwatchInputSilent=5", "prometheusRule.for.RegionwatchInputSilent=6h",
		"prometheusRule.alertLabels.team=security", "prometheusRule.runbookBaseURL=https://wiki.example.com/rw")
	if len(plain)-len(changed) != 2 {
		t.Errorf("%d alerts, %d with two disabled", len(plain), len(changed))
	}
	for name, r := range changed {
		if r.Labels["team"] != "security" || r.Labels["severity"] != plain[name].Labels["severity"] {
			t.Errorf("%s: labels %v", name, r.Labels)
		}
		if want := "https://wiki.example.com/rw#" + strings.ToLower(name); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook %s, want %s", name, r.Annotations["runbook_url"], want)
		}
		if r.Annotations["summary"] != plain[name].Annotations["summary"] {
			t.Errorf("%s: summary %q", name, r.Annotations["summary"])
		}
	}
	f := func(name, end, duration string) {
		t.Helper()
		r := changed[name]
		if !strings.HasSuffix(r.Expr.StrVal, end) {
			t.Errorf("%s: %s, want it to end with %s", name, r.Expr.StrVal, end)
		}
		if got := r.For; duration != "" && (got == nil || string(*got) != duration) {
			t.Errorf("%s: for %v, want %s", name, got, duration)
		}
	}
	f("RegionwatchLagOld", " > 300", "5m")
	f("RegionwatchDeadLetters", " > 0", "")
	f("RegionwatchInputSilent", " < 5", "6h")
	f("RegionwatchLagNearRetention", " > 43200", "5m") // unchanged
	for name, r := range plain {
		if want := "https://github.com/regionwatch/regionwatch/blob/main/docs/operating.md#" + strings.ToLower(name); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook %s", name, r.Annotations["runbook_url"])
		}
	}
}

// The dashboard is not changed by rendering: its templates are Grafana's, not Helm's.
func TestDashboard(t *testing.T) {
	for _, object := range render(t, withSet("testdata/minimal.values.yaml", []string{"dashboard.enabled=true"})...) {
		m, is := object.(*core.ConfigMap)
		if !is || m.Labels["grafana_dashboard"] != "1" {
			continue
		}
		var board struct{ Panels []struct{ Title string } }
		if err := json.Unmarshal([]byte(m.Data["watch-regionwatch.json"]), &board); err != nil || len(board.Panels) < 30 {
			t.Errorf("%d panels, %v", len(board.Panels), err)
		}
		contains(t, m.Data["watch-regionwatch.json"], "{{instance}}")
		return
	}
	t.Error("no ConfigMap for Grafana's sidecar")
}

// The garbage collector works harder before the container is killed.
func TestMemoryLimit(t *testing.T) {
	f := func(want string, set ...string) {
		t.Helper()
		got := ""
		for _, v := range pod(t, render(t, withSet("testdata/minimal.values.yaml", set)...)).Spec.Containers[0].Env {
			if v.Name == "GOMEMLIMIT" {
				got += v.Value
			}
		}
		if got != want {
			t.Errorf("%q: GOMEMLIMIT %q, want %q", set, got, want)
		}
	}
	f("858993459") // 80% of 1Gi
	f("429496729", "resources.limits.memory=512Mi")
	f("1288490188", "resources.limits.memory=1.5Gi")
	f("256000000", "resources.limits.memory=512M", "gomemlimitPercent=50")
	f("", "gomemlimitPercent=0")
	f("", "resources.limits=null")
	f("400MiB", "extraEnv[0].name=GOMEMLIMIT", "extraEnv[0].value=400MiB")
}

// The hook validates what the release will run with: its program accepts good settings and rejects bad ones.
func TestValidationHook(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		if text, err := hook(t, all); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	})
	text, err := hook(t, render(t, "--values", "testdata/at-least-once.values.yaml", "--set", "policy.text=default: { unused_regions: [eu-wets-3] }", "--set", "policy.files=null"))
	if err == nil {
		t.Fatalf("a broken policy passes:\n%s", text)
	}
	contains(t, text, "eu-wets-3")
}
