package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/alert"
)

// Alerts makes alerts of incidents as they might be at a large company: 200 principals and regions in an account, a few
// actions, addresses and agents each. The same seed gives the same alerts. It belongs to one goroutine.
type Alerts struct {
	r     *rand.Rand
	each  int // alerts of an incident, on average
	n     int
	start time.Time
}

// NewAlerts returns alerts of a day, with so many for each incident.
func NewAlerts(seed uint64, each int, day time.Time) *Alerts {
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it must be reproducible
	return &Alerts{r: r, each: max(each, 1), start: day.UTC().Truncate(24 * time.Hour)}
}

// inFlight is how many incidents have alerts at the same time.
const inFlight = 1_000

// Next returns the next alert, and its account as key. Incidents begin one after another.
func (a *Alerts) Next() (key, value []byte) {
	a.n++
	return a.of(max(0, a.n/a.each-a.r.IntN(inFlight)))
}

// of returns an alert of an incident.
func (a *Alerts) of(incident int) (key, value []byte) {
	account := fmt.Sprintf("%012d", incident/200)
	arn := fmt.Sprintf("arn:aws:iam::%s:role/team-%d-deployment", account, incident%200)
	var id uuid.UUID
	a.fill(id[:])
	identity := fmt.Appendf(nil, `{"type":"AssumedRole","arn":"arn:aws:sts::%s:assumed-role/team-%d-deployment/s%d","accountId":%q,`+
		`"sessionContext":{"sessionIssuer":{"type":"Role","arn":%q,"accountId":%[4]q,"userName":"team-%[2]d-deployment"}}}`, account, incident%200, a.n, account, arn)
	action := fmt.Sprintf("Action%d", a.r.IntN(1+a.r.IntN(10)))
	at := quoted(a.start.Add(time.Duration(a.r.IntN(86_400)) * time.Second).Format(time.RFC3339))
	source := quoted("ec2.amazonaws.com")
	address := quoted(fmt.Sprintf("10.%d.%d.%d", incident%250, incident/250%250, a.r.IntN(3)))
	agent := quoted([]string{"aws-cli/2.31", "Boto3/1.40", "console.amazonaws.com"}[a.r.IntN(3)])
	region := quoted([]string{"eu-west-3", "ap-east-1"}[incident%2])
	value = alert.AppendJSON(nil, &alert.Alert{
		ID: id.String(), RuleID: "AWS.UnusedRegion", RuleName: "Unused AWS Region", Severity: "High",
		Title: "Non-read-only API call in unused region by user " + arn, Description: "Activity in a region that is not used.",
		EventTime: at, EventID: quoted(id.String()), EventName: quoted(action), EventSource: source, AWSRegion: region,
		RecipientAccountID: quoted(account), SourceIPAddress: address, UserAgent: agent, UserIdentity: identity,
		Principal: alert.Principal{Type: "AssumedRole", Name: fmt.Sprintf("team-%d-deployment", incident%200), ARN: arn, AccountID: account},
		Policy:    alert.Policy{Version: "1", Level: "default", Reason: "the region is unused", Account: json.RawMessage(`{"name":"bench","owner":"team@example.com"}`)},
		Origin:    alert.Origin{Topic: "cloudtrail", Offset: int64(a.n), Shape: "records"},
		Event: fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":%s,"eventTime":%s,"eventSource":%s,"eventName":%q,"awsRegion":%s,`+
			`"sourceIPAddress":%s,"userAgent":%s,"readOnly":false,"requestParameters":{"instanceType":"t3.micro"},"eventID":%q}`,
			identity, at, source, action, region, address, agent, id.String()),
	})
	return []byte(account), value
}

// fill fills an id.
func (a *Alerts) fill(id []byte) {
	for i := range id {
		id[i] = byte(a.r.Uint32())
	}
}

func quoted(text string) json.RawMessage {
	quoted, _ := json.Marshal(text) // it never fails
	return quoted
}
