package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// Options configure a benchmark.
type Options struct {
	// Processor holds the options of the measured processors, and the brokers for all clients. Topics, group, delivery,
	// instance ID and registry are replaced.
	Processor processor.Options
	// Records is how many records each pass reads.
	Records int
	// Next returns the next record to write. It is called Records times from one goroutine, and its results are kept.
	Next func() (key, value []byte)
	// Check, if set, inspects a processor's status after all records. Its error ends Run.
	Check func(processor.Status) error
	// Rounds is how often each contender reads all records. The report has the medians.
	Rounds int
	// Partitions and Replicas configure the topics; -1 means the broker's default.
	Partitions int32
	Replicas   int16
	// Compression is the compression of the records; the zero value means none.
	Compression kgo.CompressionCodec
	// Stall is how long Run waits without progress before it gives up; 0 means two minutes. A group may wait for a member
	// that is gone as long as the processor's RebalanceTimeout, a minute.
	Stall time.Duration
	// Step is called with each step, and Progress with how far it is. Both may be nil.
	Step     func(text string)
	Progress func(records int)
}

// validate returns every fault in the options.
func (o *Options) validate() error {
	var faults []error
	fault := func(holds bool, format string, args ...any) {
		if holds {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(len(o.Processor.Brokers) == 0, "brokers: none given")
	fault(o.Records < 1, "records: %d is less than 1", o.Records)
	fault(o.Rounds < 1, "rounds: %d is less than 1", o.Rounds)
	fault(o.Next == nil, "next: no records are given")
	return errors.Join(faults...)
}

// withDefaults returns o with defaults for nil fields.
func (o Options) withDefaults() Options {
	if o.Stall == 0 {
		o.Stall = 2 * time.Minute
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	if o.Progress == nil {
		o.Progress = func(int) {}
	}
	if o.Processor.Logger == nil {
		o.Processor.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
