package pbft

import "testing"

// What is kept for those who follow is bounded by the memory it takes, decoded: a batch of small requests takes twice its
// bytes on the wire and more.
func TestN3_BodiesBelowTheWatermarkAreBoundedByTheirMemory(t *testing.T) {
	cfg := Config{Members: make([]PublicKey, 4), CheckpointInterval: 128, LogWindow: 512}
	w := newWindow(&cfg)
	w.low = 1500
	var one Body
	for range 256 {
		one.Requests = append(one.Requests, &Request{Ops: [][]byte{make([]byte, 100)}})
	}
	for seq := Seq(1); seq <= w.low; seq++ {
		body := one
		w.at(seq).keep(&body)
	}
	w.forgetOldBodies()
	kept := 0
	for seq := w.low; seq > w.floor() && w.peek(seq).bodies != nil; seq-- {
		kept++
	}
	if most := maxKeptBytes / one.memory(); kept != most {
		t.Errorf("%d bodies are kept, want %d", kept, most)
	}
	if one.memory() < 256*(one.Requests[0].Size()+requestMemory) {
		t.Errorf("a body of %d bytes on the wire counts as %d", one.requestBytes(), one.memory())
	}
	for seq := w.low - Seq(kept); seq > w.floor(); seq-- {
		if w.peek(seq).bodies != nil {
			t.Fatalf("the body of %d is kept, though newer ones are not", seq)
		}
	}
}
