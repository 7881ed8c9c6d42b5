package integration

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	eventIDField  = regexp.MustCompile(`"eventID":"[^"]*"`)
	regionField   = regexp.MustCompile(`"awsRegion":"[^"]*"`)
	readOnlyField = regexp.MustCompile(`"readOnly":(true|false)`)
)

// backlog makes any number of events from a few: each gets a new eventID, and every hundredth is
// rewritten so that it matches.
type backlog struct {
	events  [][]byte // as they came, and at ids[i] the place of the 36 characters of the id
	ids     []int
	hits    [][]byte
	hitIDs  []int
	matched int
}

const idPlaceholder = "00000000-0000-4000-8000-000000000000"

func newBacklog(t *testing.T) *backlog {
	t.Helper()
	b := &backlog{}
	for _, line := range realEvents(t) {
		if !regionField.MatchString(line) || !readOnlyField.MatchString(line) || !eventIDField.MatchString(line) {
			continue
		}
		line = eventIDField.ReplaceAllString(line, `"eventID":"`+idPlaceholder+`"`)
		hit := regionField.ReplaceAllString(line, `"awsRegion":"eu-central-1"`)
		hit = readOnlyField.ReplaceAllString(hit, `"readOnly":false`)
		b.events, b.ids = append(b.events, []byte(line)), append(b.ids, strings.Index(line, idPlaceholder))
		b.hits, b.hitIDs = append(b.hits, []byte(hit)), append(b.hitIDs, strings.Index(hit, idPlaceholder))
	}
	if len(b.events) == 0 {
		t.Fatal("no event has eventID, awsRegion and readOnly")
	}
	return b
}

// event returns a copy of number n.
func (b *backlog) event(n int) []byte {
	events, ids := b.events, b.ids
	if n%100 == 0 {
		events, ids = b.hits, b.hitIDs
		b.matched++
	}
	i := n % len(events)
	value := append([]byte(nil), events[i]...)
	copy(value[ids[i]+24:], fmt.Sprintf("%012d", n))
	return value
}

// fill writes events to the scene's input topic, compressed with lz4 as the scene's client does, in turn to each partition.
func (b *backlog) fill(t *testing.T, s *scene, events int) {
	t.Helper()
	room := make(chan struct{}, 50_000)
	for n := range events {
		room <- struct{}{}
		// A hundred in a row go to one partition, as a producer's batches do.
		r := &kgo.Record{Topic: s.input, Partition: int32(n/100) % s.partitions, Value: b.event(n)}
		s.client.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
			<-room
			if err != nil {
				t.Errorf("filling the backlog: %v", err)
			}
		})
	}
	if err := s.client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
