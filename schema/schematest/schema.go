// Package schematest validates records with their JSON Schemas in tests.
package schematest

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a compiled JSON Schema.
type Schema struct{ compiled *jsonschema.Schema }

// Compile compiles the schema in a file, made strict: a record in a test has no field that its schema does not name. The other
// files hold schemas that it refers to.
func Compile(t testing.TB, file string, others ...string) Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema := read(t, file)
	schema["additionalProperties"] = false
	add(t, c, schema)
	for _, other := range others {
		add(t, c, read(t, other))
	}
	compiled, err := c.Compile(schema["$id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return Schema{compiled}
}

func read(t testing.TB, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return doc.(map[string]any)
}

func add(t testing.TB, c *jsonschema.Compiler, schema map[string]any) {
	t.Helper()
	if err := c.AddResource(schema["$id"].(string), schema); err != nil {
		t.Fatal(err)
	}
}

// Validate returns what is wrong with a record.
func (s Schema) Validate(encoded []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	return s.compiled.Validate(doc)
}
