package node

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"tagma/checkpoint/journal"
	"tagma/internal/replica"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// The search for damage (K2): the replica reads its state from the disk and compares it, again and again, so that a
// flipped bit is found before the data are needed. The settings bound how much of the disk's time this takes.

// scrubPiece is how many bytes are read at a time.
const scrubPiece = 64 << 10

// scrubs counts passes.
type scrubs struct{ passes, found atomic.Uint64 }

// scrub makes one pass after the other until the context ends.
func (i *instance) scrub(ctx context.Context) {
	s := &i.node.home.Settings
	if s.ScrubBytes == 0 {
		return
	}
	p := pacer{rate: s.ScrubBytes, timer: time.NewTimer(0)}
	defer p.timer.Stop()
	<-p.timer.C
	for p.wait(ctx, max(time.Duration(s.ScrubPause)*time.Second, scrubPauseLeast)) {
		if i.scrubState(ctx, &p) && i.scrubJournal(ctx, &p) {
			i.node.metrics.scrubPasses.Inc()
			i.scrubs.passes.Add(1)
		}
	}
}

// scrubPauseLeast is the shortest pause between two passes. It matters only for small states.
const scrubPauseLeast = 100 * time.Millisecond

// scrubState makes a pass over the state. It returns false if the pass did not reach its end. It does not run while a
// state is fetched from others, since fetching compares that state anyway.
func (i *instance) scrubState(ctx context.Context, p *pacer) bool {
	pass, err := i.disk.Store.Scrub()
	if err != nil {
		if !errors.Is(err, statemachine.ErrNotRetained) {
			i.node.log.Warn("the state cannot be searched for damage", "error", err)
		}
		return false
	}
	defer pass.Close()
	for over, read := false, uint64(0); !over; {
		over = pass.Step(scrubPiece)
		if i.machine.progress.Load().Phase != replica.Idle {
			return false
		}
		bytes := pass.Findings().Bytes
		if !p.pace(ctx, int(bytes-read)) {
			return false
		}
		i.node.metrics.scrubBytes.Add(float64(bytes - read))
		read = bytes
	}
	found := pass.Findings()
	if !found.Damaged() {
		return true
	}
	i.node.metrics.scrubFiles.Add(float64(found.Files))
	i.node.metrics.scrubKeys.Add(float64(found.Changed + found.Missing + found.Extra))
	i.node.log.Error("the disk does not hold the state that was executed: what is damaged is fetched from other replicas",
		"checkpoint", pass.Seq(), "files", found.Files, "keys_changed", found.Changed, "keys_missing", found.Missing,
		"keys_extra", found.Extra, "first", found.First)
	i.scrubs.found.Add(1)
	pass.Close() // this releases the damaged generation, so that another one can replace it
	i.damaged(ctx)
	return true
}

// scrubJournal makes a pass over the batches in the journal. It only reports damage there: the votes are in memory, and
// the next start recovers (D8).
func (i *instance) scrubJournal(ctx context.Context, p *pacer) bool {
	bad, first := 0, wire.Seq(0)
	for seq := i.disk.Votes.Lowest(); seq > 0 && seq <= i.loop.shown.Load().Executed; seq++ {
		bytes, err := i.disk.Votes.Check(seq)
		if errors.Is(err, journal.ErrRot) {
			if bad++; bad == 1 {
				first = seq
				i.node.log.Error("the journal is damaged: it will be noticed at the next start, and this replica recovers from the others "+
					"then; look after its disk", "seq", uint64(seq), "error", err)
			}
		}
		if !p.pace(ctx, bytes) {
			return false
		}
		i.node.metrics.scrubBytes.Add(float64(bytes))
	}
	if bad > 0 {
		i.node.metrics.scrubBatches.Add(float64(bad))
		i.node.log.Error("batches in the journal are damaged", "batches", bad, "first", uint64(first))
	}
	return true
}

// pacer limits the rate of reading.
type pacer struct {
	rate  int // bytes per second
	debt  time.Duration
	timer *time.Timer
}

// pace waits for as long as reading so many bytes may take. It returns false if the context ends.
func (p *pacer) pace(ctx context.Context, bytes int) bool {
	p.debt += time.Duration(bytes) * time.Second / time.Duration(p.rate)
	if p.debt < time.Millisecond {
		return ctx.Err() == nil
	}
	d := p.debt
	p.debt = 0
	return p.wait(ctx, d)
}

func (p *pacer) wait(ctx context.Context, d time.Duration) bool {
	p.timer.Reset(d)
	select {
	case <-p.timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
