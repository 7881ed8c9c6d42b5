package docs_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// vectorFields are the fields of Vector's components that the pages use, as its reference lists them. Vector itself has no
// package to check a configuration with.
var vectorFields = map[string]string{
	"sources aws_s3":               "region compression sqs.queue_url",
	"sources aws_kinesis_firehose": "address access_keys record_compression",
	"sources kafka":                "bootstrap_servers group_id topics auto_offset_reset decoding.codec",
	"transforms remap":             "drop_on_abort source",
	"sinks kafka": "bootstrap_servers topic key_field compression encoding.codec tls.enabled sasl.enabled sasl.mechanism sasl.username " +
		"sasl.password",
	"sinks splunk_hec_logs": "endpoint default_token index sourcetype encoding.codec",
	"sinks elasticsearch":   "endpoints auth.strategy auth.user auth.password mode id_key bulk.action bulk.index",
	"sinks azure_logs_ingestion": "endpoint dcr_immutable_id stream_name auth.azure_tenant_id auth.azure_client_id " +
		"auth.azure_client_secret",
	"sinks aws_s3": "region bucket key_prefix compression framing.method encoding.codec batch.timeout_secs",
}

// TestVectorFields checks that every component of a Vector configuration has only documented fields, reads from one that
// exists, and that every sink acknowledges to its source.
func TestVectorFields(t *testing.T) {
	found := 0
	for page, text := range documents(t) {
		for _, b := range blocks(page, text) {
			if b.info != "yaml vector" {
				continue
			}
			found++
			var file map[string]map[string]map[string]any
			if err := yaml.Unmarshal([]byte(b.text), &file); err != nil {
				t.Fatalf("%s:%d: %v", page, b.line, err)
			}
			for kind, components := range file {
				for name, c := range components {
					for _, fault := range vectorFaults(file, kind, c) {
						t.Errorf("%s:%d: %s %s: %s", page, b.line, kind, name, fault)
					}
				}
			}
		}
	}
	if found < 6 {
		t.Errorf("only %d configurations found", found)
	}
}

// vectorFaults returns what is wrong with a component.
func vectorFaults(file map[string]map[string]map[string]any, kind string, component map[string]any) (faults []string) {
	typed, _ := component["type"].(string)
	listed, ok := vectorFields[kind+" "+typed]
	if !ok {
		return []string{"no such type: " + typed}
	}
	allowed := append(strings.Fields(listed), "type")
	if kind != "sources" {
		allowed = append(allowed, "inputs")
		inputs, _ := component["inputs"].([]any)
		for _, input := range inputs {
			name, _ := input.(string)
			if file["sources"][name] == nil && file["transforms"][name] == nil {
				faults = append(faults, "no such input: "+name)
			}
		}
		if len(inputs) == 0 {
			faults = append(faults, "no inputs")
		}
	}
	if kind == "sinks" {
		allowed = append(allowed, "acknowledgements.enabled")
		if enabled, _ := component["acknowledgements"].(map[string]any); enabled["enabled"] != true {
			faults = append(faults, "acknowledgements are not enabled")
		}
	}
	for _, field := range flatten("", component) {
		if !slices.Contains(allowed, field) {
			faults = append(faults, "no such field: "+field)
		}
	}
	return faults
}

// flatten returns the paths of the values in nested mappings.
func flatten(prefix string, mapping map[string]any) (paths []string) {
	for _, key := range slices.Sorted(maps.Keys(mapping)) {
		if inner, ok := mapping[key].(map[string]any); ok {
			paths = append(paths, flatten(prefix+key+".", inner)...)
			continue
		}
		paths = append(paths, prefix+key)
	}
	return paths
}

// connectorKeys are the keys that Kafka Connect and Aiven's S3 source connector document, of those that the page may use.
const connectorKeys = "connector.class tasks.max key.converter value.converter producer.override.max.request.size " +
	"producer.override.compression.type aws.s3.bucket.name aws.s3.region aws.s3.prefix aws.access.key.id aws.secret.access.key topic " +
	"file.name.template distribution.type input.format transformer.max.buffer.size errors.tolerance"

func TestKafkaConnectKeys(t *testing.T) {
	page, found := "docs/input.md", 0
	for _, b := range blocks(page, documents(t)[page]) {
		if b.info != "json kafka-connect" {
			continue
		}
		found++
		var connector struct {
			Name   string
			Config map[string]string // Kafka Connect takes text only
		}
		if err := json.Unmarshal([]byte(b.text), &connector); err != nil || connector.Name == "" {
			t.Fatalf("%s:%d: %v", page, b.line, err)
		}
		for key := range connector.Config {
			if !slices.Contains(strings.Fields(connectorKeys), key) {
				t.Errorf("%s:%d: no such key: %s", page, b.line, key)
			}
		}
		for _, required := range []string{"connector.class", "topic", "aws.s3.bucket.name", "file.name.template", "value.converter"} {
			if connector.Config[required] == "" {
				t.Errorf("%s:%d: %s is missing", page, b.line, required)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d connectors found", found)
	}
}
