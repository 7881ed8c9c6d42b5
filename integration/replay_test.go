package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// replayed are so many records that a replay of them takes many transactions.
const replayed = 4000

// TestKafkaReplay kills a replay in its middle, lets another one finish and wants each record replayed once: what
// could not be read for its size alerts once, and a third replay finds nothing to do.
func TestKafkaReplay(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		for _, to := range []string{"decision", "input"} {
			t.Run(to, func(t *testing.T) {
				s := newScene(t, broker, 2)
				s.produceLarge(t, replayed)
				s.process(t, "--delivery", delivery, "--max-event-bytes", "64KiB")
				list := s.listLetters(t)
				if n := list["too-large"]; n != replayed {
					t.Fatalf("%d letters of %d records that are too large: %v", n, replayed, list)
				}

				s.killReplay(t, to)
				if a := s.replay(t, to); a.Replayed == 0 || a.Replayed >= replayed {
					t.Fatalf("%d of %d records were left to the second replay: the first was not killed in its middle", a.Replayed, replayed)
				}
				if a := s.replay(t, to); a.Replayed != 0 {
					t.Errorf("%d records were replayed once more", a.Replayed)
				}
				if to == "input" {
					s.decideReplays(t, delivery)
				}
				s.wantEachAlertOnce(t)
			})
		}
	})
}

// produceLarge writes n records that are large when they are decompressed, and one that cannot be read.
func (s *scene) produceLarge(t *testing.T, n int) {
	t.Helper()
	padding := strings.Repeat("x", 70<<10)
	records := []*kgo.Record{{Value: []byte(`{"eventVersion":"1.08","userIdentity":{"type":`)}}
	for i := range n {
		text := strings.Replace(event(eventID(i), "eu-central-1", false), `"queryString":"***"`, `"queryString":"`+padding+`"`, 1)
		records = append(records, &kgo.Record{Partition: int32(i % 2), Value: zip(t, text)})
	}
	s.produce(t, records...)
}

// listLetters returns what "deadletter list" counts by reason.
func (s *scene) listLetters(t *testing.T) map[string]int {
	t.Helper()
	p := start(t, "deadletter", "list", "--brokers", s.bootstrap, "--dead-letter-topic", s.deadLetters, "--format", "json")
	if status := p.wait(t, time.Minute); status != 0 {
		t.Fatalf("exit status %d: %s", status, p.log.String())
	}
	var list struct {
		Reasons []struct {
			Name  string
			Count int
		}
	}
	if err := json.Unmarshal(p.out.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range list.Reasons {
		counts[r.Name] = r.Count
	}
	return counts
}

// replayArguments are those of a replay of all but the unreadable record.
func (s *scene) replayArguments(to string) []string {
	return slices.Concat([]string{"deadletter", "replay"}, s.run("--no-event-copy")[1:], []string{"--to", to, "--reason", "too-large", "--format", "json"})
}

// killReplay kills a replay when the first of its transactions is committed.
func (s *scene) killReplay(t *testing.T, to string) {
	t.Helper()
	committed := make(chan struct{}, 1)
	follow(t, s.bootstrap, func(r *kgo.Record, _ time.Time) {
		if isNote(r) {
			select {
			case committed <- struct{}{}:
			default:
			}
		}
	}, s.deadLetters)
	p := start(t, s.replayArguments(to)...)
	select {
	case <-committed:
	case <-p.done:
		t.Fatalf("the replay has ended: %s", p.log.String())
	case <-time.After(time.Minute):
		t.Fatalf("nothing was replayed: %s", p.log.String())
	}
	p.kill()
}

// isNote reports whether a record of the dead-letter topic notes replays.
func isNote(r *kgo.Record) bool {
	return len(r.Headers) > 0 && r.Headers[0].Key == "dead-letter-replayed"
}

// replay runs a replay to its end and returns what it says.
func (s *scene) replay(t *testing.T, to string) (account struct{ Replayed, Already uint64 }) {
	t.Helper()
	p := start(t, s.replayArguments(to)...)
	if status := p.wait(t, 2*time.Minute); status != 0 {
		t.Fatalf("exit status %d: %s\n%s", status, p.log.String(), p.out.String())
	}
	if err := json.Unmarshal(p.out.Bytes(), &account); err != nil {
		t.Fatal(err)
	}
	return account
}

// decideReplays has the records decided that were written to the input topic again.
func (s *scene) decideReplays(t *testing.T, delivery string) {
	t.Helper()
	p := start(t, s.run("--delivery", delivery, "--no-event-copy")...)
	p.ready(t)
	eventually(t, time.Minute, func() error {
		if n := sum(p.metrics(t), recordsMetric); n < replayed {
			return fmt.Errorf("%v records read", n)
		}
		return p.ended()
	})
	p.stop(t)
}

// wantEachAlertOnce wants one alert of each large record.
func (s *scene) wantEachAlertOnce(t *testing.T) {
	t.Helper()
	ids := map[string]int{}
	for _, r := range s.readAll(t, s.alerts) {
		ids[header(r, "alert-id")]++
	}
	for i := range replayed {
		if n := ids[alertID("123456789012", eventID(i))]; n != 1 {
			t.Fatalf("event %d has %d alerts, want 1", i, n)
		}
	}
	if len(ids) != replayed {
		t.Errorf("%d alerts, want %d", len(ids), replayed)
	}
}

// TestKafkaDeadLetterShow wants a letter shown by its own place and by its record's, with where decoding stopped.
func TestKafkaDeadLetterShow(t *testing.T) {
	s := newScene(t, sharedBroker(t), 1)
	s.produce(t, &kgo.Record{Value: []byte(`{"eventVersion":"1.08","awsRegion":"eu-cent`)})
	s.process(t)
	for _, place := range []string{"0:0", s.input + ":0:0"} {
		p := start(t, "deadletter", "show", place, "--brokers", s.bootstrap, "--dead-letter-topic", s.deadLetters)
		if status := p.wait(t, time.Minute); status != 0 {
			t.Fatalf("exit status %d: %s", status, p.log.String())
		}
		for _, want := range []string{"truncated: it ends in the middle", s.input + ":0:0", "byte 43 of 43", "eu-cent"} {
			if !strings.Contains(p.out.String(), want) {
				t.Errorf("%s: %q is not in\n%s", place, want, p.out.String())
			}
		}
	}
}
