package cloudtrail

import "testing"

// logs is what CloudWatch Logs sends, not compressed.
func logs(kind string, messages ...string) string {
	list := ""
	for i, m := range messages {
		if i > 0 {
			list += ","
		}
		list += `{"id":"3195310660696698337880902507980421114328961542429","timestamp":1432826855000,"message":` + quote(m) + `}`
	}
	return `{"messageType":"` + kind + `","owner":"111111111111","logGroup":"CloudTrail","logStream":"s",` +
		`"subscriptionFilters":["f"],"logEvents":[` + list + `]}`
}

func TestLogsSuccess(t *testing.T) {
	expect(t, logs("DATA_MESSAGE", paris, tokyo),
		"event 0 cloudwatch-logs eu-west-3 false\nevent 1 cloudwatch-logs ap-northeast-1 false")
	expect(t, compress(logs("DATA_MESSAGE", paris)), "event 0 gzip > cloudwatch-logs eu-west-3 false")
	expect(t, `{"awslogs":{"data":"`+toBase64(compress(logs("DATA_MESSAGE", paris)))+`"}}`,
		"event 0 cloudwatch-logs > base64 > gzip > cloudwatch-logs eu-west-3 false")
	// Firehose joins several without anything in between.
	expect(t, compress(logs("DATA_MESSAGE", paris)+logs("DATA_MESSAGE", tokyo)),
		"event 0 gzip > ndjson > cloudwatch-logs eu-west-3 false\nevent 1 gzip > ndjson > cloudwatch-logs ap-northeast-1 false")
	expect(t, compress(logs("DATA_MESSAGE", paris))+compress(logs("DATA_MESSAGE", tokyo)),
		"event 0 gzip > ndjson > cloudwatch-logs eu-west-3 false\nevent 1 gzip > ndjson > cloudwatch-logs ap-northeast-1 false")
}

func TestLogsSkips(t *testing.T) {
	expect(t, logs("CONTROL_MESSAGE", "CWL CONTROL MESSAGE: Checking health of destination"), "skip control-message")
	expect(t, logs("DATA_MESSAGE"), "skip empty")
}

func TestLogsFailure(t *testing.T) {
	expect(t, logs("DATA_MESSAGE", "a line of something else", paris),
		"event 0 cloudwatch-logs eu-west-3 false\nfault -1 unknown-shape cloudwatch-logs")
	expect(t, logs("DATA_MESSAGE", paris[:len(paris)-1], tokyo),
		"event 0 cloudwatch-logs eu-west-3 false damaged\nfault 0 truncated cloudwatch-logs\nevent 1 cloudwatch-logs ap-northeast-1 false")
	cut := logs("DATA_MESSAGE", paris, tokyo)
	expect(t, cut[:len(cut)-30], "event 0 cloudwatch-logs eu-west-3 false\n"+
		"event 1 cloudwatch-logs ap-northeast-1 false damaged\nfault 1 truncated cloudwatch-logs")
	expect(t, `{"messageType":"DATA_MESSAGE","logEvents":7}`, "fault 0 unknown-shape")
}
