package processor

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"
)

// validate returns all faults of o. o has its defaults.
func (o *Options) validate() error {
	return errors.Join(o.checkNames(), o.checkTimes(), o.checkSizes())
}

func (o *Options) checkNames() error {
	var errs []error
	need := func(missing bool, what string) {
		if missing {
			errs = append(errs, errors.New(what))
		}
	}
	need(len(o.Brokers) == 0 || slices.Contains(o.Brokers, ""), "Brokers: at least one address is needed, none empty")
	need(len(o.InputTopics) == 0 || slices.Contains(o.InputTopics, ""), "InputTopics: at least one topic is needed, none empty")
	need(o.AlertTopic == "", "AlertTopic: a topic is needed")
	need(o.DeadLetterTopic == "", "DeadLetterTopic: a topic is needed")
	need(o.DeadLetterTopic != "" && (o.DeadLetterTopic == o.ShadowTopic || o.DeadLetterTopic == o.ExemptedTopic),
		"DeadLetterTopic: takes no findings, ShadowTopic and ExemptedTopic must be others")
	need(o.Group == "", "Group: a name is needed")
	need(o.Policy == nil, "Policy: a function is needed")
	need(o.Delivery > ExactlyOnce, "Delivery: must be AtLeastOnce or ExactlyOnce")
	need(o.Delivery == ExactlyOnce && o.InstanceID == "",
		"InstanceID: exactly once needs a name that this instance keeps when it starts again")
	need(o.Stage != nil && (o.Delivery != ExactlyOnce || o.InputPattern || len(o.InputTopics) != 1 || o.StateTopic == "" || o.Start != Start{}),
		"Stage: needs ExactlyOnce, one InputTopic that is not a pattern, a StateTopic, and the zero Start")
	if err := output.CheckCarried(o.CopyHeaders); err != nil {
		errs = append(errs, fmt.Errorf("CopyHeaders: %w", err))
	}
	return errors.Join(append(errs, o.checkLoops()...)...)
}

// checkLoops refuses to read what we write: every alert would come back as a dead letter, and every dead letter as
// another.
func (o *Options) checkLoops() (errs []error) {
	for _, topic := range o.InputTopics {
		reads := func(name string) bool { return name == topic }
		if o.InputPattern {
			re, err := regexp.Compile(topic)
			if err != nil {
				errs = append(errs, fmt.Errorf("InputTopics: %w", err))
				continue
			}
			reads = re.MatchString
		}
		for _, name := range o.outputTopics().Names() {
			if reads(name) {
				errs = append(errs, fmt.Errorf("InputTopics: %q would read the output topic %q", topic, name))
			}
		}
	}
	return errs
}

// checkTimes checks that the timeouts are compatible. A delivery that fails must fail before the group continues
// without us, with time left for the commit; otherwise our commit is refused.
func (o *Options) checkTimes() error {
	var errs []error
	check := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.SessionTimeout < 100*time.Millisecond, "SessionTimeout: %v is less than 100ms", o.SessionTimeout)
	check(o.CommitInterval < minCommitInterval, "CommitInterval: %v is less than %v", o.CommitInterval, minCommitInterval)
	check(o.DrainTimeout < 0, "DrainTimeout: %v is negative", o.DrainTimeout)
	check(o.DeliveryTimeout < time.Second, "DeliveryTimeout: %v is less than 1s", o.DeliveryTimeout)
	check(o.DeliveryTimeout+commitTimeout > o.RebalanceTimeout,
		"DeliveryTimeout: %v and %v for the commit do not fit into RebalanceTimeout %v",
		o.DeliveryTimeout, commitTimeout, o.RebalanceTimeout)
	check(o.Delivery == ExactlyOnce && o.TransactionTimeout < time.Second+2*o.CommitInterval,
		"TransactionTimeout: %v is too short for transactions of CommitInterval %v", o.TransactionTimeout, o.CommitInterval)
	return errors.Join(errs...)
}

func (o *Options) checkSizes() error {
	var errs []error
	check := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.Sessions < 1, "Sessions: %d is less than 1", o.Sessions)
	check(o.MaxRecordBytes < output.MinRecordBytes || o.MaxRecordBytes > output.MostRecordBytes,
		"MaxRecordBytes: %d is not within %d to %d", o.MaxRecordBytes, output.MinRecordBytes, output.MostRecordBytes)
	check(o.MaxBatchBytes < 1<<20 || o.MaxBatchBytes > 1<<30, "MaxBatchBytes: %d is not within 1 MiB to 1 GiB", o.MaxBatchBytes)
	check(o.FetchBytes < minFetchBytes || o.FetchBytes > 1<<30, "FetchBytes: %d is not within 64 KiB to 1 GiB", o.FetchBytes)
	check(o.FetchPartitionBytes < 1<<10 || o.FetchPartitionBytes > o.FetchBytes,
		"FetchPartitionBytes: %d is not within 1 KiB to FetchBytes", o.FetchPartitionBytes)
	check(o.MaxRecordsPerSecond < 0, "MaxRecordsPerSecond: %d is negative", o.MaxRecordsPerSecond)
	check(o.MaxEventBytes < 0, "MaxEventBytes: %d is negative", o.MaxEventBytes)
	return errors.Join(errs...)
}
