package generate

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// Company writes a company's logs and organization into folders of a folder, and what must be found in them.
type Company struct {
	Events   int      `json:"events"`
	Accounts []member `json:"accounts"`

	dir     string
	company *sample.Company
}

// member is the truth about an account.
type member struct {
	Account string   `json:"account"`
	Name    string   `json:"name"`
	OU      string   `json:"ou"`
	Regions []string `json:"regions"` // to allow
	Review  []string `json:"review"`  // to review
}

// NewCompany returns a writer into a folder, which must be empty unless forced.
func NewCompany(dir string, force bool, c *sample.Company) (*Company, error) {
	if _, err := Folder(dir, force); err != nil {
		return nil, err
	}
	w := &Company{dir: dir, company: c}
	for i := range c.Members {
		m := &c.Members[i]
		w.Accounts = append(w.Accounts, member{m.ID, m.Name, m.OU, m.Regions, m.Review})
	}
	return w, nil
}

// Run writes everything. It stops early when ctx ends.
func (w *Company) Run(ctx context.Context) error {
	for _, folder := range []string{"logs", "organization"} {
		if err := os.MkdirAll(filepath.Join(w.dir, folder), 0o755); err != nil {
			return fmt.Errorf("writing the company: %w", err)
		}
	}
	for day := range sample.CompanyDays {
		for i := range w.company.Members {
			if ctx.Err() != nil {
				return nil
			}
			if err := w.writeDay(&w.company.Members[i], day); err != nil {
				return err
			}
		}
	}
	if err := w.writeCSV(); err != nil {
		return err
	}
	if err := w.writeOrganization(); err != nil {
		return err
	}
	return w.writeJSON("truth.json", w)
}

// writeDay writes one log file, compressed like CloudTrail's.
func (w *Company) writeDay(m *sample.Member, day int) error {
	text, n := w.company.AppendDay(nil, m, day)
	w.Events += n
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(text)
	if closeErr := z.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("compressing logs: %w", err)
	}
	return w.write(filepath.Join("logs", fmt.Sprintf("%s-%s.json.gz", m.ID, w.company.Day(day).Format(time.DateOnly))), packed.Bytes())
}

func (w *Company) write(name string, text []byte) error {
	if err := os.WriteFile(filepath.Join(w.dir, name), text, 0o644); err != nil {
		return fmt.Errorf("writing the company: %w", err)
	}
	return nil
}

func (w *Company) writeJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	return w.write(name, append(text, '\n'))
}

// writeCSV writes the accounts with the columns of a policy's accounts_from.
func (w *Company) writeCSV() error {
	var text bytes.Buffer
	rows := csv.NewWriter(&text)
	_ = rows.Write([]string{"account", "name", "ou", "tags"})
	for i := range w.company.Members {
		m := &w.company.Members[i]
		var tags []string
		for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
			tags = append(tags, key+"="+m.Tags[key])
		}
		_ = rows.Write([]string{m.ID, m.Name, m.OU, strings.Join(tags, ";")})
	}
	rows.Flush() // a buffer has no errors
	return w.write("organization.csv", text.Bytes())
}

// The parts of the AWS CLI's outputs.
type (
	named  struct{ Id, Name string }
	linked struct{ Id, Type string }
	tagged struct{ Key, Value string }
)

// writeOrganization writes the accounts as the AWS CLI's commands would.
func (w *Company) writeOrganization() error {
	ids, units := map[string]string{"": "r-exam"}, map[string][]named{"r-exam": {}}
	files := map[string]any{}
	var accounts []named
	for i := range w.company.Members {
		m := &w.company.Members[i]
		accounts = append(accounts, named{m.ID, m.Name})
		parent := ids[""]
		for j, name := range strings.Split(m.OU, "/") {
			at := path.Join(strings.Split(m.OU, "/")[:j+1]...)
			if ids[at] == "" {
				ids[at] = fmt.Sprintf("ou-exam-%08d", len(ids))
				units[parent], units[ids[at]] = append(units[parent], named{ids[at], name}), []named{}
			}
			parent = ids[at]
		}
		files["list-parents."+m.ID] = map[string]any{"Parents": []linked{{parent, "ORGANIZATIONAL_UNIT"}}}
		tags := []tagged{}
		for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
			tags = append(tags, tagged{key, m.Tags[key]})
		}
		files["list-tags-for-resource."+m.ID] = map[string]any{"Tags": tags}
	}
	files["list-accounts"] = map[string]any{"Accounts": accounts}
	for id, list := range units {
		files["list-organizational-units-for-parent."+id] = map[string]any{"OrganizationalUnits": list}
	}
	for name, output := range files {
		if err := w.writeJSON(filepath.Join("organization", name+".json"), output); err != nil {
			return err
		}
	}
	return nil
}

// Print says what was written and what must be found in it.
func (w *Company) Print(out io.Writer, took time.Duration) {
	allowed, review := 0, 0
	for i := range w.Accounts {
		allowed += len(w.Accounts[i].Regions)
		review += len(w.Accounts[i].Review)
	}
	fmt.Fprintf(out, "%s of %s, with %s, to %s in %s\n", display.Plural(sample.CompanyDays, "day"), display.Plural(len(w.Accounts), "account"),
		display.Plural(w.Events, "event"), display.Text(w.dir), display.Duration(took))
	fmt.Fprintf(out, "of the pairs of account and region, %s must be allowed and %s reviewed: truth.json lists them\n", display.Number(allowed), display.Number(review))
}
