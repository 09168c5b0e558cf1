package node

import (
	"slices"
	"time"

	"tagma/checkpoint/store"
	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// recovery describes the recovery of the replica, or is nil if it has recovered.
func (n *Node) recovery(in *port.Inspection) *Recovery {
	if a := n.amnesiac.Load(); a != nil {
		r := *a.report.Load()
		return &r
	}
	r := &Recovery{FromView: uint64(in.Since)}
	if in.Silent {
		r.SilentUntil = uint64(in.Until)
	}
	if r.Unclean, r.Halted = in.Unclean, in.Halted; r.Unclean {
		r.LostToo = idsOf(in.Lost)
	}
	moved := n.moved()
	if moved.Phase != replica.Idle {
		r.Transfer = transferReport(&moved)
	}
	switch {
	case in.Asking:
		r.Phase = PhaseAsking
	case in.LeftBehind || r.Transfer != nil:
		r.Phase = PhaseFetching
	case in.Silent:
		r.Phase = PhaseSilent
	case in.View < in.Since, in.Stable > in.Handed, n.stableElsewhere(in) > uint64(in.Handed):
		r.Phase = PhaseFollowing
	default:
		return nil
	}
	return r
}

func transferReport(p *replica.Progress) *Transfer {
	t := &Transfer{
		Phase: string(p.Phase), Checkpoint: uint64(p.Seq), Share: p.Share, Bytes: p.Bytes, LateBytes: p.Late, BytesPerSecond: uint64(p.Rate()),
		RemainingMillis: p.Remaining().Milliseconds(), Rounds: p.Rounds, Donors: []int{}, Blamed: p.Blamed,
	}
	for _, id := range p.Donors {
		t.Donors = append(t.Donors, int(id))
	}
	return t
}

// inspection returns a copy of the core's state. If there is no core, it is the state of a core that knows nothing.
func (n *Node) inspection() *port.Inspection {
	if i := n.instance.Load(); i != nil {
		return i.loop.shown.Load()
	}
	in := new(port.Inspection)
	in.Peers = slices.Grow(in.Peers, n.home.Config.N())[:n.home.Config.N()] // nothing has been received from any replica
	return in
}

// moved returns the progress of the last transfer.
func (n *Node) moved() replica.Progress {
	if i := n.instance.Load(); i != nil {
		return *i.machine.progress.Load()
	}
	return replica.Progress{}
}

// given returns what this replica's donor gave to other replicas, and what it still holds for them.
func (n *Node) given() replica.Given {
	if i := n.instance.Load(); i != nil {
		return *i.giver.given.Load()
	}
	return replica.Given{}
}

// storeBytes is the size of the store's files.
func (n *Node) storeBytes() int64 {
	i := n.instance.Load()
	if i == nil {
		return 0
	}
	sized, ok := i.disk.Store.(*store.Store)
	if !ok {
		return 0
	}
	lsm, vlog, err := sized.Size()
	if err != nil {
		return 0
	}
	return lsm + vlog
}

// stalled is how long ago the replica last told its core the time.
func (n *Node) stalled() time.Duration {
	if a := n.amnesiac.Load(); a != nil {
		return n.now() - time.Duration(a.ticked.Load())
	}
	if i := n.instance.Load(); i != nil {
		return i.probe.stalled()
	}
	return 0
}

func idsOf(replicas []wire.ReplicaID) []int {
	ids := make([]int, len(replicas))
	for i, id := range replicas {
		ids[i] = int(id)
	}
	return ids
}
