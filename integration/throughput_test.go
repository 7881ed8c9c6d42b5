package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// bareConsumerVariable makes this very binary a consumer that discards what was committed: brokers, topic, group and how many
// records, separated by blanks. It is what everything else is measured against.
const bareConsumerVariable = "REGIONWATCH_BARE_CONSUMER"

func runBareConsumer() {
	arguments := strings.Fields(os.Getenv(bareConsumerVariable))
	count, err := strconv.Atoi(arguments[3])
	if err != nil {
		panic(err)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(arguments[0], ",")...),
		kgo.ConsumeTopics(arguments[1]),
		kgo.ConsumerGroup(arguments[2]),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for read := 0; read < count; {
		client.PollFetches(context.Background()).EachRecord(func(*kgo.Record) { read++ })
	}
}

// cost is what one pass over the backlog took.
type cost struct {
	cpu  time.Duration
	wall time.Duration
	rss  int64
}

// bare runs the bare consumer over the backlog.
func bare(t *testing.T, s *scene, events int) cost {
	t.Helper()
	p := &process{began: time.Now(), done: make(chan struct{})}
	p.command = exec.CommandContext(t.Context(), os.Args[0])
	p.command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s-%d %d", bareConsumerVariable, s.bootstrap, s.input, s.group, time.Now().UnixNano(), events))
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.command.Wait() // its status is in ProcessState
	}()
	var rss int64
	for p.ended() == nil {
		rss = max(rss, p.peakRSS())
		time.Sleep(50 * time.Millisecond)
	}
	if !p.command.ProcessState.Success() {
		t.Fatalf("the bare consumer: %v", p.ended())
	}
	return cost{p.cpu(), time.Since(p.began), rss}
}

// watch runs the program over the backlog with a new group.
func watch(t *testing.T, s *scene, delivery string) cost {
	t.Helper()
	again := *s
	again.group = fmt.Sprintf("%s-%d", s.group, time.Now().UnixNano())
	p := start(t, again.run("--delivery", delivery)...)
	again.settle(t, 10*time.Minute, p.ended)
	c := cost{wall: time.Since(p.began), rss: p.peakRSS()}
	p.stop(t)
	c.cpu = p.cpu()
	return c
}

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise float64) float64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || value <= 0 {
		t.Fatalf("%s=%s: must be a number above 0", name, text)
	}
	return value
}

// TestThroughput measures processor seconds for a million events, and memory: the bare consumer and both
// delivery modes in turn, in one run, over a backlog of MILLIONS (1) million events, ROUNDS (3) times. One
// event in a hundred alerts; 12 partitions; lz4. Only ratios within one run mean anything.
func TestThroughput(t *testing.T) {
	c := startCluster(t, 1)
	events, rounds := int(1e6*setting(t, "MILLIONS", 1)), int(setting(t, "ROUNDS", 3))
	s, tenth, b := newScene(t, c.Bootstrap(), 12), newScene(t, c.Bootstrap(), 12), newBacklog(t)
	b.fill(t, tenth, events/10)
	b.fill(t, s, events)
	bare(t, tenth, events/10) // so that no round pays for cold caches

	names := []string{"bare consumer", atLeastOnce, exactlyOnce}
	costs := map[string][]cost{}
	for range rounds {
		for _, name := range names {
			if name == names[0] {
				costs[name] = append(costs[name], bare(t, s, events))
			} else {
				costs[name] = append(costs[name], watch(t, s, name))
			}
		}
	}
	short := map[string]cost{names[0]: bare(t, tenth, events/10), atLeastOnce: watch(t, tenth, atLeastOnce), exactlyOnce: watch(t, tenth, exactlyOnce)}

	cpu := func(name string) float64 {
		return middle(costs[name], func(c cost) float64 { return c.cpu.Seconds() * 1e6 / float64(events) })
	}
	fmt.Printf("%d events, %d rounds, medians\n%-14s %14s %14s %12s %12s %12s\n", events, rounds,
		"", "CPU s/million", "of row above", "thousand/s", "peak MiB", "a tenth, MiB")
	for i, name := range names {
		against := 1.0
		if i > 0 {
			against = cpu(name) / cpu(names[i-1])
		}
		fmt.Printf("%-14s %14.2f %13.2fx %12.0f %12.0f %12.0f\n", name, cpu(name), against,
			middle(costs[name], func(c cost) float64 { return float64(events) / 1000 / c.wall.Seconds() }),
			middle(costs[name], func(c cost) float64 { return float64(c.rss) / (1 << 20) }), float64(short[name].rss)/(1<<20))
	}
}

// middle is the median of what f makes of the costs.
func middle(costs []cost, f func(cost) float64) float64 {
	var values []float64
	for _, c := range costs {
		values = append(values, f(c))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
