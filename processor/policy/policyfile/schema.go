package policyfile

import (
	"encoding/json"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

//go:generate go test . -run TestSchemaFile -update

// schema is a part of a JSON Schema.
type schema map[string]any

var (
	textSchema      = schema{"type": "string"}
	flagSchema      = schema{"type": "boolean"}
	accountIDSchema = schema{"type": "string", "pattern": "^[0-9]{12}$"}
	ouSchema        = schema{"type": "string", "minLength": 1}
	groupTagsSchema = schema{"type": "object", "additionalProperties": textSchema, "minProperties": 1}
	regionSchema    = schema{"enum": regionCodes()}
)

func regionCodes() (codes []string) {
	for _, r := range regions.All() {
		codes = append(codes, r.Code)
	}
	return codes
}

func choiceSchema(words ...string) schema { return schema{"enum": words} }

// mappingSchema is the schema of a mapping with these keys and no others.
func mappingSchema[T any](fields []field[T]) schema {
	properties := make(schema, len(fields))
	for _, f := range fields {
		property := schema{"description": f.help}
		for key, value := range f.schema {
			property[key] = value
		}
		properties[f.key] = property
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// mapSchema is the schema of a mapping whose keys are names.
func mapSchema(names, values schema) schema {
	s := schema{"type": "object", "additionalProperties": values}
	if names != nil {
		s["propertyNames"] = names
	}
	return s
}

// Schema returns the JSON Schema of a policy file, with which editors complete and check policies.
func Schema() []byte {
	s := mappingSchema(documentFields())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = "https://github.com/regionwatch/regionwatch/processor/policy/policyfile/policy.schema.json"
	s["title"] = "regionwatch policy"
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("BUG: encoding the schema: " + err.Error())
	}
	return append(text, '\n')
}
