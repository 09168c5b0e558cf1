package pbft

import (
	"fmt"
	"strings"
	"testing"

	"tagma/internal/alone"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// These tests show that the checker can fail. Each control breaks an assumption on purpose, by more than f faulty
// replicas or by a replica that forgets its votes. The checker must then report the invariant that is broken.

// watch collects what the checker reports instead of ending the test.
func watch(c *cluster) *[]string {
	var seen []string
	c.check.failed = func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	return &seen
}

func wantReport(t *testing.T, seen []string, invariant string) {
	t.Helper()
	for _, s := range seen {
		if strings.HasPrefix(s, invariant+":") {
			return
		}
	}
	t.Fatalf("the checker did not report %s; it reported %q", invariant, seen)
}

// Two of four replicas vote twice, so that the two correct ones execute different batches.
func TestControl_MoreThanFDoubleVotersBreakI1(t *testing.T) {
	c := begin(t, 4)
	seen := watch(c)
	c.nodes[0].faulty, c.nodes[1].faulty = true, true
	c.filter = func(p *packet) bool { return c.nodes[p.from].faulty }
	for i, to := range []wire.ReplicaID{2, 3} {
		b := c.oneBatch([]string{"left", "right"}[i])
		c.put(0, to, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: b.Digest(), Body: b}))
		c.put(1, to, c.sign(1, &wire.Prepare{Seq: 1, Digest: b.Digest(), Replica: 1}))
		for _, by := range []wire.ReplicaID{0, 1} {
			c.put(by, to, c.sign(by, &wire.Commit{Seq: 1, Digest: b.Digest(), Replica: by}))
		}
	}
	c.settle()
	wantReport(t, *seen, "I1")
}

// A replica whose journal was deleted votes again where it voted before. (D8 prevents this.)
func TestControl_AWipedJournalBreaksI2(t *testing.T) {
	c := begin(t, 4)
	seen := watch(c)
	c.nodes[0].faulty = true
	for _, op := range []string{"first", "second"} {
		b := c.oneBatch(op)
		c.put(0, 2, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: b.Digest(), Body: b}))
		c.settle()
		c.nodes[2].crash()
		c.nodes[2].journal = journal{}
		c.nodes[2].start()
	}
	wantReport(t, *seen, "I2")
}

// A replica whose journal was deleted votes again in a view that it had left.
func TestControl_AWipedJournalVotesInAViewItLeft(t *testing.T) {
	c := begin(t, 4)
	seen := watch(c)
	c.nodes[0].faulty = true
	for _, by := range []wire.ReplicaID{0, 1} {
		c.put(by, 2, c.sign(by, &wire.Suspect{View: 0, Replica: by}))
	}
	c.settle()
	c.nodes[2].crash()
	c.nodes[2].journal = journal{}
	c.nodes[2].start()
	b := c.oneBatch("late")
	c.put(0, 2, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: b.Digest(), Body: b}))
	c.settle()
	wantReport(t, *seen, "I2")
}

// Three of four replicas send false view changes, so the new view drops a batch that committed.
func TestControl_MoreThanFForgettersBreakI17(t *testing.T) {
	c := begin(t, 4)
	c.order(1)
	seen := watch(c)
	for _, by := range []wire.ReplicaID{0, 1, 2} {
		c.nodes[by].faulty, c.nodes[by].up = true, false
	}
	lab := &wireCluster{cfg: *c.nodes[0].cfg}
	v := &wire.NewView{View: 1}
	for _, by := range []wire.ReplicaID{0, 1, 2} {
		vc := lab.viewChange(1, by, wire.StableCert{})
		for i := range vc.Suspects {
			c.sign(vc.Suspects[i].Replica, &vc.Suspects[i])
			vc.Suspects[i].View = 0
			c.sign(vc.Suspects[i].Replica, &vc.Suspects[i])
		}
		c.sign(by, vc)
		v.ViewChanges = append(v.ViewChanges, *vc)
	}
	c.put(1, 3, c.sign(1, v))
	c.settle()
	wantReport(t, *seen, "I17")
}

// An effect is performed too early: a commit is sent before its certificate is durable.
func TestControl_AVoteBeforeItsRecordBreaksD2(t *testing.T) {
	c := begin(t, 4)
	seen := watch(c)
	n := c.nodes[1]
	n.perform(port.Broadcast{Msg: &wire.Commit{View: 0, Seq: 1, Digest: wire.Digest{1}, Replica: 1}})
	n.perform(port.Broadcast{Msg: &wire.Prepare{View: 0, Seq: 1, Digest: wire.Digest{1}, Replica: 1}})
	wantReport(t, *seen, "D2")
	wantReport(t, *seen, "D1")
}

// An execution that nothing certified.
func TestControl_AnUncertifiedExecutionBreaksN7AndI16(t *testing.T) {
	c := begin(t, 4)
	seen := watch(c)
	n := c.nodes[1]
	forged := &wire.Request{ID: wire.RequestID{Client: testKey("client", 0), T: 1}, Ops: [][]byte{[]byte("forged")}}
	b := &wire.Body{Time: 1, Requests: []*wire.Request{forged}}
	n.replica.log.At(1).Cert = &wire.CommitCert{Seq: 1, Digest: b.Digest()}
	n.perform(port.Execute{Seq: 1, Body: b})
	wantReport(t, *seen, "N7")
	wantReport(t, *seen, "I16")
}

// The checker remembers that a batch was certified at a sequence number, even if an anchor then shows that another batch
// had prepared there before.
func TestControl_AnOlderPreparedDoesNotHideWhatWasCertified(t *testing.T) {
	c := begin(t, 4)
	seen := watch(c)
	n := c.nodes[1]
	b := c.oneBatch("a")
	cert := wire.CommitCert{View: 2, Seq: 1, Digest: b.Digest()}
	c.check.durable(n, &wire.Certified{Cert: cert, Body: b})
	c.check.durable(n, &wire.Prepared{Cert: wire.PreparedCert{View: 0, Seq: 1, Digest: wire.Digest{1}}})
	n.replica.log.At(1).Cert = &cert
	n.perform(port.Execute{Seq: 1, Body: b})
	if len(*seen) > 0 {
		t.Errorf("reports %v", *seen)
	}
}

// Liars must really send false messages. Otherwise the random schedules would test nothing.
func TestControl_LiarsLie(t *testing.T) {
	alone.Test(t)
	refused, accused, dropped := 0, 0, map[port.Reason]int{}
	for seed := range uint64(80) {
		s := newSchedule(t, seed)
		s.disturb(400)
		for _, n := range s.c.correct() {
			refused += n.refused
			accused += len(n.accused)
			for why, k := range n.dropped {
				dropped[why] += k
			}
		}
	}
	if refused == 0 || accused == 0 {
		t.Fatalf("%d messages refused, %d accusations", refused, accused)
	}
	for _, why := range []port.Reason{
		port.ReasonAboveWindow, port.ReasonBelowWindow, port.ReasonNotSender, port.ReasonOldView, port.ReasonDuplicate, port.ReasonUnknownBody, port.ReasonNoBody,
	} {
		if dropped[why] == 0 {
			t.Errorf("nothing was dropped because of %q", why)
		}
	}
}

// I18: random schedules must contain crashes, restarts, view changes and moves of the window.
func TestControl_RandomSchedulesReachFar(t *testing.T) {
	alone.Test(t)
	var views wire.View
	var stable wire.Seq
	entered := 0
	for seed := range uint64(30) {
		s := newSchedule(t, seed)
		s.disturb(400)
		s.heal()
		for _, n := range s.c.correct() {
			views = max(views, n.replica.view)
			stable = max(stable, n.replica.log.Low)
			entered += len(n.entered)
		}
	}
	if views < 3 || stable < 8 || entered < 30 {
		t.Fatalf("highest view %d, highest stable checkpoint %d, %d views entered", views, stable, entered)
	}
}
