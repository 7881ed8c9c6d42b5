package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/regionwatch/regionwatch/processor"
)

// Replay says what is to be replayed and where to. Topic and Options are required.
type Replay struct {
	Topic     Topic
	Selection Selection
	To        Destination
	// Options are those of the processor whose dead letters these are: its topics, its policy and its limits.
	Options    processor.Options
	MaxReplays int    // a record that was replayed as often is refused; 0 means 1
	Limit      uint64 // records to replay at most; 0 means no limit
	Again      bool   // replay what the markers note as replayed, too
	DryRun     bool   // write nothing and take no transactional id
	// OnPlan, if set, is told of each record with DryRun.
	OnPlan func(*Plan) error
}

// Plan is what would come of a record's replay.
type Plan struct {
	Letter  *Letter
	Records []*kgo.Record // that would be written; their topics say what they are
}

// Account says what became of the letters that were selected.
type Account struct {
	Replayed   uint64            // records; with DryRun those that would be
	Written    map[string]uint64 // records that came of it, by topic
	Already    uint64            // letters of records that were replayed before, or as an earlier letter of the same record
	Refused    uint64            // letters of records that were replayed MaxReplays times
	Foreign    uint64            // letters whose origin is no input topic of the settings: another processor's, in a topic that is shared
	Foreigners *Counter          // the topics of these
	Partial    uint64            // letters that hold only a part of their record: another letter has the whole
	TooLarge   uint64            // records that their topic does not take
	Failed     uint64            // records of which no replay can be made, see Why
	Why        error             // of the first of them
	Incomplete uint64            // records of which parts of the letter are missing, and that no other letter has whole
	Unreadable uint64            // records of the topic that are neither letters nor markers that can be read
	More       bool              // Limit ended it
}

// Run replays. The account is valid with an error too: it holds what is committed. The error is ctx's where
// that ended; what was under way then is finished.
func (o Replay) Run(ctx context.Context) (Account, error) {
	o.MaxReplays = cmp.Or(o.MaxReplays, 1)
	o.Options.TransactionTimeout = cmp.Or(o.Options.TransactionTimeout, processor.DefaultTransactionTimeout)
	o.Options.DeliveryTimeout = cmp.Or(o.Options.DeliveryTimeout, processor.DefaultRebalanceTimeout*2/3)
	run := replaying{Replay: &o, ledger: newLedger(), missing: newLedger()}
	run.account.Written, run.account.Foreigners = make(map[string]uint64), newCounter()
	run.parts.OnIncomplete = run.incomplete
	err := run.run(ctx)
	run.account.Incomplete = run.missing.without(run.ledger)
	run.account.Unreadable += uint64(run.ledger.bad)
	return run.account, err
}

// The bounds of one transaction: larger ones cost less each, but stay open longer. Readers of committed records wait
// that long, and a crash gives that much up.
const (
	maxBatch      = 500
	maxBatchBytes = 8 << 20
)

// replaying is a Replay under way.
type replaying struct {
	*Replay
	inputs  *inputs
	target  target
	writer  *writer // nil with DryRun
	ledger  *ledger
	missing *ledger // records with a letter of which parts are missing
	parts   Assembler
	batch   []*Letter
	bytes   int
	account Account
}

func (g *replaying) run(ctx context.Context) error {
	if err := g.open(ctx); err != nil {
		return err
	}
	if g.writer != nil {
		defer g.writer.close()
	}
	// Not before the id is taken: from here on nobody else replays, and what others did is in the topic.
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

// open makes the target, and the writer where there is to be written.
func (g *replaying) open(ctx context.Context) (err error) {
	if g.inputs, err = newInputs(&g.Options); err != nil {
		return err
	}
	options := g.Options
	if g.To == ToInput {
		options.MaxRecordBytes = processor.MostRecordBytes // it was read, so it can be large
	}
	p, err := processor.New(options)
	if err != nil {
		return err
	}
	client, err := g.Topic.Client(kgo.ClientID(clientID))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	redecider := p.NewRedecider()
	var partitions map[string]int32
	if g.To == ToInput { // a decision has no use for them, and whoever replays may have no right to see them
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

// take takes the next record of the topic.
func (g *replaying) take(ctx context.Context, r *kgo.Record) error {
	if IsMarker(r) {
		return nil
	}
	l, err := Parse(r)
	if err != nil {
		g.account.Unreadable++
		return nil //nolint:nilerr // counted; it must not keep the others from being replayed
	}
	if l = g.parts.Add(l); l == nil || !g.Selection.Wants(l) || !g.mayReplay(l) {
		return nil
	}
	g.ledger.add(l.scope(), l.Origin.Offset)
	g.batch = append(g.batch, l)
	g.bytes += len(l.Key) + len(l.Value)
	full := g.Limit > 0 && g.account.Replayed+uint64(len(g.batch)) >= g.Limit
	if !full && len(g.batch) < maxBatch && g.bytes < maxBatchBytes {
		return nil
	}
	if err := g.flush(ctx); err != nil {
		return err
	}
	if g.account.More = g.Limit > 0 && g.account.Replayed >= g.Limit; g.account.More {
		return ErrEnough
	}
	return nil
}

// incomplete notes a letter of which parts are missing.
func (g *replaying) incomplete(l *Letter) {
	if g.Selection.Wants(l) {
		g.missing.add(l.scope(), l.Origin.Offset)
	}
}

// mayReplay reports whether a letter's record is to be replayed, and counts why not.
func (g *replaying) mayReplay(l *Letter) bool {
	var why *uint64
	switch a := &g.account; {
	case g.ledger.has(l.scope(), l.Origin.Offset):
		why = &a.Already
	case l.Replays >= g.MaxReplays:
		why = &a.Refused
	case !g.inputs.has(l.Origin.Topic):
		why = &a.Foreign
		a.Foreigners.add(l.Origin.Topic)
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

// replay replays letters in one transaction. Where a topic does not take it all, records are made smaller as far as
// that goes, and then each letter has a transaction of its own.
func (g *replaying) replay(ctx context.Context, letters []*Letter) error {
	for {
		written, made, err := g.make(letters)
		if err != nil || len(made) == 0 {
			return err
		}
		if g.writer != nil {
			err = g.writer.write(ctx, append(written, g.markers(made)...))
		}
		switch {
		case err == nil:
			g.count(made, written)
			return nil
		case !isTooLarge(err):
			return err
		case g.target.smaller():
		case len(made) == 1:
			g.account.TooLarge++
			return nil
		default:
			return g.oneByOne(ctx, made)
		}
		letters = made
	}
}

func (g *replaying) oneByOne(ctx context.Context, letters []*Letter) error {
	for _, l := range letters {
		if err := g.replay(ctx, []*Letter{l}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// make returns what is to be written, and the letters that it comes from. A letter of which nothing can be made is
// counted.
func (g *replaying) make(letters []*Letter) (written []*kgo.Record, made []*Letter, err error) {
	for _, l := range letters {
		records, err := g.target.records(l)
		if err != nil {
			g.account.Failed++
			if g.account.Why == nil {
				g.account.Why = fmt.Errorf("replaying %s: %w", l.Place, err)
			}
			continue
		}
		if g.DryRun && g.OnPlan != nil {
			if err := g.OnPlan(&Plan{l, records}); err != nil {
				return nil, nil, err
			}
		}
		written, made = append(written, records...), append(made, l)
	}
	return written, made, nil
}

// markers notes the letters, in the partitions that they stand in.
func (g *replaying) markers(letters []*Letter) (markers []*kgo.Record) {
	byPartition := make(map[int32][]*Letter)
	for _, l := range letters {
		byPartition[l.Place.Partition] = append(byPartition[l.Place.Partition], l)
	}
	for partition, list := range byPartition {
		markers = append(markers, newMarker(g.Topic.Name, partition, g.To.String(), time.Now(), list))
	}
	return markers
}

func (g *replaying) count(letters []*Letter, written []*kgo.Record) {
	g.account.Replayed += uint64(len(letters))
	for _, r := range written {
		g.account.Written[r.Topic]++
	}
}

// Whole returns an error unless every letter that was selected was replayed now or before, or refused by MaxReplays, or
// is foreign: those are for the processor that reads their topic to replay.
func (a *Account) Whole() error {
	var errs []error
	if a.Why != nil {
		errs = append(errs, a.Why)
	}
	if n := a.Partial + a.TooLarge + a.Failed + a.Incomplete; n > 0 {
		errs = append(errs, errors.New("not all that was selected could be replayed"))
	}
	return errors.Join(errs...)
}
