package policyfile

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// The schema in the repository is the one that the code makes. Write it anew with
// go test ./policyfile -run TestSchemaFile -update.
func TestSchemaFile(t *testing.T) {
	if *update {
		if err := os.WriteFile("policy.schema.json", Schema(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile("policy.schema.json")
	if err != nil || !bytes.Equal(file, Schema()) {
		t.Errorf("policy.schema.json is not what the code makes: %v", err)
	}
}

// What the schema allows is what the reader allows, as far as a schema can say it.
func TestSchemaAgreesWithTheReader(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	f := func(source string, valid bool) {
		t.Helper()
		var v any
		if err := yaml.Unmarshal([]byte(source), &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != valid {
			t.Errorf("%s: the schema says %v, want valid %t", source, err, valid)
		}
		if _, err := Parse("x", []byte(source)); (err == nil) != valid {
			t.Errorf("%s: the reader says %v, want valid %t", source, err, valid)
		}
	}
	f(`{version: "1", mode: shadow, default: {unused_regions: [ap-east-1], severity: Low, missing_read_only: alert}}`, true)
	f(`{groups: {a: {accounts: ["111111111111"], allowed_regions: [us-east-1], exempt_global_services: false, mode: alert}}}`, true)
	f(`{accounts: {"111111111111": {name: a, tags: {b: c}, failed_severity: Info, unused_regions: [eu-west-3]}}}`, true)
	f(`{exceptions: [{name: a, regions: [ap-east-1], expires: "2027-01-01", service_invoked: true}]}`, true)
	f(`{groups: {a: {ous: [Workloads/Prod], tags: {env: prod}, unused_regions: [eu-west-3]}}, accounts: {"111111111111": {ou: Workloads/Prod}}}`, true)
	f(`{groups: {a: {ous: [""]}}}`, false)
	f(`{groups: {a: {ou: Workloads/Prod}}}`, false)
	f(`{groups: {a: {tags: {}}}}`, false)
	f(`{groups: {a: {tags: [env]}}}`, false)
	f(`{exceptions: [{name: a, region: [ap-east-1]}]}`, false)
	f(`{default: {unused_regions: [mars-east-1]}}`, false)
	f(`{default: {unused_regions: []}}`, false)
	f(`{default: {severity: Hihg}}`, false)
	f(`{default: {mode: loud}}`, false)
	f(`{accounts: {"1": {name: a}}}`, false)
	f(`{accounts: {"111111111111": {nam: a}}}`, false)
	f(`{exceptions: [{name: a, regions: [ap-east-1], expires: soon}]}`, false)
	f(`[]`, false)
}
