package helm

import (
	"strings"
	"testing"
)

// withSet returns the arguments of helm template for a values file and individual values.
func withSet(file string, set []string) []string {
	args := []string{"--values", file}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	return args
}

func contains(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is not in\n%s", want, text)
	}
}

// Mistakes are rejected before anything is installed, with the value and what is allowed.
func TestRefusalFailure(t *testing.T) {
	f := func(want string, set ...string) {
		t.Helper()
		text, err := template(withSet("testdata/minimal.values.yaml", set)...)
		if err == nil {
			t.Errorf("%q renders:\n%s", set, text)
			return
		}
		contains(t, err.Error(), want)
	}
	// Rejected by the schema.
	f("at '/settings': missing property 'brokers'", "settings.brokers=null")
	f("at '/settings/brokers/0': 'kafka' does not match pattern", "settings.brokers={kafka}")
	f("at '/settings': additional properties 'input-topics' not allowed", "settings.input-topics=trail")
	f("at '/settings': additional properties 'admin-address' not allowed", "settings.admin-address=127.0.0.1:1")
	f("at '/settings': additional properties 'instance-id' not allowed", "settings.instance-id=one")
	f("at '/settings': additional properties 'sasl-password' not allowed", "settings.sasl-password=hunter2")
	f("at '/settings/delivery': value must be one of 'at-least-once', 'exactly-once'", "settings.delivery=exactly")
	f("at '/settings/drain-timeout': '25 seconds' does not match pattern", "settings.drain-timeout=25 seconds")
	f("at '/settings/tls': got string, want boolean", "settings.tls=maybe")
	f("at '/settingsFromFiles': additional properties 'tls-cert' not allowed", "settingsFromFiles.tls-cert.secret=kafka")
	f("missing property 'key'", "settingsFromFiles.tls-ca.secret=kafka")
	f("at '/settingsFromEnvironment': additional properties 'group' not allowed", "settingsFromEnvironment.group.secret=kafka")
	f("at '/workload': additional properties 'replica' not allowed", "workload.replica=3")
	f("at '/workload/kind': value must be one of 'Deployment', 'StatefulSet'", "workload.kind=DaemonSet")
	f("at '/workload/replicas': minimum: got 0, want 1", "workload.replicas=0")
	f("invalid propertyName 'app.kubernetes.io/name'", `workload.labels.app\.kubernetes\.io/name=other`)
	f("at '/image/digest'", "image.digest=sha256:abc")
	f("at '/extraEnv/0/name'", "extraEnv[0].name=REGIONWATCH_GROUP", "extraEnv[0].value=mine")
	f("at '/runAsUser': minimum: got 0, want 1", "runAsUser=0")
	f("at '/port': maximum: got 70,000, want 65,535", "port=70000")
	f("additional properties 'securityContext' not allowed", "securityContext.privileged=true")

	// Rejected by the templates: values that contradict each other.
	f("workload.kind is Deployment: the pods of a Deployment have no stable names", "settings.delivery=exactly-once")
	f("both 0: a rollout could not begin", "workload.maxSurge=0")
	f("image.repository is not set: no public registry has the image", "image.repository=")
	f("policy.text and policy.existingConfigMap are given", "policy.text=default: {}", "policy.existingConfigMap=mine")
	f("policy.existingConfigMap and policy.path are given", "policy.path=/mnt/policy.yaml", "policy.existingConfigMap=mine")
	f("more than 1,000,000 bytes", "policy.text="+strings.Repeat("#", 100_000), "policy.files.a="+strings.Repeat("#", 100_000), "policy.files.b="+strings.Repeat("#", 100_000),
		"policy.files.c="+strings.Repeat("#", 100_000), "policy.files.d="+strings.Repeat("#", 100_000), "policy.files.e="+strings.Repeat("#", 100_000), "policy.files.f="+strings.Repeat("#", 100_000),
		"policy.files.g="+strings.Repeat("#", 100_000), "policy.files.h="+strings.Repeat("#", 100_000), "policy.files.i="+strings.Repeat("#", 100_000))
	f("policy.cache.claim and policy.cache.size are given", "policy.text=default: {}", "policy.cache.claim=a", "policy.cache.size=16Mi")
	f("only the pods of a StatefulSet have claims of their own", "policy.text=default: {}", "policy.cache.size=16Mi")
	f("policy.cache.storageClass is given without", "policy.text=default: {}", "policy.cache.storageClass=fast")
	f("policy.cache is given without a policy", "policy.cache.claim=a")
	f("at '/policy/cache/size'", "policy.cache.size=1.5Gi")
	f("at '/settingsFromFiles': additional properties 'policy-cache' not allowed", "settingsFromFiles.policy-cache.path=/tmp/policy")
	f("resources.limits.memory is 1Ti", "resources.limits.memory=1Ti")
	f("incidents.resources.limits.memory is 1Ti", "incidents.enabled=true", "incidents.resources.limits.memory=1Ti")
	f("at '/incidents': additional properties 'kind' not allowed", "incidents.kind=Deployment")
	f("at '/incidents/replicas': minimum: got 0, want 1", "incidents.replicas=0")
	f("incidents are made of native alerts", "incidents.enabled=true", "settings.alert-format=ocsf")
	f("tokenURLCA is given without", "tokenURLCA.secret=a", "tokenURLCA.key=b")
	f("policy.files is given without policy.text", "policy.files.accounts=x")
	f("policy.existingConfigMap and settings.policy-topic are given", "policy.existingConfigMap=mine", "settings.policy-topic=policies")
	f("settingsFromEnvironment.sasl-password are both given", "settingsFromFiles.sasl-password-file.secret=a",
		"settingsFromFiles.sasl-password-file.key=b", "settingsFromEnvironment.sasl-password.secret=a", "settingsFromEnvironment.sasl-password.key=b")
	f("Prometheus would be kept out", "podMonitor.enabled=true")
	f("the rules are about the job of the release's PodMonitor", "prometheusRule.enabled=true")
	f("at '/prometheusRule/disabled/0': value must be one of", "prometheusRule.disabled={RegionwatchOld}")
	f("invalid propertyName 'RegionwatchStalled'", "prometheusRule.thresholds.RegionwatchStalled=3") // its expression has no threshold at the end
	f("keda.partitions is not given", "keda.enabled=true")
	f("at '/keda/minReplicas': minimum: got 1, want 2", "keda.minReplicas=1")
	f("keda.minReplicas is 7, more than the 6", "keda.enabled=true", "keda.partitions=6", "keda.minReplicas=7")
	f("keda.prometheusURL is empty", "keda.enabled=true", "keda.partitions=6")
	f("name the job that scrapes the release", "keda.enabled=true", "keda.partitions=6", "keda.prometheusURL=http://prometheus")
}

// What is rejected by default can be enabled.
func TestRefusalSuccess(t *testing.T) {
	f := func(set ...string) {
		t.Helper()
		render(t, withSet("testdata/minimal.values.yaml", set)...)
	}
	f("settings.delivery=exactly-once", "workload.exactlyOnceWithoutStableNames=true")
	f("settings.delivery=exactly-once", "workload.kind=StatefulSet")
	f("workload.maxSurge=0", "workload.maxUnavailable=1")
	f("podMonitor.enabled=true", "networkPolicy.enabled=false")
	f("runAsUser=null", "runAsGroup=null", "fsGroup=null")
	f("policy.existingConfigMap=policies", "workload.labels.team=security")
	f("extraEnv[0].name=GOMEMLIMIT", "extraEnv[0].value=400MiB")
	f("resources.limits.memory=1Ti", "gomemlimitPercent=0")
	f("podMonitor.enabled=true", "networkPolicy.prometheusNamespace=monitoring")
	f("networkPolicy.dns.namespace=")
	f("settings.alert-format=ocsf")
}
