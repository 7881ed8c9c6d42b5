package helm

import (
	"slices"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	budget "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	security "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// each runs f on every rendered values file.
func each(t *testing.T, f func(t *testing.T, all objects)) {
	t.Helper()
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) { f(t, render(t, "--values", file)) })
	}
}

// Kubernetes's own admission plugin admits the pods into a namespace that enforces "restricted".
func TestPodIsRestricted(t *testing.T) {
	evaluator, err := security.NewEvaluator(security.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	each(t, func(t *testing.T, all objects) {
		for name, p := range pods(t, all) {
			for _, result := range evaluator.EvaluatePod(level, &p.ObjectMeta, &p.Spec) {
				if !result.Allowed {
					t.Errorf("%s: %s: %s", name, result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
		}
	})
}

// What "restricted" does not require: no writable file system, no token, no variables of other services.
func TestPodIsConfined(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		for name, p := range pods(t, all) {
			confined(t, name, p.Spec)
		}
		if account, found := find[*core.ServiceAccount](all); found && (account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken) {
			t.Error("the service account mounts its token")
		}
	})
}

func confined(t *testing.T, name string, spec core.PodSpec) {
	t.Helper()
	for _, c := range spec.Containers {
		if read := c.SecurityContext.ReadOnlyRootFilesystem; read == nil || !*read {
			t.Errorf("%s: the container can write its root file system", name)
		}
		for _, mount := range c.VolumeMounts {
			if !mount.ReadOnly && mount.Name != "policy-cache" || mount.SubPath != "" {
				t.Errorf("%s: mount %s: want read-only and whole, so that changes arrive: %+v", name, mount.Name, mount)
			}
		}
	}
	for _, v := range spec.Volumes {
		if files := v.Projected; files != nil && (files.DefaultMode == nil || *files.DefaultMode&0o007 != 0) {
			t.Errorf("%s: volume %s can be read by everybody", name, v.Name)
		}
	}
	if token := spec.AutomountServiceAccountToken; token == nil || *token {
		t.Errorf("%s: the token of the service account is mounted", name)
	}
	if links := spec.EnableServiceLinks; links == nil || *links {
		t.Errorf("%s: variables of the namespace's services are injected", name)
	}
}

// The kubelet waits longer than the program, which kills itself 5 s after its drain timeout.
func TestPodOutlastsDrain(t *testing.T) {
	f := func(drain string) {
		t.Helper()
		all := render(t, "--values", "testdata/minimal.values.yaml", "--set-string", "settings.drain-timeout="+drain)
		timeout, err := time.ParseDuration(drain)
		if err != nil {
			t.Fatal(err)
		}
		grace := time.Duration(*pod(t, all).Spec.TerminationGracePeriodSeconds) * time.Second
		if least := timeout + 10*time.Second; grace < least || grace > least+10*time.Second {
			t.Errorf("drain-timeout %s: the pod gets %v", drain, grace)
		}
	}
	f("1s")
	f("25s")
	f("1500ms")
	f("2m30s")
	f("1h")
}

// The probes use the admin address, which listens where the kubelet connects.
func TestPodIsProbed(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		c := pod(t, all).Spec.Containers[0]
		var settings struct {
			AdminAddress string `json:"admin-address"`
		}
		if err := yaml.Unmarshal([]byte(configMap(t, all, "watch-regionwatch")["regionwatch.yaml"]), &settings); err != nil {
			t.Fatal(err)
		}
		if settings.AdminAddress != "0.0.0.0:9464" || c.Ports[0].Name != "admin" || c.Ports[0].ContainerPort != 9464 {
			t.Errorf("admin address %q, port %+v", settings.AdminAddress, c.Ports[0])
		}
		for path, probe := range map[string]*core.Probe{"/livez": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
			if get := probe.HTTPGet; get.Path != path || get.Port.StrVal != "admin" {
				t.Errorf("want %s: %+v", path, get)
			}
		}
		if c.StartupProbe.HTTPGet.Path != "/livez" {
			t.Errorf("startup asks %s: brokers that are away would have it killed", c.StartupProbe.HTTPGet.Path)
		}
	})
}

// Every selector matches the instances of its own stage alone, but the network policy's, which matches every pod.
func TestSelectors(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		selects := func(what string, selector *meta.LabelSelector, own string) {
			t.Helper()
			s, err := meta.LabelSelectorAsSelector(selector)
			if err != nil || s.Empty() {
				t.Fatalf("%s: %v: %v", what, selector, err)
			}
			for name, p := range pods(t, all) {
				if got := s.Matches(labels.Set(p.Labels)); got != (name == own || what == "NetworkPolicy") {
					t.Errorf("%s of %s: %v selects %s, %v: %t", what, own, selector, name, p.Labels, got)
				}
			}
		}
		own := func(name string) string {
			if strings.HasSuffix(name, "-incidents") {
				return "incidents"
			}
			return "instance"
		}
		for _, object := range all {
			if what, selector := selectorOf(object); what != "" {
				selects(what, selector, own(object.(meta.Object).GetName()))
			}
		}
		for _, stage := range []string{"instance", "incidents"} {
			for _, constraint := range pods(t, all)[stage].Spec.TopologySpreadConstraints {
				selects("topology spread", constraint.LabelSelector, stage)
			}
		}
	})
}

// selectorOf returns an object's pod selector; what is empty if the object has none.
func selectorOf(object runtime.Object) (what string, selector *meta.LabelSelector) {
	switch o := object.(type) {
	case *apps.Deployment:
		return "Deployment", o.Spec.Selector
	case *apps.StatefulSet:
		return "StatefulSet", o.Spec.Selector
	case *budget.PodDisruptionBudget:
		return "PodDisruptionBudget", o.Spec.Selector
	case *networking.NetworkPolicy:
		return "NetworkPolicy", &o.Spec.PodSelector
	case *monitoring.PodMonitor:
		return "PodMonitor", &o.Spec.Selector
	case *core.Service:
		return "Service", &meta.LabelSelector{MatchLabels: o.Spec.Selector}
	}
	return "", nil
}

// A changed setting restarts the pods. A changed policy does not, because the program reloads it.
func TestRestarts(t *testing.T) {
	base := []string{"--values", "testdata/at-least-once.values.yaml"}
	before := pod(t, render(t, base...)).Annotations["checksum/settings"]
	if after := pod(t, render(t, append(base, "--set", "settings.log-level=debug")...)).Annotations["checksum/settings"]; after == before {
		t.Error("a changed setting changes nothing in the pod")
	}
	changed := render(t, append(base, "--set", "policy.text=default: {allowed_regions: [us-east-1]}")...)
	if after := pod(t, changed).Annotations["checksum/settings"]; after != before {
		t.Error("a changed policy restarts the pods")
	}
}

// The pods of a StatefulSet pass their names to the program. Those of a Deployment do not, because the names change.
func TestInstanceID(t *testing.T) {
	each(t, func(t *testing.T, all objects) {
		named := func(p core.PodTemplateSpec) bool {
			return slices.ContainsFunc(p.Spec.Containers[0].Env, func(v core.EnvVar) bool {
				return v.Name == "REGIONWATCH_INSTANCE_ID" && v.ValueFrom.FieldRef.FieldPath == "metadata.name"
			})
		}
		if _, moving := find[*apps.Deployment](all); named(pod(t, all)) == moving {
			t.Errorf("Deployment %v, named %v", moving, !moving)
		}
		if set, found := stageTwo(all); found && !named(set.Spec.Template) {
			t.Error("the pods of stage two are not named")
		}
	})
}
