package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// property is the part of a JSON Schema that the table of fields shows.
type property struct {
	Ref         string              `json:"$ref"`
	Description string              `json:"description"`
	Type        any                 `json:"type"`
	Const       any                 `json:"const"`
	Enum        []any               `json:"enum"`
	Required    []string            `json:"required"`
	Properties  map[string]property `json:"properties"`
	Items       *property           `json:"items"`
}

// kinds are the kinds of values that have a definition.
var kinds = map[string]string{"#/$defs/asItCame": "value of the event", "#/$defs/id": "id", "#/$defs/top": "list of counts"}

// kind names the values that a property may have.
func (p property) kind() string {
	switch {
	case p.Ref != "":
		return kinds[p.Ref]
	case p.Const != nil:
		return fmt.Sprintf("`%v`", p.Const)
	case p.Enum != nil:
		names := make([]string, len(p.Enum))
		for i, value := range p.Enum {
			names[i] = fmt.Sprintf("`%v`", value)
		}
		return strings.Join(names, ", ")
	case p.Items != nil:
		return "list of " + p.Items.kind() + "s"
	}
	return fmt.Sprint(p.Type)
}

// rows writes the properties of an object in the schema's order, followed by those of nested objects.
func rows(b *strings.Builder, prefix string, p property, source string) {
	names := make([]string, 0, len(p.Properties))
	for name := range p.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, c string) int { return place(source, a) - place(source, c) })
	for _, name := range names {
		field := p.Properties[name]
		always := ""
		if slices.Contains(p.Required, name) {
			always = "yes"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, name, field.kind(), always, field.Description)
		rows(b, prefix+name+".", field, source[place(source, name):])
		if field.Items != nil {
			rows(b, prefix+name+"[].", *field.Items, source[place(source, name):])
		}
	}
}

// place returns the offset of a key's first occurrence in a schema's text.
func place(source, name string) int {
	at := regexp.MustCompile(`"` + name + `": \{`).FindStringIndex(source)
	if at == nil {
		return len(source)
	}
	return at[0]
}

// TestFields checks that the tables of fields match the schemas.
func TestFields(t *testing.T) {
	for page, path := range map[string]string{
		"alerts.md": "schema/alert/native.schema.json", "incidents.md": "schema/incident/native.schema.json",
	} {
		source, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		var schema property
		if err := json.Unmarshal(source, &schema); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		b.WriteString("\n| field | value | always | meaning |\n| --- | --- | --- | --- |\n")
		_, properties, _ := strings.Cut(string(source), `"properties": {`)
		rows(&b, "", schema, properties)
		generated(t, page, "fields", b.String()+"\n")
	}
}
