package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/deadletter"
	"github.com/regionwatch/regionwatch/processor/processortest"
)

// hostileLetter returns a letter that tries to attack the terminal of its reader.
func hostileLetter(partition int32, offset int64, at time.Time, more ...kgo.RecordHeader) *kgo.Record {
	h := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	headers := []kgo.RecordHeader{
		h(deadletter.HeaderTopic, "cloudtrail"), h(deadletter.HeaderPartition, fmt.Sprint(offset%3)), h(deadletter.HeaderOffset, fmt.Sprint(offset)),
		h(deadletter.HeaderTimestamp, "2026-03-04T05:06:07.008Z"), h(deadletter.HeaderReason, "syntax"),
		h(deadletter.HeaderError, "decoding event: byte 61: found '\\x1b', want a string \x1b[2J\u202e"),
		h(deadletter.HeaderShape, "event"), h(deadletter.HeaderAlerted, "1"), h(deadletter.HeaderCount, "1"),
		h(deadletter.HeaderIndex, "0"), h(deadletter.HeaderAlertID, "c679e136-714f-5399-a105-a6ec277fff85"),
	}
	headers = append(append(headers, more...), h(deadletter.HeaderHeaders, "1"), h("trace\x1b[31m", "\x1b]0;owned\x07\xff"))
	return &kgo.Record{
		Topic: "cloudtrail-dead-letters", Partition: partition, Timestamp: at, Key: []byte("key\x1b[2J"), Headers: headers,
		Value: []byte("{\"eventVersion\":\"1.11\",\"awsRegion\":\"eu-west-3\",\"readOnly\":false,\x1b[2J\"userAgent\":\"\u202e\"}"),
	}
}

func letterCluster(t *testing.T) (c *processortest.Cluster, brokers string) {
	t.Helper()
	c = processortest.New(t, kfake.SeedTopics(2, "cloudtrail", "cloudtrail-alerts", "cloudtrail-dead-letters"))
	return c, strings.Join(c.ListenAddrs(), ",")
}

func TestDeadLetterGolden(t *testing.T) {
	c, brokers := letterCluster(t)
	at := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	for i := range 5 {
		c.Produce(hostileLetter(int32(i%2), int64(40+i), at.Add(time.Duration(i)*time.Hour)))
	}
	c.Produce(&kgo.Record{Topic: "cloudtrail-dead-letters", Timestamp: at, Value: []byte("\x1b[2Jno letter")})
	f := func(name string, args ...string) {
		t.Helper()
		stdout, stderr, status := runCommand(t, append(append([]string{"deadletter"}, args...), "--brokers", brokers)...)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("%q: exit status %d: %s", args, status, stderr)
		}
		if strings.ContainsAny(stdout, "\x1b\u202e\x07") || !utf8.ValidString(stdout) {
			t.Errorf("%q: what a terminal obeys is in %q", args, stdout)
		}
		golden(t, name+".golden", stdout)
	}
	f("deadletter.list.table", "list")
	f("deadletter.list.json", "list", "--format", "json", "--since", "2026-03-04T06:00:00Z", "--origin-partition", "1-2")
	f("deadletter.show.text", "show", "0:1")
	f("deadletter.show.json", "show", "origin", "cloudtrail:1:43", "--format", "json")
	f("deadletter.replay.dry", "replay", "--dry-run", "--to", "input", "--partition", "0")
}

func TestDeadLetterRaw(t *testing.T) {
	c, brokers := letterCluster(t)
	r := hostileLetter(0, 40, time.Unix(1, 0))
	c.Produce(r)
	stdout, stderr, status := runCommand(t, "deadletter", "show", "0:0", "--raw", "--brokers", brokers)
	if status != cli.ExitDone || stdout != string(r.Value) {
		t.Errorf("exit status %d, %q: %s", status, stdout, stderr)
	}
}

func TestDeadLetterFailure(t *testing.T) {
	c, brokers := letterCluster(t)
	c.Produce(&kgo.Record{Topic: "cloudtrail-dead-letters", Value: []byte("none")})
	f := func(args string, want string) {
		t.Helper()
		_, stderr, status := runCommand(t, append([]string{"deadletter", "--brokers", brokers}, strings.Fields(args)...)...)
		if status != cli.ExitMistake || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d: %s\nwant %q", args, status, stderr, want)
		}
	}
	f("list --reason syntaks", `flag --reason: "syntaks" is not known; allowed: syntax, truncated,`)
	f("list --since yesterday", `flag --since: "yesterday" is not a time`)
	f("list --since 1h --until 2h", "flags --since, --until: 20")
	f("list --origin-partition 7-3", `flag --origin-partition: "7-3" is not a range`)
	f("list --offset -", `flag --offset: "-" is not a range`)
	f("list --dead-letter-topic nowhere", `topic "nowhere": no such topic`)
	f("show --acls 0:1 2", "name one dead letter")
	f("show", "name one dead letter, as PARTITION:OFFSET")
	f("show 0", `"0": name one dead letter`)
	f("show 9:0", "the topic has the partitions 0 to 1")
	f("show 0:7", "the partition holds the offsets 0 to 0")
	f("show 1:0", "the partition holds no records")
	f("show 0:0", "it does not have the headers of a dead letter")
	f("show origin cloudtrail:0:5", "the record cloudtrail:0:5: no such dead letter")
	f("replay --max-replays 0", `flag --max-replays: "0" is not allowed`)
	f("replay --origin-topic cloudtrail,elsewhere", `flag --origin-topic: "elsewhere" is not an input topic of the settings`)
	f("replay --input-topic-pattern trail-.* --origin-topic trail", `flag --origin-topic: "trail" is not an input topic of the settings`)
	f("replay --to nowhere", `flag --to: "nowhere" is not known; allowed: decision, input`)
}

// The ACLs of each command are printed without a broker, according to its flags.
func TestDeadLetterACLs(t *testing.T) {
	for args, want := range map[string]string{
		"list":                    "Read topic cloudtrail-dead-letters",
		"show":                    "Read topic cloudtrail-dead-letters",
		"show 0:7":                "Read topic cloudtrail-dead-letters",
		"replay --dry-run":        "Read topic cloudtrail-dead-letters",
		"replay --policy-topic p": "Read topic cloudtrail-dead-letters, Read topic p, Write topic cloudtrail-dead-letters, Write topic cloudtrail-alerts, Write transactional-id cloudtrail-dead-letters-replay",
		"replay --to input":       "Read topic cloudtrail-dead-letters, Write topic cloudtrail, Write topic cloudtrail-dead-letters, Write transactional-id cloudtrail-dead-letters-replay",
		"list --dead-letter-topic d --format json": "",
	} {
		stdout, stderr, status := runCommand(t, append(strings.Fields("deadletter "+args), "--acls", "--principal", "User:eve", "--brokers", "kafka.invalid:9092")...)
		if status != cli.ExitDone || stderr != "" {
			t.Errorf("%s: exit status %d: %s", args, status, stderr)
		}
		if want == "" {
			var entries []struct{ Principal, Operation, Name string }
			if err := json.Unmarshal([]byte(stdout), &entries); err != nil || fmt.Sprint(entries) != "[{User:eve Read d}]" {
				t.Errorf("%s: %v: %s", args, err, stdout)
			}
			continue
		}
		var got []string
		for line := range strings.Lines(stdout) {
			if _, acl, ok := strings.Cut(strings.TrimSpace(line), "--allow-principal User:eve --operation "); ok {
				got = append(got, strings.ReplaceAll(acl, " --", " "))
			}
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s\nwant %s", args, text, want)
		}
	}
	_, stderr, status := runCommand(t, "deadletter", "list", "--acls", "--brokers", "kafka:9098", "--tls", "--sasl-mechanism", "AWS_MSK_IAM")
	if status != cli.ExitMistake || !strings.Contains(stderr, "IAM policies") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

// If the brokers are unreachable, each command ends with one line that says why and what to do.
//
// Guard: check.Reach. Without it a bare EOF comes, or nothing for half a minute.
func TestDeadLetterUnreachable(t *testing.T) {
	_, brokers := letterCluster(t)
	for _, line := range []string{"list", "show 0:0", "show origin cloudtrail:0:0", "replay", "replay --dry-run --to input"} {
		for args, want := range map[string]string{
			"--brokers 127.0.0.1:1":                  "nothing listens on that port",
			"--brokers nowhere.invalid:9092":         "check the name in --brokers",
			"--tls --brokers " + brokers:             "omit --tls",
			"--policy-topic p --brokers 127.0.0.1:1": "nothing listens on that port",
		} {
			if strings.HasPrefix(args, "--policy") && !strings.HasPrefix(line, "replay") || strings.HasPrefix(args, "--tls") && line != "list" {
				continue // only a replay needs a policy, and waiting for one handshake is enough
			}
			stdout, stderr, status := runCommand(t, append(strings.Fields("deadletter "+line), strings.Fields(args)...)...)
			if status != cli.ExitFault || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
				t.Errorf("%s %s: exit status %d, %q: %s\nwant one line with %q", line, args, status, stdout, stderr, want)
			}
		}
	}
}

// The command replays what it reports, once, with the settings of run.
func TestDeadLetterReplay(t *testing.T) {
	c, brokers := letterCluster(t)
	c.Produce(&kgo.Record{Topic: "cloudtrail", Value: []byte("x")}, hostileLetter(0, 0, time.Unix(1, 0)), hostileLetter(0, 1, time.Unix(1, 0)))
	f := func(wantStatus int, args ...string) (account struct {
		Replayed, Readable, StillUnreadable, Already, Refused, Foreign uint64
		ForeignTopics                                                  []struct {
			Name  string
			Count int
		}
	}) {
		t.Helper()
		stdout, stderr, status := runCommand(t, append([]string{"deadletter", "replay", "--format", "json", "--brokers", brokers}, args...)...)
		if status != wantStatus {
			t.Errorf("%q: exit status %d: %s", args, status, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &account); err != nil {
			t.Fatalf("%q: %v in %q", args, err, stdout)
		}
		return account
	}
	if a := f(cli.ExitDone, "--input-topic", "others"); a.Foreign != 2 || a.Replayed != 0 || fmt.Sprint(a.ForeignTopics) != "[{cloudtrail 2}]" {
		t.Errorf("%+v", a)
	}
	if a := f(cli.ExitFault, "--origin-offset", "1", "--unused-regions", "eu-west-3", "--alert-format", "ocsf"); a.Replayed != 1 || a.StillUnreadable != 1 || a.Readable != 0 {
		t.Errorf("%+v", a)
	}
	// Guard: replay fails while a record still cannot be read.
	if a := f(cli.ExitFault); a.Replayed != 1 || a.Already != 1 || a.StillUnreadable != 1 {
		t.Errorf("%+v", a)
	}
	if a := f(cli.ExitDone); a.Replayed != 0 || a.Already != 2 || a.Refused != 2 { // the value is still damaged
		t.Errorf("%+v", a)
	}
	alerts := c.ReadAll("cloudtrail-alerts") // from all partitions, in any order
	ocsf := slices.IndexFunc(alerts, func(r *kgo.Record) bool { return bytes.Contains(r.Value, []byte(`"class_uid":2004`)) })
	if len(alerts) != 2 || ocsf < 0 || bytes.Contains(alerts[1-ocsf].Value, []byte(`"class_uid"`)) {
		t.Errorf("%d alerts, the one of OCSF is %d", len(alerts), ocsf)
	}
	stdout, _, _ := runCommand(t, "deadletter", "replay", "--input-topic", "others", "--again", "--max-replays", "9", "--brokers", brokers)
	if !strings.Contains(stdout, "of other input topics than the settings name: cloudtrail (4)") {
		t.Errorf("foreign topics are not named:\n%s", stdout)
	}
	readable := hostileLetter(0, 2, time.Unix(1, 0))
	readable.Value = []byte(matching)
	c.Produce(readable)
	if a := f(cli.ExitDone); a.Replayed != 1 || a.Readable != 1 || a.StillUnreadable != 0 {
		t.Errorf("%+v", a)
	}
	stdout, _, _ = runCommand(t, "deadletter", "show", "0:0", "--brokers", brokers)
	if !strings.Contains(stdout, "to decision") {
		t.Errorf("that it was replayed is not shown:\n%s", stdout)
	}
}
