package pbft

import (
	"testing"
	"time"

	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// beats lets time pass while the primary sends heartbeats, and returns the Suspects that the replica sends.
func (l *lab) beats(times int, every time.Duration) []*wire.Suspect {
	l.t.Helper()
	var suspects []*wire.Suspect
	for range times {
		m := &wire.Heartbeat{View: l.r.view}
		l.from(l.cfg.Primary(l.r.view), l.signBy(m, l.cfg.Primary(l.r.view)))
		suspects = append(suspects, broadcasts[*wire.Suspect](l.wait(every))...)
	}
	return suspects
}

// T4: when the primary has ordered the whole window and execution has not caught up, it cannot order more: only
// checkpoints make room. So it is not suspected. Once there is room, it is timed again from that moment on.
func TestT4_AWindowThatWaitsForExecutionIsNotBlamedOnThePrimary(t *testing.T) {
	l := newLab(t, 4, 3)
	l.busy = true
	for s := wire.Seq(1); s <= l.r.log.High(); s++ {
		l.commitAll(0, s, l.batch(uint64(s), "a"))
	}
	l.fromClient(l.request(100, "waits"))
	wantCount(t, l.beats(40, l.cfg.ViewTimeout/4), 0, "suspects while the window is full")
	l.from(1, &wire.StableNotice{Cert: l.stableCert(4)})
	wantCount(t, l.beats(3, l.cfg.ViewTimeout/4), 0, "suspects at once when there is room")
	if n := len(l.beats(2, l.cfg.ViewTimeout/4)); n == 0 {
		t.Error("nobody suspects a primary that orders nothing though there is room")
	}
}

// T4: while there is room in the window, slow execution does not excuse the primary. Otherwise a faulty primary could
// order one slow batch, or one null, and then nothing more.
func TestT4_SlowExecutionIsNoExcuseWhileThereIsRoom(t *testing.T) {
	l := newLab(t, 4, 3)
	l.busy = true
	for s := wire.Seq(1); s < l.r.log.High(); s++ {
		l.commitAll(0, s, l.batch(uint64(s), "a"))
	}
	l.fromClient(l.request(100, "waits"))
	if n := len(l.beats(5, l.cfg.ViewTimeout/4)); n == 0 {
		t.Error("nobody suspects")
	}
}

// T4, C3: a client whose request is executed slowly sends it to all replicas, although they were handed its batch long
// before. The request is ordered already. So a backup neither relays it to the primary nor starts a timer for it, and
// the primary does not propose it again.
func TestT4_ARequestThatWasOrderedBeforeItCameIsNotOwed(t *testing.T) {
	backup, primary := newLab(t, 4, 3), newLab(t, 4, 1)
	for _, l := range []*lab{backup, primary} {
		l.busy = true
		l.commitAll(0, 1, l.batch(7, "takes long"))
		effects := l.fromClient(l.request(7, "takes long"))
		wantCount(t, sends[*wire.Request](effects), 0, "relays of what is ordered")
		wantCount(t, all[port.Respond](effects), 0, "answers before it is executed")
	}
	wantCount(t, backup.beats(8, backup.cfg.ViewTimeout/4), 0, "suspects while it is executed")
	effects := primary.suspected(1)
	for _, by := range []wire.ReplicaID{2, 0} {
		effects = append(effects, primary.from(by, primary.viewChange(1, by, wire.StableCert{}))...)
	}
	wantCount(t, broadcasts[*wire.NewView](effects), 1, "new views")
	wantCount(t, broadcasts[*wire.PrePrepare](effects), 0, "proposals of what is ordered")

	backup.step(backup.execute(port.Execute{Seq: 1, Body: backup.batch(7, "takes long")}))
	if n := backup.r.pool.Handed(); n > 0 {
		t.Errorf("S4: %d names are kept of what was executed", n)
	}
}

const heavyUnits = 100_000

// trust makes a pool treat the lab's client as one whose requests cost little.
func (l *lab) trust(p *pool.Pool) {
	for range 256 {
		p.Spend(0, []*wire.Reply{{ID: l.request(1, "a").ID, Outcome: wire.OutcomeExecuted}}, []uint64{1}, time.Microsecond, nil, 0)
	}
}

// spend reports the execution of the lab's next batch. The batch has one request of a client, which cost much.
func spend(p *pool.Pool, seq wire.Seq, m *wire.Request, units uint64, took time.Duration) {
	p.MarkOrdered(seq, &wire.Body{Requests: []*wire.Request{m}})
	p.Spend(seq, []*wire.Reply{{ID: m.ID, Outcome: wire.OutcomeExecuted}}, []uint64{units}, took, nil, 0)
	p.Remove(m.ID)
}

func poolRequest(client int, number uint64) *wire.Request {
	return &wire.Request{ID: wire.RequestID{Client: testKey("client", client), T: number}}
}

// C6: the cost of a large request is not only the cost of its execution. From 64 kB on, a request counts as heavy, and
// its cost is twice the time that its batch took to be ordered and executed. Smaller requests, also those in the same
// batch, have the cost that their execution reported.
func TestC6_ALargeRequestCostsWhatItTakesToOrderIt(t *testing.T) {
	sized := func(client int, bytes int) *wire.Request {
		m := poolRequest(client, 1)
		m.Ops = [][]byte{make([]byte, bytes)}
		return m
	}
	body := &wire.Body{Requests: []*wire.Request{sized(0, 200_000), sized(1, 60_000)}}
	costs, took := pool.Weigh(body, []uint64{212, 72}, time.Millisecond, 20*time.Millisecond)
	if costs[0] < 212+200_000/32 || costs[1] != 72 || took != 40*time.Millisecond {
		t.Errorf("%v, %v", costs, took)
	}
	small := &wire.Body{Requests: body.Requests[1:]}
	if costs, took := pool.Weigh(small, []uint64{72}, time.Millisecond, 20*time.Millisecond); costs[0] != 72 || took != time.Millisecond {
		t.Errorf("a batch without large ones: %v, %v", costs, took)
	}
	if costs, _ := pool.Weigh(body, nil, 0, 0); costs != nil {
		t.Errorf("costs that are not known: %v", costs)
	}
}

// C6: large requests cost little to execute, but much to order. By that cost they take turns with the requests of other
// clients. If there are no other clients, or only clients with large requests, any number of them may be under way.
func TestC6_LargeRequestsTakeTurnsWithOthers(t *testing.T) {
	for _, light := range []bool{false, true} {
		p := pool.New(4, time.Second)
		now := time.Second
		p.At(now)
		for i := range uint64(12) {
			m := poolRequest(0, i+1)
			m.Ops = [][]byte{make([]byte, 200_000)}
			p.Add(m, pool.FromClient, now)
		}
		large, left := 0, 12
		for round := range uint64(2) {
			if light {
				p.Add(poolRequest(1, round+1), pool.FromClient, now)
			}
			body := &wire.Body{Requests: p.Take(256, 1<<24)}
			large = 0
			var replies []*wire.Reply
			for _, m := range body.Requests {
				replies = append(replies, &wire.Reply{ID: m.ID, Outcome: wire.OutcomeExecuted})
				if len(m.Ops) > 0 {
					large++
				}
			}
			if round == 0 {
				left -= large
			}
			p.MarkOrdered(wire.Seq(round+1), body)
			began := now
			now += 20 * time.Millisecond
			p.At(now)
			p.Spend(wire.Seq(round+1), replies, make([]uint64, len(replies)), time.Millisecond, body, began)
			for _, r := range replies {
				p.Remove(r.ID)
			}
		}
		if want := map[bool]int{true: 0, false: left}[light]; large != want || left == 0 {
			t.Errorf("a light client is there: %t; %d large requests are in the second batch, want %d", light, large, want)
		}
		if most := p.MostOf(testKey("client", 0), 600); (most < 600) != light {
			t.Errorf("a light client is there: %t; %d large requests are taken in", light, most)
		}
	}
}

// C6: if all clients send heavy requests, none of them has to rest, so that the executor is always busy. If there is a
// client with light requests, they have to rest.
func TestC6_HeavyClientsRestForOthersAlone(t *testing.T) {
	const took = 10 * time.Millisecond
	for _, light := range []bool{false, true} {
		p := pool.New(4, time.Second)
		now := time.Second
		p.At(now)
		for round := range uint64(3) { // each client waits for its answer before it sends the next request
			for client := range 4 {
				p.Add(poolRequest(client, round+1), pool.FromClient, now)
			}
			if light {
				p.Add(poolRequest(9, round+1), pool.FromClient, now)
			}
			batch := p.Take(256, 1<<20)
			if want := 4; round > 0 && !light && len(batch) != want {
				t.Errorf("round %d: a batch of %d requests of four heavy clients, want %d", round, len(batch), want)
			}
			if round > 0 && light && len(batch) != 1 {
				t.Errorf("round %d: a batch of %d requests beside a light client, want that of this one", round, len(batch))
			}
			p.MarkOrdered(wire.Seq(round+1), &wire.Body{Requests: batch})
			now += 4 * took
			p.At(now)
			var replies []*wire.Reply
			var costs []uint64
			for _, m := range batch {
				replies = append(replies, &wire.Reply{ID: m.ID, Outcome: wire.OutcomeExecuted})
				if costs = append(costs, heavyUnits); m.ID.Client == testKey("client", 9) {
					costs[len(costs)-1] = 1
				}
			}
			p.Spend(wire.Seq(round+1), replies, costs, 4*took, nil, 0)
			for _, m := range batch {
				p.Remove(m.ID)
			}
			if round == 0 && !light { // until the first answers nobody knew which clients are heavy
				now += 200 * time.Millisecond
				p.At(now)
			}
		}
	}
}

// C6: clients take turns by the cost of their requests, not by the number of requests. While others have requests, a
// client with expensive requests gets less than an equal part of the executor. If it is alone, it never waits.
func TestC6_AClientWhoseRequestsCostMuchTakesTurnsByCost(t *testing.T) {
	const took = 30 * time.Millisecond
	p := pool.New(4, time.Second)
	now := time.Second
	p.At(now)
	for i := range uint64(40) {
		p.Add(poolRequest(0, i+1), pool.FromClient, now)
	}
	first := p.Take(256, 1<<20)
	if len(first) == 40 {
		t.Fatal("all are proposed before it is known what they cost")
	}
	spend(p, 1, first[0], heavyUnits, took)
	if batch := p.Take(256, 1<<20); len(batch) != 1 {
		t.Fatalf("a batch of %d heavy requests of a client that is alone, want 1", len(batch))
	}
	p.Add(poolRequest(1, 1), pool.FromClient, now)
	spend(p, 2, first[1], heavyUnits, took)
	// One entry for every 10 ms; the first entry is the other client's request.
	for i, want := range []int{1, 0, 0, 0, 0, 0, 1, 0} {
		if batch := p.Take(256, 1<<20); len(batch) != want {
			t.Errorf("%v after it was executed: a batch of %d, want %d", now-time.Second, len(batch), want)
		}
		if now += 10 * time.Millisecond; i == 0 {
			p.Add(poolRequest(1, 2), pool.FromClient, now)
			if batch := p.Take(256, 1<<20); len(batch) != 1 {
				t.Error("the other client waits")
			}
		}
		p.At(now)
	}
}

// C6: a replica admits only as many heavy requests of a client as will be executed before the timers of other requests
// end.
func TestC6_FewHeavyRequestsAreTakenIn(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	if busy := all[port.Respond](l.fromClient(l.request(2, "a"))); len(busy) != 0 {
		t.Fatal("busy at once")
	}
	l.step(port.Executed{
		Seq: 1, Replies: []*wire.Reply{{ID: l.request(1, "a").ID, Outcome: wire.OutcomeExecuted}}, Costs: []uint64{heavyUnits}, Took: l.cfg.ViewTimeout / 4,
	})
	wantCount(t, all[port.Respond](l.fromClient(l.request(3, "a"))), 1, "busy answers")
}

// T4: if a client's requests cost much, the primary need not order its next request before the earlier ones were
// executed, so the timer starts only then. If they cost little, the timer starts when the request arrives.
func TestT4_AHeavyClientsRequestIsOwedInItsTurn(t *testing.T) {
	for _, c := range []struct {
		units uint64
		early int
	}{{heavyUnits, 0}, {10, 1}} {
		l := newLab(t, 4, 3)
		l.trust(l.r.pool)
		heavy := l.batch(1, "a")
		l.fromClient(heavy.Requests[0])
		l.fromClient(l.request(2, "b"))
		l.step(port.Executed{ // an earlier one
			Replies: []*wire.Reply{{ID: l.request(7, "z").ID, Outcome: wire.OutcomeExecuted}}, Costs: []uint64{c.units}, Took: 100 * time.Millisecond,
		})
		l.busy = true
		l.commitAll(0, 1, heavy)
		wantCount(t, l.beats(4, l.cfg.ViewTimeout/4), c.early, "suspects while the first one is executed")
		if c.early > 0 {
			continue
		}
		l.step(port.Executed{Seq: 1, Replies: []*wire.Reply{{ID: heavy.Requests[0].ID}}, Costs: []uint64{c.units}, Took: l.cfg.ViewTimeout})
		wantCount(t, l.beats(3, l.cfg.ViewTimeout/4), 0, "suspects within a timeout after it")
		if n := len(l.beats(2, l.cfg.ViewTimeout/4)); n == 0 {
			t.Error("nobody suspects when it is long over")
		}
	}
}

// C6: a client of unknown cost may have only few requests under way. For each request that turns out to cost little, it
// may have one more. After a request that costs much, it begins with few again. A client whose requests have cost little
// for long is not limited, also not after a pause.
func TestC6_AClientOfUnknownCostHasFewRequestsUnderWay(t *testing.T) {
	p := pool.New(4, time.Second)
	p.At(time.Second)
	number, done := uint64(0), uint64(0)
	round := func(units uint64) (under int) {
		for range 300 {
			number++
			p.Add(poolRequest(0, number), pool.FromClient, time.Second)
		}
		for batch := p.Take(256, 1<<20); len(batch) > 0; batch = p.Take(256, 1<<20) {
			under += len(batch)
		}
		for range under {
			done++
			spend(p, wire.Seq(done), poolRequest(0, done), units, time.Microsecond)
		}
		return under
	}
	for i, want := range []int{4, 8, 16, 32} {
		if got := round(1); got != want {
			t.Fatalf("%d under way in round %d, want %d", got, i, want)
		}
	}
	for range 3 {
		round(1)
	}
	if got := round(1); got < 300 {
		t.Fatalf("%d under way of a client that is known to be light", got)
	}
	for ; done < number; done++ {
		p.Remove(poolRequest(0, done+1).ID)
	}
	if got := round(heavyUnits); got != 300 {
		t.Fatalf("%d under way when it has come back", got)
	}
	p.At(40 * time.Second) // the client does not count as heavy any more
	for range 20 {
		number++
		p.Add(poolRequest(0, number), pool.FromClient, time.Second)
	}
	if got := len(p.Take(256, 1<<20)); got != 4 {
		t.Fatalf("%d under way after some that cost much", got)
	}
}

// C6: a client may use much of the executor before it is known that its requests are heavy. It then has to wait for all
// of that time, but still gets its turns.
func TestC6_WhatAClientUsedIsPaidFor(t *testing.T) {
	const T = time.Second
	p := pool.New(4, T)
	now := T
	p.At(now)
	for i := range uint64(8) {
		p.Add(poolRequest(0, i+1), pool.FromClient, now)
	}
	p.Add(poolRequest(1, 1), pool.FromClient, now)
	first := p.Take(2, 1<<20)
	spend(p, 1, first[0], heavyUnits, T)
	taken := 0
	for ; now < 3*T; now += T / 8 {
		p.At(now)
		for _, m := range p.Take(256, 1<<20) {
			if m.ID.Client == testKey("client", 0) {
				taken++
				spend(p, wire.Seq(1+taken), m, heavyUnits, 0)
			}
		}
	}
	if taken < 3 || taken > 4 {
		t.Fatalf("%d requests in the 2 T for which it has to wait, want one each T/2", taken)
	}
}
