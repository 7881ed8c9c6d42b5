package install

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// cluster applies objects.
type cluster struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newCluster(t *testing.T, config *rest.Config) *cluster {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))}
	c.eventually(t, "a ready API server", func(ctx context.Context) error {
		return found.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
	return c
}

// eventually waits until try has no error.
func (c *cluster) eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		err := try(ctx)
		if err == nil || !strings.Contains(err.Error(), "rate limiter") {
			last = err
		}
		return err == nil, nil
	})
	if err != nil {
		t.Fatalf("waiting for %s: %v", what, last)
	}
}

// resource returns where objects of o's kind and namespace are.
func (c *cluster) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	m, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if o.GetNamespace() == "" {
		return c.client.Resource(m.Resource), nil
	}
	return c.client.Resource(m.Resource).Namespace(o.GetNamespace()), nil
}

// apply applies o on the server, strictly.
func (c *cluster) apply(ctx context.Context, o *unstructured.Unstructured) error {
	r, err := c.resource(o)
	if err != nil {
		return err
	}
	text, err := o.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = r.Patch(ctx, o.GetName(), "application/apply-patch+yaml", text,
		meta.PatchOptions{FieldManager: "install", FieldValidation: meta.FieldValidationStrict})
	return err
}

// remove removes o at once.
func (c *cluster) remove(ctx context.Context, o *unstructured.Unstructured) error {
	r, err := c.resource(o)
	if err != nil {
		return err
	}
	now, background := int64(0), meta.DeletePropagationBackground // by default a Job waits for the garbage collector
	return r.Delete(ctx, o.GetName(), meta.DeleteOptions{GracePeriodSeconds: &now, PropagationPolicy: &background})
}

// read returns the objects of a YAML file.
func read(t *testing.T, name string) (all []*unstructured.Unstructured) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if o.Object != nil {
			all = append(all, o)
		}
	}
}

// podOf returns a pod as the controller of o would make it, or nil.
func podOf(o *unstructured.Unstructured) *unstructured.Unstructured {
	template, found, err := unstructured.NestedMap(o.Object, "spec", "template")
	if !found || err != nil {
		return nil
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(strings.ToLower(o.GetKind()) + "-pod")
	pod.SetNamespace(o.GetNamespace())
	claims, _, _ := unstructured.NestedSlice(o.Object, "spec", "volumeClaimTemplates")
	volumes, _, _ := unstructured.NestedSlice(pod.Object, "spec", "volumes")
	for _, claim := range claims { // its controller mounts one of each
		name, _, _ := unstructured.NestedString(claim.(map[string]any), "metadata", "name")
		volumes = append(volumes, map[string]any{"name": name, "persistentVolumeClaim": map[string]any{"claimName": name + "-0"}})
	}
	if len(claims) > 0 {
		_ = unstructured.SetNestedSlice(pod.Object, volumes, "spec", "volumes")
	}
	if o.GetKind() == "Job" { // the job's controller names nothing that a pod needs
		pod.SetAnnotations(nil)
	}
	return pod
}

// account returns a service account that exists before the chart is installed.
func account(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": name, "namespace": "siem"},
	}}
}

// The API server accepts every variant of the chart, and the pods that it makes, under the restricted standard. There is one
// test, because a process can have one API server.
func TestInstall(t *testing.T) {
	config := startServer(t)
	c := newCluster(t, config)
	siem := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": "siem", "labels": map[string]any{"pod-security.kubernetes.io/enforce": "restricted"},
	}}}
	before := []*unstructured.Unstructured{siem, account("default"), account("regionwatch")} // the second one's name is in secured.values.yaml
	for _, o := range append(before, read(t, "../testdata/keda.sh_scaledobjects.yaml")...) {
		if err := c.apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("../testdata/*.golden.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { install(t, c, read(t, file)) })
	}
	t.Run("refuses", func(t *testing.T) { refuses(t, c, read(t, files[0])) })
	t.Run("helm upgrade", func(t *testing.T) { upgrade(t, c, newHelm(t, config)) })
}

// install applies all objects and their pods, and removes them. The Prometheus operator's kinds are left to the chart's own
// tests: their definitions are not in its Go module.
func install(t *testing.T, c *cluster, all []*unstructured.Unstructured) {
	t.Helper()
	var pods, applied []*unstructured.Unstructured
	for _, o := range all {
		if strings.HasPrefix(o.GetAPIVersion(), "monitoring.coreos.com/") {
			t.Logf("%s is left to the chart's own tests", o.GetKind())
			continue
		}
		if o.GetNamespace() == "" {
			o.SetNamespace("siem") // as helm install does
		}
		if p := podOf(o); p != nil {
			pods = append(pods, p)
		}
		applied = append(applied, o)
		c.eventually(t, o.GetKind(), func(ctx context.Context) error {
			err := c.apply(ctx, o)
			if err != nil {
				c.mapper.Reset()
			}
			if o.GetKind() == "ScaledObject" { // its definition takes a moment to be served
				return err
			}
			if err != nil {
				t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
			}
			return nil
		})
	}
	for _, p := range pods {
		if err := c.apply(t.Context(), p); err != nil {
			t.Errorf("%s: %v", p.GetName(), err)
		}
	}
	for _, o := range append(applied, pods...) {
		if err := c.remove(t.Context(), o); err != nil {
			t.Errorf("removing %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
	t.Logf("%d objects and %d pods", len(applied), len(pods))
}

// refuses shows that the server would have refused a field that does not exist, a value out of range, and a pod on the host's
// network.
func refuses(t *testing.T, c *cluster, all []*unstructured.Unstructured) {
	t.Helper()
	f := func(want string, change func(workload, pod map[string]any)) {
		t.Helper()
		for _, o := range all {
			if o.GetKind() != "Deployment" && o.GetKind() != "StatefulSet" {
				continue
			}
			o = o.DeepCopy()
			o.SetNamespace("siem")
			pod := podOf(o)
			pod.Object["spec"].(map[string]any)["serviceAccountName"] = "default"
			change(o.Object, pod.Object)
			err := errors.Join(c.apply(t.Context(), o), c.apply(t.Context(), pod))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
			_, _ = c.remove(t.Context(), o), c.remove(t.Context(), pod)
			return
		}
		t.Error("no workload")
	}
	f("replcas", func(w, _ map[string]any) { w["spec"].(map[string]any)["replcas"] = int64(2) })
	f("must be greater than or equal to 0", func(w, _ map[string]any) { w["spec"].(map[string]any)["replicas"] = int64(-1) })
	f("violates PodSecurity", func(_, p map[string]any) { p["spec"].(map[string]any)["hostNetwork"] = true })
}
