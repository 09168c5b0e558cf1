package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ordered returns a body with so many requests.
func ordered(k int) *wire.Body {
	b := &wire.Body{Time: 1}
	for i := range k {
		b.Requests = append(b.Requests, &wire.Request{ID: wire.RequestID{T: uint64(i + 1)}})
	}
	return b
}

// C6: the primary has room for every request that a backup admits, even if the two measured different loads. Here the
// backup measures a fast, idle cluster, while at the primary requests have always had to wait.
func TestC6_APrimaryHasRoomForWhateverABackupAdmits(t *testing.T) {
	backup, primary := newLab(t, 4, 3), newLab(t, 4, 0)
	backup.r.pool.Order(ordered(backup.cfg.MaxPending))
	primary.r.proposed = primary.r.log.High()
	primary.fromClient(primary.request(5000, "waits"))
	for range 4 {
		primary.r.pool.Tick(primary.now, 0, true)
	}
	admitted := 0
	for i := range uint64(3000) {
		for _, relayed := range sends[*wire.Request](backup.fromClient(backup.request(i+1, "x"))) {
			admitted++
			wantCount(t, all[port.Dropped](primary.from(3, relayed)), 0, "relayed requests that the primary has no room for")
		}
	}
	if most := backup.cfg.MaxPending / backup.cfg.N(); admitted != most {
		t.Fatalf("the backup admitted %d, want %d", admitted, most)
	}
}

// C6: after a cluster was idle, nobody knows how fast it is. So if many requests arrive then, neither the primary nor a
// backup admits as many as in a cluster that is known to be fast. They admit more as requests are ordered.
func TestC6_WhatIsAdmittedGrowsWithWhatIsOrdered(t *testing.T) {
	for self := range wire.ReplicaID(2) {
		l := newLab(t, 4, self)
		l.r.proposed = l.r.log.High()
		admit := func(from uint64) (n int) {
			for i := range uint64(600) {
				n += 1 - len(all[port.Respond](l.fromClient(l.request(from+i, "x"))))
			}
			return n
		}
		first := admit(1)
		if first > 64 {
			t.Errorf("replica %d admits %d of a burst before anything was ordered", self, first)
		}
		l.r.pool.Order(ordered(400))
		if then := first + admit(1000); then < 100 {
			t.Errorf("replica %d admits %d when 400 were ordered at once", self, then)
		}
		for range 3 { // the requests are ordered no faster than this
			l.r.pool.Tick(l.now, 0, true)
		}
		if most := l.r.pool.Limit(l.cfg.MaxPending).Requests; most > 64 {
			t.Errorf("replica %d admits %d when nothing was ordered all the time", self, most)
		}
	}
}

// T1, C6: a former primary may hold more requests than the next primary has room for. It relays and times the rest only
// when the requests before them were ordered.
func TestT1_ARequestIsTimedFromWhenThePrimaryHasRoom(t *testing.T) {
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.MaxPending = 16 })
	l.r.proposed = l.r.log.High()
	for i := range uint64(8) {
		l.fromClient(l.request(i+1, "x"))
	}
	room := l.r.relayRoom().Requests
	relayed := sends[*wire.Request](l.enter(1))
	wantCount(t, relayed, room, "requests at the new primary")
	l.wait(l.cfg.ViewTimeout / 2)
	b := &wire.Body{Time: 1, Requests: relayed}
	l.commitAll(1, 1, b)
	alive := func() { l.from(1, l.signBy(&wire.Heartbeat{View: 1}, 1)) }
	alive()
	wantCount(t, sends[*wire.Request](l.wait(1)), 8-room, "requests that have room now")
	l.wait(l.cfg.ViewTimeout / 2)
	alive()
	wantCount(t, broadcasts[*wire.Suspect](l.wait(1)), 0, "suspects half a timeout after there was room")
	wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout/2)), 1, "suspects a timeout after there was room")
}
