package pbft

import (
	"testing"

	"tagma/pbft/wire"
)

// Every body is written to the journal. If the buffer grew step by step while a body is encoded, the body would be
// copied several times.
func TestEncodeRecord_ReservesRoomForABodyAtOnce(t *testing.T) {
	l := newLab(t, 4, 3, func(*wire.Config) {})
	pp := l.prePrepare(0, 1, l.batch(1, string(make([]byte, 100_000))))
	for _, r := range []wire.Record{&wire.Accepted{PrePrepare: pp}, &wire.Sent{Msg: pp}, &wire.Fetched{Seq: 1, Body: pp.Body}} {
		if n := testing.AllocsPerRun(10, func() { wire.EncodeRecord(r) }); n > 1 {
			t.Errorf("%T takes %v allocations", r, n)
		}
	}
}
