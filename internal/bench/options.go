package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// Options say what to measure.
type Options struct {
	// Processor is what the measured processors are made of. Its brokers are those that everything goes to; topics,
	// group, delivery, instance id and registry are replaced.
	Processor processor.Options
	// Records is how many records each pass reads.
	Records int
	// Next returns the next record to write. It is called Records times, from one goroutine; what it returns is kept.
	Next func() (key, value []byte)
	// Check, where set, looks at what a processor has done with all records. Its error ends Run.
	Check func(processor.Status) error
	// Rounds is how often each contender reads all records. The medians of all rounds count.
	Rounds int
	// Partitions and Replicas are those of the topics; -1 takes the broker's default.
	Partitions int32
	Replicas   int16
	// Compression is that of the records; the zero value is none.
	Compression kgo.CompressionCodec
	// Stall is how long nothing may be written or read before Run ends; 0 means a minute.
	Stall time.Duration
	// Step is told what is done now, and Progress how far that is. Nil means that nobody is told.
	Step     func(text string)
	Progress func(records int)
}

// validate names every fault of the options.
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

// withDefaults returns o with what may be nil replaced.
func (o Options) withDefaults() Options {
	if o.Stall == 0 {
		o.Stall = time.Minute
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
