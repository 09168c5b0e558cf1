package replica

import (
	"testing"

	"tagma/pbft/wire"
)

func TestRecording_KeepsTheNewestInOrder(t *testing.T) {
	r := NewRecording()
	const more = 10
	for i := range mostRecorded + more {
		r.Add(&wire.Prepare{Seq: wire.Seq(i)})
		r.Add(&wire.Status{}) // a recorded Status cannot be used in a script
	}
	if r.Len() != mostRecorded {
		t.Fatalf("it holds %d messages", r.Len())
	}
	for i := range r.Len() {
		if m, ok := r.At(i).(*wire.Prepare); !ok || m.Seq != wire.Seq(i+more) {
			t.Fatalf("message %d is %+v", i, r.At(i))
		}
	}
	below := func(limit wire.Seq) func(wire.Message) bool {
		return func(m wire.Message) bool { return m.(*wire.Prepare).Seq < limit }
	}
	if m := newest(r, below(more+5)); m == nil || m.(*wire.Prepare).Seq != more+4 {
		t.Errorf("the newest one below is %+v", m)
	}
	if m := newest(r, below(more)); m != nil {
		t.Errorf("%+v is forgotten", m)
	}
}
