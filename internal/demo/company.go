package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// attackRegion is the region that the demo's attacker uses and the company does not.
const attackRegion = "sa-east-1"

// Company returns the policy of the demo's company: named accounts, and an allow list of regions. regions must not include
// the attacker's.
func Company(accounts []string, regions []string) *policy.Policy {
	names := []policy.Account{
		{Name: "payments", Owner: "payments@example.com", Environment: "prod"}, {Name: "web-shop", Owner: "shop@example.com", Environment: "prod"},
		{Name: "data-lake", Owner: "data@example.com", Environment: "prod"}, {Name: "sandbox", Owner: "platform@example.com", Environment: "dev"},
	}
	o := policy.Options{Version: "demo-company", Default: policy.Level{AllowedRegions: regions, FailedSeverity: "Medium"}}
	for i, id := range accounts {
		a := policy.Account{ID: id, Name: fmt.Sprintf("team-%d", i+1), Owner: "platform@example.com", Environment: "dev"}
		if i < len(names) {
			a = names[i]
			a.ID = id
		}
		o.Accounts = append(o.Accounts, a)
	}
	p, err := policy.Compile(o)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return p
}

// attackDelay is when the attack begins, and attackStep is the time between its calls.
const (
	attackDelay = 3 * time.Second
	attackStep  = 400 * time.Millisecond
)

// attack is what an attacker does with a stolen access key: find out who owns the key, look up limits, then create a key
// pair, open a security group and start GPU instances. All but the first call raise an alert.
var attack = []struct{ event, failure, request string }{
	{"GetCallerIdentity", "", `null`},
	{"RunInstances", "Client.UnauthorizedOperation", `{"instanceType":"p5.48xlarge","minCount":8,"maxCount":8}`},
	{"RunInstances", "Client.VcpuLimitExceeded", `{"instanceType":"g6.48xlarge","minCount":8,"maxCount":8}`},
	{"CreateKeyPair", "", `{"keyName":"support"}`},
	{"CreateSecurityGroup", "", `{"groupName":"support","groupDescription":"support"}`},
	{"AuthorizeSecurityGroupIngress", "", `{"groupId":"sg-0a1b2c3d4e5f60718","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`},
	{"RunInstances", "", `{"instanceType":"g6.xlarge","minCount":4,"maxCount":4}`},
	{"RunInstances", "", `{"instanceType":"g6.xlarge","minCount":4,"maxCount":4}`},
}

// attackRecord returns call i of the attack as a record.
func attackRecord(i int, account string, at time.Time) *sample.Record {
	call := attack[i]
	source, failure := "ec2.amazonaws.com", ""
	if call.event == "GetCallerIdentity" {
		source = "sts.amazonaws.com"
	}
	if call.failure != "" {
		failure = `"errorCode":"` + call.failure + `",`
	}
	event := strings.NewReplacer("<account>", account, "<time>", at.UTC().Format(time.RFC3339), "<source>", source, "<name>", call.event,
		"<failure>", failure, "<request>", call.request, "<read>", fmt.Sprint(i == 0), "<id>", fmt.Sprintf("%012d", i+1), "<region>", attackRegion).Replace(
		`{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAQ3EGZQ7EXAMPLE","arn":"arn:aws:iam::<account>:user/ci-deploy",` +
			`"accountId":"<account>","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ci-deploy"},"eventTime":"<time>","eventSource":"<source>",` +
			`"eventName":"<name>","awsRegion":"<region>","sourceIPAddress":"203.0.113.66","userAgent":"aws-cli/2.31.0 Python/3.13 Linux",<failure>` +
			`"requestParameters":<request>,"responseElements":null,"requestID":"7e57ab1e-0000-4000-8000-<id>","eventID":"a77ac4ed-0000-4000-8000-<id>",` +
			`"readOnly":<read>,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"<account>","eventCategory":"Management"}`)
	return &sample.Record{Account: account, Value: []byte(event)}
}
