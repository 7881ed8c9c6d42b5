package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPairsFailure(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		_, err := given{args: args}.load(t, all)
		if diff := cmp.Diff([]string{want}, lines(err)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", args, diff)
		}
	}
	f(`flag --input-topic, flag --alert-topic: input-topic and alert-topic are both "a"; they must differ`,
		"--input-topic=b,a", "--alert-topic=a")
	f(`flag --input-topic, default of dead-letter-topic: input-topic and dead-letter-topic are both "cloudtrail-dead-letters"; they must differ`,
		"--input-topic=cloudtrail-dead-letters")
	f("flag --input-topic, flag --input-topic-pattern: input-topic and input-topic-pattern exclude each other; give one of them",
		"--input-topic=a", "--input-topic-pattern=b.*")
	f(`flag --input-topic-pattern, flag --alert-topic: input-topic-pattern "a|b" matches alert-topic "b", which would be read as input; change one of them`,
		"--input-topic-pattern=a|b", "--alert-topic=b")
	f(`flag --input-topic-pattern, flag --dead-letter-topic: input-topic-pattern "a|b" matches dead-letter-topic "b", which would be read as input; change one of them`,
		"--input-topic-pattern=a|b", "--dead-letter-topic=b")
	f(`flag --input-topic-pattern, flag --exempted-topic: input-topic-pattern "a|b" matches exempted-topic "b", which would be read as input; change one of them`,
		"--input-topic-pattern=a|b", "--exempted-topic=b")
	f(`flag --input-topic, flag --policy-topic: input-topic and policy-topic are both "a"; they must differ`,
		"--input-topic=a", "--policy-topic=a")
	f(`flag --input-topic, flag --incident-topic: input-topic and incident-topic are both "a"; they must differ`,
		"--input-topic=a", "--incident-topic=a")
	names := []string{"alert-topic", "shadow-topic", "exempted-topic", "dead-letter-topic", "policy-topic", "incident-topic", "incident-state-topic"}
	for i, name := range names {
		for _, other := range names[max(i+1, 3):] { // one topic may have all findings
			f("flag --"+name+", flag --"+other+": "+name+" and "+other+` are both "a"; they must differ`, "--"+name+"=a", "--"+other+"=a")
		}
	}
	f(`flag --incident-group, flag --group: incident-group and group are both "a"; they must differ`, "--group=a", "--incident-group=a")
	f("flag --policy, flag --unused-regions: policy and unused-regions are both given; the policy replaces the other, leave one out",
		"--policy=policy.yaml", "--unused-regions=us-west-1")
	f("flag --policy, flag --policy-topic: policy and policy-topic are both given; the policy replaces the other, leave one out",
		"--policy=p", "--policy-topic=p")
	f("flag --policy-topic, flag --unused-regions: policy-topic and unused-regions are both given; the policy replaces the other, leave one out",
		"--policy-topic=p", "--unused-regions=ap-east-1")
	f("flag --policy-topic, flag --missing-read-only: policy-topic and missing-read-only are both given; the policy replaces the other, leave one out",
		"--policy-topic=p", "--missing-read-only=alert")
	f("flag --copy-headers: copy-headers has 17 names, more than 16", "--copy-headers="+strings.Repeat("x,", 16)+"x")
	f("flag --copy-headers: copy-headers is none and other names; give none alone, or leave it out", "--copy-headers=none,baggage")
	f("flag --policy-key: policy-key needs policy or policy-topic", "--policy-key=k")
	f("flag --policy-cache: policy-cache needs policy or policy-topic", "--policy-cache=c")
	f("flag --delivery, flag --instance-id: exactly-once needs an instance-id for its transactions; give one, or leave it out and one is made",
		"--delivery=exactly-once", "--instance-id=none")
	f("flag --commit-interval, default of session-timeout: commit-interval 6s must be shorter than session-timeout 6s",
		"--commit-interval=6s")
	f("flag --commit-interval, flag --drain-timeout: commit-interval 3s must be shorter than drain-timeout 2s",
		"--commit-interval=3s", "--drain-timeout=2s")
	f("flag --session-timeout, default of rebalance-timeout: session-timeout 2m must not be longer than rebalance-timeout 1m",
		"--session-timeout=2m")
	f("flag --delivery-timeout, default of rebalance-timeout: delivery-timeout 56s and 5s for a commit must fit into rebalance-timeout 1m",
		"--delivery-timeout=56s")
	f("flag --delivery, flag --commit-interval, flag --transaction-timeout: transaction-timeout 2s must be at least 1s and twice commit-interval 600ms",
		"--delivery=exactly-once", "--transaction-timeout=2s", "--commit-interval=600ms")
	// A bad value is not blamed a second time for what its default would do.
	f(`flag --alert-topic: "a b" has characters that Kafka does not allow; allowed: a topic name of letters, digits, dots, underscores and hyphens`,
		"--alert-topic=a b", "--input-topic=cloudtrail-alerts")
}

func TestPairsSuccess(t *testing.T) {
	f := func(args ...string) *Settings {
		t.Helper()
		s, err := given{args: args}.load(t, all)
		if err != nil {
			t.Errorf("%q: %v", args, err)
		}
		return s
	}
	f("--delivery=at-least-once", "--instance-id=none")
	f("--delivery-timeout=55s")
	f("--transaction-timeout=1s")
	f("--delivery=exactly-once", "--transaction-timeout=3s", "--commit-interval=1s")
	f("--session-timeout=1m", "--rebalance-timeout=1m", "--delivery-timeout=55s")
	f("--fetch-partition-bytes=1MiB", "--fetch-bytes=1MiB")
	f("--copy-headers=" + strings.Repeat("x,", 15) + "x")
	f("--admin-address=none", "--page-address=none")
	f("--admin-address=localhost:0", "--page-address=localhost:0")
	f("--input-topic-pattern=.*t", "--alert-topic=a", "--dead-letter-topic=d")
	f("--policy=policy.yaml", "--shadow-topic=x", "--exempted-topic=x")
	s := f("--input-topic-pattern=cloudtrail")
	if s.InputTopics != nil || s.WholeInputPattern() != "^(?:cloudtrail)$" {
		t.Errorf("topics %q, pattern %q", s.InputTopics, s.WholeInputPattern())
	}
}
