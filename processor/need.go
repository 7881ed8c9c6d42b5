package processor

import (
	"fmt"

	"github.com/regionwatch/regionwatch/processor/decompress"
	"github.com/regionwatch/regionwatch/processor/flow"
)

// Need is memory that a processor may need for one reason, at the same time as for the others.
type Need struct {
	Bytes int
	Why   string
}

// The parts of [Options.MemoryNeeds] that no option changes.
const (
	// baseBytes are the program itself, its policy and its stacks, and what the collector has not returned yet.
	baseBytes = 64 << 20
	// heavyFactor is how many times the bytes of one record are in memory while it is decided: its decompressed form,
	// the buffer being filled, and a copy in alerts or dead letters.
	heavyFactor = 3
)

// MemoryNeeds returns the most memory that Run takes beside a Stage, under any input, by reason. Batches count as
// MaxBatchBytes allows them, records as MaxEventBytes does; a topic whose max.message.bytes is larger than FetchBytes takes more.
func (o Options) MemoryNeeds() []Need {
	o = o.withDefaults()
	const mib = 1 << 20
	return []Need{
		{baseBytes, "the program"},
		{2 * decompress.EagerRatio * o.FetchBytes, fmt.Sprintf("fetches: %d times fetch-bytes, for one that is decided and one that waits", 2*decompress.EagerRatio)},
		{flow.HeldBytes, "records that wait for their worker"},
		{o.MaxBatchBytes, "one large batch: max-batch-bytes"},
		{heavyFactor * o.MaxEventBytes, fmt.Sprintf("one large record: %d times max-event-bytes", heavyFactor)},
		{o.clients() * o.bufferedBytes(), "alerts that wait for their acknowledgement"},
		{maxDeciders() * 12 * mib, "buffers"}, // 4 MiB of text and a window of 8 MiB
	}
}
