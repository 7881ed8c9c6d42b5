package policyfile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestLoadSuccess(t *testing.T) {
	f, err := Load("testdata/good/policy.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := policy.Options{
		Version: "2026-11-01",
		Default: policy.Level{UnusedRegions: []string{"ap-east-1", "eu-west-3", "eu-central-1"}},
		Groups: []policy.Group{
			{Name: "sandbox", Accounts: []string{"111111111111"}, Level: &policy.Level{AllowedRegions: []string{"us-east-1"}}},
			{Name: "trial", Level: &policy.Level{UnusedRegions: []string{"ap-east-1"}, Shadow: true}},
		},
		Accounts: []policy.Account{
			{
				ID: "222222222222", Name: "payments-prod", Owner: "payments@example.com", Environment: "prod",
				Level: &policy.Level{UnusedRegions: []string{"ap-east-1"}, Severity: "Critical", FailedSeverity: "Low"},
			},
			{ID: "000000000001", Name: "management", Group: "trial", Tags: map[string]string{"cost-center": "42", "tier": "1"}},
			{
				ID: "333333333333", Name: "legacy",
				Level: &policy.Level{AllowedRegions: []string{"us-east-1"}, ExemptGlobalServices: &no, AlertOnMissingReadOnly: true},
			},
			{ID: "444444444444", Name: "one", Group: "trial"},
			{ID: "555555555555", Name: "two"},
			{ID: "666666666666", Name: "Data, Inc.", Owner: "data@example.com", Environment: "prod", Group: "sandbox"},
			{ID: "777777777777", Name: "x"},
		},
		Exceptions: []policy.Exception{
			{
				Name: "config-recorder", Reason: "AWS Config records in every region", Owner: "cloud-platform@example.com",
				Expires: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC), EventSources: []string{"config.amazonaws.com"},
				Principals: []string{"arn:aws:iam::*:role/aws-service-role/*"},
			},
			{
				Name: "stack-sets", Reason: "StackSets roll out guard rails", Owner: "cloud-platform@example.com",
				Groups: []string{"sandbox"}, Regions: []string{"eu-west-3"}, EventNames: []string{"Create*"},
				SourceIPs: []string{"192.0.2.0/24", "cloudformation.amazonaws.com"}, ServiceInvoked: true,
			},
		},
	}
	if diff := cmp.Diff(want, f.Options); diff != "" {
		t.Error(diff)
	}
	if f.Policy.Version() != "2026-11-01" || len(f.Files) != 6 {
		t.Errorf("version %s, files %q", f.Policy.Version(), f.Files)
	}
	warnings := f.Policy.Warnings(time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC))
	last := f.Locate(warnings[len(warnings)-1]).Error()
	if want := "testdata/good/policy.yaml:18:14: it expired at 2027-03-31T00:00:00Z: what it was for alerts again"; last != want {
		t.Errorf("warning %q, want %q", last, want)
	}
}

// A key may be spelled with hyphens, as settings' flags are. That is a warning: files have one spelling.
func TestKeySpelledAsFlag(t *testing.T) {
	f, err := Parse("policy.yaml", []byte("default:\n  unused-regions: [eu-west-3]\n  missing_read_only: alert\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(f.Spelled), "policy.yaml:2:3: unused-regions is spelled unused_regions"; got != want || len(f.Options.Default.UnusedRegions) != 1 {
		t.Errorf("got %q, want %q; %v", got, want, f.Options.Default)
	}
	_, err = Parse("policy.yaml", []byte("default:\n  unused-regions: [eu-west-3]\n  unused_regions: [eu-west-3]\n"))
	if want := "policy.yaml:3:3: unused_regions is already set in line 2"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestLoadFailure holds every mistake in each testdata/bad/policy.WHAT-IS-WRONG.yaml against the golden file beside
// it. Write them anew with go test ./policyfile -run TestLoadFailure -update, and read the difference.
func TestLoadFailure(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/policy.*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range append(files, "testdata/bad/policy.missing.yaml") {
		_, err := Load(name, nil)
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: %v, want faults", name, err)
			continue
		}
		golden := strings.TrimSuffix(name, ".yaml") + ".golden"
		got := []byte(faults.Error() + "\n")
		if *update {
			if err := os.WriteFile(golden, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(string(want), string(got)))
		}
	}
}

// Of a folder, only the files of accounts that are in view are read. What is missing is watched all the same, so that it
// is read once it is there.
func TestAccountsFrom(t *testing.T) {
	folder := t.TempDir()
	f := func(names, want string, files ...string) {
		t.Helper()
		name := filepath.Join(folder, "policy.yaml")
		if err := os.WriteFile(name, []byte("accounts_from: ["+names+"]"), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Load(name, nil)
		if (err == nil) != (want == "") || err != nil && strings.ReplaceAll(err.Error(), folder+"/", "") != want {
			t.Errorf("%s: %v, want %s", names, err, want)
		}
		for i := range file.Files {
			file.Files[i], _ = filepath.Rel(folder, file.Files[i])
		}
		if !cmp.Equal(file.Files, files) {
			t.Errorf("%s: files %q, want %q", names, file.Files, files)
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, "d", "folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".hidden.csv", "a.csv", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(folder, "d", name), []byte("account\n111111111111\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f("d", "", "policy.yaml", "d", "d/a.csv")
	f("b.csv", `policy.yaml:1:17: "b.csv": no such file or directory`, "policy.yaml", "b.csv")
	f("policy.yaml", `policy.yaml:1:17: "policy.yaml" is read twice`, "policy.yaml")
	if err := cause(errors.ErrUnsupported); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

// A folder of accounts may hold what is no file: reading a named pipe would never end, and with it no change of the
// policy would come any more.
func TestLoadNamedPipe(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policy, []byte("accounts_from: ["+folder+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(policy, nil); err == nil || !strings.HasSuffix(err.Error(), `policy.yaml:1:17: "`+folder+`/pipe.yaml" is not a regular file`) {
		t.Errorf("%v", err)
	}
}

// FuzzParse: whatever comes, there is a policy or there are faults, each with the name of its file.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yaml")
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := Parse("fuzz", source)
		var faults Faults
		switch {
		case err == nil && p.Policy != nil:
			for _, w := range p.Policy.Warnings(time.Time{}) {
				if p.Locate(w).Text == "" {
					t.Errorf("%+v", w)
				}
			}
		case !errors.As(err, &faults) || len(faults) == 0:
			t.Fatalf("%v, %v", p, err)
		}
		for _, fault := range faults {
			if fault.File != "fuzz" || fault.Text == "" || fault.Line < 0 || strings.HasPrefix(fault.Text, "BUG:") {
				t.Errorf("%+v", fault)
			}
		}
	})
}

// TestParseDeep: brackets without end cost no more memory than the library that reads policies takes. Asking the other
// one for the place took 15 GB for this file.
func TestParseDeep(t *testing.T) {
	source := []byte("default: " + strings.Repeat("[", 100_000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Parse("policy.yaml", source); err == nil {
		t.Fatal("no error")
	}
	runtime.ReadMemStats(&after)
	if most := uint64(256 << 20); after.TotalAlloc-before.TotalAlloc > most {
		t.Errorf("%d bytes were allocated, want at most %d", after.TotalAlloc-before.TotalAlloc, most)
	}
}

// A policy that is a directory is a mistake, not an empty policy.
func TestLoadDirectory(t *testing.T) {
	folder := t.TempDir()
	if _, err := Load(folder, nil); err == nil || err.Error() != folder+": is a directory" {
		t.Errorf("%v", err)
	}
}

// A file that is read again and again is closed each time.
func TestLoadCloses(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage collection would close forgotten files
	descriptors := func() int {
		if _, err := Load("testdata/good/policy.yaml", nil); err != nil {
			t.Error(err)
		}
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(open)
	}
	if before, after := descriptors(), descriptors(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// Each file may have exactly MaxBytes, and a folder exactly maxFiles files.
func TestBounds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "policy.yaml")
	f := func(size int, want string) {
		t.Helper()
		source := append([]byte("version: a"), bytes.Repeat([]byte("\n"), size-len("version: a"))...)
		if err := os.WriteFile(name, source, 0o600); err != nil {
			t.Fatal(err)
		}
		_, loadErr := Load(name, nil)
		_, parseErr := Parse("p", source)
		for _, err := range []error{loadErr, parseErr} {
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%d bytes: %v, want %q", size, err, want)
			}
		}
	}
	f(MaxBytes, "")
	f(MaxBytes+1, fmt.Sprint(MaxBytes))
	for size := MaxBytes; size <= MaxBytes+1; size++ {
		source := append([]byte("account\n111111111111"), bytes.Repeat([]byte("\n"), size-len("account\n111111111111"))...)
		if accounts, err := ParseAccounts("a", source); (err == nil) != (size == MaxBytes) || err == nil && len(accounts) != 1 {
			t.Errorf("%d bytes: %d accounts, %v", size, len(accounts), err)
		}
	}

	folder := filepath.Join(t.TempDir(), "accounts.d")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("accounts_from: ["+folder+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	const most = 3
	for n := range most + 2 {
		_, err := load(name, nil, most)
		refused := err != nil && strings.Contains(err.Error(), fmt.Sprintf("has %d files .yaml, .yml or .csv; 1 to %d are allowed", n, most))
		if want := n == 0 || n > most; refused != want || (err == nil) == want {
			t.Errorf("%d files: %v", n, err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.csv", n)), fmt.Appendf(nil, "account\n%012d\n", n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A fault quotes a text of 100 bytes, and of a longer one so much.
func TestCut(t *testing.T) {
	text := strings.Repeat("x", 100)
	if cut(text) != text || cut(text+"x") != text+"…" {
		t.Errorf("%q, %q", cut(text), cut(text+"x"))
	}
}

// Groups follow the inventory: an account that moves to another unit, or is tagged anew, changes its group and the hash.
func TestGroupsFollowInventory(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "policy.yaml")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("policy.yaml", "groups:\n  prod: { ous: [Workloads/Prod], allowed_regions: [us-east-1] }\n  lab: { tags: { env: lab }, allowed_regions: [us-west-2] }\naccounts_from: [organization.csv]\n")
	hashes := map[string]bool{}
	for row, want := range map[string]string{"Workloads/Prod/EU,": "group prod", "Workloads/Dev,": "default", "Workloads/Dev,team=x; env=lab": "group lab"} {
		write("organization.csv", "account,ou,tags\n111111111111,"+row+"\n")
		f, err := Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Policy.Effective("111111111111", time.Time{}).Level; got != want {
			t.Errorf("%s: %s, want %s", row, got, want)
		}
		hashes[f.Policy.Hash()] = true
	}
	if len(hashes) != 3 {
		t.Errorf("%d hashes, want 3", len(hashes))
	}
}

func TestMode(t *testing.T) {
	for mode, shadow := range map[string]bool{"": false, "mode: alert\n": false, "mode: shadow\n": true} {
		name := filepath.Join(t.TempDir(), "policy.yaml")
		if err := os.WriteFile(name, []byte(mode+"default: {unused_regions: [ap-east-1]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := Load(name, nil); err != nil || f.Options.Shadow != shadow {
			t.Errorf("%q: %+v, %v", mode, f, err)
		}
	}
}
