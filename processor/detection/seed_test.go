package detection

import (
	"encoding/json"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// The rule's own three tests, by name (panther-analysis, AWS.UnusedRegion), on our own events.
func TestSeed(t *testing.T) {
	t.Run("Authorized region", func(t *testing.T) {
		r, counts := detect(t, seedEvent("us-west-2", "false"))
		if len(r.alerts) != 0 || counts.Outcomes[policy.OutcomeUsedRegion] != 1 {
			t.Errorf("alerts %q, outcomes %v", r.encoded, counts.Outcomes)
		}
	})
	t.Run("Unauthorized region, read-only", func(t *testing.T) {
		r, counts := detect(t, seedEvent("ap-east-1", "true"))
		if len(r.alerts) != 0 || counts.Outcomes[policy.OutcomeReadOnly] != 1 {
			t.Errorf("alerts %q, outcomes %v", r.encoded, counts.Outcomes)
		}
	})
	t.Run("Unauthorized region", testSeedUnauthorized)
}

func testSeedUnauthorized(t *testing.T) {
	r, counts := detect(t, seedEvent("eu-central-1", "false"))
	if len(r.alerts) != 1 || counts.Outcomes[policy.OutcomeAlerted] != 1 {
		t.Fatalf("alerts %q, outcomes %v", r.encoded, counts.Outcomes)
	}
	a := &r.alerts[0]
	f := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	f("ruleId", a.RuleID, "AWS.UnusedRegion")
	f("ruleName", a.RuleName, "Unused AWS Region")
	f("severity", a.Severity, "High")
	f("title", a.Title, "Non-read-only API call in unused region eu-central-1 by user example-role")
	f("description", a.Description, "CloudTrail logged non-read activity from a verboten AWS region.")
	f("runbook", a.Runbook, "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws-enable-disable-regions.html")
	f("reference", a.Reference, "https://attack.mitre.org/techniques/T1535/")
	if len(a.MitreAttack) != 1 || a.MitreAttack[0].Tactic != "TA0005" || a.MitreAttack[0].Technique != "T1535" {
		t.Errorf("mitreAttack = %v", a.MitreAttack)
	}
	f("policy.reason", a.Policy.Reason, "eu-central-1 is in unused_regions")

	var identity struct {
		UserIdentity json.RawMessage `json:"userIdentity"`
	}
	if err := json.Unmarshal([]byte(seedEvent("eu-central-1", "false")), &identity); err != nil {
		t.Fatal(err)
	}
	// The eight fields of the rule's output.
	f("eventName", string(a.EventName), `"StartQueryExecution"`)
	f("eventSource", string(a.EventSource), `"athena.amazonaws.com"`)
	f("awsRegion", string(a.AWSRegion), `"eu-central-1"`)
	f("recipientAccountId", string(a.RecipientAccountID), `"123456789012"`)
	f("sourceIPAddress", string(a.SourceIPAddress), `"198.51.100.7"`)
	f("userAgent", string(a.UserAgent), `"aws-sdk-go/1.44.0 (go1.18; linux; amd64)"`)
	f("userIdentity", string(a.UserIdentity), string(identity.UserIdentity))
	f("userName", string(a.UserName), `"example-role"`)
}

// seedEvent returns a full event of Athena by an assumed role.
func seedEvent(region, readOnly string) string {
	return `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEID:example-user",` +
		`"arn":"arn:aws:sts::123456789012:assumed-role/example-role/example-user","accountId":"123456789012",` +
		`"accessKeyId":"ASIAEXAMPLEKEY","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEID",` +
		`"arn":"arn:aws:iam::123456789012:role/example-role","accountId":"123456789012","userName":"example-role"},` +
		`"webIdFederationData":{},"attributes":{"creationDate":"2026-02-03T04:05:06Z","mfaAuthenticated":"false"}}},` +
		`"eventTime":"2026-02-03T04:15:16Z","eventSource":"athena.amazonaws.com","eventName":"StartQueryExecution",` +
		`"awsRegion":"` + region + `","sourceIPAddress":"198.51.100.7","userAgent":"aws-sdk-go/1.44.0 (go1.18; linux; amd64)",` +
		`"requestParameters":{"clientRequestToken":"2c7e","queryExecutionContext":{"database":"sales"},` +
		`"queryString":"SELECT region,\n  count(*) AS \"n\"\nFROM orders\nWHERE day >= date '2026-01-01'\nGROUP BY 1",` +
		`"resultConfiguration":{},"workGroup":"primary"},` +
		`"responseElements":{"queryExecutionId":"0a4f3b1e-0000-4000-8000-00000000abcd"},` +
		`"requestID":"7d1d7bb5-0000-4000-8000-000000000003","eventID":"90f1c1d4-0000-4000-8000-000000000004",` +
		`"readOnly":` + readOnly + `,"eventType":"AwsApiCall","managementEvent":true,` +
		`"recipientAccountId":"123456789012","eventCategory":"Management"}`
}
