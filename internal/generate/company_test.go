package generate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/internal/organization"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

var companyEnd = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// pupil hands events to a learner.
type pupil struct {
	t      *testing.T
	l      *learn.Learner
	events int
}

func (p *pupil) Event(e *cloudtrail.Event) error            { p.events++; p.l.Add(e); return nil }
func (p *pupil) Skip(k cloudtrail.Kind, _ cloudtrail.Chain) { p.t.Errorf("skipped: %v", k) }
func (p *pupil) Fault(f *cloudtrail.Fault) error            { p.t.Errorf("fault: %v", f.Err); return nil }

// What learning finds in the traffic of a company is what was planted, account by account, and the organization reads
// the same from both of its forms.
func TestCompanyIsRecovered(t *testing.T) {
	for seed := range uint64(2) {
		dir := filepath.Join(t.TempDir(), "company")
		c, err := sample.NewCompany(seed, 14, companyEnd)
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewCompany(dir, false, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := &pupil{t: t, l: learn.NewLearner(companyEnd)}
		logs, err := filepath.Glob(filepath.Join(dir, "logs", "*.json.gz"))
		if err != nil || len(logs) != 14*sample.CompanyDays {
			t.Fatalf("%d files, %v", len(logs), err)
		}
		decoder := cloudtrail.NewDecoder(0)
		for _, name := range logs {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := decoder.Decode(text, p); err != nil {
				t.Fatal(err)
			}
		}
		if p.events != w.Events {
			t.Errorf("seed %d: %d events, want %d", seed, p.events, w.Events)
		}
		wantTruth(t, p.l, readBoth(t, dir), w)
	}
}

// readBoth returns the accounts of the organization, which is the same in both of its forms.
func readBoth(t *testing.T, dir string) map[string]policy.Account {
	t.Helper()
	folder, err := organization.ReadFolder(os.DirFS(filepath.Join(dir, "organization")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "organization.csv"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := organization.Parse("organization.csv", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table, folder); diff != "" {
		t.Error(diff)
	}
	accounts := map[string]policy.Account{}
	for _, a := range table {
		accounts[a.ID] = a
	}
	return accounts
}

func wantTruth(t *testing.T, l *learn.Learner, accounts map[string]policy.Account, w *Company) {
	t.Helper()
	draft := l.Draft(learn.Options{Accounts: accounts})
	var text bytes.Buffer
	if err := draft.Write(&text); err != nil {
		t.Fatal(err)
	}
	file, err := policyfile.Parse("draft", text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	review := map[string][]string{}
	for _, a := range draft.Accounts {
		for _, r := range a.Regions {
			if len(r.Reasons) > 0 {
				review[a.ID] = append(review[a.ID], r.Code)
			}
		}
	}
	for i := range w.Accounts {
		m := &w.Accounts[i]
		for _, list := range [][2][]string{{file.Policy.Effective(m.Account, companyEnd).Listed, m.Regions}, {review[m.Account], m.Review}} {
			if got, want := slices.Sorted(slices.Values(list[0])), list[1]; !slices.Equal(got, want) {
				t.Errorf("account %s, %s: %q, want %q", m.Account, m.Name, got, want)
			}
		}
	}
	if !slices.ContainsFunc(file.Options.Groups, func(g policy.Group) bool { return len(g.OUs) > 0 }) {
		t.Errorf("no unit stands for its accounts in\n%.3000s", text.String())
	}
}

// The same seed makes the same company, another seed another one.
func TestCompanyIsDeterministic(t *testing.T) {
	made := func(seed uint64) string {
		c, err := sample.NewCompany(seed, 5, companyEnd)
		if err != nil {
			t.Fatal(err)
		}
		text, n := c.AppendDay(nil, &c.Members[0], 3)
		return fmt.Sprint(c.Members, n, string(text))
	}
	if first, second := made(1), made(1); first != second {
		t.Error("two runs differ")
	}
	if made(1) == made(2) {
		t.Error("two seeds agree")
	}
	if _, err := sample.NewCompany(1, sample.MaxAccounts+1, companyEnd); err == nil {
		t.Error("too many accounts are no error")
	}
}
