package detection

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// matching is an event that every policy of these tests alerts on. Tricks are played on copies of it.
const matching = `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:example-user",` +
	`"arn":"arn:aws:sts::111122223333:assumed-role/example-role/example-user","accountId":"111122223333",` +
	`"accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE",` +
	`"arn":"arn:aws:iam::111122223333:role/example-role","accountId":"111122223333","userName":"example-role"},` +
	`"webIdFederationData":{},"attributes":{"creationDate":"2026-03-01T08:00:00Z","mfaAuthenticated":"false"}}},` +
	`"eventTime":"2026-03-01T08:30:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances",` +
	`"awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.10","userAgent":"aws-cli/2.15.0",` +
	`"requestParameters":{"instanceType":"p4d.24xlarge","maxCount":8},"responseElements":null,` +
	`"requestID":"6a1f0a46-0000-4000-8000-000000000001","eventID":"3b0f6c5e-0000-4000-8000-000000000002",` +
	`"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",` +
	`"eventCategory":"Management"}`

// with returns the matching event with part replaced by another.
func with(t *testing.T, part, other string) string {
	t.Helper()
	if strings.Count(matching, part) != 1 {
		t.Fatalf("%q does not stand exactly once in the matching event", part)
	}
	return strings.Replace(matching, part, other, 1)
}

func defaultPolicy(t testing.TB) *policy.Policy { return mustPolicy(t, policy.Options{}) }

func mustPolicy(t testing.TB, o policy.Options) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// results keeps copies of what a Detector hands on.
type results struct {
	encoded []string      // the alerts
	alerts  []alert.Alert // decoded again
	letters []DeadLetter

	failAt int // fail the n-th call, counted from 1
	calls  int
}

var errSink = errors.New("the sink is full")

func (r *results) called() error {
	if r.calls++; r.calls == r.failAt {
		return errSink
	}
	return nil
}

func (r *results) Alert(a *alert.Alert) error {
	if err := r.called(); err != nil {
		return err
	}
	encoded := alert.AppendJSON(nil, a)
	r.encoded = append(r.encoded, string(encoded))
	var decoded alert.Alert
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		return err
	}
	r.alerts = append(r.alerts, decoded)
	return nil
}

func (r *results) DeadLetter(d *DeadLetter) error {
	if err := r.called(); err != nil {
		return err
	}
	letter := *d
	letter.Piece = []byte(string(d.Piece))
	r.letters = append(r.letters, letter)
	return nil
}

// record returns a record of the topic "cloudtrail".
func record(value string) *Record {
	return &Record{
		Value: []byte(value), Topic: "cloudtrail", Partition: 3, Offset: 42,
		Timestamp: time.Date(2026, 3, 1, 8, 31, 0, 123_456_789, time.FixedZone("", 3600)),
	}
}

// detect decides one record under the default policy.
func detect(t *testing.T, value string) (*results, Counts) {
	t.Helper()
	return detectWith(t, defaultPolicy(t), Options{}, value)
}

func detectWith(t *testing.T, p *policy.Policy, o Options, value string) (*results, Counts) {
	t.Helper()
	d, r := NewDetector(o), &results{}
	if err := d.Detect(p, record(value), r); err != nil {
		t.Fatal(err)
	}
	checkSums(t, &d.Counts)
	return r, d.Counts
}

// checkSums checks that the counts add up.
func checkSums(t *testing.T, c *Counts) {
	t.Helper()
	var outcomes uint64
	for _, n := range c.Outcomes {
		outcomes += n
	}
	if c.Events != outcomes || c.Outcomes[policy.OutcomeNone] != 0 {
		t.Errorf("%d events, %d outcomes: %v", c.Events, outcomes, c.Outcomes)
	}
	if c.Records != c.Done+c.DeadLettered {
		t.Errorf("%d records, %d done, %d dead-lettered", c.Records, c.Done, c.DeadLettered)
	}
	if c.Salvaged > c.Partial || c.Partial > c.Outcomes[policy.OutcomeAlerted] {
		t.Errorf("%d salvaged, %d partial, %d alerted", c.Salvaged, c.Partial, c.Outcomes[policy.OutcomeAlerted])
	}
}

// testNow is when tests decide.
var testNow = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
