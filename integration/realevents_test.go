package integration

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// realEvents returns the lines of the file that REGIONWATCH_EVENTS names, or as many made-up events.
func realEvents(t *testing.T) []string {
	t.Helper()
	name := os.Getenv("REGIONWATCH_EVENTS")
	if name == "" {
		events := make([]string, 0, 1000)
		for n := range cap(events) {
			events = append(events, event(eventID(n), []string{"us-east-1", "us-west-2", "eu-west-1"}[n%3], n%5 != 0))
		}
		return events
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatalf("REGIONWATCH_EVENTS: %v", err)
	}
	defer file.Close()
	var text io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if text, err = gzip.NewReader(file); err != nil {
			t.Fatalf("REGIONWATCH_EVENTS: %v", err)
		}
	}
	var events []string
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		events = append(events, lines.Text())
	}
	if err := lines.Err(); err != nil || len(events) == 0 {
		t.Fatalf("REGIONWATCH_EVENTS: %d lines, error %v", len(events), err)
	}
	return events
}

// TestKafkaRealEvents has every event decided a second time by the standard library's decoder.
func TestKafkaRealEvents(t *testing.T) {
	broker := sharedBroker(t)
	bothModes(t, func(t *testing.T, delivery string) {
		s := newScene(t, broker, 4)
		want, got := map[string]int{}, map[string]int{}
		var records []*kgo.Record
		for n, line := range realEvents(t) {
			records = append(records, &kgo.Record{Value: []byte(line), Partition: int32(n % 4)})
			var e struct {
				AWSRegion          string `json:"awsRegion"`
				ReadOnly           *bool  `json:"readOnly"`
				EventID            string `json:"eventID"`
				RecipientAccountID string `json:"recipientAccountId"`
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			if e.AWSRegion == "us-east-1" && e.ReadOnly != nil && !*e.ReadOnly {
				want[alertID(e.RecipientAccountID, e.EventID)]++
			}
		}
		if len(want) == 0 {
			t.Fatal("no event matches: the test proves nothing")
		}
		s.produce(t, records...)
		s.process(t, "--delivery", delivery, "--unused-regions", "us-east-1")
		for _, r := range s.readAll(t, s.alerts) {
			got[header(r, "alert-id")]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("alerts by id (-want +got):\n%s", diff)
		}
		if letters := s.readAll(t, s.deadLetters); len(letters) != 0 {
			t.Errorf("%d dead letters, want none", len(letters))
		}
		t.Logf("%d events, %d alerts", len(records), len(want))
	})
}
