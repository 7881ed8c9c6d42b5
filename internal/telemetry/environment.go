package telemetry

import (
	"fmt"
	"net/url"
	"os"
	"strings"
)

// The supported protocols of OTLP.
const (
	protocolHTTP = "http/protobuf"
	protocolGRPC = "grpc"
)

// plan is what the environment asks for.
type plan struct{ metrics, traces signal }

// signal is one of the two kinds of telemetry.
type signal struct {
	on       bool
	protocol string
}

// readEnvironment reads the variables that decide what is sent. The SDK itself reads the others.
func readEnvironment() (p plan, err error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return plan{}, nil
	}
	if p.metrics, err = readSignal("METRICS"); err != nil {
		return plan{}, err
	}
	p.traces, err = readSignal("TRACES")
	return p, err
}

// readSignal reads the variables of one signal. Its own variables override those of both.
func readSignal(name string) (signal, error) {
	variable, endpoint := own(name, "ENDPOINT")
	if endpoint == "" {
		return signal{}, nil
	}
	switch exporter := "OTEL_" + name + "_EXPORTER"; os.Getenv(exporter) {
	case "", "otlp":
	case "none":
		return signal{}, nil
	default:
		return signal{}, fmt.Errorf("%s: %q is not otlp or none", exporter, os.Getenv(exporter))
	}
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return signal{}, fmt.Errorf("%s: %q is not a URL such as http://collector:4318", variable, redacted(u, endpoint))
	}
	variable, protocol := own(name, "PROTOCOL")
	switch protocol {
	case "":
		protocol = protocolHTTP
	case protocolHTTP, protocolGRPC:
	default:
		return signal{}, fmt.Errorf("%s: %q is not %s or %s", variable, protocol, protocolHTTP, protocolGRPC)
	}
	return signal{on: true, protocol: protocol}, nil
}

// own returns the signal's own variable if it is set, else the one for both signals.
func own(signal, what string) (variable, value string) {
	variable = "OTEL_EXPORTER_OTLP_" + signal + "_" + what
	if value = os.Getenv(variable); value == "" {
		variable = "OTEL_EXPORTER_OTLP_" + what
		value = os.Getenv(variable)
	}
	return variable, strings.TrimSpace(value)
}

// redacted returns the endpoint without a password. One that cannot be parsed may hold a password anywhere.
func redacted(u *url.URL, endpoint string) string {
	switch {
	case u != nil:
		return u.Redacted()
	case strings.Contains(endpoint, "@"):
		return "(hidden)"
	default:
		return endpoint
	}
}
