package cloudtrail

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// damagedRecords returns short records with a fault at one byte each: events beside decoys, in envelopes and out of them.
func damagedRecords() (records []string) {
	r, w := rand.New(rand.NewPCG(3, 4)), newWrapping(11)
	for len(records) < 250 {
		template, _, isQuoted := damagedTemplate(r)
		if r.IntN(2) == 0 {
			records = append(records, fillTemplate(template, isQuoted, func() string { return decoy(r) }))
		} else if record, _ := damageByte(r, w.record(2)); len(record) < 500 && len(record) > 0 {
			records = append(records, record)
		}
	}
	return records
}

// lines records each call as found does, with all that a fault says.
type lines struct {
	bytes.Buffer
	calls int // of events and faults
	left  int // of those, before the sink is full; negative means that it never is
}

var errFull = errors.New("the sink is full")

func (l *lines) Event(e *Event) error {
	fmt.Fprintf(l, "  event %d %s %q %q", e.Index, e.Shape, e.AWSRegion, e.ReadOnly)
	if e.Damage != nil {
		fmt.Fprintf(l, " salvaged %t: %v", e.Salvaged, e.Damage)
	}
	fmt.Fprintf(l, " of %d bytes\n", len(e.Raw))
	return l.called()
}

func (l *lines) Skip(k Kind, shape Chain) { fmt.Fprintf(l, "  skip %s %s\n", k, shape) }

func (l *lines) Fault(f *Fault) error {
	fmt.Fprintf(l, "  fault %d %s %s at %d of %d bytes: %v\n", f.Index, f.Reason, f.Shape, f.Offset, len(f.Piece), f.Err)
	return l.called()
}

func (l *lines) called() error {
	l.calls++
	if l.left--; l.left == 0 {
		return errFull
	}
	return nil
}

// knownRegions is a catalogue.
func knownRegions(code []byte) bool {
	return slices.Contains([]string{"eu-west-3", "us-east-1", "us-west-1"}, string(code))
}

// What is found in damaged records, call by call. Each is checked for what matters elsewhere; here any change shows. Write
// the file anew with go test ./schema/cloudtrail -run TestDamageGolden -update, and read the difference.
func TestDamageGolden(t *testing.T) {
	got := lines{left: -1}
	for i, record := range damagedRecords() {
		fmt.Fprintf(&got, "%d: %.60q\n", i, record)
		got.decode(t, NewDecoder(0), i%4 > 0, i%3 == 0, record)
	}
	got.golden(t, "damage.golden")
}

// The same for records of which each is read another way if one thing in the code is another: they were found so, among
// thousands of damaged records. A line has the bound, whether there is a catalogue, Decoder.LostReadOnly and the record.
func TestRareGolden(t *testing.T) {
	got := lines{left: -1}
	for _, r := range rareRecords(t) {
		fmt.Fprintf(&got, "%d %t %t %.60q\n", r.most, r.isKnown, r.lostReadOnly, r.record)
		got.decode(t, NewDecoder(r.most), r.isKnown, r.lostReadOnly, r.record)
	}
	got.golden(t, "rare.golden")
}

type rareRecord struct {
	most                  int
	isKnown, lostReadOnly bool
	record                string
}

func rareRecords(t *testing.T) (list []rareRecord) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "rare.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r rareRecord
		if _, err := fmt.Sscanf(line, "%d %t %t %q\n", &r.most, &r.isKnown, &r.lostReadOnly, &r.record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, r)
	}
	return list
}

// decode adds what a decoder finds in a record.
func (l *lines) decode(t *testing.T, d *Decoder, isKnown, lostReadOnly bool, record string) {
	t.Helper()
	if d.LostReadOnly = lostReadOnly; isKnown {
		d.KnownRegion = knownRegions
	}
	if err := d.Decode([]byte(record), l); err != nil {
		t.Fatal(err)
	}
}

// golden compares the lines with a file of testdata, which it writes with -update.
func (l *lines) golden(t *testing.T, name string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, l.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, l.Bytes()) {
		t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(string(want), l.String()))
	}
}

// stoppedRecords are records of which each part may be the last, whole and damaged.
func stoppedRecords() []string {
	deep := "x: " + toBase64(paris)
	for range MaxNesting + 1 {
		deep = `{"x":` + quote(deep) + `}`
	}
	deepest := paris
	for range MaxNesting {
		deepest = compress(deepest)
	}
	oops := strings.Replace(paris, `"cli"`, `cli`, 1)
	half, rest := `{"eventVersion":"1","awsRegion":"eu-west-3","x":oops`, `"readOnly":false}`
	return []string{
		paris, oops, deep, deep + "\n" + tokyo, toBase64(paris), toBase64(paris) + "!", compress(paris)[:40], compress(paris) + "x", "x: " + toBase64(paris),
		`{"a":"` + toBase64(compress(paris)+"x") + `","b":` + paris + `}`, half + "\n" + rest, half + "}\n{" + rest, `{"a":` + half + `,{` + rest + `}`,
		`{"Records":[` + paris + `,7,[1],` + oops + `,{"awsRegion":"us-east-1"},` + tokyo + `],"x":` + quote(paris) + `,"y":{"z":` + paris + `}}`,
		`{"Records":[` + paris + tokyo + `]}x`, `{"Records":[` + paris, `{"Records":[` + paris + `],` + paris[1:], `{"Records":[,` + paris + `],` + paris[1:],
		`[` + paris + `,[` + paris + `,oops],` + tokyo + `!` + berlin + `]`, paris + "\n" + oops + "\n7\n\"x\"\n" + tokyo + "}", paris + `,` + tokyo,
		"<134>1 host: " + paris + "\n<134>1 host: " + oops + "\nx " + quote(paris) + "\nx [" + paris + "]", quote(paris), quote(oops), quote(paris)[:100],
		`{"message":` + quote(oops) + `,"log":` + quote(paris+"}") + `,"payload":` + oops + `}`, `{"eventSource":"aws:sqs","body":"x"}`, `{"eventversion":"1","awsregion":"x"}`,
		`{"logEvents":[{"message":` + quote(paris) + `},{"message":` + quote(paris) + `,"x":oops},{"message":` + quote(paris) + `}]}`,
		`{"logEvents":[{"message":` + quote(paris) + `},1,"x",{"a":1},{"message":` + quote(paris) + `}]}`, `{"readOnly":false,"x":` + oops + `,"awsRegion":"us-east-1"`,
		`{"awsRegion":"us-east-1"}`, "{\xff\xfe\x00", "\xff\xfe{\x00", strings.Replace(paris, `"awsRegion"`, `"x":1},"awsRegion"`, 1), "hello", "7",
		compress(deepest), `{"x":"{oops ` + toBase64(paris) + `"}`, `{"x":"{oops ` + toBase64(compress(paris)+"x") + `"}`,
		`{"x":[{"a":` + quote(paris) + `]` + paris + `,{"b":` + paris + `}`,
		`[` + paris + `,` + paris + `]`, `{"Records":[` + paris + `,` + paris + `]}`, `[` + paris + ` ` + paris + `]`,
		`["\\u0061wsRegion\\\":\\\"eu-west-3\\\",\\\"\\u0072eadOnly\\\":false"]`,
	}
}

// Whichever call of the sink fails: no call of an event or fault follows, and its error comes back as it is. The next record
// is read as ever.
func TestDecodeReturnsTheErrorOfEachCall(t *testing.T) {
	records := append(damagedRecords(), stoppedRecords()...)
	for _, r := range rareRecords(t) {
		records = append(records, r.record, r.record) // without readOnly, and with it
	}
	for i, record := range records {
		for _, most := range []int{0, len(record), len(record) + 300} {
			d := NewDecoder(most)
			d.KnownRegion, d.LostReadOnly = knownRegions, i%2 == 0
			whole := lines{left: -1}
			if err := d.Decode([]byte(record), &whole); err != nil {
				t.Fatal(err)
			}
			for n := range whole.calls {
				l := lines{left: n + 1}
				if err := d.Decode([]byte(record), &l); err != errFull || l.calls != n+1 {
					t.Errorf("call %d of %d: %v, %d calls: %q", n, whole.calls, err, l.calls, record)
				}
			}
		}
	}
}
