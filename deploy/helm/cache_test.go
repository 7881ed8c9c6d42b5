package helm

import (
	"path"
	"slices"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// The policy's cache is on a claim, which outlives the pod, and instances can write where the setting says. The check does not
// mount it: the claim may belong to one pod.
func TestPolicyCache(t *testing.T) {
	f := func(name string) objects {
		t.Helper()
		all := render(t, "--values", cases(t)[name])
		var settings struct {
			PolicyCache string `json:"policy-cache"`
		}
		if err := yaml.Unmarshal([]byte(configMap(t, all, "watch-regionwatch")["regionwatch.yaml"]), &settings); err != nil {
			t.Fatal(err)
		}
		writable := writableMounts(pod(t, all).Spec)
		if len(writable) != 1 || writable[0].Name != "policy-cache" || writable[0].MountPath != path.Dir(settings.PolicyCache) {
			t.Errorf("%s: policy-cache is %s, and an instance can write %+v", name, settings.PolicyCache, writable)
		}
		if mounts := writableMounts(only[*core.Pod](t, all).Spec); len(mounts) > 0 {
			t.Errorf("%s: the check mounts %+v", name, mounts)
		}
		return all
	}
	shared := pod(t, f("volumes")).Spec.Volumes
	if !slices.ContainsFunc(shared, func(v core.Volume) bool {
		return v.Name == "policy-cache" && v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == "regionwatch-policy-cache"
	}) {
		t.Errorf("no claim: %+v", shared)
	}
	own := only[*apps.StatefulSet](t, f("policy-cache")).Spec.VolumeClaimTemplates
	if len(own) != 1 || own[0].Name != "policy-cache" || own[0].Spec.Resources.Requests.Storage().String() != "16Mi" || *own[0].Spec.StorageClassName != "fast" {
		t.Errorf("no claim for each pod: %+v", own)
	}
}

func writableMounts(spec core.PodSpec) []core.VolumeMount {
	return slices.DeleteFunc(slices.Clone(spec.Containers[0].VolumeMounts), func(m core.VolumeMount) bool { return m.ReadOnly })
}
