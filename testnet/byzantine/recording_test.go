package byzantine

import (
	"testing"

	"tagma/pbft"
)

func TestRecording_KeepsTheNewestInOrder(t *testing.T) {
	r := NewRecording()
	const more = 10
	for i := range mostRecorded + more {
		r.Add(&pbft.Prepare{Seq: pbft.Seq(i)})
		r.Add(&pbft.Status{}) // nobody can use it again
	}
	if r.Len() != mostRecorded {
		t.Fatalf("it holds %d messages", r.Len())
	}
	for i := range r.Len() {
		if m, ok := r.At(i).(*pbft.Prepare); !ok || m.Seq != pbft.Seq(i+more) {
			t.Fatalf("message %d is %+v", i, r.At(i))
		}
	}
	below := func(limit pbft.Seq) func(pbft.Message) bool {
		return func(m pbft.Message) bool { return m.(*pbft.Prepare).Seq < limit }
	}
	if m := r.newest(below(more + 5)); m == nil || m.(*pbft.Prepare).Seq != more+4 {
		t.Errorf("the newest one below is %+v", m)
	}
	if m := r.newest(below(more)); m != nil {
		t.Errorf("%+v is forgotten", m)
	}
}
