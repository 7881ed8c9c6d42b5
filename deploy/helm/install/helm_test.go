package install

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// newHelm returns what runs Helm, as the chart's module builds it, on the API server.
func newHelm(t *testing.T, config *rest.Config) func(args ...string) error {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "go", "-C", "..", "tool", "-n", "helm").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	access := api.NewConfig()
	access.Clusters["test"] = &api.Cluster{Server: config.Host, CertificateAuthority: config.CAFile, TLSServerName: config.ServerName}
	access.AuthInfos["admin"] = &api.AuthInfo{Token: config.BearerToken}
	access.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "admin"}
	access.CurrentContext = "test"
	if err := clientcmd.WriteToFile(*access, filepath.Join(folder, "kubeconfig")); err != nil {
		t.Fatal(err)
	}
	environment := append(os.Environ(), "KUBECONFIG="+filepath.Join(folder, "kubeconfig"),
		"HELM_CACHE_HOME="+folder, "HELM_CONFIG_HOME="+folder, "HELM_DATA_HOME="+folder)
	return func(args ...string) error {
		cmd := exec.CommandContext(t.Context(), strings.TrimSpace(string(path)), args...)
		cmd.Env = environment
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("helm %s: %w: %s", strings.Join(args, " "), err, text)
		}
		return nil
	}
}

// copyChart returns a copy of the chart that asks for no version of Kubernetes: an API server built as a module has none.
func copyChart(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../regionwatch")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "Chart.yaml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, regexp.MustCompile(`(?m)^kubeVersion:.*$`).ReplaceAll(text, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// stop scales a workload of the release to 0, as kubectl scale does.
func (c *cluster) stop(t *testing.T, resource string) {
	t.Helper()
	workloads := c.client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: resource}).Namespace("siem")
	_, err := workloads.Patch(t.Context(), "watch-regionwatch", types.MergePatchType, []byte(`{"spec":{"replicas":0}}`),
		meta.PatchOptions{FieldManager: "kubectl"}, "scale")
	if err != nil {
		t.Fatal(err)
	}
}

// Helm installs a release and upgrades it. It refuses to switch the kind of workload or the delivery mode while pods run.
// Without controllers its hooks would not end, so they are left out.
func upgrade(t *testing.T, c *cluster, helm func(args ...string) error) {
	t.Helper()
	chart := copyChart(t)
	try := func(set ...string) error {
		args := []string{"upgrade", "--install", "watch", chart, "--namespace", "siem", "--no-hooks",
			"--values", "../testdata/minimal.values.yaml"}
		for _, s := range set {
			args = append(args, "--set", s)
		}
		return helm(args...)
	}
	works := func(set ...string) {
		t.Helper()
		if err := try(set...); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string, set ...string) {
		t.Helper()
		if err := try(set...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	stateful, exactly := "workload.kind=StatefulSet", "settings.delivery=exactly-once"

	works()
	works("settings.log-level=debug")
	refused("Deployment watch-regionwatch is running with delivery at-least-once, and the values ask for a StatefulSet", stateful)
	refused("and the values ask for a Deployment with delivery exactly-once", exactly, "workload.exactlyOnceWithoutStableNames=true")
	c.stop(t, "deployments")
	works(stateful, exactly)
	works(stateful, exactly, "settings.log-level=debug")
	refused("StatefulSet watch-regionwatch is running with delivery exactly-once", stateful)
	refused("and the values ask for a Deployment with delivery at-least-once")
	c.stop(t, "statefulsets")
	works(stateful)
	if err := helm("uninstall", "watch", "--namespace", "siem", "--no-hooks"); err != nil {
		t.Error(err)
	}
}
