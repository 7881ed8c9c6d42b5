package integration

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// fate is the expected outcome of an event.
type fate uint8

const (
	passes     fate = iota // no alert
	alerts                 // one alert
	deadLetter             // a record that cannot be read: one dead letter
)

// eventID of the event with number n.
func eventID(n int) string { return fmt.Sprintf("7e57ab1e-0000-4000-8000-%012d", n) }

// eventNumber is what eventID was made of; -1 for an id that is not ours.
func eventNumber(id string) int {
	digits, found := strings.CutPrefix(id, "7e57ab1e-0000-4000-8000-")
	n, err := strconv.Atoi(digits)
	if !found || err != nil {
		return -1
	}
	return n
}

// event is a CloudTrail event in the service's own order of fields, about 1 kB.
func event(id, region string, readOnly bool) string {
	return fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEID:example-user",`+
		`"arn":"arn:aws:sts::123456789012:assumed-role/example-role/example-user","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE",`+
		`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEID","arn":"arn:aws:iam::123456789012:role/example-role",`+
		`"accountId":"123456789012","userName":"example-role"},"webIdFederationData":{},"attributes":{"creationDate":"2026-01-19T04:50:00Z","mfaAuthenticated":"false"}}},`+
		`"eventTime":"2026-01-19T04:50:27Z","eventSource":"athena.amazonaws.com","eventName":"StartQueryExecution","awsRegion":"%s",`+
		`"sourceIPAddress":"192.0.2.17","userAgent":"aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64","requestParameters":{"queryString":"***",`+
		`"clientRequestToken":"a3b1-77","workGroup":"primary","queryExecutionContext":{"database":"logs"}},"responseElements":{"queryExecutionId":"1c2d"},`+
		`"requestID":"9b3f2c64-5d0f-4a21-9f6e-8d7c0a1e2f43","eventID":"%s","readOnly":%t,"eventType":"AwsApiCall","managementEvent":true,`+
		`"recipientAccountId":"123456789012","eventCategory":"Management"}`, region, id, readOnly)
}

// numbered writes the next event of a load into the ledger and returns its number and its record's
// value. Half of them alert, one in twenty is damaged.
func numbered(l *ledger) (n int, value string) {
	switch dealt := rand.IntN(20); {
	case dealt < 10:
		n = l.next(alerts)
		return n, event(eventID(n), "eu-central-1", false)
	case dealt == 10:
		n = l.next(deadLetter)
		return n, `{"eventVersion":"1.08","userIdentity":{"type":` // before region and readOnly: nothing to alert
	case dealt < 15:
		n = l.next(passes)
		return n, event(eventID(n), "us-east-1", false)
	default:
		n = l.next(passes)
		return n, event(eventID(n), "eu-central-1", true)
	}
}
