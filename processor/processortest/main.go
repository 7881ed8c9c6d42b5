package processortest

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package and exits: 24 at a time, because they spend far more time waiting for brokers and timers
// than computing. No goroutine may be left behind them.
func Main(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
	// kfake's own goroutine can wait for a lock forever if it is closed while a control function of a test returns.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*Cluster).run"))
}
