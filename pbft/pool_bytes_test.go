package pbft

import (
	"testing"

	"tagma/internal/alone"
	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// bytesHeld returns how many bytes the requests in the pool have together.
func (l *lab) bytesHeld() (sum int) {
	for e := l.r.pool.Oldest; e != nil; e = e.Next {
		sum += e.Req.Size()
	}
	return sum
}

// newFloodedLab returns a replica to which a client has sent many large requests, of which none is ordered, and how many
// of them were answered Busy.
func newFloodedLab(t *testing.T, self wire.ReplicaID, large string) (l *lab, busy int) {
	l = newLab(t, 4, self, func(cfg *wire.Config) { cfg.MaxOpBytes = 1<<20 - 1<<10 })
	l.r.proposed = l.r.log.High()
	for i := range uint64(256) {
		busy += len(all[port.Respond](l.fromClient(l.request(i+1, large))))
	}
	return l, busy
}

// S4, C6: the requests that wait are bounded in bytes as well as in number. Otherwise the requests of one client could
// take 2 GiB at the primary and as much at each other replica.
func TestS4_WaitingRequestsAreBoundedInBytes(t *testing.T) {
	alone.Test(t)
	large := string(make([]byte, 1<<20-1<<10))
	for self := range wire.ReplicaID(2) {
		l, busy := newFloodedLab(t, self, large)
		if held := l.bytesHeld(); held > pool.MaxPendingBytes || busy == 0 {
			t.Errorf("replica %d holds %d bytes of one client's requests, %d others were answered Busy", self, held, busy)
		}
		later := &wire.Request{ID: wire.RequestID{Client: testKey("client", 7), Session: 1, T: 1}, Ops: [][]byte{[]byte(large)}}
		wantCount(t, all[port.Respond](l.fromClient(later)), 0, "busy answers to who comes later")
		for i := range 256 {
			l.fromClient(&wire.Request{ID: wire.RequestID{Client: testKey("client", 8+i), Session: 1, T: 1}, Ops: [][]byte{[]byte(large)}})
		}
		if held := l.bytesHeld(); held > 2*pool.MaxPendingBytes {
			t.Errorf("replica %d holds %d bytes of many clients' requests", self, held)
		}
	}
}

// C6: a backup's share at the primary is bounded in bytes as well. Neither clients nor the other backups can use it up.
func TestC6_ABackupsShareIsBoundedInBytes(t *testing.T) {
	alone.Test(t)
	large := string(make([]byte, 1<<20-1<<10))
	l, _ := newFloodedLab(t, 0, large)
	before := l.bytesHeld()
	for i := range uint64(64) {
		l.from(1, l.request(1000+i, large))
	}
	if share := l.bytesHeld() - before; share > pool.MaxPendingBytes/4 {
		t.Errorf("one backup's requests take %d bytes", share)
	}
	before = l.bytesHeld()
	l.from(2, l.request(2000, large))
	if l.bytesHeld() == before {
		t.Error("another backup's request finds no room")
	}
}
