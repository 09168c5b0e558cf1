package client

import (
	"slices"
	"testing"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// Whatever one replica sends, however often, the client does not panic, and believes nothing that only this replica
// says (C4, S4).
func FuzzFromReplica(f *testing.F) {
	id := wire.RequestID{Client: newFake(nil).key.Public(), Session: testSession, T: 1}
	f.Add(wire.Encode(&wire.Reply{ID: id, Outcome: wire.OutcomeExecuted, Seq: 1, Results: [][]byte{[]byte("x")}}))
	f.Add(wire.Encode(&wire.Reply{ID: id, Outcome: wire.OutcomeBusy, RetryAfterMillis: 1<<32 - 1, View: 1<<64 - 1}))
	f.Add(wire.Encode(&wire.Reply{ID: id, Outcome: wire.OutcomeExecuted, Seq: 1, ResultDigest: &wire.Digest{1}}))
	f.Add(wire.Encode(&wire.Heartbeat{View: 3}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := newFake(t)
		for i := range c.answer {
			c.answer[i] = silent
		}
		call, err := c.s.submit(t.Context(), [][]byte{[]byte("op")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		frames := [][]byte{frame}
		if m, err := wire.Decode(frame); err == nil {
			// Also send the reply with its fields changed so that it belongs to the open request.
			if r, ok := m.(*wire.Reply); ok {
				r.ID, r.Request = call.core.ID(), c.sendings(1)[0].request.Digest()
				frames = append(frames, wire.Encode(r))
			}
		}
		for _, frame := range slices.Repeat(frames, 3) {
			c.s.FromReplica(3, frame)
			c.s.FromReplica(4, frame) // no replica has this number
			c.s.FromReplica(-1, frame)
		}
		select {
		case <-call.Done():
			t.Error("a request was settled on one replica's word")
		default:
		}
	})
}
