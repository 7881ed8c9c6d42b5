package check

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/internal/broker"
	"github.com/regionwatch/regionwatch/processor"
)

// open returns a connection that is never used.
func open(t *testing.T, o broker.Options) *broker.Connection {
	t.Helper()
	if o.Addresses == nil {
		o.Addresses = []string{"kafka-1:9092", "kafka-2:9092"}
	}
	c, err := broker.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// options returns the options of the default settings.
func options(t *testing.T, change ...func(*Options)) Options {
	t.Helper()
	o := Options{
		Options:   processor.Options{InputTopics: []string{"in"}, Group: "watch"},
		Principal: "User:alice",
		Outputs:   []Output{{"alerts", "out"}, {"dead letters", "dead"}},
	}
	for _, c := range change {
		c(&o)
	}
	if o.Connection == nil {
		o.Connection = open(t, broker.Options{})
	}
	return o
}

func TestEntriesSuccess(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Options)
		want   []string // the rest of each command after the principal
	}{
		"at least once": {func(*Options) {}, []string{
			"--operation Read --topic in", "--operation Read --group watch",
			"--operation Write --topic out", "--operation Write --topic dead",
		}},
		"one topic for several things": {
			func(o *Options) {
				o.InputTopics = []string{"in", "in"}
				o.Outputs = append(o.Outputs, Output{"shadow findings", "out"})
			}, []string{
				"--operation Read --topic in", "--operation Read --group watch",
				"--operation Write --topic out", "--operation Write --topic dead",
			},
		},
		"policy topic": {func(o *Options) { o.PolicyTopic = "policy" }, []string{
			"--operation Read --topic in", "--operation Read --group watch",
			"--operation Write --topic out", "--operation Write --topic dead", "--operation Read --topic policy",
		}},
		"state topic": {func(o *Options) {
			o.Delivery, o.InstanceID, o.StateTopic, o.Outputs = processor.ExactlyOnce, "a", "state", []Output{{"incidents", "incidents"}}
		}, []string{
			"--operation Read --topic in", "--operation Read --group watch", "--operation Write --topic incidents",
			"--operation Read --topic state", "--operation Write --topic state",
			"--operation Write --transactional-id watch-a- --resource-pattern-type prefixed",
		}},
		"create topics": {func(o *Options) { o.CreateTopics = true }, []string{
			"--operation Read --topic in", "--operation Read --group watch",
			"--operation Write --topic out", "--operation Write --topic dead",
			"--operation Create --topic dead", "--operation Create --topic in", "--operation Create --topic out",
		}},
		"exactly once": {func(o *Options) { o.Delivery, o.InstanceID, o.Sessions = processor.ExactlyOnce, "a", 2 }, []string{
			"--operation Read --topic in", "--operation Read --group watch",
			"--operation Write --topic out", "--operation Write --topic dead",
			"--operation Write --transactional-id watch-a-0-5", "--operation Write --transactional-id watch-a-1-5",
		}},
		"exactly once without sessions": {func(o *Options) { o.Delivery, o.InstanceID = processor.ExactlyOnce, "a" }, []string{
			"--operation Read --topic in", "--operation Read --group watch",
			"--operation Write --topic out", "--operation Write --topic dead",
			"--operation Write --transactional-id watch-a- --resource-pattern-type prefixed",
		}},
		"exactly once without instance": {func(o *Options) { o.Delivery, o.Sessions = processor.ExactlyOnce, 2 }, []string{
			"--operation Read --topic in", "--operation Read --group watch",
			"--operation Write --topic out", "--operation Write --topic dead",
			"--operation Write --transactional-id watch- --resource-pattern-type prefixed",
		}},
		"pattern": {func(o *Options) {
			o.InputTopics, o.InputPattern, o.Outputs = []string{"^(?:trail-(eu|us-[a-z]+))$"}, true, nil
		}, []string{
			"--operation Read --topic trail-eu", "--operation Read --topic trail-us- --resource-pattern-type prefixed",
			"--operation Read --group watch",
		}},
		"pattern that begins with anything": {func(o *Options) { o.InputTopics, o.InputPattern, o.Outputs = []string{"^(?:.*-trail)$"}, true, nil }, []string{
			"--operation Read --topic '*'", "--operation Read --group watch",
		}},
		"names that a shell would take apart": {func(o *Options) { o.Group, o.Outputs = "it's $HOME", nil }, []string{
			"--operation Read --topic in", `--operation Read --group 'it'\''s $HOME'`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, test.change)
			var got []string
			for _, e := range o.Entries() {
				rest, ok := strings.CutPrefix(e.Command, "kafka-acls --bootstrap-server kafka-1:9092 --add --allow-principal User:alice ")
				if !ok {
					t.Errorf("%s", e.Command)
				}
				got = append(got, rest)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A rebuild makes group and state anew, and writes no dead letters.
func TestRebuildEntries(t *testing.T) {
	o := options(t, func(o *Options) { o.StateTopic, o.PolicyTopic = "state", "policy" })
	var got []string
	for _, e := range o.RebuildEntries("watch-rebuild") {
		got = append(got, strings.TrimPrefix(e.Command, "kafka-acls --bootstrap-server kafka-1:9092 --add --allow-principal User:alice "))
	}
	want := []string{
		"--operation Read --topic in", "--operation Delete --group watch", "--operation Read --group watch",
		"--operation Delete --topic state", "--operation Create --topic state", "--operation Write --topic state",
		"--operation Write --topic out", "--operation Write --transactional-id watch-rebuild", "--operation Read --topic policy",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Dead-letter commands need less access than run does.
func TestLetterEntries(t *testing.T) {
	const read, write, id = "--operation Read --topic dead", "--operation Write --topic dead", "--operation Write --transactional-id dead-replay"
	pattern := func(o *Options) { o.InputTopics, o.InputPattern = []string{"^(?:trail-.*)$"}, true }
	for name, test := range map[string]struct {
		letters Letters
		change  func(*Options)
		want    []string
	}{
		"read":               {Letters{}, func(o *Options) { o.PolicyTopic = "policy" }, []string{read}},
		"dry run":            {Letters{Replay: true, DryRun: true}, func(o *Options) { o.PolicyTopic = "policy" }, []string{read, "--operation Read --topic policy"}},
		"dry run to input":   {Letters{Replay: true, DryRun: true, ToInput: true}, func(o *Options) { o.PolicyTopic = "policy" }, []string{read, "--operation Describe --topic in"}},
		"dry run to pattern": {Letters{Replay: true, DryRun: true, ToInput: true}, pattern, []string{read, "--operation Describe --topic trail- --resource-pattern-type prefixed"}},
		"decision":           {Letters{Replay: true}, func(*Options) {}, []string{read, write, "--operation Write --topic out", id}},
		"decision, policy topic": {Letters{Replay: true}, func(o *Options) {
			o.PolicyTopic, o.Outputs = "policy", append(o.Outputs, Output{"shadow findings", "shadow"})
		}, []string{read, "--operation Read --topic policy", write, "--operation Write --topic out", "--operation Write --topic shadow", id}},
		"input":         {Letters{Replay: true, ToInput: true}, func(*Options) {}, []string{read, "--operation Write --topic in", write, id}},
		"input pattern": {Letters{Replay: true, ToInput: true}, pattern, []string{read, "--operation Write --topic trail- --resource-pattern-type prefixed", write, id}},
	} {
		o := options(t, test.change)
		test.letters.Topic, test.letters.TransactionalID = "dead", "dead-replay"
		var got []string
		for _, e := range o.LetterEntries(&test.letters) {
			got = append(got, strings.TrimPrefix(e.Command, "kafka-acls --bootstrap-server kafka-1:9092 --add --allow-principal User:alice "))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// An administrator of secured brokers needs client settings too, and an unknown principal becomes a placeholder.
func TestEntriesSecured(t *testing.T) {
	o := options(t, func(o *Options) { o.Principal, o.Connection = "", open(t, broker.Options{TLS: &broker.TLS{}}) })
	const want = "kafka-acls --bootstrap-server kafka-1:9092 --command-config admin.properties --add --allow-principal User:PRINCIPAL" +
		" --operation Read --topic in"
	got := o.Entries()[0]
	if diff := cmp.Diff(Entry{"User:PRINCIPAL", "Read", "TOPIC", "in", "LITERAL", want, ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBeginnings(t *testing.T) {
	whole := func(names ...string) (list []beginning) {
		for _, name := range names {
			list = append(list, beginning{name, true})
		}
		return list
	}
	for pattern, want := range map[string][]beginning{
		"":                          nil,
		"trail":                     whole("trail"),
		"^trail$":                   whole("trail"),
		"trail-(eu|us)":             whole("trail-eu", "trail-us"),
		"trail(-eu)?":               whole("trail", "trail-eu"),
		"trail-[ab]":                whole("trail-a", "trail-b"),
		"prod|preprod":              whole("preprod", "prod"),
		"trail-[a-z]+":              {{"trail-", false}}, // more than maxBeginnings
		"trail.*":                   {{"trail", false}},
		"(a|b)-.*":                  {{"a-", false}, {"b-", false}},
		"(a|ab|a.*)":                {{"a", false}}, // includes the others
		"x(a.*|a)":                  {{"xa", false}},
		"a+b":                       {{"a", false}},
		"(?i)trail":                 {{"", false}},
		".*":                        {{"", false}},
		"trail|.*":                  {{"", false}},
		"a*":                        {{"", false}},
		"t(a|b|c|d|e)(a|b|c|d|e)":   {{"ta", false}, {"tb", false}, {"tc", false}, {"td", false}, {"te", false}},
		"t[a-e][a-e]-(.*|x)":        {{"ta", false}, {"tb", false}, {"tc", false}, {"td", false}, {"te", false}},
		"[":                         {{"", false}}, // not a valid pattern
		"a{3}":                      whole("aaa"),
		"org/.{2}":                  {{"org/", false}},
		"aws\\.cloudtrail\\.[0-9]+": {{"aws.cloudtrail.0", false}, {"aws.cloudtrail.1", false}},
	} {
		got := beginnings(pattern)
		if pattern == "aws\\.cloudtrail\\.[0-9]+" {
			got = got[:2] // of ten
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(beginning{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", pattern, diff)
		}
	}
}
