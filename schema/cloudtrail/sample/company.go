package sample

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// CompanyDays is how many days of traffic a company has.
const CompanyDays = 90

// Member is an account of a company.
type Member struct {
	ID, Name, OU string
	Tags         map[string]string
	// Regions are where several principals write all the time, sorted.
	Regions []string
	// Review are other regions with writes, of services alone or of one principal alone.
	Review []string

	services, lone string // the regions in Review
}

// Company is accounts with habits: the same seed and size give the same company and traffic.
type Company struct {
	Members []Member

	generator *Generator
	end       time.Time
}

// habits are what the units of a company have in common. The number of regions is the seed's.
var habits = []struct{ ou, env, team string }{
	{"Workloads/Prod", "prod", "payments"}, {"Workloads/Dev", "dev", "payments"}, {"Sandbox", "lab", "research"},
	{"Infrastructure/Network", "prod", "network"}, {"Security", "prod", "security"},
}

var (
	companyRegions = []string{"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "eu-north-1", "ap-southeast-2", "ca-central-1", "sa-east-1"}
	companyPeople  = []string{"alice@example.com", "bob@example.com", "carlos@example.com", "mary.major@example.com"}
)

// NewCompany returns a company with up to [MaxAccounts] accounts, whose traffic ends at a time.
func NewCompany(seed uint64, accounts int, end time.Time) (*Company, error) {
	g, err := New(Options{Seed: seed, Accounts: accounts})
	if err != nil {
		return nil, err
	}
	c := &Company{generator: g, end: end.UTC().Truncate(24 * time.Hour)}
	regions := make([][]string, len(habits))
	for i := range habits {
		list := shuffled(g.random, companyRegions)
		regions[i] = list[:1+g.random.IntN(3)]
	}
	for i, id := range g.accounts {
		h := &habits[i%len(habits)]
		m := Member{ID: id, Name: fmt.Sprintf("%s-%s-%d", h.team, h.env, i/len(habits)+1), OU: h.ou, Tags: map[string]string{"env": h.env, "team": h.team}}
		others := slices.DeleteFunc(shuffled(g.random, companyRegions), func(r string) bool { return slices.Contains(regions[i%len(habits)], r) })
		m.Regions = slices.Clone(regions[i%len(habits)])
		if i%7 == 6 { // an account with a region of its own
			m.Regions = append(m.Regions, others[0])
		}
		if i%3 == 1 {
			m.services = others[1]
			m.Review = append(m.Review, m.services)
		}
		if i%4 == 2 {
			m.lone = others[2]
			m.Review = append(m.Review, m.lone)
		}
		slices.Sort(m.Regions)
		slices.Sort(m.Review)
		c.Members = append(c.Members, m)
	}
	return c, nil
}

func shuffled(random *rand.Rand, list []string) []string {
	list = slices.Clone(list)
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// Day is the date of a day of the traffic, of which day 0 is the first.
func (c *Company) Day(day int) time.Time { return c.end.AddDate(0, 0, day-CompanyDays) }

// AppendDay appends what happened in an account on a day, as CloudTrail writes files, and returns the number of events.
// People write in working hours; deployments run every day; audits read everywhere once a week.
func (c *Company) AppendDay(dst []byte, m *Member, day int) ([]byte, int) {
	dst = append(dst, `{"Records":[`...)
	n, date := 0, c.Day(day)
	add := func(x performance) {
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = c.generator.appendPerformance(dst, m.ID, &x)
	}
	at := func(from, hours int) time.Time {
		return date.Add(time.Duration(from)*time.Hour + time.Duration(c.generator.random.IntN(hours*3600))*time.Second)
	}
	works := date.Weekday() != time.Saturday && date.Weekday() != time.Sunday
	for _, region := range m.Regions {
		for range 1 + c.generator.random.IntN(3) {
			add(performance{region: region, by: assumedRole, name: "ci-deploy", session: "GitHubActions", at: at(0, 24)})
		}
		for range 1 + c.generator.random.IntN(2) {
			if works {
				add(performance{region: region, by: assumedRole, name: "engineer", session: pick(c.generator.random, companyPeople), at: at(8, 10)})
				add(performance{region: region, by: iamUser, name: "ops", at: at(9, 8)})
			}
		}
	}
	if m.services != "" {
		add(performance{region: m.services, by: awsService, at: at(0, 24)})
	}
	if m.lone != "" && works {
		add(performance{region: m.lone, by: assumedRole, name: "experiment", session: companyPeople[0], at: at(8, 10)})
	}
	if date.Weekday() == time.Monday {
		for _, region := range companyRegions {
			add(performance{region: region, by: assumedRole, name: "audit", session: "audit", at: at(1, 2), reads: true})
		}
	}
	return append(dst, `]}`...), n
}

// performance is one call of a company.
type performance struct {
	region        string
	by            kind
	name, session string // of the role or user
	at            time.Time
	reads         bool
}

// appendPerformance appends an event of a call.
func (g *Generator) appendPerformance(dst []byte, account string, x *performance) []byte {
	e := &Event{ID: g.nextID(), Account: account, Region: x.region}
	if x.reads {
		e.ReadOnly = Read
	}
	for {
		c := pick(g.random, g.calls.of(e))
		at := slices.IndexFunc(c.who, func(who *compiledIdentity) bool { return who.kind == x.by })
		if at < 0 {
			continue // not everybody makes every call
		}
		s := g.newScene(e)
		s.role, s.user, s.session, s.time = x.name, x.name, x.session, x.at
		return g.appendCall(dst, e, c, c.who[at], s)
	}
}
