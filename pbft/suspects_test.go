package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// calm lets so many timeouts pass while messages of the primary of view 0 arrive.
func (l *lab) calm(timeouts int) {
	for range 4 * timeouts {
		l.from(0, l.signBy(&wire.Heartbeat{}, 0))
		l.wait(l.cfg.ViewTimeout / 4)
	}
}

// V7: if two replicas each suspect the primary for a short time, hours apart, these Suspects do not count together: a
// Suspect counts only while it is renewed.
func TestV7_ASuspectCountsWhileItIsRenewed(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(1, l.suspect(0, 1))
	l.calm(suspectTimeouts)
	l.from(2, l.suspect(0, 2))
	if l.r.view != 0 {
		t.Fatalf("view %d: a suspect %d timeouts old counts", l.r.view, suspectTimeouts)
	}
	l.from(1, l.suspect(0, 1))
	if l.r.view != 1 {
		t.Fatal("two renewed suspects move nobody")
	}
}

// V7: Suspects are renewed each T, whatever the sender's timeout is. Even if most renewals are lost, there is a time at
// which the Suspects of f+1 replicas that continue to suspect all count.
func TestV7_MostRenewalsMayBeLost(t *testing.T) {
	sender := newLab(t, 4, 2)
	sender.enter(5) // its timeout is 16T there
	said := 0
	for range 40 {
		said += len(broadcasts[*wire.Suspect](sender.wait(sender.cfg.ViewTimeout)))
	}
	if said < 40-16 {
		t.Errorf("%d suspects in the %d T after its timeout", said, 40-16)
	}
	l := newLab(t, 4, 3)
	for i := range 3 * suspectTimeouts {
		by := wire.ReplicaID(1 + i%2)
		if i%(suspectTimeouts-1) == 0 { // the others are lost
			l.from(by, l.suspect(0, by))
		}
		l.calm(1)
	}
	if l.r.view != 1 {
		t.Error("suspects of which some are lost are never counted together")
	}
}

// V7: a faulty replica may put an old Suspect of a correct replica into a valid view change. That counts only as the
// faulty replica's own wish to leave, whether or not the Suspect was received before.
func TestV7_ABankedSuspectMovesNobody(t *testing.T) {
	for _, heard := range []bool{false, true} {
		l := newLab(t, 4, 3)
		if heard {
			l.from(0, l.suspect(0, 0))
		}
		l.calm(suspectTimeouts)
		banked := l.viewChange(1, 2, wire.StableCert{})
		if banked.Suspects[0].Replica != 0 {
			t.Fatal("it shows nobody else's suspect")
		}
		l.from(2, banked)
		if l.from(2, l.suspect(0, 2)); l.r.view != 0 || !l.r.active {
			t.Fatalf("heard before %v: it moved to view %d", heard, l.r.view)
		}
		if l.from(1, l.suspect(1, 1)); l.r.view != 1 {
			t.Errorf("a view change and a suspect of another one move it to view %d", l.r.view)
		}
	}
}

// V7, V8: if certain messages are lost, one replica may leave the view alone. It executes by certificates. If the others
// stop later, they go to the view in which it is: they are f+1 or more, and each has reason to suspect the primary.
func TestV7_WhoLeftAloneFollowsUntilTheOthersCome(t *testing.T) {
	c := begin(t, 4)
	c.order(1)
	n := c.nodes[3]
	for _, by := range []wire.ReplicaID{1, 2} { // nobody else heard these two
		n.step(port.Received{From: port.Source{Replica: by}, Msg: wire.Own(c.sign(by, &wire.Suspect{Replica: by}))})
	}
	c.settle()
	if n.replica.view != 1 || n.replica.active {
		t.Fatalf("view %d", n.replica.view)
	}
	c.tick(10 * n.replica.cfg.ViewTimeout)
	c.order(3)
	c.tick(n.replica.cfg.ViewTimeout)
	if v := c.nodes[0].replica.view; v != 0 || n.replica.handed != c.nodes[0].replica.handed {
		t.Fatalf("the others are in view %d; %s", v, c.describe())
	}
	c.nodes[0].crash()
	c.tick(8 * n.replica.cfg.ViewTimeout)
	c.order(1)
	if !n.replica.active || n.replica.view == 0 {
		t.Fatalf("it is out for ever: %s", c.describe())
	}
}
