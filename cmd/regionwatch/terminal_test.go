package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// steering are texts that control a terminal or deceive its reader.
var steering = []string{
	"\x1b[2J\x1b[1;1H\x1b[31m",                           // CSI: clear, move, colour
	"\x1b]0;title\a\x1b]2;title\x1b\\",                   // OSC 0 and 2: the window's title
	"\x1b]8;;https://evil.example/\x1b\\link\x1b]8;;\a",  // OSC 8: a link
	"\x1b]52;c;ZXZpbA==\a",                               // OSC 52: the clipboard
	"\x1bP$q\x1b\\\x1b_x\x1b\\\x1b^x\x1b\\\x1bc\x1b7",    // DCS, APC, PM, reset, save
	"\u009b2J\u009d0;x\u009c\u0090\u0085",                // C1 controls as single characters
	"a\bb\x7f\a\rover\vx\fy\x00",                         // backspace, delete, bell, carriage return
	"\n  alert  none\n\nfake line",                       // lines that imitate ours
	"\u202egnp.exe\u202d\u2066x\u2069\u200f\u061c",       // direction marks
	"a\u200bb\u200c\u200d\u2060\ufeff\u00ad\u3164\ufe0f", // invisible characters
	"\u2028\u2029\U000e0041\U000e007f\ue000",             // other line ends, tags, private use
	endless,
}

// endless comes last: of a batch with many alerts only the latest are shown.
var endless = strings.Repeat("long ", 10_000)

// steeringEvents returns events that alert, or would, with the texts wherever an attacker controls a field, and records
// with damage that errors quote.
func steeringEvents(texts ...string) (values []string) {
	for i, text := range texts {
		quoted, _ := json.Marshal(text) // a string always encodes
		// Characters that JSON allows in a string also appear unescaped.
		raw := `"` + strings.Map(func(r rune) rune {
			if r < ' ' || r == '"' || r == '\\' {
				return -1
			}
			return r
		}, text) + `"`
		for j, value := range []string{string(quoted), raw} {
			for _, region := range []string{`"eu-central-1"`, value} {
				values = append(values, strings.NewReplacer("TEXT", value, "REGION", region, "ID", fmt.Sprint(i, "-", j)).Replace(
					`{"eventVersion":TEXT,"eventID":TEXT,"eventTime":TEXT,"eventSource":TEXT,"eventName":TEXT,"awsRegion":REGION,`+
						`"sourceIPAddress":TEXT,"userAgent":TEXT,"errorCode":TEXT,"recipientAccountId":TEXT,"readOnly":false,`+
						`"userIdentity":{"type":TEXT,"userName":TEXT,"arn":TEXT,"principalId":TEXT,"accountId":TEXT},"requestParameters":{TEXT:TEXT}}`))
			}
			values = append(values, `{"awsRegion":"eu-central-1","readOnly":false,"eventName":`+value+`,"x":`+value[1:])
		}
		values = append(values, text, `{"awsRegion":`+text, `{"`+text+`":1}`, "\x9b2J\xff"+text)
	}
	return values
}

// wantPlain asserts output that a terminal shows unchanged: lines of bounded length, of characters that print as
// themselves.
func wantPlain(t *testing.T, what, out string) {
	t.Helper()
	if out == "" {
		t.Errorf("%s: no output", what)
	}
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsFunc(line, display.IsHidden) || strings.ToValidUTF8(line, "") != line {
			t.Errorf("%s: %.300q", what, line)
		}
		if strings.HasPrefix(line, "fake line") || len(line) > 20_000 {
			t.Errorf("%s: a line that is made by an event, or without end: %.100q", what, line)
		}
	}
}

// Files cannot control the terminal of their reader.
func TestTerminalFiles(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "trail\x1b]0;x\a\u202e.json") // an attacker may also name files
	values := steeringEvents(steering...)
	for i, value := range values {
		values[i] = strings.ReplaceAll(value, "\n", " ") // one line each
	}
	if err := os.WriteFile(name, []byte(strings.Join(values, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"scan", "--format", "table", folder}, {"scan", "--format", "table", name}, {"scan", name + "x"},
		{"explain", name}, {"explain", name, "--format", "text", "--event-id", "\x1b[2J"},
	} {
		stdout, stderr, _ := runCommand(t, args...)
		wantPlain(t, strings.Join(args[:2], " "), stdout+stderr)
	}
}

// Events of a topic cannot control the terminal of run or of explain.
func TestTerminalRun(t *testing.T) {
	c := processortest.New(t, kfake.SeedTopics(1, "cloudtrail"))
	values := steeringEvents(steering...)
	produceRaw(t, c.ListenAddrs()[0], values)
	for _, format := range []string{"text", "json"} {
		cmd := command(t, "run", "--brokers", c.ListenAddrs()[0], "--create-topics", "--admin-address=127.0.0.1:0", "--instance-id=none",
			"--log-level=debug", "--log-format", format, "--group", "of-"+format)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c.Eventually("all is committed", func() bool { return c.Committed("of-"+format, "cloudtrail", 0) == int64(len(values)) })
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, out.String())
		}
		wantPlain(t, "run with a log as "+format, out.String())
	}
	for offset := range 8 {
		stdout, stderr, _ := runCommand(t, "explain", fmt.Sprintf("cloudtrail:0:%d", offset), "--brokers", c.ListenAddrs()[0])
		wantPlain(t, "explain", stdout+stderr)
	}
}

// The same holds for demo, whose topic any program on this machine may write to.
func TestTerminalDemo(t *testing.T) {
	cmd := command(t, "demo", "--rate=100", "--admin-address=127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The endless one comes after the others have been shown, or it would leave no room for them.
	parts := [][]string{steeringEvents(steering[:len(steering)-1]...), steeringEvents(endless)}
	signs := []string{"\n0s: ", "gnp.exe", "long long long"} // that the demo has started, and that each part is shown
	var text strings.Builder
	buffer := make([]byte, 64<<10)
	for end := time.Now().Add(time.Minute); ; {
		n, err := out.Read(buffer)
		text.Write(buffer[:n])
		if len(signs) > 0 && strings.Contains(text.String(), signs[0]) {
			if signs = signs[1:]; len(parts) > 0 {
				address, _, _ := strings.Cut(strings.TrimPrefix(text.String(), "Kafka broker on "), ",")
				produceRaw(t, address, parts[0])
				parts = parts[1:]
			}
		}
		if len(signs) == 0 || time.Now().After(end) {
			_ = cmd.Process.Signal(syscall.SIGINT)
		}
		if err != nil {
			break
		}
	}
	_ = cmd.Wait() // the summary does not add up, because demo did not make these events
	if len(signs) > 0 {
		t.Errorf("the events have not been shown: %s", text.String())
	}
	wantPlain(t, "demo", text.String()+stderr.String())
}

// produceRaw writes records unchanged to the input topic.
func produceRaw(t *testing.T, broker string, values []string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("cloudtrail"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = kgo.StringRecord(value)
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
