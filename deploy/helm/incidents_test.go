package helm

import (
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	budget "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Stage two runs beside stage one, whatever stage one's kind is: its own pods, budget and job, but the same settings.
func TestStageTwo(t *testing.T) {
	f := func(set ...string) objects {
		t.Helper()
		return render(t, withSet("testdata/incidents.values.yaml", set)...)
	}
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		all := f("workload.kind="+kind, "workload.replicas=5", "incidents.replicas=3", "incidents.resources.limits.memory=4Gi")
		two, found := stageTwo(all)
		if !found || *two.Spec.Replicas != 3 || two.Name != "watch-regionwatch-incidents" || two.Spec.ServiceName != two.Name {
			t.Fatalf("%s: %v, %+v", kind, found, two)
		}
		one, c := pod(t, all), two.Spec.Template.Spec.Containers[0]
		if memory := c.Resources.Limits.Memory().String(); memory != "4Gi" || one.Spec.Containers[0].Resources.Limits.Memory().String() != "1Gi" {
			t.Errorf("%s: memory of stage two %s", kind, memory)
		}
		if got, want := two.Spec.Template.Annotations["checksum/settings"], one.Annotations["checksum/settings"]; got != want {
			t.Errorf("%s: stage two has other settings", kind)
		}
		for _, name := range []string{"watch-regionwatch", two.Name} {
			named[*budget.PodDisruptionBudget](t, all, name)
			named[*monitoring.PodMonitor](t, all, name)
		}
	}
	if _, found := stageTwo(f("incidents.enabled=false")); found {
		t.Error("stage two runs although it is not enabled")
	}
}

// named fails unless there is one object of the type with that name.
func named[T meta.Object](t *testing.T, all objects, name string) {
	t.Helper()
	count := 0
	for _, object := range all {
		if o, is := object.(T); is && o.GetName() == name {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d objects %T are called %s", count, *new(T), name)
	}
}

// KEDA scales stage one alone, and leaves the replicas of stage two as they are.
func TestStageTwoWithKeda(t *testing.T) {
	all := render(t, withSet("testdata/keda.values.yaml", []string{"incidents.enabled=true"})...)
	scaled := 0
	for _, object := range all {
		if object.GetObjectKind().GroupVersionKind().Kind == "ScaledObject" {
			scaled++
		}
	}
	two, found := stageTwo(all)
	if !found || two.Spec.Replicas == nil || scaled != 1 {
		t.Errorf("%d objects scale; stage two: %+v", scaled, two)
	}
	for _, object := range all {
		if one, is := object.(*apps.StatefulSet); is && one != two && one.Spec.Replicas != nil {
			t.Error("KEDA and the chart both set the replicas of stage one")
		}
	}
}

// The rules are about both jobs.
func TestStageTwoRules(t *testing.T) {
	for _, g := range only[*monitoring.PrometheusRule](t, render(t, "--values", "testdata/incidents.values.yaml")).Spec.Groups {
		for _, r := range g.Rules {
			if !strings.Contains(r.Expr.StrVal, `job=~"siem/watch-regionwatch|siem/watch-regionwatch-incidents"`) {
				t.Errorf("%s%s: %s", r.Record, r.Alert, r.Expr.StrVal)
			}
		}
	}
}

// Long names leave room for what Kubernetes adds to them in labels of 63 characters.
func TestStageTwoName(t *testing.T) {
	two, found := stageTwo(render(t, withSet("testdata/incidents.values.yaml", []string{"fullnameOverride=" + strings.Repeat("a", 63)})...))
	if !found || len(two.Name) > 52 || !strings.HasSuffix(two.Name, "-incidents") {
		t.Errorf("%v: %s", found, two.Name)
	}
}
