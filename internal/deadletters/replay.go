package deadletters

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// Replay configures which records are replayed, and where to. Topic and Options are required.
type Replay struct {
	Topic     Topic
	Selection Selection
	To        Destination
	// Options are the options of the processor that wrote the dead letters: its topics, its policy and its limits.
	Options    processor.Options
	MaxReplays int    // records replayed this often are refused; 0 means 1
	Limit      uint64 // maximum number of replayed records; 0 means no limit
	Again      bool   // also replay records that markers note as replayed
	DryRun     bool   // write nothing and initialize no transactional ID
	// OnPlan, if set, is called for each record with DryRun.
	OnPlan func(*Plan) error
}

// Plan is what replaying a record would write.
type Plan struct {
	Letter  *deadletter.Letter
	Records []*kgo.Record // the records to write; their topics say what they are
}

// Summary counts the outcomes of a replay.
type Summary struct {
	Replayed uint64 // records; with DryRun those that would be
	// Readable and StillUnreadable split Replayed, with ToDecision: the record can be read now, or became a new dead
	// letter. With ToInput both are 0, because only the processor that reads the input finds out.
	Readable, StillUnreadable uint64
	Written                   map[string]uint64 // records that came of it, by topic
	Already                   uint64            // letters of records that were replayed before, or as an earlier letter of the same record
	Refused                   uint64            // letters of records that were replayed MaxReplays times
	Foreign                   uint64            // letters whose origin is no input topic of the settings: another processor's, in a topic that is shared
	Foreigners                display.Counter   // the topics of these
	Partial                   uint64            // letters that hold only a part of their record: another letter has the whole
	TooLarge                  uint64            // records that their topic does not take
	Failed                    uint64            // records of which no replay can be made, see Why
	Why                       error             // of the first of them
	Incomplete                uint64            // records of which parts of the letter are missing, and that no other letter has whole
	Unreadable                uint64            // records of the topic that are neither letters nor markers that can be read
	More                      bool              // Limit ended it
}

// Run replays. The summary is valid even with an error: it covers what was committed. If ctx ends, Run finishes the
// current transaction and returns ctx's error.
func (o Replay) Run(ctx context.Context) (Summary, error) {
	o.MaxReplays = cmp.Or(o.MaxReplays, 1)
	o.Options.TransactionTimeout = cmp.Or(o.Options.TransactionTimeout, processor.DefaultTransactionTimeout)
	o.Options.DeliveryTimeout = cmp.Or(o.Options.DeliveryTimeout, processor.DefaultRebalanceTimeout*2/3)
	run := replaying{Replay: &o, ledger: newLedger(), missing: newLedger()}
	run.summary.Written = make(map[string]uint64)
	run.parts.OnIncomplete = run.incomplete
	err := run.run(ctx)
	run.summary.Incomplete = run.missing.without(run.ledger)
	run.summary.Unreadable += uint64(run.ledger.bad)
	return run.summary, err
}

// Limits of one transaction. Larger transactions are cheaper per record but stay open longer, which delays readers of
// committed records and loses more work in a crash.
const (
	maxBatch      = 500
	maxBatchBytes = 8 << 20
)

// replaying is a running Replay.
type replaying struct {
	*Replay
	inputs  *inputs
	target  target
	writer  *writer // nil with DryRun
	ledger  *ledger
	missing *ledger // records with an incomplete letter
	parts   deadletter.Assembler
	batch   []*deadletter.Letter
	bytes   int
	summary Summary
}

func (g *replaying) run(ctx context.Context) error {
	if err := g.open(ctx); err != nil {
		return err
	}
	if g.writer != nil {
		defer g.writer.close()
	}
	// Only after initializing the ID: from here on nothing else can replay, and earlier replays are in the topic.
	extent, err := g.Topic.written(ctx)
	if err != nil {
		return err
	}
	total := extent.total()
	progress := g.Topic.Progress
	pass := func(before int64) func(read, total int64) {
		if progress == nil {
			return nil
		}
		return func(read, _ int64) { progress(before+read, 2*total) }
	}
	g.Topic.Progress = pass(0)
	if !g.Again {
		if err := g.Topic.read(ctx, extent, g.ledger.read); err != nil {
			return err
		}
	}
	if extent, err = g.Topic.narrowed(ctx, extent, g.Selection.Since); err != nil {
		return err
	}
	g.Topic.Progress = pass(2*total - extent.total())
	if err := g.Topic.read(ctx, extent, func(r *kgo.Record) error { return g.take(ctx, r) }); err != nil {
		return err
	}
	g.parts.Finish()
	return g.flush(ctx)
}

// open creates the target and, unless this is a dry run, the writer.
func (g *replaying) open(ctx context.Context) (err error) {
	if g.inputs, err = newInputs(&g.Options); err != nil {
		return err
	}
	options := g.Options
	if g.To == ToInput {
		options.MaxRecordBytes = output.MostRecordBytes // it was read, so it can be large
	}
	redecider, err := processor.NewRedecider(options)
	if err != nil {
		return err
	}
	client, err := g.Topic.Client(kgo.ClientID(clientID))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	var partitions map[string]int32
	if g.To == ToInput { // a decision does not need them, and we may not be allowed to describe them
		if partitions, err = g.inputs.partitions(ctx, admin); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(partitions))
	for name := range partitions {
		names = append(names, name)
	}
	if err := redecider.LearnLimits(ctx, admin, names...); err != nil {
		return err
	}
	g.target = &decision{redecider, redecider.Topics(), time.Now}
	if g.To == ToInput {
		g.target = &input{partitions}
	}
	if !g.DryRun {
		g.writer, err = newWriter(ctx, g.Replay, redecider.BatchBytes)
	}
	return err
}

// take handles the next record of the topic.
func (g *replaying) take(ctx context.Context, r *kgo.Record) error {
	if deadletter.IsMarker(r) {
		return nil
	}
	l, err := deadletter.Parse(r)
	if err != nil {
		g.summary.Unreadable++
		return nil //nolint:nilerr // counted; it must not stop the replay
	}
	if l = g.parts.Add(l); l == nil || !g.Selection.Wants(l) || !g.mayReplay(l) {
		return nil
	}
	g.ledger.add(l.Scope(), l.Origin.Offset)
	g.batch = append(g.batch, l)
	g.bytes += len(l.Key) + len(l.Value)
	full := g.Limit > 0 && g.summary.Replayed+uint64(len(g.batch)) >= g.Limit
	if !full && len(g.batch) < maxBatch && g.bytes < maxBatchBytes {
		return nil
	}
	if err := g.flush(ctx); err != nil {
		return err
	}
	if g.summary.More = g.Limit > 0 && g.summary.Replayed >= g.Limit; g.summary.More {
		return ErrEnough
	}
	return nil
}

// incomplete notes a letter with missing parts.
func (g *replaying) incomplete(l *deadletter.Letter) {
	if g.Selection.Wants(l) {
		g.missing.add(l.Scope(), l.Origin.Offset)
	}
}

// mayReplay reports whether a letter's record should be replayed, and counts the reason if not.
func (g *replaying) mayReplay(l *deadletter.Letter) bool {
	var why *uint64
	switch a := &g.summary; {
	case g.ledger.has(l.Scope(), l.Origin.Offset):
		why = &a.Already
	case l.Replays >= g.MaxReplays:
		why = &a.Refused
	case !g.inputs.has(l.Origin.Topic):
		why = &a.Foreign
		a.Foreigners.Add(l.Origin.Topic)
	case l.Holds != "":
		why = &a.Partial
	default:
		return true
	}
	*why++
	return false
}

// flush replays the batch.
func (g *replaying) flush(ctx context.Context) error {
	batch := g.batch
	g.batch, g.bytes = nil, 0
	if err := ctx.Err(); err != nil || len(batch) == 0 {
		return err
	}
	return g.replay(ctx, batch)
}

// outcome is the result of replaying some letters.
type outcome struct {
	letters    []*deadletter.Letter // that can be replayed
	records    []*kgo.Record        // that are to be written
	unreadable uint64               // of the letters, those that became dead letters again
}

// replay replays letters in one transaction. If a topic rejects it as too large, records are made smaller while
// possible; then each letter gets its own transaction.
func (g *replaying) replay(ctx context.Context, letters []*deadletter.Letter) error {
	for {
		made, err := g.make(letters)
		if err != nil || len(made.letters) == 0 {
			return err
		}
		if g.writer != nil {
			err = g.writer.write(ctx, append(made.records, g.markers(made.letters)...))
		}
		switch {
		case err == nil:
			g.count(&made)
			return nil
		case !isTooLarge(err):
			return err
		case g.target.smaller():
		case len(made.letters) == 1:
			g.summary.TooLarge++
			return nil
		default:
			return g.oneByOne(ctx, made.letters)
		}
		letters = made.letters
	}
}

func (g *replaying) oneByOne(ctx context.Context, letters []*deadletter.Letter) error {
	for _, l := range letters {
		if err := g.replay(ctx, []*deadletter.Letter{l}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// make builds the records to write. Letters that cannot be replayed are counted and left out.
func (g *replaying) make(letters []*deadletter.Letter) (made outcome, err error) {
	for _, l := range letters {
		records, err := g.target.records(l)
		if err != nil {
			g.summary.Failed++
			if g.summary.Why == nil {
				g.summary.Why = fmt.Errorf("replaying %s: %w", l.Place, err)
			}
			continue
		}
		if g.DryRun && g.OnPlan != nil {
			if err := g.OnPlan(&Plan{l, records}); err != nil {
				return made, err
			}
		}
		made.letters, made.records = append(made.letters, l), append(made.records, records...)
		if slices.ContainsFunc(records, func(r *kgo.Record) bool { return r.Topic == g.Topic.Name }) {
			made.unreadable++
		}
	}
	return made, nil
}

// markers returns the markers for the letters, in the letters' partitions.
func (g *replaying) markers(letters []*deadletter.Letter) (markers []*kgo.Record) {
	byPartition := make(map[int32][]*deadletter.Letter)
	for _, l := range letters {
		byPartition[l.Place.Partition] = append(byPartition[l.Place.Partition], l)
	}
	for partition, list := range byPartition {
		markers = append(markers, deadletter.NewMarker(g.Topic.Name, partition, g.To.String(), time.Now(), list))
	}
	return markers
}

func (g *replaying) count(made *outcome) {
	n := uint64(len(made.letters))
	g.summary.Replayed += n
	if g.To == ToDecision {
		g.summary.StillUnreadable += made.unreadable
		g.summary.Readable += n - made.unreadable
	}
	for _, r := range made.records {
		g.summary.Written[r.Topic]++
	}
}

// Whole returns an error unless every selected letter was replayed, now or before, was refused because of MaxReplays,
// or is foreign and left to the processor that reads its topic.
func (a *Summary) Whole() error {
	var errs []error
	if a.Why != nil {
		errs = append(errs, a.Why)
	}
	if n := a.Partial + a.TooLarge + a.Failed + a.Incomplete; n > 0 {
		errs = append(errs, errors.New("not all that was selected could be replayed"))
	}
	return errors.Join(errs...)
}
