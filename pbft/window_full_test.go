package pbft

import (
	"testing"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// answerProposals plays the correct backups of a lab whose replica is the primary. They vote for everything that it
// proposes, and for its checkpoints. It returns how many batches were executed, and how many of them were null.
func (l *lab) answerProposals(effects []port.Effect) (executed, nulls int) {
	l.t.Helper()
	for len(effects) > 0 {
		var next []port.Effect
		for _, e := range effects {
			switch e := e.(type) {
			case port.Execute:
				executed++
				if e.Body.IsNull() {
					nulls++
				}
			case port.Broadcast:
				for id := range wire.ReplicaID(l.cfg.N()) {
					if id != l.cfg.Self {
						next = append(next, l.agree(e.Msg, id)...)
					}
				}
			}
		}
		effects = next
	}
	return executed, nulls
}

// agree returns the messages that a backup sends because of a broadcast of the lab's replica.
func (l *lab) agree(m wire.Message, by wire.ReplicaID) []port.Effect {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return append(l.from(by, l.prepare(m.View, m.Seq, m.Digest, by)), l.from(by, l.commit(m.View, m.Seq, m.Digest, by))...)
	case *wire.Checkpoint:
		return l.from(by, l.signBy(&wire.Checkpoint{Seq: m.Seq, Digest: m.Digest, Replica: by}, by))
	default:
		return nil
	}
}

func newLargeLab(t testing.TB, self wire.ReplicaID) (l *lab, operation string) {
	l = newLab(t, 4, self, func(cfg *wire.Config) {
		cfg.CheckpointInterval, cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = 32, 64, 4<<20-1<<10, 4<<20
	})
	return l, string(make([]byte, l.cfg.MaxOpBytes))
}

// N4: the bytes of large batches may fill the window long before the next checkpoint, and only that checkpoint makes
// room. The primary orders nulls up to it.
func TestN4_AWindowFullOfBytesIsClosedWithNulls(t *testing.T) {
	l, large := newLargeLab(t, 0)
	const requests = 2 * (msglog.MaxLargeBytes/(4<<20) + 2)
	executed, nulls := 0, 0
	for i := range uint64(requests) {
		some, null := l.answerProposals(l.fromClient(l.request(i+1, large)))
		executed, nulls = executed+some, nulls+null
	}
	if executed-nulls != requests {
		t.Fatalf("%d of %d requests are executed, and %d nulls; %d bytes above h = %d",
			executed-nulls, requests, nulls, l.r.log.LargeBytes(), l.r.log.Low)
	}
	if nulls == 0 || nulls >= int(2*l.cfg.CheckpointInterval) {
		t.Errorf("%d nulls", nulls)
	}
}

// N4: a faulty primary may leave the window full of bodies that no later view needs. The next primary can still order
// batches.
func TestN4_BodiesThatALastViewLeftDoNotStopTheNextPrimary(t *testing.T) {
	l, large := newLargeLab(t, 1)
	for seq := wire.Seq(33); l.r.log.LargeBytes() <= msglog.MaxLargeBytes; seq++ {
		l.propose(0, seq, l.batch(uint64(seq), large))
	}
	l.suspected(1)
	executed, nulls := l.answerProposals(l.enter(1))
	some, null := l.answerProposals(l.fromClient(l.request(1000, large)))
	executed, nulls = executed+some, nulls+null
	if executed-nulls != 1 {
		t.Fatalf("%d requests are executed, and %d nulls; %d bytes above h = %d", executed-nulls, nulls, l.r.log.LargeBytes(), l.r.log.Low)
	}
}

// S4: in one turn the driver may give the core many requests before the first proposal comes back over the loopback. The
// bodies of such proposals count as held. Otherwise the primary would propose more than any replica accepts, itself
// included, and ordering would stop until a view change.
func TestS4_ABurstInOneTurnKeepsToTheBoundOfLargeBodies(t *testing.T) {
	l, large := newLargeLab(t, 0)
	proposed := 0
	for i := range 2 * msglog.MaxLargeBytes / l.cfg.MaxBatchBytes {
		req := &wire.Request{ID: wire.RequestID{Client: testKey("client", i), Session: 1, T: 1}, Ops: [][]byte{[]byte(large)}}
		ev := port.Received{From: port.Source{Client: true}, Msg: wire.Own(req)}
		for _, m := range broadcasts[*wire.PrePrepare](l.r.Step(ev)) {
			proposed += m.Body.RequestBytes()
		}
	}
	if most := msglog.MaxLargeBytes + l.cfg.MaxBatchBytes; proposed < msglog.MaxLargeBytes || proposed > most {
		t.Fatalf("%d bytes are proposed in one turn, at most %d have room", proposed, most)
	}
}
