package pbft

import (
	"testing"

	"tagma/pbft/wire"
)

// The journal encodes every body: a buffer that grew with it would copy it several times over.
func TestEncodeRecord_ReservesRoomForABodyAtOnce(t *testing.T) {
	l := newLab(t, 4, 3, func(*wire.Config) {})
	pp := l.prePrepare(0, 1, l.batch(1, string(make([]byte, 100_000))))
	for _, r := range []wire.Record{&wire.Accepted{PrePrepare: pp}, &wire.Sent{Msg: pp}, &wire.Fetched{Seq: 1, Body: pp.Body}} {
		if n := testing.AllocsPerRun(10, func() { wire.EncodeRecord(r) }); n > 1 {
			t.Errorf("%T takes %v allocations", r, n)
		}
	}
}
