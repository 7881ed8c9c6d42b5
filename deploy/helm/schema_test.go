package helm

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const schemaFile = chart + "/values.schema.json"

// chartsOwn are settings that the chart itself sets.
var chartsOwn = map[string]bool{"config": true, "admin-address": true, "instance-id": true, "policy": true, "policy-cache": true}

// kinds maps the kinds of values in the program's help to their definitions in the schema.
var kinds = map[string]any{
	"":          map[string]any{"type": "boolean"},
	"addresses": reference("addresses"),
	"bytes":     reference("bytes"),
	"duration":  reference("duration"),
	"number":    map[string]any{"type": "integer", "minimum": 0},
	"headers":   reference("list"),
	"pairs":     reference("list"),
	"regions":   reference("list"),
	"scopes":    reference("list"),
	"topics":    reference("list"),
}

func reference(name string) map[string]any { return map[string]any{"$ref": "#/$defs/" + name} }

// helpLine matches a setting in the help of run and incidents: its name and kind of value.
var helpLine = regexp.MustCompile(`(?m)^ {6}--([a-z0-9-]+)(?: ([a-zA-Z]+))?(?:  .*)?$`)

// settings returns the schemas of the program's plain settings, of those that are files, and of those that are secret,
// according to the program itself.
func settings() (plain, files, secrets map[string]any, err error) {
	plain, files, secrets = map[string]any{}, map[string]any{}, map[string]any{}
	var help string
	for _, command := range []string{"run", "incidents"} {
		shown, err := output(program, command, "--help")
		if err != nil {
			return nil, nil, nil, err
		}
		help += shown
	}
	flags := map[string]bool{}
	for _, line := range helpLine.FindAllStringSubmatch(help, -1) {
		name, kind := line[1], line[2]
		flags[name] = true
		switch {
		case chartsOwn[name]:
		case kind == "file":
			files[name] = reference("source")
		default:
			if plain[name], err = valueSchema(name, kind); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	names, err := settingNames()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, name := range names {
		if !flags[name] {
			secrets[name] = reference("secretKey")
		}
	}
	return plain, files, secrets, nil
}

// valueSchema returns the schema of one setting. The program checks more at startup.
func valueSchema(name, kind string) (any, error) {
	if schema, known := kinds[kind]; known {
		return schema, nil
	}
	if kind != "word" {
		return map[string]any{"type": "string"}, nil
	}
	completion, err := output(program, "__complete", "run", "--"+name, "")
	if err != nil {
		return nil, err
	}
	words, _, _ := strings.Cut(completion, "\n:")
	return map[string]any{"enum": strings.Fields(words)}, nil
}

// settingNames returns the names of all settings that a file may contain, including secret ones.
func settingNames() (names []string, err error) {
	text, err := output(program, "validate", "--brokers", "kafka:9092", "--format", "json")
	if err != nil {
		return nil, err
	}
	var told struct {
		Settings []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		return nil, err
	}
	for _, s := range told.Settings {
		names = append(names, s.Name)
	}
	return names, nil
}

// threshold matches the end of an expression, whose number prometheusRule.thresholds replaces.
var threshold = regexp.MustCompile(`[<>] [0-9.]+$`)

// alerts returns the schemas for the names of all alerts, and of those whose expression ends with a threshold.
func alerts() (all, thresholds any, err error) {
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		return nil, nil, err
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string } `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, nil, err
	}
	names, numbered := []string{}, []string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			names = append(names, r.Alert)
			if threshold.MatchString(r.Expr) {
				numbered = append(numbered, r.Alert)
			}
		}
	}
	slices.Sort(names)
	slices.Sort(numbered)
	return map[string]any{"enum": names}, map[string]any{"enum": numbered}, nil
}

// makeSchema returns the schema file with the program's settings filled in.
func makeSchema() (string, error) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		return "", err
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		return "", err
	}
	plain, files, secrets, err := settings()
	if err != nil {
		return "", err
	}
	if len(plain) < 30 || len(files) < 4 || len(secrets) < 1 {
		return "", fmt.Errorf("the program's help is not understood: %d settings, %d files, %d secrets", len(plain), len(files), len(secrets))
	}
	defs := schema["$defs"].(map[string]any)
	for name, properties := range map[string]any{"settings": plain, "files": files, "secrets": secrets} {
		defs[name].(map[string]any)["properties"] = properties
	}
	if defs["alert"], defs["alertWithThreshold"], err = alerts(); err != nil {
		return "", err
	}
	made, err := json.MarshalIndent(schema, "", "  ")
	return string(made) + "\n", err
}

// updateSchema updates the schema file. It runs before all tests, which render with it.
func updateSchema() error {
	made, err := makeSchema()
	if err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	return os.WriteFile(schemaFile, []byte(made), 0o644)
}

// The schema contains exactly the program's settings: new, renamed and removed ones fail here.
func TestSchemaSettings(t *testing.T) {
	made, err := makeSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, made)
}

// Every object of the schema is closed, so a mistyped value is always rejected.
func TestSchemaIsStrict(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, node any)
	walk = func(path string, node any) {
		object, is := node.(map[string]any)
		if !is {
			return
		}
		if _, named := object["properties"].(map[string]any); named && object["type"] == "object" && object["additionalProperties"] != false {
			t.Errorf("%s is open", path)
		}
		for name, child := range object {
			walk(path+"/"+name, child)
		}
	}
	walk("", root)
}
