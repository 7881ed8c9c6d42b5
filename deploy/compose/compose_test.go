package compose

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// load reads the file the way docker compose does: against the schema of the Compose Specification, with references
// resolved.
func load(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"compose.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestServices checks for what only fails on another machine: missing files, images that change by themselves, ports open
// to the network.
func TestServices(t *testing.T) {
	project := load(t)
	want := []string{"generator", "grafana", "incidents", "kafka", "prometheus", "regionwatch"}
	if names := project.ServiceNames(); !slices.Equal(names, want) {
		t.Errorf("services %q, want %q", names, want)
	}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if info, err := os.Stat(volume.Source); err != nil || !info.Mode().IsRegular() || !volume.ReadOnly {
				t.Errorf("%s mounts %s: read-only %v, %v", name, volume.Source, volume.ReadOnly, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s listens on %s:%s, want loopback", name, port.HostIP, port.Published)
			}
		}
		if _, tag, _ := strings.Cut(service.Image, ":"); tag == "" || tag == "latest" {
			t.Errorf("%s: no version of the image %s", name, service.Image)
		}
		if service.Build == nil {
			continue
		}
		if _, err := os.Stat(service.Build.Context + "/" + service.Build.Dockerfile); err != nil {
			t.Error(err)
		}
		if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) || len(service.SecurityOpt) != 1 {
			t.Errorf("%s may do more than it needs", name)
		}
	}
}

// TestReferences checks that the files for Prometheus and Grafana name places that exist in the services.
func TestReferences(t *testing.T) {
	services := load(t).Services
	read := func(name string, into any) {
		t.Helper()
		source, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		decoder := yaml.NewDecoder(source)
		decoder.KnownFields(true)
		if err := decoder.Decode(into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	mounted := func(service, target string) bool {
		return slices.ContainsFunc(services[service].Volumes, func(v types.ServiceVolumeConfig) bool {
			return strings.HasPrefix(v.Target, target)
		})
	}

	var scrape struct {
		Global  map[string]string `yaml:"global"`
		Rules   []string          `yaml:"rule_files"`
		Configs []struct {
			Job string `yaml:"job_name"`
			DNS []struct {
				Names   []string `yaml:"names"`
				Type    string   `yaml:"type"`
				Port    uint32   `yaml:"port"`
				Refresh string   `yaml:"refresh_interval"`
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	read("prometheus.yml", &scrape)
	for _, rules := range scrape.Rules {
		if !mounted("prometheus", rules) {
			t.Errorf("prometheus.yml reads %s, which nothing mounts", rules)
		}
	}
	scraped := map[string]bool{}
	for _, c := range scrape.Configs {
		target := c.DNS[0]
		service, found := services[target.Names[0]]
		if !found || service.Ports[0].Target != target.Port || *service.Environment["REGIONWATCH_ADMIN_ADDRESS"] != "0.0.0.0:9464" {
			t.Errorf("prometheus.yml scrapes %s:%d, where nothing listens", target.Names[0], target.Port)
		}
		if !strings.Contains(c.Job, "regionwatch") {
			t.Errorf("the rules do not see job %s", c.Job)
		}
		scraped[target.Names[0]] = true
	}
	for name, service := range services {
		if service.Environment["REGIONWATCH_ADMIN_ADDRESS"] != nil && !scraped[name] {
			t.Errorf("nothing scrapes %s", name)
		}
	}

	var dashboards struct {
		Version   int `yaml:"apiVersion"`
		Providers []struct {
			Name    string            `yaml:"name"`
			Type    string            `yaml:"type"`
			Updates bool              `yaml:"allowUiUpdates"`
			Options map[string]string `yaml:"options"`
		} `yaml:"providers"`
	}
	read("grafana/dashboards.yaml", &dashboards)
	if path := dashboards.Providers[0].Options["path"]; !mounted("grafana", path) {
		t.Errorf("grafana reads dashboards from %s, where nothing is mounted", path)
	}
	if home := services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; !mounted("grafana", *home) {
		t.Errorf("the first page of grafana is %s, which nothing mounts", *home)
	}

	var sources struct {
		Version int `yaml:"apiVersion"`
		Sources []struct {
			URL  string         `yaml:"url"`
			Rest map[string]any `yaml:",inline"`
		} `yaml:"datasources"`
	}
	read("grafana/datasources.yaml", &sources)
	if sources.Sources[0].URL != "http://prometheus:9090" {
		t.Errorf("grafana asks %s, and Prometheus is http://prometheus:9090", sources.Sources[0].URL)
	}
}

// Both stages run, with the same brokers, and stage two waits for the topic that stage one makes.
func TestStages(t *testing.T) {
	services := load(t).Services
	one, two := services["regionwatch"], services["incidents"]
	if !slices.Equal(one.Command, []string{"run"}) || !slices.Equal(two.Command, []string{"incidents"}) {
		t.Errorf("commands %q, %q", one.Command, two.Command)
	}
	if *one.Environment["REGIONWATCH_BROKERS"] != *two.Environment["REGIONWATCH_BROKERS"] || two.DependsOn["regionwatch"].Condition != types.ServiceConditionHealthy {
		t.Errorf("stage two: %v, %v", two.Environment, two.DependsOn)
	}
}
