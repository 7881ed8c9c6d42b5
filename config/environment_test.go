package config

import (
	"strings"
	"testing"
)

func TestKubernetesVariables(t *testing.T) {
	_, err := Load(Sources{Environ: []string{
		"REGIONWATCH_SERVICE_HOST=10.0.0.1", "REGIONWATCH_SERVICE_PORT=9464", "REGIONWATCH_SERVICE_PORT_METRICS=9464",
		"REGIONWATCH_PORT=tcp://10.0.0.1:9464", "REGIONWATCH_PORT_9464_TCP=tcp://10.0.0.1:9464",
		"REGIONWATCH_PORT_9464_TCP_PROTO=tcp", "REGIONWATCH_PORT_9464_TCP_PORT=9464", "REGIONWATCH_PORT_9464_TCP_ADDR=10.0.0.1",
		"REGIONWATCH_ADMIN_SERVICE_HOST=10.0.0.1", "REGIONWATCH_ADMIN_PORT=tcp://10.0.0.1:9464",
	}})
	if err != nil {
		t.Errorf("variables of a Kubernetes service: %v", err)
	}
	_, err = Load(Sources{Environ: []string{"REGIONWATCH_PORT=9464"}})
	if got := lines(err); len(got) != 1 || !strings.HasPrefix(got[0], "environment REGIONWATCH_PORT: no such setting") {
		t.Errorf("a port that is no service's: %q", got)
	}
	for i := range all {
		if name := all[i].Variable(); fromKubernetes(name, "") {
			t.Errorf("%s would be taken for Kubernetes's", name)
		}
	}
}
