package organization

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

func TestParseSuccess(t *testing.T) {
	f := func(text string, want ...policy.Account) {
		t.Helper()
		if got, err := Parse("x", []byte(text)); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	one := policy.Account{ID: "111111111111", Name: "one"}
	f(`{"Accounts":[{"Id":"111111111111","Name":"one","Email":"x"}]}`, one)
	f("\ufeffname,account\none,111111111111\n", one)
	one.OU, one.Tags, one.Group = "Workloads/Prod", map[string]string{"env": "prod", "team": "x"}, "any"
	f("name,account,ou,tags,group\none,111111111111,Workloads/Prod,env=prod;team=x,any\n", one)
}

func TestParseFailure(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := Parse("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	f("", "x: the file is empty")
	f("{}", "x: it has no Accounts; want the output of aws organizations list-accounts")
	f("{", "x: reading accounts: unexpected end of JSON input; want the output of aws organizations list-accounts")
	f(`{"Accounts":[{"Id":"1"}]}`, `x: account 1: "1" is not an account id, which has 12 digits`)
	f(`{"Accounts":[{"Id":"111111111111"},{"Id":"111111111111"}]}`, "x: account 111111111111: duplicate account")
	f("a,b\n", `x:1:1: "a" is not a column`)
	f("name\nx\n", "x:1:1: the column account is missing")
	f("account,name\n1,x\n", `x:2:1: "1" is not an account id, which has 12 digits`)
	f("account,ou\n111111111111,/x\n", `x:2:14: "/x" is not the path of an organizational unit`)
	f("account,name\n\"\n", "x:2:2: invalid CSV")
}

// aws is the folder of an organization with two units, one within the other.
func aws() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"list-accounts.json":                             `{"Accounts":[{"Id":"111111111111","Name":"one"},{"Id":"222222222222","Name":"two"},{"Id":"333333333333","Name":"three"}]}`,
		"list-organizational-units-for-parent.r-1.json":  `{"OrganizationalUnits":[{"Id":"ou-a","Arn":"x","Name":"Workloads"}]}`,
		"list-organizational-units-for-parent.ou-a.json": `{"OrganizationalUnits":[{"Id":"ou-b","Name":"Prod"}]}`,
		"list-organizational-units-for-parent.ou-b.json": `{"OrganizationalUnits":[]}`,
		"list-parents.111111111111.json":                 `{"Parents":[{"Id":"r-1","Type":"ROOT"}]}`,
		"list-parents.222222222222.json":                 `{"Parents":[{"Id":"ou-a","Type":"ORGANIZATIONAL_UNIT"}]}`,
		"list-parents.333333333333.json":                 `{"Parents":[{"Id":"ou-b","Type":"ORGANIZATIONAL_UNIT"}]}`,
		"list-tags-for-resource.111111111111.json":       `{"Tags":[]}`,
		"list-tags-for-resource.222222222222.json":       `{"Tags":[{"Key":"env","Value":"prod"},{"Key":"a","Value":""}]}`,
		"list-tags-for-resource.333333333333.json":       `{"Tags":[]}`,
		".hidden.json": "x", "get.sh": "x",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestReadFolderSuccess(t *testing.T) {
	got, err := ReadFolder(aws())
	want := []policy.Account{
		{ID: "111111111111", Name: "one"},
		{ID: "222222222222", Name: "two", OU: "Workloads", Tags: map[string]string{"env": "prod", "a": ""}},
		{ID: "333333333333", Name: "three", OU: "Workloads/Prod"},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
}

// Every file that lacks something, or is lost, is an error: an account must not move to another group by accident.
func TestReadFolderFailure(t *testing.T) {
	f := func(name, text, want string) {
		t.Helper()
		files := aws()
		if files[name] = (&fstest.MapFile{Data: []byte(text)}); text == "" {
			delete(files, name)
		}
		if _, err := ReadFolder(files); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	f("list-accounts.json", "", "the folder has no list-accounts.json")
	f("list-parents.222222222222.json", "", "list-parents.222222222222.json is missing, but that of other accounts is there")
	f("list-tags-for-resource.222222222222.json", "", "list-tags-for-resource.222222222222.json is missing, but that of other accounts is there")
	const unknown = "account %s: unit %q is in no list-organizational-units-for-parent.ID.json below a root, whose id begins with r-"
	f("list-organizational-units-for-parent.ou-a.json", "", fmt.Sprintf(unknown, "333333333333", "ou-b"))
	f("list-organizational-units-for-parent.r-1.json", `{"OrganizationalUnits":[]}`, fmt.Sprintf(unknown, "222222222222", "ou-a"))
	f("list-organizational-units-for-parent.r-1.json", `{"OrganizationalUnits":[{"Id":"ou-b","Name":"b"},{"Id":"ou-x","Name":"x"}]}`, fmt.Sprintf(unknown, "222222222222", "ou-a"))
	f("list-organizational-units-for-parent.z.json", `{"OrganizationalUnits":[{"Id":"z","Name":"loop"},{"Id":"ou-a","Name":"a"}]}`, fmt.Sprintf(unknown, "222222222222", "z"))
	f("list-organizational-units-for-parent.ou-b.json", `{"OrganizationalUnits":[{"Id":"ou-c","Name":"a/b"}]}`,
		`list-organizational-units-for-parent.ou-b.json: the name of unit "a/b" has a slash, which is between units in a path; rename it in a CSV`)
	f("list-parents.222222222222.json", `{"Parents":[]}`, "list-parents.222222222222.json: it has 0 Parents, want one")
	f("list-parents.222222222222.json", `{`, "list-parents.222222222222.json: reading the output of aws organizations list-parents: unexpected end of JSON input")
	const names = "want files named list-accounts.json, list-parents.ID.json, list-organizational-units-for-parent.ID.json and list-tags-for-resource.ID.json"
	f("accounts.json", `{}`, "accounts.json: "+names)
	f("list-parents.json", `{}`, "list-parents.json: "+names)
	f("list-accounts.json", `{"Accounts":[{"Id":"1"}]}`, "list-parents.1.json is missing, but that of other accounts is there")
	f("list-accounts.json", `{"Accounts":[{"Id":"111111111111","Name":"`+strings.Repeat("x", 300)+`"}]}`, "account 111111111111: name: the text has 300 bytes, 256 are allowed")
}

// A folder may lack the units or the tags of all accounts, and one tag is enough. Those of some accounts only are a fault,
// even of one.
func TestReadFolderParts(t *testing.T) {
	f := func(want string, leave ...string) {
		t.Helper()
		files := aws()
		files["list-tags-for-resource.222222222222.json"] = &fstest.MapFile{Data: []byte(`{"Tags":[{"Key":"env","Value":"prod"}]}`)}
		for name := range files {
			isPart := strings.HasPrefix(name, "list-parents.") || strings.HasPrefix(name, "list-tags-")
			if isPart && !slices.ContainsFunc(leave, func(part string) bool { return strings.HasPrefix(name, part) }) {
				delete(files, name)
			}
		}
		accounts, err := ReadFolder(files)
		if err != nil {
			if !strings.Contains(err.Error(), want) || want == "" {
				t.Errorf("%q: %v, want %q", leave, err, want)
			}
			return
		}
		if got := fmt.Sprint(accounts[1].OU, accounts[1].Tags); got != want {
			t.Errorf("%q: %s, want %s", leave, got, want)
		}
	}
	f("map[]")
	f("Workloadsmap[]", "list-parents.")
	f("map[env:prod]", "list-tags-")
	f("list-parents.111111111111.json is missing", "list-parents.2")
	f("list-tags-for-resource.111111111111.json is missing", "list-tags-for-resource.2")
}

// A file of exactly the bound is read whole.
func TestReadFolderBound(t *testing.T) {
	for size := policyfile.MaxBytes; size <= policyfile.MaxBytes+1; size++ {
		files := aws()
		list := files["list-accounts.json"]
		list.Data = append(list.Data, strings.Repeat(" ", size-len(list.Data)-1)+"\n"...)
		accounts, err := ReadFolder(files)
		if fits := size == policyfile.MaxBytes; fits != (err == nil) || fits != (len(accounts) == 3) || !fits && !strings.Contains(err.Error(), "it has more than") {
			t.Errorf("%d bytes: %d accounts, %v", size, len(accounts), err)
		}
	}
}
