package msglog

import (
	"testing"

	"tagma/pbft/wire"
)

// N3: the bodies that are kept for replicas that follow are bounded by the memory that they take after decoding. A batch
// of small requests takes at least twice as much as its encoding.
func TestN3_BodiesBelowTheWatermarkAreBoundedByTheirMemory(t *testing.T) {
	cfg := wire.Config{Members: make([]wire.PublicKey, 4), CheckpointInterval: 128, LogWindow: 512}
	w := NewWindow(&cfg)
	w.Low = 1500
	var one wire.Body
	for range 256 {
		one.Requests = append(one.Requests, &wire.Request{Ops: [][]byte{make([]byte, 100)}})
	}
	for seq := wire.Seq(1); seq <= w.Low; seq++ {
		body := one
		w.At(seq).Keep(&body)
	}
	w.ForgetOldBodies(w.Low)
	kept := 0
	for seq := w.Low; seq > w.Floor() && w.Peek(seq).Bodies != nil; seq-- {
		kept++
	}
	if most := MaxKeptBytes / one.Memory(); kept != most {
		t.Errorf("%d bodies are kept, want %d", kept, most)
	}
	if one.Memory() < 256*(one.Requests[0].Size()+256) {
		t.Errorf("a body of %d bytes on the wire counts as %d", one.RequestBytes(), one.Memory())
	}
	for seq := w.Low - wire.Seq(kept); seq > w.Floor(); seq-- {
		if w.Peek(seq).Bodies != nil {
			t.Fatalf("the body of %d is kept, though newer ones are not", seq)
		}
	}
}
