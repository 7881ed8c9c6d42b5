// Package deadletter is the format of the dead-letter topic: it encodes letters, cuts them into parts, chooses
// their partition, parses them and joins the parts. The engine writes with it, the commands read with it.
//
// A letter is the record that could not be read, as it came, with headers that say where from and why. The
// functions keep no state and start no goroutines. Records share memory with what they are made
// from unless a comment says otherwise.
package deadletter

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers of a dead letter, before those of the source record. Numbers are decimal text.
const (
	HeaderTopic     = "dead-letter-topic"
	HeaderPartition = "dead-letter-partition"
	HeaderOffset    = "dead-letter-offset"
	HeaderTimestamp = "dead-letter-timestamp" // RFC 3339 in UTC with milliseconds
	HeaderReason    = "dead-letter-reason"    // a short stable code
	HeaderError     = "dead-letter-error"     // for people
	HeaderIndex     = "dead-letter-index"     // the damaged event's index in the record; absent outside of events
	HeaderShape     = "dead-letter-shape"     // what was recognized before the fault
	HeaderAlerted   = "dead-letter-alerted"   // how many alerts the record raised in spite of the fault
	HeaderAlertID   = "dead-letter-alert-id"  // of the partial alert for the damaged event; absent if there is none
	HeaderCount     = "dead-letter-count"     // how many faults this dead letter stands for
	// HeaderByte is the byte of the value at which reading stopped, from 0. It is absent where reading stopped in
	// text that was compressed or quoted, and in records over 1 MiB.
	HeaderByte = "dead-letter-byte"
	// HeaderLastOffset is the offset of the last record of a batch that was set aside as a whole; HeaderOffset is
	// that of the first. Absent in letters about one record.
	HeaderLastOffset = "dead-letter-last-offset"
	// HeaderHolds says what the value is if it is not the record's own: one of the Holds constants.
	HeaderHolds   = "dead-letter-holds"
	HeaderReplays = "dead-letter-replays" // how often the record had been replayed; absent if never
	// HeaderHeaders is the last of our headers: how many of the source record's own follow. Their names are the
	// input's choice and may equal any of ours; only their place tells them apart.
	HeaderHeaders = "dead-letter-headers"
	// HeaderPart and HeaderParts number, from 1, the records that together hold one value too large for one
	// record: joined in order they are what HeaderHolds says. They come after all other headers.
	HeaderPart  = "dead-letter-part"
	HeaderParts = "dead-letter-parts"
)

// The values of HeaderHolds.
const (
	HoldsPiece   = "piece"   // only the part of the record's value that could not be read
	HoldsNothing = "nothing" // another letter, the first of the same topic, partition and offset, has the value
	// HoldsFrame is the record's key and headers as JSON, {"key":base64,"headers":[{"key":base64,"value":base64}]}.
	// They come first, in separate letters, if they are too large to repeat in every part.
	HoldsFrame = "key-and-headers"
	// HoldsBatch is a record batch as it was fetched: header and compressed records in Kafka's record batch format v2.
	// The batch could not be read, so only its offsets are known.
	HoldsBatch = "compressed-batch"
	// HoldsSource means that the value was too large to copy: the source topic alone has it.
	HoldsSource = "source-only"
)

// The reasons of letters beside those of cloudtrail.Reason.
const (
	ReasonBatchTooLarge = "batch-too-large" // the batch decompresses to more than is allowed; it is set aside as a whole
	ReasonPanic         = "panic"           // deciding the record panicked: a fault of this program
	ReasonNotAlert      = "not-an-alert"    // the record is in the alerts topic, but not an alert to group into incidents
)

// Place is where a record stands.
type Place struct {
	Topic     string
	Partition int32
	Offset    int64
}

// String writes the place as TOPIC:PARTITION:OFFSET.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.Topic, p.Partition, p.Offset) }

func header(key, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(value)}
}

// batchOverhead is what a batch of one record takes beyond the record: the batch header of 61 bytes and
// the lengths of the record's parts (Kafka's message format, v2), rounded up.
const batchOverhead = 128

// Size returns the most bytes that a batch of r alone takes, uncompressed.
func Size(r *kgo.Record) int { return batchOverhead + framing(r) + len(r.Value) }

// Room returns how many bytes of value fit into r's batch of batchBytes, beside r's key and headers. It can be
// negative.
func Room(r *kgo.Record, batchBytes int) int { return batchBytes - batchOverhead - framing(r) }

// framing returns the size of a record without its value: key, headers, and at most 10 bytes for each
// length and number before them.
func framing(r *kgo.Record) int {
	n := 40 + len(r.Key)
	for _, h := range r.Headers {
		n += 20 + len(h.Key) + len(h.Value)
	}
	return n
}
