package helm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apps "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KEDA never makes more instances than there are partitions, and nobody else sets their number.
func TestScaledObject(t *testing.T) {
	f := func(want int64, set ...string) {
		t.Helper()
		args := []string{"--values", "testdata/keda.values.yaml"}
		for _, s := range set {
			args = append(args, "--set", s)
		}
		all := render(t, args...)
		got, _, err := unstructured.NestedFieldNoCopy(only[*unstructured.Unstructured](t, all).Object, "spec", "maxReplicaCount")
		if err != nil || got != float64(want) {
			t.Errorf("%q: maxReplicaCount %v, %v", set, got, err)
		}
		if set := only[*apps.StatefulSet](t, all); set.Spec.Replicas != nil {
			t.Error("an upgrade would undo what KEDA has scaled")
		}
	}
	f(12)
	f(12, "keda.maxReplicas=null")
	f(12, "keda.maxReplicas=50")
	f(4, "keda.maxReplicas=4")
}

// KEDA is told what the program is told, in its own words.
func TestKedaTrigger(t *testing.T) {
	f := func(want map[string]any, set ...string) {
		t.Helper()
		args := []string{"--values", "testdata/minimal.values.yaml", "--set", "keda.enabled=true", "--set", "keda.partitions=6"}
		for _, s := range set {
			args = append(args, "--set", s)
		}
		triggers, _, err := unstructured.NestedSlice(only[*unstructured.Unstructured](t, render(t, args...)).Object, "spec", "triggers")
		if err != nil || len(triggers) != 1 {
			t.Fatalf("%v, %v", triggers, err)
		}
		for name, value := range map[string]any{
			"bootstrapServers": "kafka:9092", "consumerGroup": "regionwatch", "lagThreshold": "100000", "offsetResetPolicy": "earliest", "version": "2.8.0",
		} {
			if _, given := want[name]; !given {
				want[name] = value
			}
		}
		if diff := cmp.Diff(want, triggers[0].(map[string]any)["metadata"]); diff != "" {
			t.Errorf("%q: %s", set, diff)
		}
	}
	f(map[string]any{"topic": "cloudtrail"})
	f(map[string]any{"topic": "trail"}, "settings.input-topic=trail")
	f(map[string]any{"topic": "trail", "consumerGroup": "siem", "offsetResetPolicy": "latest"}, "settings.input-topic={trail}", "settings.group=siem", "settings.start=latest")
	// Of several topics KEDA looks at all that the group has.
	f(map[string]any{}, "settings.input-topic={a,b}")
	f(map[string]any{}, "settings.input-topic=a\\,b")
	f(map[string]any{}, "settings.input-topic-pattern=trail-.*")
	f(map[string]any{"topic": "cloudtrail", "tls": "enable", "sasl": "scram_sha512"}, "settings.tls=true", "settings.sasl-mechanism=SCRAM-SHA-512", "keda.authentication.name=kafka")
	f(map[string]any{"topic": "cloudtrail", "tls": "enable", "sasl": "oauthbearer"}, "settings.tls=true", "settings.sasl-mechanism=OAUTHBEARER", "keda.authentication.name=kafka")
	f(map[string]any{"topic": "cloudtrail", "tls": "enable", "sasl": "oauthbearer", "saslTokenProvider": "aws_msk_iam", "awsRegion": "eu-west-1"},
		"settings.tls=true", "settings.sasl-mechanism=AWS_MSK_IAM", "keda.awsRegion=eu-west-1")
}
