//go:build linux && !race

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/regionwatch/regionwatch/processor/policy/regions"
)

// writeOrganization writes the traffic of 10,000 accounts that work in all of 34 regions: in each, two roles on two days.
func writeOrganization(w io.Writer) error {
	const accounts, used = 10_000, 34
	out := bufio.NewWriterSize(w, 1<<20)
	all := regions.All()[:used]
	for i := range 2 {
		for account := range accounts {
			for r := range all {
				_, _ = fmt.Fprintf(out, `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::%012[1]d:role/deployment-role-%[2]d"}}},`+
					`"eventTime":"2026-0%[3]d-01T12:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":%[4]q,"readOnly":false,"recipientAccountId":"%012[1]d"}`+"\n",
					account, i, i+1, all[r].Code)
			}
		}
	}
	return out.Flush()
}

// 10,000 accounts in 34 regions are learned, drafted and exported in 300 MB, which is the peak of the whole process.
//
// Guards: memory.Tune in newPolicyLearnCommand; one account at a time in Draft.Write.
func TestPeakOfLearning(t *testing.T) {
	const most = 300_000_000
	cmd := command(t, "policy", "learn", "-", "--evidence", filepath.Join(t.TempDir(), "evidence.ndjson"))
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe() // the draft, which is written last
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	if err := writeOrganization(stdin); err != nil {
		t.Error(err)
	}
	_ = stdin.Close()
	peak, read := 0, 0
	for buffer := make([]byte, 1<<20); ; {
		n, err := stdout.Read(buffer)
		read += n
		peak = max(peak, peakOf(t, cmd.Process))
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if read < 1<<20 {
		t.Errorf("a draft of only %d bytes", read)
	}
	t.Logf("peak %d MB", peak/1_000_000)
	if peak > most {
		t.Errorf("the peak is %d MB, want at most %d", peak/1_000_000, most/1_000_000)
	}
}
