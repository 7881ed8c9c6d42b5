package organization

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// The AWS CLI's commands whose outputs a folder has. All but the first are about one id, which their output lacks: it is
// in the file's name, as in list-parents.111122223333.json.
const (
	listAccounts = "list-accounts"
	listParents  = "list-parents"
	listUnits    = "list-organizational-units-for-parent"
	listTags     = "list-tags-for-resource"
)

// maxDepth limits the units around an account. AWS allows five.
const maxDepth = 20

// folder is what the files of a folder say.
type folder struct {
	accounts []policy.Account
	parents  map[string]string            // ids of roots and units, by account
	units    map[string]unit              // by id
	tags     map[string]map[string]string // by account
}

// unit is an organizational unit.
type unit struct{ name, parent string }

// ReadFolder reads the outputs of the AWS CLI in a folder.
func ReadFolder(dir fs.FS) ([]policy.Account, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	f := &folder{parents: map[string]string{}, units: map[string]unit{}, tags: map[string]map[string]string{}}
	for _, e := range entries {
		name := e.Name()
		base, isJSON := strings.CutSuffix(name, ".json")
		if strings.HasPrefix(name, ".") || !isJSON {
			continue // the script that wrote the files may be beside them
		}
		text, err := read(dir, name)
		if err == nil {
			command, id, _ := strings.Cut(base, ".")
			err = f.add(command, id, text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(f.accounts) == 0 {
		return nil, fmt.Errorf("the folder has no %s.json", listAccounts)
	}
	if err := f.complete(); err != nil {
		return nil, err
	}
	return f.accounts, check(f.accounts)
}

func read(dir fs.FS, name string) ([]byte, error) {
	file, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, policyfile.MaxBytes+1))
	if err == nil && len(text) > policyfile.MaxBytes {
		err = fmt.Errorf("it has more than %d bytes", policyfile.MaxBytes)
	}
	return text, err
}

// add takes in the output of a command about an id.
func (f *folder) add(command, id string, text []byte) (err error) {
	var output struct {
		Parents             []struct{ ID string }
		OrganizationalUnits []struct{ ID, Name string }
		Tags                []struct{ Key, Value string }
	}
	if command == listAccounts && id == "" {
		f.accounts, err = parseAccounts(text)
		return err
	}
	if !slices.Contains([]string{listParents, listUnits, listTags}, command) || id == "" {
		return fmt.Errorf("want files named %s.json, %s.ID.json, %s.ID.json and %s.ID.json", listAccounts, listParents, listUnits, listTags)
	}
	if err := json.Unmarshal(text, &output); err != nil {
		return fmt.Errorf("reading the output of aws organizations %s: %w", command, err)
	}
	switch command {
	case listParents:
		if len(output.Parents) != 1 {
			return fmt.Errorf("it has %d Parents, want one", len(output.Parents))
		}
		f.parents[id] = output.Parents[0].ID
	case listUnits:
		for _, u := range output.OrganizationalUnits {
			if strings.Contains(u.Name, "/") {
				return fmt.Errorf("the name of unit %q has a slash, which is between units in a path; rename it in a CSV", u.Name)
			}
			f.units[u.ID] = unit{u.Name, id}
		}
	case listTags:
		tags := make(map[string]string, len(output.Tags))
		for _, t := range output.Tags {
			tags[t.Key] = t.Value
		}
		f.tags[id] = tags
	}
	return nil
}

// complete adds units and tags to the accounts. If the folder has them for some accounts, it must have them for all:
// otherwise a lost file would move an account to another group.
func (f *folder) complete() error {
	for i := range f.accounts {
		a := &f.accounts[i]
		parent, known := f.parents[a.ID]
		if !known && len(f.parents) > 0 {
			return fmt.Errorf("%s.%s.json is missing, but that of other accounts is there", listParents, a.ID)
		}
		tags, tagged := f.tags[a.ID]
		if !tagged && len(f.tags) > 0 {
			return fmt.Errorf("%s.%s.json is missing, but that of other accounts is there", listTags, a.ID)
		}
		if len(tags) > 0 {
			a.Tags = tags
		}
		path, err := f.pathOf(parent)
		if err != nil {
			return fmt.Errorf("account %s: %w", a.ID, err)
		}
		a.OU = path
	}
	return nil
}

// pathOf returns the path of a unit from below the root, which is empty for the root itself.
func (f *folder) pathOf(id string) (string, error) {
	var names []string
	for !strings.HasPrefix(id, "r-") && id != "" {
		u, ok := f.units[id]
		if !ok || len(names) == maxDepth {
			return "", fmt.Errorf("unit %q is in no %s.ID.json below a root, whose id begins with r-", id, listUnits)
		}
		names, id = append(names, u.name), u.parent
	}
	slices.Reverse(names)
	return strings.Join(names, "/"), nil
}
