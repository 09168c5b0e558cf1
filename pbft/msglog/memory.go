package msglog

import "tagma/pbft/wire"

// Memories hold the highest checkpoint and the highest view change of every replica. If a replica forgets its own
// statements, this replica can tell it what they were (D8.4).
type Memories []remembered

// remembered is what is remembered of one replica; a statement of type 0 stands for none.
type remembered struct{ checkpoint, viewChange wire.Statement }

// Note remembers a statement of a replica if it is the highest of its kind.
func (m Memories) Note(by wire.ReplicaID, s wire.Statement) {
	held := &m[by]
	switch {
	case s.Type == wire.TypeCheckpoint && (held.checkpoint.Type == 0 || s.Seq > held.checkpoint.Seq):
		held.checkpoint = s
	case s.Type == wire.TypeViewChange && (held.viewChange.Type == 0 || s.View > held.viewChange.View):
		held.viewChange = s
	}
}

// NoteStable remembers the checkpoint statements that a stable certificate consists of.
func (m Memories) NoteStable(cert *wire.StableCert) {
	for i := range cert.Checkpoints {
		e := &cert.Checkpoints[i]
		m.Note(e.Replica, wire.Statement{Type: wire.TypeCheckpoint, Seq: cert.Seq, Digest: cert.Digest, Sig: e.Sig})
	}
}

// NoteView remembers the view change itself and the checkpoint statements in it.
func (m Memories) NoteView(vc *wire.ViewChange) {
	if s, ok := wire.SaidIn(vc); ok {
		m.Note(vc.Replica, s)
	}
	m.NoteStable(&vc.Stable)
}

// SaidBy lists what is remembered of a replica: its checkpoint, if that lies above the given sequence number, and its
// view change.
func (m Memories) SaidBy(id wire.ReplicaID, above wire.Seq) []wire.Statement {
	var all []wire.Statement
	if c := m[id].checkpoint; c.Type != 0 && c.Seq > above {
		all = append(all, c)
	}
	if vc := m[id].viewChange; vc.Type != 0 {
		all = append(all, vc)
	}
	return all
}

// Records returns the records for an anchor, so that a restart does not lose what is remembered of the other replicas.
func (m Memories) Records(self wire.ReplicaID) []wire.Record {
	var out []wire.Record
	for id := range m {
		if wire.ReplicaID(id) == self {
			continue
		}
		for _, s := range []wire.Statement{m[id].checkpoint, m[id].viewChange} {
			if s.Type != 0 {
				out = append(out, &wire.Witness{Replica: wire.ReplicaID(id), Said: s})
			}
		}
	}
	return out
}
