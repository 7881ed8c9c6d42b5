package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// movedAlert returns alert number n of an account, which may be empty, in a partition.
func movedAlert(n int, account string, partition int32, at time.Time) *kgo.Record {
	if account != "" {
		account = `"recipientAccountId":"` + account + `",`
	}
	return &kgo.Record{
		Topic: "cloudtrail-alerts", Partition: partition, Timestamp: at,
		Value: fmt.Appendf(nil, `{"id":"00000000-0000-5000-8000-%012d","ruleId":"AWS.UnusedRegion","severity":"High","eventTime":%q,%s`+
			`"eventName":"RunInstances","eventSource":"ec2.amazonaws.com","awsRegion":"eu-west-3",`+
			`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u"}}`, n, at.UTC().Format(time.RFC3339), account),
	}
}

// After partitions were added, a rebuild puts the older alerts of an account into the partition of its newest one, where
// further ones arrive: one incident with one id, exact counts and revisions without a gap. An alert without an account
// stays, and the service does not read what the rebuild has read.
//
// Guards: Placement.of; Continue.
func TestRebuildMovedAccounts(t *testing.T) {
	t.Parallel()
	const moved, kept, back = "111122223333", "444455556666", "777788889999"
	c := processortest.New(t, kfake.SeedTopics(3, "cloudtrail-alerts"), kfake.SeedTopics(1, "cloudtrail-incidents", "cloudtrail-dead-letters"),
		kfake.GroupMinSessionTimeout(100*time.Millisecond))
	now := time.Now().UTC()
	day := now.Truncate(24 * time.Hour).Add(time.Second) // one window, whatever the time
	at := func(n int) time.Time { return day.Add(time.Duration(n) * time.Millisecond) }
	var records []*kgo.Record
	n := 0
	add := func(account string, partition int32, count int) {
		for range count {
			records = append(records, movedAlert(n, account, partition, at(n)))
			n++
		}
	}
	add(moved, 0, 30)
	add(back, 2, 4) // its newest is in the first partition
	add(kept, 1, 5)
	add("", 0, 2)
	add(moved, 2, 20)
	add(back, 0, 3)
	records = append(records, movedAlert(0, moved, 2, at(n)), &kgo.Record{Topic: "cloudtrail-alerts", Value: []byte("{"), Timestamp: at(n)})
	c.Produce(records...)
	policyFile := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policyFile, []byte("default:\n  unused_regions: [eu-west-3]\n  incidents: {update_interval: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--brokers=" + strings.Join(c.ListenAddrs(), ","), "--policy=" + policyFile}
	for range 2 { // it can be repeated
		_, stderr, status := runCommand(t, append([]string{"incidents", "rebuild", "--yes"}, args...)...)
		if status != cli.ExitDone || !strings.Contains(stderr, "Grouping 66 records here: 2 accounts have them") ||
			!strings.Contains(stderr, "Now start the instances of regionwatch incidents again: they go on after them.") {
			t.Fatalf("status %d: %s", status, stderr)
		}
	}
	before := len(c.ReadAll("cloudtrail-incidents"))
	startCommand(t, append([]string{"incidents", "--instance-id=one"}, args...)...)
	c.Produce(movedAlert(1000, moved, 2, now), movedAlert(1001, kept, 1, now), movedAlert(1002, back, 0, now), movedAlert(1003, "", 0, now),
		movedAlert(1, moved, 2, now)) // again
	want := map[string]uint64{moved: 51, kept: 6, back: 8, "": 3}
	c.Eventually("all alerts count", func() bool {
		_, last := movedIncidents(t, c, before)
		return maps.Equal(last, want)
	})
	if ids, _ := movedIncidents(t, c, before); ids != len(want) {
		t.Errorf("%d incidents, want %d", ids, len(want))
	}
}

// An instance that joins while the state is made has other state in memory: the group does not go on, and the rebuild can be
// repeated.
//
// Guard: the last Plan in Build.
func TestRebuildBesideAnInstance(t *testing.T) {
	t.Parallel()
	c := processortest.New(t, kfake.SeedTopics(2, "cloudtrail-alerts"), kfake.SeedTopics(1, "cloudtrail-incidents"))
	c.Produce(movedAlert(0, "111122223333", 0, time.Now().Add(-time.Second)), movedAlert(1, "111122223333", 1, time.Now()))
	var asked, joins atomic.Int64
	joins.Store(3) // after the plan that is shown and the one before anything is deleted
	c.ControlKey(int16(kmsg.DescribeGroups), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked.Add(1) < joins.Load() {
			return nil, nil, false
		}
		resp, g := kreq.ResponseKind().(*kmsg.DescribeGroupsResponse), kmsg.NewDescribeGroupsResponseGroup()
		g.Group, g.State, g.ProtocolType = kreq.(*kmsg.DescribeGroupsRequest).Groups[0], "Stable", "consumer"
		g.Members = append(g.Members, kmsg.NewDescribeGroupsResponseGroupMember())
		resp.Groups = append(resp.Groups, g)
		return resp, nil, true
	})
	args := []string{"incidents", "rebuild", "--yes", "--brokers=" + strings.Join(c.ListenAddrs(), ","), "--unused-regions=eu-west-3"}
	if _, stderr, status := runCommand(t, args...); status != cli.ExitFault || !strings.Contains(stderr, "1 live members") || asked.Load() != joins.Load() {
		t.Errorf("status %d: %s", status, stderr)
	}
	joins.Store(1 << 40)
	if _, stderr, status := runCommand(t, args...); status != cli.ExitDone {
		t.Errorf("repeated: status %d: %s", status, stderr)
	}
}

// movedIncidents returns how many incidents there are, and how many alerts those of each account count. From the record
// on that is the first of the service, each revision follows the one before.
func movedIncidents(t *testing.T, c *processortest.Cluster, first int) (ids int, alerts map[string]uint64) {
	t.Helper()
	last := make(map[string]*incident.Incident)
	for n, record := range c.ReadAll("cloudtrail-incidents") {
		i, err := incident.Decode(record.Value)
		if err != nil {
			t.Fatal(err)
		}
		if before := last[i.ID]; n >= first && (before == nil || i.Revision != before.Revision+1) {
			t.Fatalf("record %d: revision %d of %s follows %+v", n, i.Revision, i.ID, before)
		}
		last[i.ID] = i
	}
	alerts = make(map[string]uint64)
	for _, i := range last {
		alerts[i.AccountID] += i.Counts.Alerts
	}
	return len(last), alerts
}
