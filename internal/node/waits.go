package node

import (
	"encoding/hex"
	"time"

	"tagma/client/status"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// waits describes what the replica waits for. It returns nil if there is no core.
func waits(in *port.Inspection) *status.Waits {
	if in.Waits == nil {
		return nil
	}
	of := in.Waits
	w := &status.Waits{
		Timer: string(of.Timer), Silence: of.Silence, TimerMillis: in.Timeout.Milliseconds(), LeftMillis: of.Left.Milliseconds(),
		Suspects: idsOf(of.Suspects), ViewChanges: idsOf(of.ViewChanges), Full: of.Full,
	}
	for _, s := range of.Slots {
		w.Slots = append(w.Slots, status.Slot{
			Seq: uint64(s.Seq), Accepted: s.Accepted, Body: s.Held, Committed: s.Committed, Prepares: idsOf(s.Prepares), Commits: idsOf(s.Commits),
			ForMillis: s.For.Milliseconds(), AheadMillis: s.Ahead.Milliseconds(),
		})
	}
	if r := of.Request; r != nil {
		w.Request = &status.Request{
			Client: hex.EncodeToString(r.ID.Client[:]), Session: uint64(r.ID.Session), Number: uint64(r.ID.T), ForMillis: r.For.Milliseconds(),
		}
	}
	for _, c := range of.Checkpoints {
		votes := status.CheckpointVotes{Seq: uint64(c.Seq)}
		for _, v := range c.Votes {
			votes.Votes = append(votes.Votes, status.StateVotes{Digest: hex.EncodeToString(v.Digest[:]), Replicas: idsOf(v.Replicas)})
		}
		w.Checkpoints = append(w.Checkpoints, votes)
	}
	return w
}

// peers describes the other replicas.
func (n *Node) peers(in *port.Inspection) (peers []status.Peer) {
	for id, p := range n.host.Peers() {
		if wire.ReplicaID(id) == n.home.Config.Self {
			continue
		}
		peer := status.Peer{Replica: id, Connected: p.Connected && p.Inbound, Error: p.LastError, HeardMillis: -1}
		if !p.Since.IsZero() {
			peer.SinceMillis = max(1, time.Since(p.Since).Milliseconds())
		}
		if said := in.Peers[id]; said.Heard {
			peer.HeardMillis, peer.View, peer.Active = said.Age.Milliseconds(), uint64(said.View), said.Active
			peer.Executed, peer.Stable = uint64(said.Executed), uint64(said.Stable)
		}
		peers = append(peers, peer)
	}
	return peers
}

// refusedByPeer lists how many messages of each replica were refused, by cause.
func (c *counters) refusedByPeer() (all []status.Refusal) {
	for from := range c.peers {
		for cause := range causes {
			if n := c.peers[from][cause].Load(); n > 0 {
				all = append(all, status.Refusal{From: from, Reason: causes[cause], Count: n})
			}
		}
	}
	return all
}
