package helm

import (
	"strings"
	"testing"

	networking "k8s.io/api/networking/v1"
)

// Without peers only the node reaches the pod. Egress is limited to DNS and the brokers.
func TestNetworkPolicy(t *testing.T) {
	f := func(name, in, out string) {
		t.Helper()
		spec := only[*networking.NetworkPolicy](t, render(t, "--values", cases(t)[name])).Spec
		var ingress, egress []string
		for _, rule := range spec.Ingress {
			ingress = append(ingress, describe(rule.From, rule.Ports))
		}
		for _, rule := range spec.Egress {
			egress = append(egress, describe(rule.To, rule.Ports))
		}
		if got := strings.Join(ingress, "; "); got != in {
			t.Errorf("%s: in come %s", name, got)
		}
		if got := strings.Join(egress, "; "); got != out {
			t.Errorf("%s: out go %s", name, got)
		}
		if len(spec.PolicyTypes) != 2 {
			t.Errorf("%s: only %v is ruled", name, spec.PolicyTypes)
		}
	}
	f("minimal", "", "kube-system: UDP 53, TCP 53; any: TCP 9092")
	f("at-least-once", "monitoring: TCP admin", "kube-system: UDP 53, TCP 53; kafka: TCP 9092")
	f("keda", "monitoring: TCP admin", "kube-system: UDP 53, TCP 53; any: TCP 9093")
	f("secured", "", "kube-system: UDP 53, TCP 53; any: TCP 9093, TCP 9094; any: TCP 443")
	f("volumes", "", "openshift-dns: UDP 5353, TCP 5353; any: TCP 9093; 169.254.170.23/32, fd00:ec2::23/128: TCP 80")
}

// describe formats a rule as "namespaces: ports". A rule without ports allows everything.
func describe(peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort) string {
	whom, what := []string{}, []string{}
	for _, peer := range peers {
		if peer.IPBlock != nil {
			whom = append(whom, peer.IPBlock.CIDR)
			continue
		}
		whom = append(whom, peer.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"])
	}
	if len(whom) == 0 {
		whom = append(whom, "any")
	}
	for _, port := range ports {
		what = append(what, string(*port.Protocol)+" "+port.Port.String())
	}
	if len(what) == 0 {
		what = append(what, "everything")
	}
	return strings.Join(whom, ", ") + ": " + strings.Join(what, ", ")
}
