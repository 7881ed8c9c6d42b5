// Package organization reads the accounts of an AWS organization, with their names, organizational units and tags, from
// the outputs of the AWS CLI or from a CSV.
package organization

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// Parse reads the output of aws organizations list-accounts, which has names only, or a CSV with the columns of
// accounts_from in a policy. name is that of the file.
func Parse(name string, text []byte) ([]policy.Account, error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if !bytes.HasPrefix(text, []byte("{")) {
		return policyfile.ParseAccounts(name, text)
	}
	accounts, err := parseAccounts(text)
	if err == nil {
		err = check(accounts)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return accounts, nil
}

func parseAccounts(text []byte) (accounts []policy.Account, err error) {
	var list struct {
		Accounts []struct{ ID, Name string }
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("reading accounts: %w; want the output of aws organizations list-accounts", err)
	}
	if len(list.Accounts) == 0 {
		return nil, errors.New("it has no Accounts; want the output of aws organizations list-accounts")
	}
	for _, a := range list.Accounts {
		accounts = append(accounts, policy.Account{ID: a.ID, Name: strings.ToValidUTF8(a.Name, "\uFFFD")})
	}
	return accounts, nil
}

// check reports accounts that a policy could not have.
func check(accounts []policy.Account) error {
	_, err := policy.Compile(policy.Options{Accounts: accounts})
	return err
}
