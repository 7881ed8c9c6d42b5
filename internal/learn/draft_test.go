package learn

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// load reads a draft as a policy.
func load(t *testing.T, d *Draft) *policyfile.File {
	t.Helper()
	var out bytes.Buffer
	if err := d.Write(&out); err != nil {
		t.Fatal(err)
	}
	f, err := policyfile.Parse("draft.yaml", out.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	return f
}

// What a company does is recovered exactly, and the draft is a policy that says it.
func TestDraftRecoversHabits(t *testing.T) {
	l := NewLearner(end.Add(time.Hour))
	learnCalls(t, l, company()...)
	learnCalls(t, l,
		call{account: "444444444444", region: "eu-north-1", read: true},
		call{account: accounts[0], region: "sa-east-1", role: "late\u2028\\n# x", day: 1})
	f := load(t, l.Draft(Options{Accounts: map[string]policy.Account{accounts[0]: {Name: "one: # \"x\"", OU: "a: #/[b]"}}, Source: "logs\n- x"}))
	got := map[string][]string{}
	for _, id := range append([]string{"999999999999"}, f.Policy.Accounts()...) {
		if e := f.Policy.Effective(id, end); e.AllowList {
			got[id] = e.Listed
		} else if len(e.Unused) != len(catalogue) {
			t.Errorf("account %s: %v", id, e)
		}
	}
	want := map[string][]string{
		"999999999999": {"eu-west-1", "us-east-1"}, accounts[0]: {"eu-west-1", "us-east-1"}, accounts[1]: {"eu-west-1", "us-east-1"},
		accounts[2]: {"us-east-1", "us-west-2"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(f.Policy.Accounts()) != 4 {
		t.Errorf("accounts %v", f.Policy.Accounts())
	}
}

// Levels that share regions share a set, and merging marks what it widens.
func TestDraftMerges(t *testing.T) {
	l := NewLearner(end)
	for i, account := range []string{"111111111111", "222222222222", "333333333333"} {
		for _, region := range []string{"us-east-1", "us-west-2", []string{"eu-west-1", "eu-north-1", "us-west-2"}[i]} {
			learnCalls(t, l, roles(2, days(60, 0, call{account: account, region: region, role: "deploy"}))...)
		}
	}
	apart := l.Draft(Options{})
	var out strings.Builder
	if err := apart.Write(&out); err != nil || !strings.Contains(out.String(), `"@core", eu-north-1`) {
		t.Errorf("%v; no shared set in\n%s", err, out.String())
	}
	merged := l.Draft(Options{MaxGroups: 1})
	if got := load(t, merged).Policy.Effective("222222222222", end).Listed; merged.Review() != 1 || len(got) < 2 {
		t.Errorf("%d to review, %v", merged.Review(), got)
	}
}

// Merging widens no more than the best of all ways, which another algorithm tries.
func TestMergeMinimal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var levels []level
		seen := map[regionSet]bool{}
		for range 1 + random.IntN(6) {
			if s := regionSet(random.IntN(32)); !seen[s] {
				seen[s] = true
				levels = append(levels, level{s, 1 + random.IntN(5)})
			}
		}
		most := 1 + random.IntN(4)
		into, got := merge(levels, most), 0
		used := map[regionSet]bool{}
		for _, l := range levels {
			if l.allowed&^into[l.allowed] != 0 {
				t.Fatalf("%v became %v: a region is lost", l, into[l.allowed])
			}
			got += l.accounts * bits.OnesCount64(uint64(into[l.allowed]&^l.allowed))
			used[into[l.allowed]] = true
		}
		if want := least(levels, nil, most); got != want || len(used) > most {
			t.Fatalf("merge(%v, %d) widens by %d with %d lists, want %d", levels, most, got, len(used), want)
		}
	}
}

// least puts the first level into each block in turn.
func least(levels []level, blocks [][]level, most int) int {
	if len(levels) == 0 {
		n := 0
		for _, b := range blocks {
			n += widening(b)
		}
		return n
	}
	best := -1
	for i := range min(len(blocks)+1, most) {
		next := slices.Clone(blocks)
		if i == len(blocks) {
			next = append(next, nil)
		}
		next[i] = append(slices.Clone(next[i]), levels[0])
		if n := least(levels[1:], next, most); best < 0 || n < best {
			best = n
		}
	}
	return best
}

func TestEvidence(t *testing.T) {
	l := NewLearner(end)
	learnCalls(t, l, company()...)
	learnCalls(t, l, call{account: accounts[0], region: "us-east-1", read: true, failed: true})
	d := l.Draft(Options{Accounts: map[string]policy.Account{accounts[0]: {Name: "=1+1", OU: "Lab"}}})
	var lines, table strings.Builder
	if err := d.WriteNDJSON(&lines); err != nil {
		t.Fatal(err)
	}
	var first, want Evidence
	for line := range strings.Lines(lines.String()) {
		if strings.Contains(line, `"us-east-1"`) {
			if err := json.Unmarshal([]byte(line), &first); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	want = Evidence{
		Account: accounts[0], Name: "=1+1", OU: "Lab", Region: "us-east-1", Verdict: "allowed", Reads: 1, Writes: 270, Failed: 1,
		FirstSeen: "2026-08-31", LastSeen: "2026-11-28", ActiveDays: 90, WriteDays: 90, Principals: 3,
		TopPrincipals: first.TopPrincipals, TopSources: []Count{{"ec2.amazonaws.com", 270}},
	}
	if diff := cmp.Diff(want, first); diff != "" || len(first.TopPrincipals) != 3 {
		t.Error(diff, first.TopPrincipals)
	}
	if err := d.WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(table.String())).ReadAll()
	if err != nil || len(rows) != 7 || rows[1][1] != "'=1+1" {
		t.Errorf("%v: %v", err, rows)
	}
}
