package sim

import (
	"errors"
	"fmt"
	"slices"

	"tagma/checkpoint/journal"
	"tagma/pbft"
	"tagma/statemachine"
	"tagma/testnet/sim/disk"
)

const journalDir = "journal"

// ErrUntrusted says that a disk cannot be trusted to hold every vote of its replica (D8, first version): it must not vote.
var ErrUntrusted = errors.New("this replica must not vote on what its disk holds")

// errNoDonor says that the stand-in for state transfer has nobody to have a state from yet.
var errNoDonor = errors.New("there is nobody to have the state from")

// errNoState says that the store matches no checkpoint from which the journal reaches on.
var errNoState = errors.New("this replica needs the state from others")

// open makes a process from what the disk holds, with the checks of a node's start.
func (n *node) open() (err error) {
	log, err := n.openJournal()
	if err == nil {
		var at pbft.Applied
		at, err = n.verify(log)
		n.mustReach(err)
		if (n.behind || errors.Is(err, errNoState)) && n.w.opt.StandInForTransfer {
			at, err = n.transfer(log)
			n.behind = false
		}
		if err == nil {
			err = n.serve(at)
		}
		defer func() {
			if err == nil && at.Seq > 0 {
				n.durableAt(at.Seq, at.Root)
			}
		}()
	}
	if err == nil {
		err = n.connect(log)
	}
	if err == nil {
		n.hear(n.replica.Position().Executed, log)
	}
	return err
}

func (n *node) openJournal() ([]pbft.Record, error) {
	options := journal.Options{SegmentBytes: n.w.opt.SegmentBytes, FS: n.disk, Random: n.w.damage.Uint64}
	j, found, err := journal.Open(journalDir, options)
	switch {
	case errors.Is(err, journal.ErrEmpty):
		return n.begin(options)
	case errors.Is(err, journal.ErrRot), errors.Is(err, journal.ErrMissing):
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	case err != nil:
		return nil, err
	}
	n.journal = j
	n.prepareSegment()
	log := make([]pbft.Record, len(found))
	for i, e := range found {
		if log[i], err = pbft.DecodeRecord(e.Data); err != nil {
			return nil, fmt.Errorf("entry %d of the journal: %w", i, err)
		}
	}
	return log, nil
}

// prepareSegment makes the file of the next segment beside the turns.
func (n *node) prepareSegment() {
	if err := n.journal.Preallocate(); err != nil {
		n.w.note(line{who: int(n.id), what: faulted, words: err.Error()}) // it costs a slower rotation, or shows there again
	}
}

// begin makes the journal of a first start.
func (n *node) begin(options journal.Options) ([]pbft.Record, error) {
	if n.store.highest > 0 {
		return nil, fmt.Errorf("%w: there is a state but no journal", ErrUntrusted)
	}
	fresh, err := pbft.New(n.cfg, nil, pbft.Applied{})
	if err != nil {
		return nil, err
	}
	log := fresh.Anchor()
	if n.journal, err = journal.Create(journalDir, n.entries(log), options); err != nil {
		return nil, err
	}
	n.disk.Settle()
	return log, nil
}

// verify finds the newest checkpoint of its own whose root the store still has (D5).
func (n *node) verify(log []pbft.Record) (pbft.Applied, error) {
	if last := max(pbft.Reach(n.cfg, log), n.lent); pbft.Seq(n.store.highest) > last {
		return pbft.Applied{}, fmt.Errorf("%w: the store holds sequence number %d, the journal ends at %d",
			ErrUntrusted, n.store.highest, last)
	}
	var tried []pbft.Seq
	for _, mark := range n.marks(log) {
		if uint64(mark.Seq) < n.store.floor {
			tried = append(tried, mark.Seq)
			continue
		}
		root := n.store.Load(uint64(mark.Seq))
		if mark.Seq > 0 && pbft.Digest(root) != mark.Digest {
			tried = append(tried, mark.Seq)
			continue
		}
		at := pbft.Applied{Seq: mark.Seq, Root: root}
		var err error
		if n.replica, err = pbft.New(n.cfg, log, at); err != nil {
			err = fmt.Errorf("%w: at none of the checkpoints %v is the store what the journal says, and %w", errNoState, tried, err)
		}
		return at, err
	}
	return pbft.Applied{}, fmt.Errorf("%w: the store matches none of the checkpoints %v", errNoState, tried)
}

// mustReach is D5: a replica that could follow, and whose disk was damaged by no more than crashes, starts from what it
// holds. Only of what it cannot reach by certificates may its journal begin above its state (X1).
func (n *node) mustReach(err error) {
	if errors.Is(err, errNoState) && !n.behind && !n.strayed && n.lent == 0 && n.w.Correct(n.id) {
		n.w.fail("D5", n.id, "its own disk holds no state that it can start from: %v", err)
	}
}

// marks lists the states to look for, newest first: own checkpoints, and the one that was transferred.
func (n *node) marks(log []pbft.Record) []pbft.Mark {
	marks := pbft.Marks(log)
	if n.lent == 0 {
		return marks
	}
	i := slices.IndexFunc(marks, func(m pbft.Mark) bool { return m.Seq < n.lent })
	return slices.Insert(marks, max(i, 0), pbft.Mark{Seq: n.lent, Digest: n.lentRoot})
}

// serve puts the state machine on the store.
func (n *node) serve(at pbft.Applied) (err error) {
	if n.service, err = statemachine.New(n.w.machine, n.store, n.w.opt.Limits); err != nil {
		return err
	}
	return n.service.Load(uint64(at.Seq))
}

// transfer stands in for state transfer (X1), which does not exist: the replica starts from the stable checkpoint of
// another one.
func (n *node) transfer(log []pbft.Record) (pbft.Applied, error) {
	best, seq := n.donor()
	if best == nil {
		return pbft.Applied{}, errNoDonor
	}
	n.store = copyOf(best.store, uint64(seq))
	at := pbft.Applied{Seq: seq, Root: n.store.Load(uint64(seq))}
	n.lent, n.lentRoot = seq, at.Root
	n.w.counts.Transfers++
	n.w.note(line{who: int(n.id), what: delivered, a: uint64(seq), words: fmt.Sprintf("state of replica %d", best.id)})
	var err error
	n.replica, err = pbft.New(n.cfg, slices.Clip(log), at)
	n.vouch(best)
	return at, err
}

// vouch has a replica that was given a state hear the certificate for it, which comes with every transfer: whoever has the
// state by itself knows that it is stable, and can tell those who wait for that.
func (n *node) vouch(donor *node) {
	for _, r := range donor.replica.Anchor() {
		stable, is := r.(*pbft.Stable)
		if !is {
			continue
		}
		frame, life := pbft.Encode(&pbft.StableNotice{Cert: stable.Cert}), n.life
		n.w.At(n.w.now, func() {
			if n.life == life {
				n.arrive(&packet{from: donor.id, read: decode(frame)})
			}
		})
	}
}

// donor is a correct replica with the newest stable checkpoint that is in a store, if it is newer than the last one that
// this replica was given.
func (n *node) donor() (best *node, seq pbft.Seq) {
	seq = n.lent
	for _, d := range n.w.nodes {
		if d == n || !d.up || !n.w.Correct(d.id) {
			continue
		}
		at := d.replica.Position().Stable
		if at > seq && uint64(at) >= d.store.floor && uint64(at) <= d.store.last {
			best, seq = d, at
		}
	}
	return best, seq
}

// leftBehind is a replica that certificates cannot reach any more. With the stand-in it starts again, from another's state.
func (n *node) leftBehind() {
	n.w.counts.LeftBehind++
	if best, _ := n.donor(); best == nil || !n.w.opt.StandInForTransfer || n.paused {
		return // it goes on as it is, and is asked again
	}
	n.stop()
	n.disk.Crash(disk.Kill, n.w.damage)
	n.store.settle()
	n.behind = true
	if err := n.start(); err != nil && n.w.Correct(n.id) {
		n.w.fail("refused to start", n.id, "after it was left behind: %v", err)
	}
}
