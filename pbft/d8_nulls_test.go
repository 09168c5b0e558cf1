package pbft

import (
	"testing"
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// D8.9: a replica that does not vote yet asks the others, once a timeout, to order nulls up to the first checkpoint at
// or above R.
func TestD8_9_ASilentReplicaAsksForNulls(t *testing.T) {
	l := newRecoveringLab(t, 3, 9, 1) // K = 4
	wishes := broadcasts[*wire.Recover](l.beat(4 * l.cfg.ViewTimeout))
	if len(wishes) < 3 || len(wishes) > 5 {
		t.Errorf("%d wishes in four timeouts", len(wishes))
	}
	for _, m := range wishes {
		if m.Until != 12 {
			t.Errorf("asks for nulls up to %d: no checkpoint there ends its silence", m.Until)
		}
	}
	l.stable(12)
	wantCount(t, broadcasts[*wire.Recover](l.beat(4*l.cfg.ViewTimeout)), 0, "wishes when it has recovered")
}

// D8.9: while no replica serves the state that a replica needs, the replica asks for the checkpoint after the next one.
func TestD8_9_WhoStarvesAsksForNulls(t *testing.T) {
	l := newLab(t, 4, 3)
	l.stable(40)
	wantCount(t, broadcasts[*wire.Recover](l.wait(l.cfg.ViewTimeout)), 0, "wishes while the state may come")
	l.step(port.Starving{})
	wishes := broadcasts[*wire.Recover](l.wait(l.cfg.ViewTimeout))
	if len(wishes) != 1 || wishes[0].Until != 40+2*l.cfg.CheckpointInterval {
		t.Errorf("asks for %v", wishes)
	}
	l.stable(48)
	wantCount(t, broadcasts[*wire.Recover](l.wait(2*l.cfg.ViewTimeout)), 0, "wishes when there is a newer checkpoint")
}

// D8.9: without requests, a primary orders nulls up to R and no further. It continues after each checkpoint.
func TestD8_9_AnIdlePrimaryOrdersNullsUpToRAndNoFurther(t *testing.T) {
	c := begin(t, 4)
	c.order(3)
	until := wire.Seq(20)
	c.put(3, 0, &wire.Recover{Until: until})
	c.until(c.nodes[0].cfg.ViewTimeout, "nulls up to R are ordered", func() bool { return c.nodes[1].replica.handed >= until })
	c.tick(3 * time.Second)
	for _, n := range c.nodes {
		if n.replica.handed != until || n.replica.log.Low != until || n.replica.view != 0 {
			t.Errorf("replica %d is at %d, h = %d, view %d; want %d", n.id, n.replica.handed, n.replica.log.Low, n.replica.view, until)
		}
	}
	r := c.request(0, 50, "after the nulls")
	c.submit(r, 0)
	c.settle()
	if !executed(r, c.nodes...) {
		t.Error("requests are not ordered after nulls")
	}
}

// D8.9: if there are requests, they are ordered instead of nulls. Their batches also count towards R.
func TestD8_9_NoNullsWhileThereAreRequests(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	for i := uint64(2); i <= 4; i++ { // these requests wait until a batch is fuller
		l.fromClient(l.request(i, "a"))
	}
	for _, m := range broadcasts[*wire.PrePrepare](l.from(3, &wire.Recover{Until: 8})) {
		if m.Body.IsNull() && l.r.pool.Queued > 0 {
			t.Fatal("a null is ordered while requests wait")
		}
	}
}

// D8.9: wishes are bounded. A wish above h+3L is refused. With each further wish, a replica must wait twice as long, up
// to a minute. Only so many nulls are in flight.
func TestD8_9_WishesAreBounded(t *testing.T) {
	l := newLab(t, 4, 1)
	window, timeout := l.cfg.LogWindow, l.cfg.ViewTimeout
	wantDrop(t, l.from(3, &wire.Recover{Until: 3*window + 1}), port.ReasonAboveWindow)
	l.stable(8)
	wantDrop(t, l.from(3, &wire.Recover{Until: 8}), port.ReasonBelowWindow)
	wantCount(t, l.from(3, &wire.Recover{Until: 9}), 0, "effects of the first wish")
	wantDrop(t, l.from(3, &wire.Recover{Until: 9}), port.ReasonDuplicate)
	until, wait := wire.Seq(9), timeout
	for range 8 {
		until++
		l.wait(wait - time.Millisecond)
		wantDrop(t, l.from(3, &wire.Recover{Until: until}), port.ReasonTooOften)
		l.wait(time.Millisecond)
		wantCount(t, l.from(3, &wire.Recover{Until: until}), 0, "effects of a wish after "+wait.String())
		wait = min(2*wait, msglog.MaxWishWait)
	}
	if wait != msglog.MaxWishWait {
		t.Errorf("the last wait was %v", wait)
	}
	wantCount(t, l.from(2, &wire.Recover{Until: until}), 0, "effects of another one's first wish")
	l.wait(2 * msglog.MaxWishWait) // it made no wish for so long that its next wishes count as its first ones
	wantCount(t, l.from(3, &wire.Recover{Until: until + 1}), 0, "effects of a wish after a long time")
	l.wait(timeout)
	wantCount(t, l.from(3, &wire.Recover{Until: until + 2}), 0, "effects of the second one")

	l = newLab(t, 4, 0, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = 128, 256 })
	nulls := broadcasts[*wire.PrePrepare](l.from(3, &wire.Recover{Until: 3 * 256}))
	wantCount(t, nulls, maxNullsInFlight, "nulls in flight")
}

// D8.9: if a primary does not order the nulls for which a replica waits, it is suspected and replaced, as if it ignored
// a request.
func TestD8_9_ALyingPrimaryThatIgnoresItIsReplaced(t *testing.T) {
	c := begin(t, 4)
	c.order(2)
	c.nodes[0].faulty = true
	c.nodes[0].lie = func(_ wire.ReplicaID, m wire.Message) []wire.Message {
		if _, ok := m.(*wire.PrePrepare); ok {
			return nil
		}
		return []wire.Message{m}
	}
	for _, to := range []wire.ReplicaID{0, 1, 2} {
		c.put(3, to, &wire.Recover{Until: 8})
	}
	c.until(3*time.Second, "nulls are ordered by another primary", func() bool { return c.nodes[1].replica.log.Low >= 8 })
	if v := c.nodes[1].replica.view; v != 1 {
		t.Errorf("in view %d", v)
	}
}

// D8.9: a faulty replica sends its wish to the backups and not to the primary. The backups pass the wish on, so the
// primary is not replaced.
func TestD8_9_AWishThatThePrimaryWasNotToldDeposesNobody(t *testing.T) {
	c := begin(t, 4)
	c.nodes[3].faulty = true
	for round := range 6 {
		for _, to := range []wire.ReplicaID{1, 2} {
			c.put(3, to, &wire.Recover{Until: wire.Seq(8 * (round + 1))})
		}
		c.tick(time.Duration(1<<round) * time.Second)
	}
	if v := c.highestView(); v != 0 {
		t.Errorf("in view %d", v)
	}
	if h := c.nodes[1].replica.log.Low; h < 40 {
		t.Errorf("h is %d: what was granted was not ordered", h)
	}
}

// D8.9: a replica of a cluster without clients' requests loses its disk and recovers completely. The test has a case for
// each size of a cluster.
func TestD8_9_AWipedReplicaOfAnIdleClusterIsWholeAgainSoon(t *testing.T) {
	for _, n := range []int{4, 5, 6, 7} {
		for _, wiped := range []wire.ReplicaID{0, wire.ReplicaID(n - 1)} {
			c := newCluster(t, n)
			c.asks = true
			c.tick(20 * time.Millisecond)
			c.order(9)
			victim := c.nodes[wiped]
			victim.wipe()
			victim.start()
			c.until(6*time.Second, "it is whole", victim.whole)
			if rec := victim.replica.recovery; rec.until == 0 || victim.replica.log.Low < rec.until {
				t.Errorf("n = %d: R = %d, h = %d", n, rec.until, victim.replica.log.Low)
			}
			last := c.request(0, 99, "last")
			c.submit(last, c.all()...)
			c.until(6*time.Second, "a request is executed by all", func() bool { return executed(last, c.nodes...) })
			t.Logf("n = %d, replica %d wiped: whole and executing after %v in view %d", n, wiped, c.now, c.highestView())
		}
	}
}
