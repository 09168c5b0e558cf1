package node

import (
	"testing"

	"tagma/pbft/wire"
)

// S4: a sender that sends too much to a mailbox loses only its own messages. The number and bytes of waiting messages
// are bounded.
func TestS4_AMailboxHasRoomForEachSender(t *testing.T) {
	m := newMetrics()
	b := newMailbox(4, 3, 1000, m.lostData)
	data := wire.Own(&wire.Data{})
	for range 100 {
		b.put(1, data, 10)
	}
	b.put(2, data, 1001)
	b.put(2, data, 600)
	b.put(2, data, 600)
	b.put(2, data, 400)
	b.put(3, data, 10)
	from := map[wire.ReplicaID]int{}
	for _, l := range b.take() {
		from[l.from]++
	}
	if from[1] != 3 || from[2] != 2 || from[3] != 1 {
		t.Errorf("it held %v", from)
	}
	if lost := observed(t, m)["tagma_transfer_lost_total data"]; lost != 97+2 {
		t.Errorf("%v are counted as lost", lost)
	}
	b.put(1, data, 1000) // there is room again
	if b.waiting() != 1 || len(b.ready) != 1 {
		t.Errorf("%d wait, and whoever takes them is woken %d times", b.waiting(), len(b.ready))
	}
}
