package learn

import (
	"fmt"
	"strings"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// Reasons to review a region instead of allowing it.
const (
	ReasonRecent    = "recent"           // its first write is within the last SettleDays
	ReasonFailed    = "only-failed"      // all of its writes failed
	ReasonServices  = "only-services"    // only AWS services wrote successfully
	ReasonOneDay    = "one-day"          // all of its writes are on one day
	ReasonRoot      = "root"             // only root wrote
	ReasonPrincipal = "single-principal" // fewer than two principals wrote on several days and began before SettleDays
	ReasonWidened   = "widened"          // the account does not use it; its group was merged with one that does
)

// SettleDays is how long before the end of the traffic a region, and each of two principals in it, must have begun.
const SettleDays = 14

// minPrincipals is how many settled principals a region needs.
const minPrincipals = 2

// reasons returns why a region with writes needs review; if there are none, it is allowed. The traffic ends on the day
// end.
func (u *Usage) reasons(end int32) (list []string) {
	switch {
	case u.OwnWrites == 0 && u.ServiceWrites == 0:
		return []string{ReasonFailed}
	case u.OwnWrites == 0:
		return []string{ReasonServices}
	}
	if u.firstWrite == 0 || u.firstWrite > end-SettleDays {
		list = append(list, ReasonRecent)
	}
	if u.writeDays.len() <= 1 {
		list = append(list, ReasonOneDay)
	}
	settled, root := 0, 0
	for i := range u.principals {
		c := &u.principals[i]
		switch {
		case strings.HasSuffix(c.text, ":root"):
			root++
		case c.first > 0 && c.first <= end-SettleDays && c.last > c.first:
			settled++
		}
	}
	switch {
	case root > 0 && root == len(u.principals):
		list = append(list, ReasonRoot)
	case settled < minPrincipals:
		list = append(list, ReasonPrincipal)
	}
	return list
}

// regionSet is a set of regions, by index in the catalogue.
type regionSet uint64

func (s regionSet) has(region int) bool { return s&(1<<region) != 0 }

func (s regionSet) codes() (list []string) {
	for i, r := range catalogue {
		if s.has(i) {
			list = append(list, r.Code)
		}
	}
	return list
}

var catalogue = makeCatalogue()

func makeCatalogue() []regions.Region {
	list := regions.All()
	if len(list) > 64 {
		panic("BUG: there are more regions than bits")
	}
	return list
}

// Account is what was learned about an account.
type Account struct {
	ID      string
	Regions []Region // with events, in the order of the catalogue
	allowed regionSet
}

// Region is what was learned about a region in an account.
type Region struct {
	Code    string
	Usage   *Usage
	Allowed bool
	Reasons []string // why it needs review; none for a region without writes
	place   int
}

// Accounts decides every region of every account, sorted by id. Call it once all events are added.
func (l *Learner) Accounts() (list []Account) {
	l.prune()
	var end int32
	for _, u := range l.usages {
		end = max(end, dayOf(u.Last))
	}
	for _, p := range l.places() { // sorted by account, then region
		id := fmt.Sprintf("%012d", p.account())
		if len(list) == 0 || list[len(list)-1].ID != id {
			list = append(list, Account{ID: id})
		}
		list[len(list)-1].add(p.region(), l.usages[p], end)
	}
	return list
}

// add decides a region.
func (a *Account) add(region int, u *Usage, end int32) {
	r := Region{Code: catalogue[region].Code, Usage: u, place: region}
	if u.Writes > 0 {
		r.Reasons = u.reasons(end)
		r.Allowed = len(r.Reasons) == 0
	}
	if r.Allowed {
		a.allowed |= 1 << region
	}
	a.Regions = append(a.Regions, r)
}
