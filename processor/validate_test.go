package processor

import (
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"
)

// validOptions returns options without a fault.
func validOptions() Options {
	o := optionsFor("127.0.0.1:1")
	o.InstanceID = "one"
	return o.withDefaults()
}

// Each number is allowed up to its limit, and no further.
//
// Guards: each check of checkTimes and checkSizes.
func TestOptionLimits(t *testing.T) {
	f := func(name string, set func(o *Options, n int), good, bad int) {
		t.Helper()
		for _, n := range []int{good, bad} {
			o := validOptions()
			set(&o, n)
			err := o.validate()
			if n == good && err != nil || n == bad && (err == nil || !strings.HasPrefix(err.Error(), name+": ") || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%s %d: %v", name, n, err)
			}
		}
	}
	ms, s := int(time.Millisecond), int(time.Second)
	f("SessionTimeout", func(o *Options, n int) { o.SessionTimeout = time.Duration(n) }, 100*ms, 100*ms-1)
	f("CommitInterval", func(o *Options, n int) { o.CommitInterval = time.Duration(n) }, 100*ms, 100*ms-1)
	f("DrainTimeout", func(o *Options, n int) { o.DrainTimeout = time.Duration(n) }, 0, -1)
	f("DeliveryTimeout", func(o *Options, n int) { o.DeliveryTimeout = time.Duration(n) }, s, s-1)
	f("DeliveryTimeout", func(o *Options, n int) { o.RebalanceTimeout, o.DeliveryTimeout = 10*time.Second, time.Duration(n) }, 5*s, 5*s+1)
	transaction := func(o *Options, n int) {
		o.Delivery, o.CommitInterval, o.TransactionTimeout = ExactlyOnce, 300*time.Millisecond, time.Duration(n)
	}
	f("TransactionTimeout", transaction, 1600*ms, 1600*ms-1)
	f("Sessions", func(o *Options, n int) { o.Sessions = n }, 1, 0)
	f("MaxRecordBytes", func(o *Options, n int) { o.MaxRecordBytes = n }, output.MinRecordBytes, output.MinRecordBytes-1)
	f("MaxRecordBytes", func(o *Options, n int) { o.MaxRecordBytes = n }, output.MostRecordBytes, output.MostRecordBytes+1)
	f("MaxBatchBytes", func(o *Options, n int) { o.MaxBatchBytes = n }, 1<<20, 1<<20-1)
	f("MaxBatchBytes", func(o *Options, n int) { o.MaxBatchBytes = n }, 1<<30, 1<<30+1)
	f("FetchBytes", func(o *Options, n int) { o.FetchBytes, o.FetchPartitionBytes = n, 1<<10 }, minFetchBytes, minFetchBytes-1)
	f("FetchBytes", func(o *Options, n int) { o.FetchBytes = n }, 1<<30, 1<<30+1)
	f("FetchPartitionBytes", func(o *Options, n int) { o.FetchPartitionBytes = n }, 1<<10, 1<<10-1)
	f("FetchPartitionBytes", func(o *Options, n int) { o.FetchPartitionBytes = n }, DefaultFetchBytes, DefaultFetchBytes+1)
	f("MaxRecordsPerSecond", func(o *Options, n int) { o.MaxRecordsPerSecond = n }, 0, -1)
	f("MaxEventBytes", func(o *Options, n int) { o.MaxEventBytes = n }, 0, -1)
	o := validOptions()
	if o.TransactionTimeout = 1; o.validate() != nil {
		t.Error("at least once has no transactions")
	}
}

// Each option that is missing, or does not go with another, is one fault; all are told at once.
//
// Guards: each need of checkNames, checkLoops.
func TestOptionFaults(t *testing.T) {
	f := func(want string, change func(*Options)) {
		t.Helper()
		o := validOptions()
		change(&o)
		got := ""
		if err := o.validate(); err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f("", func(*Options) {})
	f("Brokers: ", func(o *Options) { o.Brokers = nil })
	f("Brokers: ", func(o *Options) { o.Brokers = []string{"a:1", ""} })
	f("", func(o *Options) { o.Brokers = []string{"a:1", "b:1"} })
	f("InputTopics: at least", func(o *Options) { o.InputTopics = nil })
	f("InputTopics: at least", func(o *Options) { o.InputTopics = []string{"a", ""} })
	f("", func(o *Options) { o.InputTopics = []string{"a", "b"} })
	f("AlertTopic: ", func(o *Options) { o.AlertTopic = "" })
	f("DeadLetterTopic: a topic", func(o *Options) { o.DeadLetterTopic = "" })
	f("DeadLetterTopic: takes", func(o *Options) { o.ShadowTopic = o.DeadLetterTopic })
	f("DeadLetterTopic: takes", func(o *Options) { o.ExemptedTopic = o.DeadLetterTopic })
	f("", func(o *Options) { o.ShadowTopic, o.ExemptedTopic = "findings", "findings" })
	f("", func(o *Options) { o.ShadowTopic, o.ExemptedTopic = o.AlertTopic, o.AlertTopic })
	f("Group: ", func(o *Options) { o.Group = "" })
	f("Policy: ", func(o *Options) { o.Policy = nil })
	f("Delivery: ", func(o *Options) { o.Delivery = ExactlyOnce + 1 })
	f("", func(o *Options) { o.Delivery = ExactlyOnce })
	f("InstanceID: ", func(o *Options) { o.Delivery, o.InstanceID = ExactlyOnce, "" })
	f("", func(o *Options) { o.InstanceID = "" })
	f("CopyHeaders: ", func(o *Options) { o.CopyHeaders = []string{"traceparent", ""} })
	f("", func(o *Options) { o.CopyHeaders = []string{"traceparent"} })
	f(`InputTopics: "alerts" would read the output topic "alerts"`, func(o *Options) { o.InputTopics = []string{"a", alertTopic} })
	f(`InputTopics: "shadow" would`, func(o *Options) { o.InputTopics, o.ShadowTopic = []string{"shadow"}, "shadow" })
	f("", func(o *Options) { o.InputTopics = []string{"alert.*"} })
	f(`InputTopics: "alert.*" would`, func(o *Options) { o.InputTopics, o.InputPattern = []string{"alert.*"}, true })
	f("InputTopics: error parsing", func(o *Options) { o.InputTopics, o.InputPattern = []string{"(", "xyz"}, true })

	staged := func(want string, change func(*Options)) {
		t.Helper()
		f(want, func(o *Options) {
			o.Delivery, o.Stage, o.StateTopic = ExactlyOnce, &ledger{}, "state"
			change(o)
		})
	}
	staged("", func(*Options) {})
	staged("Stage: ", func(o *Options) { o.Delivery = AtLeastOnce })
	staged("Stage: ", func(o *Options) { o.InputPattern = true })
	staged("Stage: ", func(o *Options) { o.InputTopics = []string{"a", "b"} })
	staged("Stage: ", func(o *Options) { o.StateTopic = "" })
	staged("Stage: ", func(o *Options) { o.Start.Latest = true })

	o := validOptions()
	o.Brokers, o.Group, o.Sessions, o.SessionTimeout, o.CopyHeaders = nil, "", -1, 1, []string{""}
	err := o.validate()
	mustMention(t, err, "Brokers", "Group", "Sessions", "SessionTimeout", "CopyHeaders")
	if n := strings.Count(err.Error(), "\n"); n != 4 {
		t.Errorf("%d lines, want 5 faults: %v", n+1, err)
	}
}
