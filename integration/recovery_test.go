package integration

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestRecovery measures how long alerts stand still after deaths: three brokers, two instances, six
// partitions, a thousand records a second, sessions of six seconds, and a SIGKILL about every six seconds
// with a new start at once. The figures are for the reader; what must not be missing is checked.
func TestRecovery(t *testing.T) {
	c := startCluster(t, 3)
	table := fmt.Sprintf("%-14s %5s %7s %8s %10s %14s %14s %11s %9s %9s", "delivery", "kills", "alerts", "missing", "duplicates", "longest stall", "of a partition", "median wait", "p99 wait", "worst")
	for _, delivery := range []string{atLeastOnce, exactlyOnce} {
		d := startDrill(t, c, delivery, 6, 2, 1000)
		time.Sleep(3 * time.Second)
		count := kills(t)
		for range count {
			d.instances[rand.IntN(2)].strike(t)
			time.Sleep(5*time.Second + time.Duration(rand.IntN(2000))*time.Millisecond)
		}
		a := d.finish(t)
		table += fmt.Sprintf("\n%-14s %5d %7d %8d %9.2f%% %14s %14s %11s %9s %9s", delivery, count, a.alerts, a.missing,
			a.duplicateShare(), seconds(a.gap), seconds(a.partitionGap), seconds(a.wait.median), seconds(a.wait.p99), seconds(a.wait.worst))
	}
	fmt.Println(table)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
