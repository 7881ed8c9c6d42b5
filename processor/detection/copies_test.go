package detection

import (
	"fmt"
	"hash/maphash"
	"math"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// distinct gives each event a new id.
func distinct(events ...string) []string {
	for i, event := range events {
		const key = `"eventID":"`
		if before, after, ok := strings.Cut(event, key); ok && len(after) > 8 {
			events[i] = before + key + fmt.Sprintf("%08d", i) + after[8:]
		}
	}
	return events
}

// The same event twice in a record alerts once, whatever holds the copy, and counts once.
func TestCopies(t *testing.T) {
	raw := `{"message":` + quoted(matching) + `,"event":{"original":` + quoted(matching) + `},"parsed":` + matching + `}`
	for _, value := range []string{raw, `{"Records":[` + matching + `,` + matching + `,` + matching + `]}`, strings.Repeat(matching+"\n", 3)} {
		r, c := detect(t, value)
		if len(r.alerts) != 1 || len(r.letters) != 0 || c.Events != 1 || c.Copies != 2 {
			t.Errorf("%.60s: %d alerts, %d dead letters, %d events, %d copies", value, len(r.alerts), len(r.letters), c.Events, c.Copies)
		}
	}
	// In two records it alerts twice: the id is the same.
	d := NewDetector(Options{})
	var r results
	for range 2 {
		if err := d.Detect(defaultPolicy(t), record(raw), &r); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.alerts) != 2 || r.alerts[0].ID != r.alerts[1].ID {
		t.Errorf("%d alerts", len(r.alerts))
	}
}

// Of copies that disagree any one that matches alerts, in any order, once.
func TestCopiesThatDisagree(t *testing.T) {
	read, used := with(t, readOnlyField, `"readOnly":true`), with(t, regionField, `"awsRegion":"us-east-1"`)
	for _, events := range [][]string{{read, matching}, {matching, read}, {used, read, matching, used, matching}, {read, read, matching}} {
		r, c := detect(t, "["+strings.Join(events, ",")+"]")
		if len(r.alerts) != 1 || c.Events+c.Copies != uint64(len(events)) {
			t.Errorf("%d copies: %d alerts, %d events, %d copies", len(events), len(r.alerts), c.Events, c.Copies)
		}
	}
}

// What is not the same event is no copy: another id, another account, no id.
func TestNoCopies(t *testing.T) {
	f := func(a, b string) {
		t.Helper()
		if r, c := detect(t, a+"\n"+b); len(r.alerts) != 2 || c.Copies != 0 {
			t.Errorf("%d alerts, %d copies", len(r.alerts), c.Copies)
		}
	}
	both := distinct(matching, matching)
	f(both[0], both[1])
	f(matching, strings.Replace(matching, `"recipientAccountId":"`, `"recipientAccountId":"9`, 1))
	for _, id := range []string{`null`, `""`} {
		none := strings.Replace(matching, `"eventID":"`, `"eventID":`+id+`,"x":"`, 1)
		f(none, none)
	}
}

// A record of many events needs room once, and a large one gives it back.
func TestCopiesOfMany(t *testing.T) {
	var events []string
	for range 20_000 {
		events = append(events, matching)
	}
	value := strings.Join(append(distinct(events...), events[0], events[19_999]), "\n")
	d, p := NewDetector(Options{}), defaultPolicy(t)
	for range 2 {
		d.Counts = Counts{}
		if err := d.Detect(p, record(value), &encoder{}); err != nil || d.Counts.Events != 20_000 || d.Counts.Copies != 2 {
			t.Errorf("%v, %d events, %d copies", err, d.Counts.Events, d.Counts.Copies)
		}
	}
	if err := d.Detect(p, record(matching), &encoder{}); err != nil || len(d.passage.copies.slots) > maxKept/16 {
		t.Errorf("%v, %d slots are kept", err, len(d.passage.copies.slots))
	}
}

// After 2^32 records, when their numbers begin again, a free slot is still free.
func TestCopiesBeginAgain(t *testing.T) {
	d, r := NewDetector(Options{}), &results{}
	d.passage.copies.turn = math.MaxUint32 - 1
	for i := range 4 {
		if err := d.Detect(defaultPolicy(t), record("["+matching+","+matching+"]"), r); err != nil || len(r.alerts) != i+1 {
			t.Fatalf("record %d: %v, %d alerts", i, err, len(r.alerts))
		}
	}
	slots := &d.passage.copies.slots[0]
	if d.passage.copies.begin(); slots != &d.passage.copies.slots[0] {
		t.Error("the next record needs another table")
	}
}

// A number of record that comes again does not make free slots look used.
//
// Guard: the turn in begin.
func TestCopiesAtTheLastTurn(t *testing.T) {
	c := copies{seed: maphash.MakeSeed(), turn: math.MaxUint32}
	for range 2 {
		c.begin()
		for id := range 10 {
			e := cloudtrail.Event{EventID: cloudtrail.Value(fmt.Sprintf(`"%d"`, id))}
			if c.isCopy(&e, false) || !c.isCopy(&e, false) {
				t.Fatalf("turn %d: event %d", c.turn, id)
			}
		}
	}
}

// Records of few events need a small table, however many there are.
//
// Guard: used in begin.
func TestCopiesOfManyRecords(t *testing.T) {
	c := copies{seed: maphash.MakeSeed()}
	for range 400 {
		c.begin()
		for id := range 25 {
			c.isCopy(&cloudtrail.Event{EventID: cloudtrail.Value(fmt.Sprintf(`"%d"`, id))}, false)
		}
	}
	if len(c.slots) != minCopySlots {
		t.Errorf("%d slots", len(c.slots))
	}
}
