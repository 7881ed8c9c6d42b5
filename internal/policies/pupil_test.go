package policies

import (
	"fmt"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/processor/detection"
)

// However many pupils there are, and however much each has seen, they keep little to themselves, and nothing is lost.
func TestPupilsKeepLittle(t *testing.T) {
	const pupils, places = 4, 2*maxOwn + 10
	class := class{into: learn.NewLearner(time.Now())}
	var counts detection.Counts
	for range pupils {
		p := class.pupil(0)
		for i := range places {
			p.read(fmt.Appendf(nil, `{"eventVersion":"1.08","awsRegion":"us-east-1","readOnly":true,"eventSource":"ec2.amazonaws.com","recipientAccountId":"%012d"}`, i), &counts)
			if p.own.Len() > maxOwn {
				t.Fatalf("a pupil keeps %d places", p.own.Len())
			}
		}
	}
	class.end()
	total := 0
	for _, a := range class.into.Accounts() {
		total += int(a.Regions[0].Usage.Reads)
	}
	if total != pupils*places || counts.Events != pupils*places {
		t.Errorf("%d reads and %d events, want %d", total, counts.Events, pupils*places)
	}
}
