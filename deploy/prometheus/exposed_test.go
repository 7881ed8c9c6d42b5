package rules

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// root is the folder of the program's module.
const root = "../.."

// metric describes a metric that the program exposes.
type metric struct {
	kind   string                     // counter, gauge, histogram, summary; empty for a part of the last two
	labels map[string]map[string]bool // values by name
}

// exposed returns every series that the program exposes, by name: with both delivery guarantees, after all of its clients
// have been used, and after the broker has gone away.
func exposed(t *testing.T) map[string]*metric {
	t.Helper()
	metrics, err := scrapeProgram()
	if err != nil {
		t.Fatal(err)
	}
	return metrics
}

var scrapeProgram = sync.OnceValues(func() (map[string]*metric, error) {
	folder, err := os.MkdirTemp("", "regionwatch")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "regionwatch")
	build := exec.Command("go", "build", "-o", program, "./cmd/regionwatch")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	policy := filepath.Join(folder, "policy.yaml")
	if err := os.WriteFile(policy, []byte(examplePolicy), 0o600); err != nil {
		return nil, err
	}

	demo, line, err := startProgram(program, regexp.MustCompile(`^Kafka broker on (\S+),`), "demo", "--rate=500")
	if err != nil {
		return nil, err
	}
	defer demo.stop()
	metrics := map[string]*metric{}
	address := regexp.MustCompile(`"admin_address":"([^"]+)"`)
	var urls []string
	for _, delivery := range []string{"at-least-once", "exactly-once"} {
		run, admin, err := startProgram(program, address, "run", "--brokers="+line, "--group="+delivery, "--delivery="+delivery,
			"--instance-id="+delivery, "--admin-address=127.0.0.1:0", "--log-format=json", "--policy="+policy)
		if err != nil {
			return nil, err
		}
		defer run.stop()
		urls = append(urls, "http://"+admin+"/metrics")
	}
	two, admin, err := startProgram(program, address, "incidents", "--brokers="+line, "--create-topics", "--instance-id=incidents",
		"--admin-address=127.0.0.1:0", "--log-format=json", "--policy="+policy)
	if err != nil {
		return nil, err
	}
	defer two.stop()
	if err := scrapeUntil(metrics, "http://"+admin+"/metrics", "regionwatch_incident_restores_total"); err != nil {
		return nil, err
	}
	// What it exposes after an event of each kind, and then without a broker.
	for _, last := range []string{"regionwatch_exempted_total", "regionwatch_alerted_total", "regionwatch_input_end_offsets_total", "kafka_read_errors_total", "kafka_connect_errors_total"} {
		if strings.HasPrefix(last, "kafka_") {
			demo.stop()
		}
		for _, url := range urls {
			if err := scrapeUntil(metrics, url, last); err != nil {
				return nil, err
			}
		}
	}
	return metrics, nil
})

// examplePolicy exempts the demo's findings in one region.
const examplePolicy = `version: "1"
default: { unused_regions: [ap-east-1, eu-west-3, eu-central-1] }
exceptions:
  - { name: recorder, reason: for the test, owner: test@example.com, regions: [eu-west-3] }
`

// process is a running program.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended and all its output was read
}

// stop ends the process and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// startProgram starts the program and returns the submatch of the first line of its output that matches.
func startProgram(program string, line *regexp.Regexp, args ...string) (*process, string, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	p.cmd.Stdout, p.cmd.Stderr = write, write
	err = p.cmd.Start()
	_ = write.Close() // the process has its own copy
	if err != nil {
		return nil, "", err
	}
	found := make(chan string, 1)
	go func() {
		defer close(p.ended)
		defer read.Close()
		for scanner := bufio.NewScanner(read); scanner.Scan(); {
			if match := line.FindStringSubmatch(scanner.Text()); match != nil {
				found <- match[1]
				_, _ = io.Copy(io.Discard, read)
			}
		}
		_ = p.cmd.Wait()
		close(found)
	}()
	if match, ok := <-found; ok {
		return p, match, nil
	}
	return nil, "", fmt.Errorf("%s has ended without saying %s", strings.Join(args, " "), line)
}

// scrapeUntil adds the series of a page until it has a metric of that name.
func scrapeUntil(metrics map[string]*metric, url, name string) error {
	for range 600 {
		page, err := get(url)
		if err != nil {
			return err
		}
		if strings.Contains(page, "\n"+name) {
			return addPage(metrics, page)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("%s does not come", name)
}

func get(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	return "\n" + string(page), err
}

// labelName matches the names of labels in a series. No label value of the program looks like one.
var labelName = regexp.MustCompile(`[{,](\w+)="`)

// addPage adds the series of one page in Prometheus's text format.
func addPage(metrics map[string]*metric, page string) error {
	p := parser.NewParser(parser.Options{})
	kinds := map[string]string{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if name, kind, ok := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " "); ok && strings.HasPrefix(line, "# TYPE ") {
			kinds[name] = kind
		}
		end := strings.LastIndexByte(line, ' ')
		if end < 0 || line[0] == '#' {
			continue
		}
		series, err := p.ParseMetric(line[:end])
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		name := series.Get(model.MetricNameLabel)
		m := metrics[name]
		if m == nil {
			m = &metric{kind: kinds[name], labels: map[string]map[string]bool{}}
			metrics[name] = m
		}
		for _, name := range labelName.FindAllStringSubmatch(line[:end], -1) { // including labels with an empty value
			if m.labels[name[1]] == nil {
				m.labels[name[1]] = map[string]bool{}
			}
			m.labels[name[1]][series.Get(name[1])] = true
		}
	}
	return nil
}
