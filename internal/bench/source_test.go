package bench

import (
	"testing"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

// The findings in generated records are known: one missing alert is an error.
func TestBenchCheck(t *testing.T) {
	t.Parallel()
	g, err := sample.New(sample.Options{MatchShare: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := Generated(g, []string{"ap-east-1", "eu-west-3", "eu-central-1"})
	for range 10 {
		s.Next()
	}
	if err := s.Check(processor.Status{Acked: 10}); err != nil {
		t.Error(err)
	}
	for _, status := range []processor.Status{{Acked: 9}, {Acked: 11}, {Acked: 10, DeadLetter: 1}} {
		if s.Check(status) == nil {
			t.Errorf("%+v passes", status)
		}
	}
}
