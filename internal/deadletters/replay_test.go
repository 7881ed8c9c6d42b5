package deadletters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

func toInput(r *Replay) { r.To = ToInput }

// A letter is replayed once: not by the same command again, not by another selection.
//
// Guard: replaying.run reads the ledger, and writes markers.
func TestReplayOnce(t *testing.T) {
	t.Parallel()
	for _, to := range []Destination{ToDecision, ToInput} {
		t.Run(to.String(), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.fail(10)
			send := func(r *Replay) { r.To = to }
			some := s.mustReplay(5, send, func(r *Replay) { r.Selection.OriginPartition = Range{1, 1} })
			if to == ToDecision && (some.Readable != 5 || some.StillUnreadable != 0) || some.Already != 5 || some.Whole() != nil {
				t.Errorf("%+v", some)
			}
			if rest := s.mustReplay(5, send); rest.Already != 15 {
				t.Errorf("%d were replayed already, want 15", rest.Already)
			}
			if none := s.mustReplay(0, send); none.Already != 20 || none.Whole() != nil {
				t.Errorf("%+v", none)
			}
			if to == ToInput {
				s.run(0)
			}
			s.mustAlertOnce(10)
			s.mustReplay(10, send, func(r *Replay) { r.Again = true })
			if to == ToInput {
				s.run(0)
			}
			for id, n := range s.alerts() {
				if n != 2 {
					t.Errorf("alert %s stands %d times after --again, want 2", id, n)
				}
			}
		})
	}
}

// The alert of a replay has the id that it would have had, even if the event has none.
//
// Guard: fill sets Identity; replayed carries the origin.
func TestReplayKeepsIdentity(t *testing.T) {
	t.Parallel()
	want := newScene(t)
	value := &kgo.Record{Topic: inputTopic, Partition: 1, Value: packed("[" + event("") + "," + event("") + "]")}
	want.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Value: []byte("{}")}, value)
	want.run(0)
	for _, to := range []Destination{ToDecision, ToInput} {
		s := newScene(t)
		value := *value
		s.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Value: []byte("{}")}, &kgo.Record{Topic: inputTopic, Partition: 1, Value: value.Value})
		s.run(smallEvents)
		s.mustReplay(2, func(r *Replay) { r.To = to }) // {} is a dead letter, too
		if to == ToInput {
			s.run(0)
		}
		got := s.alerts()
		for id := range want.alerts() {
			if got[id] != 1 {
				t.Errorf("to the %s: alert %s stands %d times, want once", to, id, got[id])
			}
		}
		if len(got) != 2 {
			t.Errorf("to the %s: %d alerts, want 2", to, len(got))
		}
	}
}

// A record that fails again becomes a letter that says how often; it is refused until more are allowed. Its
// identity stays that of the first time.
func TestReplayThatFailsAgain(t *testing.T) {
	t.Parallel()
	for _, to := range []Destination{ToDecision, ToInput} {
		t.Run(to.String(), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			own := []kgo.RecordHeader{{Key: "trace", Value: []byte("x")}, {Key: deadletter.HeaderHolds, Value: []byte(deadletter.HoldsNothing)}}
			s.Produce(&kgo.Record{Topic: inputTopic, Partition: 1, Key: []byte("key"), Value: []byte(`{"bad`), Headers: own})
			s.run(0)
			send := func(r *Replay) { r.To, r.MaxReplays = to, 2 }
			for n := 1; n <= 2; n++ {
				a := s.mustReplay(1, send)
				if want := (to == ToDecision); (a.StillUnreadable == 1) != want || a.Readable != 0 {
					t.Errorf("%+v", a)
				}
				if to == ToInput {
					s.run(0)
				}
				letters := s.letters()
				if len(letters) != n+1 {
					t.Fatalf("%d letters after %d replays", len(letters), n)
				}
				last := letters[n]
				if last.Replays != n || string(last.Value) != `{"bad` || string(last.Key) != "key" {
					t.Errorf("after %d replays: %+v", n, last)
				}
				if first, _ := last.FirstOrigin(); first != inputTopic+":1:0" {
					t.Errorf("first read at %s", first)
				}
				if len(last.Headers) != len(own)+5 || last.Headers[0].Key != "trace" || last.Headers[1].Key != deadletter.HeaderHolds {
					t.Errorf("headers %v", last.Headers)
				}
				if last.Place.Partition != letters[0].Place.Partition {
					t.Errorf("it stands in partition %d, the first in %d", last.Place.Partition, letters[0].Place.Partition)
				}
			}
			if a := s.mustReplay(0, send); a.Refused != 1 || a.Already != 2 || a.Whole() != nil {
				t.Errorf("%+v", a)
			}
			s.mustReplay(1, send, func(r *Replay) { r.MaxReplays = 3 })
		})
	}
}

// Several letters of one record are one replay, and so is a letter that was written twice.
func TestReplayOfOneRecord(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(&kgo.Record{Topic: inputTopic, Value: []byte(event("a") + "\n{bad\n" + event("b") + "\n{worse\n")})
	s.run(0)
	for _, r := range s.ReadAll(letterTopic) {
		s.Produce(&kgo.Record{Topic: letterTopic, Partition: r.Partition, Value: r.Value, Headers: r.Headers})
	}
	if n := len(s.letters()); n != 4 {
		t.Fatalf("%d letters, want 4", n)
	}
	if a := s.mustReplay(1, toInput); a.Already != 3 || a.Written[inputTopic] != 1 {
		t.Errorf("%+v", a)
	}
}

// What was asked to be read or written elsewhere by a letter's text is not. Letters of other topics are counted by
// their topic; they are another processor's to replay, so nothing of ours is left undone.
func TestReplayForeign(t *testing.T) {
	t.Parallel()
	for _, to := range []Destination{ToDecision, ToInput} {
		s := newScene(t, kfake.SeedTopics(1, "payments"))
		s.fail(1)
		for _, topic := range []string{"payments", alertTopic, letterTopic, "\x1b[2J"} {
			r := letterRecord(topic, 0, 7)
			s.Produce(r)
		}
		a := s.mustReplay(1, func(r *Replay) { r.To = to })
		if a.Foreign != 4 || len(a.Foreigners.Most()) != 4 || a.Whole() != nil {
			t.Errorf("%+v", a)
		}
		if n := s.EndOfAll("payments"); n != 0 {
			t.Errorf("%d records in a foreign topic", n)
		}
	}
}

// letterRecord is a letter as it should not be: written by somebody else.
func letterRecord(topic string, partition int, offset int64) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{Topic: letterTopic, Value: []byte(event("forged")), Headers: []kgo.RecordHeader{
		header(deadletter.HeaderTopic, topic), header(deadletter.HeaderPartition, fmt.Sprint(partition)),
		header(deadletter.HeaderOffset, fmt.Sprint(offset)), header(deadletter.HeaderReason, "syntax"), header(deadletter.HeaderHeaders, "0"),
	}}
}

// A dry run says what would be, and changes nothing.
func TestReplayDryRun(t *testing.T) {
	t.Parallel()
	for _, to := range []Destination{ToDecision, ToInput} {
		s := newScene(t)
		s.fail(4)
		before := s.EndOfAll(letterTopic) + s.EndOfAll(inputTopic) + s.EndOfAll(alertTopic)
		plans := map[string]int{}
		a := s.mustReplay(4, func(r *Replay) {
			r.To, r.DryRun = to, true
			r.OnPlan = func(p *Plan) error {
				for _, w := range p.Records {
					plans[w.Topic]++
				}
				return nil
			}
		})
		want := alertTopic
		if to == ToInput {
			want = inputTopic
		}
		if plans[want] != 4 || a.Written[want] != 4 || len(plans) != 1 {
			t.Errorf("to the %s: %v, %+v", to, plans, a)
		}
		if after := s.EndOfAll(letterTopic) + s.EndOfAll(inputTopic) + s.EndOfAll(alertTopic); after != before {
			t.Errorf("a dry run has written %d records", after-before)
		}
		s.mustReplay(4, func(r *Replay) { r.To = to })
	}
}

// A limit ends early, and the next replay goes on.
func TestReplayLimit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fail(10)
	if a := s.mustReplay(3, func(r *Replay) { r.Limit = 3 }); !a.More {
		t.Errorf("%+v", a)
	}
	if a := s.mustReplay(7, func(r *Replay) { r.Limit = 30 }); a.More || a.Already != 13 {
		t.Errorf("%+v", a)
	}
	s.mustAlertOnce(10)
}

// Whichever client cannot be made, the replay says so: what it could not read does not count as read.
func TestReplayFails(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fail(1)
	broken := errors.New("broken")
	for n := 1; ; n++ {
		clients := 0
		var progress []string
		o := s.replay(func(r *Replay) {
			r.Topic.Progress = func(read, total int64) { progress = append(progress, fmt.Sprintf("%d of %d", read, total)) }
			r.Selection.Since = time.Unix(1, 0)
			r.Topic.Client = func(opts ...kgo.Opt) (*kgo.Client, error) {
				if clients++; clients == n {
					return nil, broken
				}
				return s.topic().Client(opts...)
			}
		})
		a, err := o.Run(t.Context())
		if clients < n {
			if err != nil || a.Replayed != 1 || n < 7 {
				t.Errorf("%d clients: %v, %+v", clients, err, a)
			}
			if !slices.Contains(progress, "2 of 4") || progress[len(progress)-1] != "4 of 4" { // it reads the two letters twice
				t.Errorf("progress %q", progress)
			}
			return
		}
		if !errors.Is(err, broken) || a.Replayed != 0 {
			t.Errorf("client %d: %v, %+v", n, err, a)
		}
	}
}

// Settings with which it cannot begin are an error.
func TestReplayCannotBegin(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(letterRecord(inputTopic, 0, 0))
	for want, change := range map[string]func(*Replay){
		"missing closing )": func(r *Replay) { r.Options.InputTopics, r.Options.InputPattern = []string{"("}, true },
		"AlertTopic: ":      func(r *Replay) { r.Options.AlertTopic = "" },
	} {
		if a, err := s.replay(change).Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s: %+v", err, want, a)
		}
	}
}

// A signal ends it; what is committed stays, and the next one replays the rest.
func TestReplayStops(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.fail(2)
	var more []*kgo.Record
	for i := range 1200 {
		r := letterRecord(inputTopic, 0, int64(100+i))
		r.Value = []byte(event(fmt.Sprintf("more-%d", i)))
		more = append(more, r)
	}
	s.Produce(more...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel()
		return nil, nil, false
	})
	a, err := s.replay().Run(ctx)
	if !errors.Is(err, context.Canceled) || a.Replayed != maxBatch {
		t.Fatalf("%v, %+v", err, a)
	}
	s.mustReplay(1202 - int(a.Replayed))
	s.mustAlertOnce(1202)
}

// A record that the input topic does not take any more is counted, and keeps no other one from being replayed.
func TestReplayTooLarge(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Produce(
		&kgo.Record{Topic: inputTopic, Value: []byte(`{"a`)},
		&kgo.Record{Topic: inputTopic, Value: []byte(`{"` + noise(300_000))},
		&kgo.Record{Topic: inputTopic, Value: []byte(`{"b`)},
	)
	s.run(0)
	s.limit(inputTopic, "100000")
	a := s.mustReplay(2, toInput)
	if a.TooLarge != 1 || a.Whole() == nil {
		t.Errorf("%+v", a)
	}
	s.mustReplay(3, func(r *Replay) { r.Again = true }) // the decision has room
}

// noise does not compress.
func noise(n int) string {
	var b strings.Builder
	seed := uint64(88172645463325252)
	for range n {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		b.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_+"[seed>>58])
	}
	return b.String()
}

// The parts of a letter are replayed as the record that they hold.
func TestReplayOfParts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.limit(letterTopic, "30000")
	value := []byte(`{"bad ` + noise(100_000))
	s.Produce(
		&kgo.Record{Topic: inputTopic, Value: value},
		&kgo.Record{Topic: inputTopic, Value: value, Key: []byte(noise(40_000)), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(noise(20_000))}}},
	)
	s.run(0)
	s.mustReplay(2, toInput)
	var got []*kgo.Record
	for _, r := range s.ReadAll(inputTopic) {
		if _, replayed := processortest.Header(r, deadletter.ReplayCount); replayed {
			got = append(got, r)
		}
	}
	if len(got) != 2 || string(got[0].Value) != string(value) || string(got[1].Value) != string(value) || string(got[1].Key) != noise(40_000) {
		t.Fatalf("%d records, or not as they came", len(got))
	}
	if h, _ := processortest.Header(got[1], "h"); h != noise(20_000) {
		t.Error("the header is not as it came")
	}
}

// Without letters nothing is written, nor after a signal to stop.
func TestFlushNothing(t *testing.T) {
	g := new(replaying) // without a client
	if err := g.flush(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g.batch = []*deadletter.Letter{{}}
	if err := g.flush(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
