package display

import (
	"encoding/json"
	"strings"
)

// AccountFacts is what a policy knows about an account, as alerts carry it.
type AccountFacts struct {
	Name  string `json:"name,omitempty"`
	Owner string `json:"owner,omitempty"`
	Group string `json:"group,omitempty"`
}

// NewAccountFacts reads the facts of an alert or of a policy. They are empty if nothing is known.
func NewAccountFacts(encoded json.RawMessage) (f AccountFacts) {
	_ = json.Unmarshal(encoded, &f) // an account without facts has no name
	return f
}

// Text returns the facts on one line, such as "payments, group prod, owner payments@example.com".
func (f AccountFacts) Text() string {
	var parts []string
	for _, p := range []struct{ label, text string }{{"", f.Name}, {"group ", f.Group}, {"owner ", f.Owner}} {
		if p.text != "" {
			parts = append(parts, p.label+Text(p.text))
		}
	}
	return strings.Join(parts, ", ")
}
