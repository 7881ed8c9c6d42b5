package helm

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discovery is what an API server says of itself, as far as Helm asks before it looks an object up.
var discovery = map[string]string{
	"/version":      `{"major":"1","minor":"37","gitVersion":"v1.37.2"}`,
	"/api":          `{"kind":"APIVersions","versions":["v1"]}`,
	"/apis":         `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}]}]}`,
	"/api/v1":       `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["get"]}]}`,
	"/apis/apps/v1": `{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","kind":"Deployment","namespaced":true,"verbs":["get"]},{"name":"statefulsets","kind":"StatefulSet","namespaced":true,"verbs":["get"]}]}`,
}

// release returns the address of an API server that has a release: its workload, and its delivery mode in the settings.
func release(t *testing.T, resource, kind, replicas, delivery string) string {
	t.Helper()
	objects := map[string]string{
		"/apis/apps/v1/namespaces/siem/" + resource + "/watch-regionwatch": `{"apiVersion":"apps/v1","kind":"` + kind + `","metadata":{"name":"watch-regionwatch"},` + replicas + `}`,
		"/api/v1/namespaces/siem/configmaps/watch-regionwatch": `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"watch-regionwatch"},` +
			`"data":{"regionwatch.yaml":"group: regionwatch\n` + delivery + `"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		text, found := discovery[r.URL.Path]
		if !found {
			text, found = objects[r.URL.Path]
		}
		if !found {
			w.WriteHeader(http.StatusNotFound)
			text = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// While pods run, neither the kind of workload nor the delivery mode changes. deploy/helm/install asks a real API server.
func TestSwitch(t *testing.T) {
	const (
		running  = `"spec":{"replicas":2},"status":{"replicas":2}`
		stopping = `"spec":{"replicas":0},"status":{"replicas":1}`
		stopped  = `"spec":{"replicas":0},"status":{}`
		exactly  = "delivery: exactly-once\\n"
		stateful = "workload.kind=StatefulSet"
	)
	try := func(server string, set ...string) error {
		_, err := template(append(withSet("testdata/minimal.values.yaml", set), "--dry-run=server", "--kube-apiserver", server)...)
		return err
	}
	// Once everything is rendered, Helm asks for the schemas, which this server does not have.
	works := func(server string, set ...string) {
		t.Helper()
		if err := try(server, set...); err == nil || !strings.Contains(err.Error(), "failed to download openapi") {
			t.Errorf("%q: %v", set, err)
		}
	}
	refused := func(want, server string, set ...string) {
		t.Helper()
		err := try(server, set...)
		if err == nil {
			t.Errorf("%q: accepted", set)
			return
		}
		contains(t, err.Error(), want)
	}
	deployment := release(t, "deployments", "Deployment", running, "")
	works(deployment)
	refused("Deployment watch-regionwatch is running with delivery at-least-once, and the values ask for a StatefulSet", deployment, stateful)
	refused("ask for a Deployment with delivery exactly-once", deployment, "settings.delivery=exactly-once", "workload.exactlyOnceWithoutStableNames=true")
	refused("kubectl -n siem scale deployment/watch-regionwatch --replicas=0", release(t, "deployments", "Deployment", stopping, ""), stateful)
	works(release(t, "deployments", "Deployment", stopped, ""), stateful, "settings.delivery=exactly-once")

	statefulSet := release(t, "statefulsets", "StatefulSet", running, exactly)
	works(statefulSet, stateful, "settings.delivery=exactly-once")
	refused("StatefulSet watch-regionwatch is running with delivery exactly-once, and the values ask for a StatefulSet with delivery at-least-once", statefulSet, stateful)
}
