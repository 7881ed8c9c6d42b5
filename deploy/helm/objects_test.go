package helm

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/santhosh-tekuri/jsonschema/v6"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// decoder is as strict as kubectl --validate=strict: unknown and repeated fields are errors.
var decoder = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, batch.AddToScheme, core.AddToScheme, networking.AddToScheme, policy.AddToScheme, monitoring.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}()

// objects are the result of rendering the chart.
type objects []runtime.Object

// render renders the chart and decodes every object.
func render(t *testing.T, args ...string) objects {
	t.Helper()
	text, err := template(args...)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

func decode(t *testing.T, text string) (all objects) {
	t.Helper()
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := yaml.UnmarshalStrict(document, &fields); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if fields == nil {
			continue // only comments
		}
		all = append(all, decodeObject(t, document, fields))
	}
}

// decodeObject decodes into the type of the object's kind. KEDA's types would pull in all of KEDA, so its object is
// checked against KEDA's definition instead.
func decodeObject(t *testing.T, document []byte, fields map[string]any) runtime.Object {
	t.Helper()
	if fields["kind"] == "ScaledObject" {
		if err := scaledObject(t).Validate(fields); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		return &unstructured.Unstructured{Object: fields}
	}
	object, _, err := decoder.Decode(document, nil, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object
}

// scaledObject returns the schema from KEDA's definition, made strict.
func scaledObject(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/keda.sh_scaledobjects.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &definition); err != nil {
		t.Fatal(err)
	}
	root := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	closeSchema(root)
	root.(map[string]any)["properties"].(map[string]any)["metadata"] = map[string]any{"type": "object"} // validated by the API server itself
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("keda.json", root); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("keda.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// closeSchema rejects properties that a schema does not name, which the API server would drop.
func closeSchema(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, named := node["properties"].(map[string]any); named {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeSchema(child)
		}
	case []any:
		for _, child := range node {
			closeSchema(child)
		}
	}
}

// only returns the single object of the type, and fails if there is none.
func only[T runtime.Object](t *testing.T, all objects) T {
	t.Helper()
	object, found := find[T](all)
	if !found {
		t.Fatalf("no %T", object)
	}
	return object
}

// find returns the first object of the type.
func find[T runtime.Object](all objects) (object T, found bool) {
	for _, candidate := range all {
		if object, found = candidate.(T); found {
			return object, true
		}
	}
	return object, false
}

// pod returns the pod template of stage one, for either workload kind.
func pod(t *testing.T, all objects) core.PodTemplateSpec {
	t.Helper()
	if deployment, found := find[*apps.Deployment](all); found {
		return deployment.Spec.Template
	}
	two, _ := stageTwo(all)
	for _, object := range all {
		if set, is := object.(*apps.StatefulSet); is && set != two {
			return set.Spec.Template
		}
	}
	t.Fatal("the release runs nothing")
	return core.PodTemplateSpec{}
}

// stageTwo returns the StatefulSet of stage two, if the release has one.
func stageTwo(all objects) (set *apps.StatefulSet, found bool) {
	for _, object := range all {
		if set, found = object.(*apps.StatefulSet); found && set.Spec.Template.Spec.Containers[0].Args[0] == "incidents" {
			return set, true
		}
	}
	return nil, false
}

// pods returns all pods of the release: the instances of both stages, the checks of helm test, and the validation hook.
func pods(t *testing.T, all objects) map[string]core.PodTemplateSpec {
	t.Helper()
	list := map[string]core.PodTemplateSpec{"instance": pod(t, all), "validate": only[*batch.Job](t, all).Spec.Template}
	for _, object := range all {
		if check, is := object.(*core.Pod); is {
			list[check.Name] = core.PodTemplateSpec{ObjectMeta: check.ObjectMeta, Spec: check.Spec}
		}
	}
	if set, found := stageTwo(all); found {
		list["incidents"] = set.Spec.Template
	}
	return list
}

// configMap returns the data of the ConfigMap with that name.
func configMap(t *testing.T, all objects, name string) map[string]string {
	t.Helper()
	for _, object := range all {
		if found, is := object.(*core.ConfigMap); is && found.Name == name {
			return found.Data
		}
	}
	t.Fatalf("no ConfigMap %q", name)
	return nil
}
