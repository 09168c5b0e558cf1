package replica

import (
	"bytes"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// mustMask fails the test unless the honest replicas executed the same batches, and these contain all of the requests.
func (tr *trial) mustMask(ids ...wire.RequestID) {
	tr.t.Helper()
	agreed := map[wire.Seq]wire.Digest{}
	for i, m := range tr.nodes {
		if tr.faulty(i) {
			continue
		}
		for seq, d := range m.executed {
			if other, known := agreed[seq]; known && other != d {
				tr.t.Errorf("I1: two digests executed at sequence number %d", seq)
			}
			agreed[seq] = d
		}
		for _, id := range ids {
			if !m.done[id] {
				tr.t.Errorf("replica %d has not executed request %d", i, id.T)
			}
		}
	}
}

// mustAnswer fails unless f+1 honest replicas gave equal replies to each of these requests, so that a client accepts the
// reply whatever the liar sends (C4).
func (tr *trial) mustAnswer(ids ...wire.RequestID) {
	tr.t.Helper()
	for _, id := range ids {
		alike := 0
		for i, m := range tr.nodes {
			if r := m.replies[id]; !tr.faulty(i) && r != nil && r.Outcome == wire.OutcomeExecuted && bytes.Equal(r.Results[0], []byte{byte(id.T)}) {
				alike++
			}
		}
		if alike < tr.nodes[0].cfg.Weak() {
			tr.t.Errorf("request %d has %d true answers, fewer than f+1", id.T, alike)
		}
	}
}

// mustEnter fails the test unless every honest replica entered exactly these views.
func (tr *trial) mustEnter(views ...wire.View) {
	tr.t.Helper()
	for i, m := range tr.nodes {
		if tr.faulty(i) {
			continue
		}
		same := len(m.entered) == len(views)
		for j := range views {
			same = same && m.entered[j] == views[j]
		}
		if !same {
			tr.t.Errorf("replica %d entered views %v, not %v", i, m.entered, views)
		}
	}
}

// from counts the messages of a type that the liar sent and that were not lost, and how many of them were refused. Type
// 0 stands for any type.
func (tr *trial) from(kind wire.Type) (sent, refused int) {
	count := func(packets []packet) (n int) {
		for _, p := range packets {
			if int(p.from) == tr.liar && (kind == 0 || wire.TypeOf(p.msg) == kind) {
				n++
			}
		}
		return n
	}
	return count(tr.sent) - count(tr.lost), count(tr.bad)
}

// load submits requests one after the other, lets some time pass after each, and returns them.
func (tr *trial) load(requests int, each time.Duration) []wire.RequestID {
	var ids []wire.RequestID
	for range requests {
		tr.submitted++
		ids = append(ids, tr.submit(tr.submitted))
		tr.pass(each)
	}
	return ids
}

// mustConvict fails the test unless all evidence that honest replicas hold is valid and is against one of these
// replicas, and there is evidence against each of them (E1).
func (tr *trial) mustConvict(guilty ...wire.ReplicaID) {
	tr.t.Helper()
	proven := map[wire.ReplicaID]bool{}
	for i, m := range tr.nodes {
		if tr.faulty(i) {
			continue
		}
		for _, e := range m.accused {
			if err := e.Verify(m.cfg, holds); err != nil {
				tr.t.Errorf("E1: replica %d accuses replica %d: %v", i, e.Replica, err)
			}
			if !slices.Contains(guilty, e.Replica) {
				tr.t.Errorf("E1: replica %d accuses replica %d, which did nothing", i, e.Replica)
			}
			proven[e.Replica] = true
		}
	}
	for _, id := range guilty {
		if !proven[id] {
			tr.t.Errorf("E1: nobody has proof against replica %d", id)
		}
	}
}

// mustNotPass fails the test if honest replicas entered more than so many views.
func (tr *trial) mustNotPass(views int) {
	tr.t.Helper()
	for i, m := range tr.nodes {
		if !tr.faulty(i) && len(m.entered) > views {
			tr.t.Errorf("replica %d entered views %v, more than %d", i, m.entered, views)
		}
	}
}

// drops counts the messages of the liar that the cores of honest replicas ignored for a reason.
func (tr *trial) drops(why port.Reason) (n int) {
	for i, m := range tr.nodes {
		if !tr.faulty(i) {
			n += m.dropped[why]
		}
	}
	return n
}
