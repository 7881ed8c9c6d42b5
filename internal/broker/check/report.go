package check

import "encoding/json"

// Status is the outcome of a step. The zero value is OK.
type Status uint8

// The outcomes of a step.
const (
	OK       Status = iota
	NotUsed         // not needed by the settings
	Warning         // the processor would run, but this needs attention
	Refused         // the processor would not start, or this part of it would not work
	NotTried        // an earlier step failed
)

var statusWords = [...]string{OK: "ok", NotUsed: "not used", Warning: "warning", Refused: "refused", NotTried: "not tried"}

// String returns the name of the status.
func (s Status) String() string { return statusWords[s] }

// MarshalText returns the name of the status.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Step is one attempt and its outcome. Its texts may quote brokers: escape them for a terminal.
type Step struct {
	Name   string  `json:"step"`
	Of     string  `json:"of,omitempty"` // the address, topic, group or id
	Status Status  `json:"status"`
	Detail string  `json:"detail,omitempty"`
	Error  string  `json:"error,omitempty"`
	Remedy string  `json:"remedy,omitempty"` // how to fix it
	ACLs   []Entry `json:"acls,omitempty"`   // ACLs to add, if that is the remedy
	// Commands are further commands of Kafka's tools that are the remedy.
	Commands []string `json:"commands,omitempty"`
}

// Report is the result of [Run].
type Report struct {
	Steps []Step
}

// OK reports whether nothing was refused. Steps are skipped only after a refused one.
func (r *Report) OK() bool { return r.count(Refused) == 0 }

func (r *Report) count(status Status) (n int) {
	for i := range r.Steps {
		if r.Steps[i].Status == status {
			n++
		}
	}
	return n
}

// MarshalJSON returns the report as JSON.
func (r *Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		OK    bool   `json:"ok"`
		Steps []Step `json:"steps"`
	}{r.OK(), r.Steps})
}
