package pipelines

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
	"gopkg.in/yaml.v3"
)

// environment is Redpanda Connect's engine with the components we use, declared with the fields in their documentation.
// The components themselves are a module of hundreds of dependencies, which is not built here. The test checks all other components, every
// mapping, and that no field of those components has an undocumented name.
func environment(t *testing.T) *service.Environment {
	t.Helper()
	env := service.NewEnvironment()
	spec := service.NewConfigSpec
	text, list, number, flag := service.NewStringField, service.NewStringListField, service.NewIntField, service.NewBoolField
	object, dynamic := service.NewObjectField, service.NewInterpolatedStringField
	kafka := []*service.ConfigField{
		list("seed_brokers"),
		object("tls", flag("enabled").Default(false)).Optional(),
		service.NewObjectListField("sasl", text("mechanism"), text("username").Default(""), text("password").Default(""),
			object("aws", text("region").Optional()).Optional()).Optional(),
	}
	inputs := map[string]*service.ConfigSpec{
		"aws_s3": spec().Fields(text("bucket").Default(""), text("prefix").Default(""), text("region").Optional(),
			service.NewScannerField("scanner"),
			object("sqs", text("url").Default(""), number("max_messages").Default(10), number("wait_time_seconds").Default(0))),
		"aws_sqs": spec().Fields(text("url"), text("region").Optional(), number("max_number_of_messages").Default(10),
			number("wait_time_seconds").Default(0)),
		"aws_kinesis": spec().Fields(list("streams"), text("region").Optional(), number("checkpoint_limit").Default(1024),
			object("dynamodb", text("table").Default(""), flag("create").Default(false))),
		"kafka_franz": spec().Fields(append(kafka[:3:3], list("topics"), text("consumer_group").Optional(),
			service.NewBatchPolicyField("batching"))...),
	}
	outputs := map[string]*service.ConfigSpec{
		"kafka_franz": spec().Fields(append(kafka[:3:3], dynamic("topic"), dynamic("key").Optional(), text("compression").Optional())...),
		"aws_s3":      spec().Fields(text("bucket"), text("region").Optional(), dynamic("path"), service.NewBatchPolicyField("batching")),
	}
	absent := errors.New("not part of this test")
	for name, fields := range inputs {
		check(t, env.RegisterBatchInput(name, fields, func(*service.ParsedConfig, *service.Resources) (service.BatchInput, error) {
			return nil, absent
		}))
	}
	for name, fields := range outputs {
		check(t, env.RegisterBatchOutput(name, fields,
			func(*service.ParsedConfig, *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
				return nil, service.BatchPolicy{}, 1, absent
			}))
	}
	check(t, env.RegisterBatchProcessor("parquet_encode", spec().Fields(text("default_compression").Default(""),
		service.NewObjectListField("schema", text("name"), text("type").Optional())),
		func(*service.ParsedConfig, *service.Resources) (service.BatchProcessor, error) { return nil, absent }))
	return env
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// blocks returns a page's fenced blocks whose info string begins with kind, each as the rest of the info string and the
// content.
func blocks(t *testing.T, page, kind string) [][2]string {
	t.Helper()
	source, err := os.ReadFile("../" + page)
	check(t, err)
	var found [][2]string
	for _, match := range regexp.MustCompile("(?ms)^```"+kind+"([^\n]*)\n(.*?)^```").FindAllStringSubmatch(string(source), -1) {
		found = append(found, [2]string{strings.TrimSpace(match[1]), match[2]})
	}
	return found
}

// TestConnect parses and lints every pipeline of the two pages with Redpanda Connect's engine.
func TestConnect(t *testing.T) {
	env := environment(t)
	found := 0
	for _, page := range []string{"input.md", "output.md"} {
		for _, block := range blocks(t, page, "yaml connect") {
			found++
			builder := env.NewStreamBuilder()
			builder.SetEnvVarLookupFunc(func(string) (string, bool) { return "https://example.com", true })
			if err := builder.SetYAML(block[1]); err != nil {
				t.Errorf("%s: %v\n%s", page, err, block[1])
			}
		}
	}
	if found < 6 {
		t.Errorf("only %d pipelines found", found)
	}
}

// mapping returns the mapping of the named pipeline.
func mapping(t *testing.T, name string) *bloblang.Executor {
	t.Helper()
	for _, block := range blocks(t, "output.md", "yaml connect") {
		if block[0] != "mapping="+name {
			continue
		}
		var pipeline struct {
			Pipeline struct {
				Processors []struct {
					Mapping string `yaml:"mapping"`
				} `yaml:"processors"`
			} `yaml:"pipeline"`
		}
		check(t, yaml.Unmarshal([]byte(block[1]), &pipeline))
		executor, err := bloblang.Parse(pipeline.Pipeline.Processors[0].Mapping)
		check(t, err)
		return executor
	}
	t.Fatalf("output.md has no pipeline %s", name)
	return nil
}

// alert returns the example from alerts.md, with a malicious principal.
func alert(t *testing.T) map[string]any {
	t.Helper()
	for _, block := range blocks(t, "alerts.md", "json") {
		var fields map[string]any
		check(t, json.Unmarshal([]byte(block[1]), &fields))
		fields["title"] = "call by user <!channel> & <https://example.com|you>"
		return fields
	}
	t.Fatal("alerts.md has no example")
	return nil
}

func TestSlackMapping(t *testing.T) {
	result, err := mapping(t, "slack").Query(alert(t))
	check(t, err)
	message := result.(map[string]any)
	text := message["text"].(string)
	if strings.ContainsAny(text, "<>") || !strings.Contains(text, "&lt;!channel&gt; &amp; ") {
		t.Errorf("text is not escaped: %s", text)
	}
	for _, block := range message["blocks"].([]any) {
		elements, _ := block.(map[string]any)["elements"].([]any)
		if one := block.(map[string]any)["text"]; one != nil {
			elements = append(elements, one)
		}
		for _, element := range elements {
			if kind := element.(map[string]any)["type"]; kind != "plain_text" {
				t.Errorf("an element of type %v shows markup of an event", kind)
			}
		}
	}
}

func TestPagerDutyMapping(t *testing.T) {
	t.Setenv("PAGERDUTY_ROUTING_KEY", "key")
	first, err := mapping(t, "pagerduty").Query(alert(t))
	check(t, err)
	other := alert(t)
	other["id"], other["eventName"] = "another", "RunInstances"
	second, err := mapping(t, "pagerduty").Query(other)
	check(t, err)
	event := first.(map[string]any)
	if event["dedup_key"] != second.(map[string]any)["dedup_key"] {
		t.Error("two calls of one principal in one region are two incidents")
	}
	if got := event["payload"].(map[string]any)["severity"]; got != "error" || event["routing_key"] != "key" {
		t.Errorf("severity %v, routing key %v", got, event["routing_key"])
	}
}
