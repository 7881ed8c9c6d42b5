package learn

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxNameRunes limits the name of an account, as AWS Organizations does.
const maxNameRunes = 50

// ReadOrganization returns the names of accounts by id, from the output of aws organizations list-accounts, or from a
// CSV whose header has the columns account and name.
func ReadOrganization(text []byte) (map[string]string, error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if !bytes.HasPrefix(text, []byte("{")) {
		return readOrganizationCSV(text)
	}
	var list struct {
		Accounts []struct{ ID, Name string }
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("reading accounts: %w; want the output of aws organizations list-accounts", err)
	}
	if len(list.Accounts) == 0 {
		return nil, errors.New("it has no Accounts; want the output of aws organizations list-accounts")
	}
	names := make(map[string]string, len(list.Accounts))
	for _, a := range list.Accounts {
		if err := addName(names, a.ID, a.Name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func readOrganizationCSV(text []byte) (map[string]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading accounts: %w", err)
	}
	if len(rows) == 0 {
		return nil, errors.New("the file is empty")
	}
	account, name := slices.Index(rows[0], "account"), slices.Index(rows[0], "name")
	if account < 0 || name < 0 {
		return nil, fmt.Errorf("line 1: the header has %s; want the columns account and name", strings.Join(rows[0], ","))
	}
	names := make(map[string]string, len(rows))
	for i, row := range rows[1:] {
		if err := addName(names, row[account], row[name]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	return names, nil
}

func addName(names map[string]string, id, name string) error {
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return fmt.Errorf("%q is not an account id, which has 12 digits", id)
	}
	if runes := []rune(name); len(runes) > maxNameRunes {
		name = string(runes[:maxNameRunes])
	}
	names[id] = name
	return nil
}
