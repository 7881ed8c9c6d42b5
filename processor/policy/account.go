package policy

import (
	"encoding/binary"
	"encoding/json"
	"maps"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// account is the compiled policy of one account.
type account struct {
	id         string
	level      *level
	facts      json.RawMessage // for alerts; nil if nothing is known
	exceptions exceptionSet    // those not ruled out by account or group; empty for none
}

// accountDigits is how long every account id is.
const accountDigits = len("111122223333")

// accountKey returns a unique number for an account id of 12 digits. It checks 8 digits at once.
func accountKey(id []byte) (key uint64, ok bool) {
	if len(id) != accountDigits {
		return 0, false
	}
	const zeros, sixes, upper = 0x3030303030303030, 0x0606060606060606, 0xf0f0f0f0f0f0f0f0
	first, last := binary.LittleEndian.Uint64(id)^zeros, uint64(binary.LittleEndian.Uint32(id[8:]))^zeros>>32
	// A byte other than a digit now has bits in its upper half, or gets one when 6 is added. A digit never carries into
	// the next byte.
	if (first|last|(first+sixes)|(last+sixes))&upper != 0 {
		return 0, false
	}
	return first | last<<4, true
}

// accountKeyOf is accountKey for the value in an event.
func accountKeyOf(id jsonscan.Value) (key uint64, ok bool) {
	if id.IsString() && len(id) == len(`""`)+accountDigits {
		return accountKey(id[1 : len(id)-1]) // too short for an escaped digit
	}
	var array [accountDigits]byte
	text, _ := shortText(id, array[:])
	return accountKey(text)
}

// account returns the policy of the account that received the event. Accounts that are unreadable or not in the policy
// get the default level.
func (p *Policy) account(id jsonscan.Value) *account {
	if len(p.accounts) > 0 {
		if key, ok := accountKeyOf(id); ok {
			if a := p.accounts[key]; a != nil {
				return a
			}
		}
	}
	return &p.standard
}

// accountFacts is policy.account in alerts.
type accountFacts struct {
	Name        string            `json:"name,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Group       string            `json:"group,omitempty"`
	OU          string            `json:"ou,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// encodeFacts returns the account's facts as its alerts carry them; nil if there are none.
func encodeFacts(a *Account, group string) json.RawMessage {
	f := accountFacts{a.Name, a.Owner, a.Environment, group, a.OU, a.Tags}
	if f.Name+f.Owner+f.Environment+f.Group+f.OU == "" && len(f.Tags) == 0 {
		return nil
	}
	facts, err := json.Marshal(f) // replaces invalid UTF-8 and sorts the tags
	if err != nil {
		panic("BUG: encoding an account: " + err.Error())
	}
	return facts
}

// compileAccounts compiles each account that the policy names: on its own, in a group, or in an
// exception.
func (p *Policy) compileAccounts(o *Options, c *checker) {
	scopes := newScopes(o)
	groupLevels := make(map[string]*level, len(o.Groups))
	for i := range o.Groups {
		if g := &o.Groups[i]; g.Level != nil {
			groupLevels[g.Name] = newLevel("group "+g.Name, g.Level, o.Shadow)
		}
	}
	standard := newLevel("default", &o.Default, o.Shadow)
	p.standard = account{level: standard, exceptions: scopes.of("", "")}
	p.alertsOnMissing, p.alerts = standard.alertOnMissing, !standard.shadow

	ids := make(map[string]struct{}, len(c.accounts)+len(c.groupOf))
	for _, named := range []map[string]struct{}{keys(c.accounts), keys(c.groupOf), keys(scopes.byAccount)} {
		maps.Copy(ids, named)
	}
	p.accounts = make(map[uint64]*account, len(ids))
	for id := range ids {
		a := &account{id: id, level: standard, exceptions: scopes.of(id, c.groupOf[id])}
		if l := groupLevels[c.groupOf[id]]; l != nil {
			a.level = l
		}
		if known := c.accounts[id]; known != nil {
			if known.Level != nil {
				a.level = newLevel("account "+id, known.Level, o.Shadow)
			}
			a.facts = encodeFacts(known, c.groupOf[id])
		} else {
			a.facts = encodeFacts(&Account{}, c.groupOf[id])
		}
		p.alertsOnMissing = p.alertsOnMissing || a.level.alertOnMissing
		p.alerts = p.alerts || !a.level.shadow
		key, _ := accountKey([]byte(id))
		p.accounts[key] = a
	}
}

func keys[V any](m map[string]V) map[string]struct{} {
	set := make(map[string]struct{}, len(m))
	for k := range m {
		set[k] = struct{}{}
	}
	return set
}
