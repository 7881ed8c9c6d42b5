package policyfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// An export that came out empty would put its accounts under the default, and one row that is too short hides no other.
func TestLoadCSVFailure(t *testing.T) {
	f := func(csv string, want ...string) {
		t.Helper()
		folder := t.TempDir()
		for name, text := range map[string]string{"a.csv": csv, "policy.yaml": "accounts_from: [a.csv]"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		file, err := Load(filepath.Join(folder, "policy.yaml"), nil)
		if err == nil || strings.ReplaceAll(err.Error(), folder+"/", "") != strings.Join(want, "\n") {
			t.Errorf("%q: %v", csv, err)
		}
		if len(file.Files) != 2 {
			t.Errorf("%q: files %q, want both, as a change of either may mend it", csv, file.Files)
		}
	}
	f("name\na\n", "a.csv:1:1: the column account is missing")
	f("", "a.csv: the file is empty")
	f("\xef\xbb\xbf\r\n", "a.csv: the file is empty")
	f("account,\"name\n", `a.csv:1:15: invalid CSV: extraneous or missing " in quoted-field`)
	f("account,name\r\n111111111111\r\n12,a\r\n", "a.csv:2:1: invalid CSV: wrong number of fields", `a.csv:3:1: "12" is not an account id, which has 12 digits`)
}

// Accounts are read before the policy whose groups they name; what surrounds a text is not part of it.
func TestParseAccounts(t *testing.T) {
	got, err := ParseAccounts("a", []byte("account, Name ,group\n 111111111111 , a ,prod\n"))
	if want := []policy.Account{{ID: "111111111111", Name: "a", Group: "prod"}}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// FuzzCSV: the same for a CSV of accounts.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("account,name,owner,environment,group\n111111111111,a,b,c,\n"))
	f.Add([]byte("account\n\"1"))
	f.Fuzz(func(t *testing.T, source []byte) {
		r := &reader{name: "fuzz", file: "fuzz", places: places{}}
		r.csv(source)
		if _, err := r.read(func() {}, policy.Compile); err != nil && strings.Contains(err.Error(), "BUG:") {
			t.Error(err)
		}
	})
}
