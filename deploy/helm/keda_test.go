package helm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KEDA sets the number of instances, from two up to the number of partitions.
func TestScaledObject(t *testing.T) {
	f := func(least, most int64, set ...string) {
		t.Helper()
		all := render(t, withSet("testdata/keda.values.yaml", set)...)
		object := only[*unstructured.Unstructured](t, all).Object
		for name, want := range map[string]int64{"minReplicaCount": least, "maxReplicaCount": most} {
			if got, _, err := unstructured.NestedFieldNoCopy(object, "spec", name); err != nil || got != float64(want) {
				t.Errorf("%q: %s %v, want %d, %v", set, name, got, want, err)
			}
		}
		if set := only[*apps.StatefulSet](t, all); set.Spec.Replicas != nil {
			t.Error("an upgrade would undo what KEDA has scaled")
		}
	}
	f(2, 12)
	f(2, 12, "keda.maxReplicas=null")
	f(2, 12, "keda.maxReplicas=50")
	f(2, 4, "keda.maxReplicas=4")
	f(3, 12, "keda.minReplicas=3")
}

// KEDA scales on the lag in seconds of this release's job.
func TestKedaTrigger(t *testing.T) {
	f := func(want map[string]any, set ...string) {
		t.Helper()
		triggers, _, err := unstructured.NestedSlice(only[*unstructured.Unstructured](t, render(t, withSet("testdata/keda.values.yaml", set)...)).Object, "spec", "triggers")
		if err != nil || len(triggers) != 1 {
			t.Fatalf("%v, %v", triggers, err)
		}
		if diff := cmp.Diff(want, triggers[0].(map[string]any)["metadata"]); diff != "" {
			t.Errorf("%q: %s", set, diff)
		}
	}
	query := func(job string) string {
		return `max(regionwatch_lag_seconds{job="` + job + `"} * (regionwatch_lag_records{job="` + job + `"} > bool 10))`
	}
	f(map[string]any{"serverAddress": "http://prometheus.monitoring:9090", "query": query("siem/watch-regionwatch"), "threshold": "30", "ignoreNullValues": "false"})
	f(map[string]any{"serverAddress": "https://metrics.example.com", "query": query("regionwatch"), "threshold": "60", "ignoreNullValues": "false", "authModes": "bearer"},
		"keda.prometheusURL=https://metrics.example.com", "keda.prometheusJob=regionwatch", "keda.lagSeconds=60", "keda.authentication.modes=bearer", "keda.authentication.name=metrics")
}
