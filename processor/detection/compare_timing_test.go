package detection

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	segmentio "github.com/segmentio/encoding/json"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// decodedEvent has the fields of cloudtrail.Event for decoders that fill structs.
type decodedEvent struct {
	EventVersion       string          `json:"eventVersion"`
	UserIdentity       json.RawMessage `json:"userIdentity"`
	EventTime          string          `json:"eventTime"`
	EventSource        string          `json:"eventSource"`
	EventName          string          `json:"eventName"`
	AWSRegion          string          `json:"awsRegion"`
	SourceIPAddress    string          `json:"sourceIPAddress"`
	UserAgent          string          `json:"userAgent"`
	ErrorCode          string          `json:"errorCode"`
	EventID            string          `json:"eventID"`
	ReadOnly           json.RawMessage `json:"readOnly"`
	EventType          string          `json:"eventType"`
	RecipientAccountID string          `json:"recipientAccountId"`
	EventCategory      string          `json:"eventCategory"`
}

// matches decides as the rule does, as far as events that were decoded without fault need it.
func (e *decodedEvent) matches() bool {
	return slices.Contains(policy.DefaultUnusedRegions, e.AWSRegion) && string(e.ReadOnly) == "false"
}

// roundsInTurn is how many rounds a contender has before the next one's turn: the first of them finds caches
// and branch predictors as the one before left them.
const roundsInTurn = 5

// contender reads an event and tells whether it matches, which no measured event does.
type contender struct {
	name string
	read func(event []byte) (match bool, err error)
	best []time.Duration // the shortest time of each batch of events
}

// batch is how many events are timed together: few enough that most batches run undisturbed at least once,
// also of the slowest decoder.
const batch = 25

// BenchmarkCompare prints what it takes to decode and decide an event that does not match, beside other
// decoders. They take turns over the same events, and the shortest time of each batch of events counts, so
// that what else the machine does distorts no ratio; nor does the garbage that others leave.
func BenchmarkCompare(b *testing.B) {
	events, size := benchEvents(b)
	all := contenders(b)
	rounds := 0
	for b.Loop() {
		for i := range all {
			for range roundsInTurn {
				all[i].round(b, events)
			}
		}
		rounds += roundsInTurn
	}
	fmt.Printf("\n%d events of %d bytes on average, %d rounds:\n%s\n",
		len(events), size/len(events), rounds, table(b, all, events, size))
}

// round reads all events once and notes the time of each batch.
func (c *contender) round(tb testing.TB, events [][]byte) {
	n := 0
	for some := range slices.Chunk(events, batch) {
		began := time.Now()
		for _, event := range some {
			if match, err := c.read(event); match || err != nil {
				tb.Fatalf("%s: want no match, got %v, %v: %s", c.name, match, err, event)
			}
		}
		lap := time.Since(began)
		if n == len(c.best) {
			c.best = append(c.best, lap)
		}
		c.best[n] = min(c.best[n], lap)
		n++
	}
}

// total returns the shortest time for all events.
func (c *contender) total() (all time.Duration) {
	for _, lap := range c.best {
		all += lap
	}
	return all
}

// table has a line for each contender, with how many times as fast the first one is.
func table(tb testing.TB, all []contender, events [][]byte, size int) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tns/event\tMB/s\tallocs/event\tdecode + decide is\t\n")
	for i := range all {
		c := &all[i]
		allocs := testing.AllocsPerRun(1, func() { c.round(tb, events) })
		fmt.Fprintf(w, "%s\t%d\t%d\t%.1f\t%.2fx\t\n", c.name, c.total().Nanoseconds()/int64(len(events)),
			int64(float64(size)/c.total().Seconds()/1e6), allocs/float64(len(events)),
			c.total().Seconds()/all[0].total().Seconds())
	}
	_ = w.Flush()
	return text.String()
}

// contenders returns what to compare: decoding and deciding, first.
func contenders(b *testing.B) []contender {
	d, policy, r, sink := NewDetector(Options{}), defaultPolicy(b), record(""), &results{}
	decoder, decoded := cloudtrail.NewDecoder(0), &ignored{}
	var tokens segmentio.Tokenizer
	return []contender{
		{name: "regionwatch decode + decide", read: func(v []byte) (bool, error) {
			r.Value = v
			err := d.Detect(policy, r, sink)
			return sink.calls != 0, err
		}},
		{name: "regionwatch decode", read: func(v []byte) (bool, error) { return false, decoder.Decode(v, decoded) }},
		{name: "encoding/json Unmarshal", read: func(v []byte) (bool, error) {
			var e decodedEvent
			err := json.Unmarshal(v, &e)
			return e.matches(), err
		}},
		{name: "segmentio Unmarshal", read: func(v []byte) (bool, error) {
			var e decodedEvent
			err := segmentio.Unmarshal(v, &e)
			return e.matches(), err
		}},
		{name: "segmentio Tokenizer", read: func(v []byte) (bool, error) {
			tokens.Reset(v)
			return tokenize(&tokens), tokens.Err
		}},
		{name: "segmentio Valid", read: func(v []byte) (bool, error) { return !segmentio.Valid(v), nil }},
	}
}

// tokenize decides on the tokens of an event, without copying anything.
func tokenize(t *segmentio.Tokenizer) bool {
	var key, region, readOnly segmentio.RawValue
	for t.Next() {
		switch {
		case t.Depth != 1:
		case t.IsKey:
			key = t.Value
		case string(key) == `"awsRegion"`:
			region = t.Value
		case string(key) == `"readOnly"`:
			readOnly = t.Value
		}
	}
	return len(region) > 2 && slices.Contains(policy.DefaultUnusedRegions, string(region[1:len(region)-1])) && string(readOnly) == "false"
}
