// Package bench measures what the pipeline costs, against a consumer that only reads: both read the same records from
// the same brokers, in turn, in one process, so that only the pipeline is between them.
//
// It works on topics of its own, which it makes, fills and deletes, and reads with groups of its own, which it deletes
// too: nothing of what else the brokers hold is read or written. What it reports is the median of several rounds, and
// the ratios within one run are what to go by; machines and brokers differ.
//
// Every goroutine that it starts has ended when [Run] returns.
package bench
