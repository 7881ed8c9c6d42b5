package policyfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// csvColumns are the columns of a CSV file of accounts, and what they set.
var csvColumns = []struct {
	name string
	of   func(*policy.Account) *string // nil for tags
}{
	{"account", func(a *policy.Account) *string { return &a.ID }},
	{"name", func(a *policy.Account) *string { return &a.Name }},
	{"owner", func(a *policy.Account) *string { return &a.Owner }},
	{"environment", func(a *policy.Account) *string { return &a.Environment }},
	{"ou", func(a *policy.Account) *string { return &a.OU }},
	{"tags", nil},
	{"group", func(a *policy.Account) *string { return &a.Group }},
}

// ParseAccounts reads a CSV of accounts, as accounts_from names them; name identifies it in faults. It does not check that
// the groups exist. The error is [Faults].
func ParseAccounts(name string, source []byte) ([]policy.Account, error) {
	r := &reader{name: name, file: name, places: places{}}
	if len(source) > MaxBytes {
		r.faultAt(position{file: name}, fmt.Sprintf("it has %d bytes, %d are allowed", len(source), MaxBytes))
	} else {
		r.csv(source)
	}
	accounts := slices.Clone(r.options.Accounts)
	for i := range r.options.Accounts {
		r.options.Accounts[i].Group = ""
	}
	if _, err := r.read(func() {}, policy.Compile); err != nil {
		return nil, err
	}
	return accounts, nil
}

// csv reads accounts from a CSV file with a header, such as an export from Organizations. Columns may come in any
// order; only account is required.
func (r *reader) csv(source []byte) {
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))))
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		r.faultAt(position{file: r.file}, "the file is empty") // otherwise a lost export would put its accounts under the default
		return
	}
	if err != nil {
		r.csvFault(err)
		return
	}
	columns, ok := r.csvHeader(rows, header)
	for ok {
		row, err := rows.Read()
		if err != nil {
			r.csvFault(err)
			if errors.Is(err, csv.ErrFieldCount) {
				continue // the rows below can be read
			}
			return
		}
		r.csvRow(rows, row, columns)
	}
}

// csvHeader returns what each column sets.
func (r *reader) csvHeader(rows *csv.Reader, header []string) (columns []int, ok bool) {
	names := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		names[i] = c.name
	}
	ok = true
	seen := make(map[int]bool)
	for i, text := range header {
		name := strings.ToLower(strings.TrimSpace(text))
		at := -1
		for j := range names {
			if names[j] == name {
				at = j
			}
		}
		line, column := rows.FieldPos(i)
		if at < 0 || seen[at] {
			ok = false
			r.faultAt(position{r.file, line, column}, fmt.Sprintf("%q is not a column, or is listed twice; want %s%s", cut(text), join(names), didYouMean(name, names)))
		}
		seen[at] = true
		columns = append(columns, at)
	}
	if !seen[0] && ok {
		ok = false
		r.faultAt(position{r.file, 1, 1}, "the column account is missing")
	}
	return columns, ok
}

func (r *reader) csvRow(rows *csv.Reader, row []string, columns []int) {
	var a policy.Account
	index := len(r.options.Accounts)
	for i, text := range row {
		c := csvColumns[columns[i]]
		line, column := rows.FieldPos(i)
		if text = strings.Clone(strings.TrimSpace(text)); c.of != nil {
			*c.of(&a) = text
		} else if tags, fault := policy.ParseTags(text); fault == "" {
			a.Tags = tags
		} else {
			r.faultAt(position{r.file, line, column}, fault)
		}
		place := policy.Place{Part: policy.PartAccount, Index: index, Field: c.name, Item: -1}
		if c.name == "account" {
			place.Field = ""
		}
		r.places[place] = position{r.file, line, column}
	}
	r.options.Accounts = append(r.options.Accounts, a)
}

func (r *reader) csvFault(err error) {
	var at *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
	case errors.As(err, &at):
		r.faultAt(position{r.file, at.Line, at.Column}, "invalid CSV: "+at.Err.Error())
	default:
		r.faultAt(position{file: r.file}, "invalid CSV: "+err.Error())
	}
}
