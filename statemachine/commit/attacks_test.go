package commit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// banks makes two banks with real signatures: alice has an account in the first, and bob in the second.
func banks(t *testing.T) (w *world, east, west *group) {
	w = newWorld(t, false, "bank", "bank")
	east, west = w.groups[0], w.groups[1]
	east.open("alice", 100)
	west.open("bob", 10)
	return w, east, west
}

// TX3, TX6, TX7: a transfer takes three ordered operations and two receipts.
func TestTX6_ATransferIsThreeOperationsAndTwoReceipts(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	west.expect(commit.Prepare(x), "prepared")
	east.expect(commit.Decide(x, []*attest.Certificate{west.receipt(x.ID())}), "committed")
	if east.balance("alice") != 70 || west.balance("bob") != 10 {
		t.Errorf("after the decision: %d and %d", east.balance("alice"), west.balance("bob"))
	}
	west.expect(commit.Finish(x.ID(), east.receipt(x.ID())), "committed")
	if west.balance("bob") != 40 || w.money() != 110 {
		t.Errorf("after the end: %d, and %d in all", west.balance("bob"), w.money())
	}
	w.settled()
	h, err := bank.DecodeHistory(west.ask(bank.History("bob", 2, 0)))
	if err != nil || len(h.Entries) != 1 || h.Entries[0].Other != "alice@g0" || h.Entries[0].Amount != 30 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TX10: the driver dies after each step, and another client completes the transaction: before the deadline if every
// participant is prepared, and otherwise after it.
func TestTX10_AnotherClientResolvesAfterEachStep(t *testing.T) {
	for steps := range 4 {
		for _, late := range []bool{false, true} {
			w, east, west := banks(t)
			x := w.transfer(east, "alice", west, "bob", 30)
			for i, step := range []func(){
				func() { west.do(alice, commit.Prepare(x)) },
				func() { east.do(alice, commit.Decide(x, []*attest.Certificate{west.receipt(x.ID())})) },
				func() { west.do(alice, commit.Finish(x.ID(), east.receipt(x.ID()))) },
			} {
				if i < steps {
					step()
				}
			}
			if late {
				w.now = x.Deadline + 1
			}
			want := commit.StateCommitted
			switch {
			case steps == 0 && !late:
				want = commit.StateNone // nothing is prepared, and the deadline has not passed
			case steps < 2 && late:
				want = commit.StateAborted
			}
			if got := w.carry(x); got != want {
				t.Errorf("dead after %d steps, late %t: %v, want %v", steps, late, got, want)
			}
			paid := uint64(0)
			if want == commit.StateCommitted {
				paid = 30
			}
			if east.balance("alice") != 100-paid || west.balance("bob") != 10+paid {
				t.Errorf("dead after %d steps, late %t: %d and %d", steps, late, east.balance("alice"), west.balance("bob"))
			}
			w.settled()
		}
	}
}

// TX6: the first record is final, whatever receipts are shown afterwards.
func TestTX6_TheFirstRecordIsFinal(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	west.do(alice, commit.Prepare(x))
	receipts := []*attest.Certificate{west.receipt(x.ID())}
	w.now = x.Deadline + 1
	east.expect(commit.Decide(x, nil), "aborted")
	east.expect(commit.Decide(x, receipts), "aborted")
	z := w.transfer(east, "alice", west, "bob", 30)
	west.do(alice, commit.Prepare(z))
	w.now = z.Deadline + 1
	// After the deadline, with all receipts.
	east.expect(commit.Decide(z, []*attest.Certificate{west.receipt(z.ID())}), "aborted")

	y := w.transfer(east, "alice", west, "bob", 30)
	west.do(alice, commit.Prepare(y))
	east.expect(commit.Decide(y, []*attest.Certificate{west.receipt(y.ID())}), "committed")
	refused := []*attest.Certificate{west.forged(y.ID(), commit.StateRefused, 0, 2)} // more than f liars
	east.expect(commit.Decide(y, refused), "committed")
	w.now = y.Deadline + 1
	east.expect(commit.Decide(y, nil), "committed")
	if east.balance("alice") != 70 {
		t.Errorf("alice has %d", east.balance("alice"))
	}
}

// TX6: near the deadline, a commit and an abort may be sent at the same time. The order at the coordinator decides.
func TestTX6_CommitAndAbortRaceAtTheDeadline(t *testing.T) {
	for _, late := range []int64{0, 1} {
		w, east, west := banks(t)
		x := w.transfer(east, "alice", west, "bob", 30)
		west.do(alice, commit.Prepare(x))
		receipts := []*attest.Certificate{west.receipt(x.ID())}
		w.now = x.Deadline + late
		east.do(bob, commit.Decide(x, nil))
		want := []string{"committed", "aborted"}[late]
		east.expect(commit.Decide(x, receipts), want)
		west.expect(commit.Finish(x.ID(), east.receipt(x.ID())), want)
		w.settled()
	}
}

// TX7: only the coordinator's receipt changes a prepared record. Nothing else that a driver sends does.
func TestTX7_TheDriverDecidesNothing(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	west.do(alice, commit.Prepare(x))
	for name, c := range map[string]*attest.Certificate{
		"a participant's receipt":           west.receipt(x.ID()),
		"a participant that says committed": west.forged(x.ID(), commit.StateCommitted, 0, 1, 2, 3),
		"f signatures of the coordinator":   east.forged(x.ID(), commit.StateCommitted, 0),
		"no signature":                      east.forged(x.ID(), commit.StateAborted),
		"prepared, by the coordinator":      east.forged(x.ID(), commit.StatePrepared, 0, 1, 2),
		"another transaction":               east.forged(commit.TID{1}, commit.StateCommitted, 0, 1),
	} {
		if got := outcome(west.do(bob, commit.Finish(x.ID(), c))); got != commit.BadReceipt.Error() {
			t.Errorf("%s: %s", name, got)
		}
	}
	if p := west.pending(); p.Open != 1 {
		t.Errorf("%d open", p.Open)
	}
}

// TX6: if one of several receipts is missing, the coordinator does not commit. The receipt of a group that takes no part
// does not replace it.
func TestTX6_EveryParticipantMustBePrepared(t *testing.T) {
	w := newWorld(t, false, "kv", "kv", "kv", "kv")
	a, b, c, d := w.groups[0], w.groups[1], w.groups[2], w.groups[3]
	part := func(k string) []byte { return kv.Part(nil, kv.Put([]byte(k), []byte("1"))) }
	x := w.transaction(map[*group][]byte{a: part("a"), b: part("b"), c: part("c")}, b, minute)
	a.expect(commit.Prepare(x), "prepared")
	b.expect(commit.Prepare(x), commit.WrongRole.Error())
	d.expect(commit.Prepare(x), commit.NotParticipant.Error())
	a.expect(commit.Decide(x, nil), commit.WrongRole.Error())
	only := a.receipt(x.ID())
	for _, receipts := range [][]*attest.Certificate{
		nil, {only}, {only, only}, {only, d.forged(x.ID(), commit.StatePrepared, 0, 1)}, {only, b.forged(x.ID(), commit.StatePrepared, 0, 1)},
	} {
		b.expect(commit.Decide(x, receipts), commit.Incomplete.Error())
	}
	c.expect(commit.Prepare(x), "prepared")
	b.expect(commit.Decide(x, []*attest.Certificate{only, c.receipt(x.ID())}), "committed")
	for _, g := range []*group{a, c} {
		g.expect(commit.Finish(x.ID(), b.receipt(x.ID())), "committed")
	}
	if a.get("a")+b.get("b")+c.get("c") != "111" {
		t.Error("a part is missing")
	}
	w.settled()
}

// TX6: one valid refusal is enough for an abort before the deadline.
func TestTX6_OneRefusalAborts(t *testing.T) {
	w := newWorld(t, false, "kv", "kv", "kv")
	a, b, c := w.groups[0], w.groups[1], w.groups[2]
	put := kv.Put([]byte("k"), []byte("1"))
	x := w.transaction(map[*group][]byte{
		a: kv.Part(nil, put), b: kv.Part([]kv.Compare{kv.Version([]byte("none"), kv.Greater, 0)}, put), c: kv.Part(nil, put),
	}, a, minute)
	c.expect(commit.Prepare(x), "prepared")
	b.expect(commit.Prepare(x), "refused")
	b.expect(commit.Prepare(x), "refused") // the refusal is final, even if the check would succeed now
	o, err := commit.DecodeOutcome(a.do(bob, commit.Decide(x, []*attest.Certificate{b.receipt(x.ID())})))
	if err != nil || o.State != commit.StateAborted || o.Cause != commit.CauseRefused || o.Group != b.about.ID {
		t.Errorf("%+v, %v", o, err)
	}
	b.expect(commit.Finish(x.ID(), a.receipt(x.ID())), "refused")
	c.expect(commit.Finish(x.ID(), a.receipt(x.ID())), "aborted")
	if a.get("k")+b.get("k")+c.get("k") != "" {
		t.Error("a part was executed")
	}
	w.settled()
}

// TX3, TX8: if a Prepare is sent again after the transaction has ended, or after its record was dropped, nothing is
// prepared.
func TestTX8_APrepareReplayedAfterTheEndPreparesNothing(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	west.expect(commit.Prepare(x), "prepared")
	east.do(alice, commit.Decide(x, []*attest.Certificate{west.receipt(x.ID())}))
	decision := east.receipt(x.ID())
	west.expect(commit.Finish(x.ID(), decision), "committed")
	again := func(want string) {
		t.Helper()
		west.expect(commit.Prepare(x), want)
		w.settled()
		if west.balance("bob") != 40 {
			t.Errorf("bob has %d", west.balance("bob"))
		}
	}
	again("committed")
	west.restart()
	again("committed")
	west.expect(commit.Finish(x.ID(), decision), "committed") // a replayed Finish
	w.now = x.Deadline + 1
	again("committed")
	w.now += 2 * commit.Keep
	y := w.transfer(east, "alice", west, "bob", 30) // when this transaction is recorded, the old record is dropped
	west.do(alice, commit.Prepare(y))
	w.now = y.Deadline + 1
	w.carry(y)
	again(commit.Late.Error())
	west.expect(commit.Finish(x.ID(), decision), commit.NoRecord.Error())
	if _, err := commit.DecodeRecord(west.ask(commit.ReadRecord(x.ID()))); !errors.Is(err, commit.NoRecord) {
		t.Errorf("the record is still there: %v", err)
	}
}

// TX8: the record of a commit at the coordinator is kept for ever. The record of an abort is dropped; if the transaction
// is decided again, it is aborted again.
func TestTX8_CommitRecordsAreNeverDropped(t *testing.T) {
	w, east, west := banks(t)
	x, z := w.transfer(east, "alice", west, "bob", 30), w.transfer(east, "alice", west, "bob", 1000)
	west.do(alice, commit.Prepare(x))
	east.expect(commit.Decide(x, []*attest.Certificate{west.receipt(x.ID())}), "committed")
	west.do(alice, commit.Prepare(z))
	east.expect(commit.Decide(z, []*attest.Certificate{west.receipt(z.ID())}), "aborted") // alice has less
	for range 8 {
		w.now += 2 * commit.Keep
		y := w.transfer(east, "alice", west, "bob", 1)
		west.do(alice, commit.Prepare(y))
		w.carry(y)
		east.restart()
	}
	east.expect(commit.Decide(x, nil), "committed")
	if _, err := commit.DecodeRecord(east.ask(commit.ReadRecord(z.ID()))); !errors.Is(err, commit.NoRecord) {
		t.Errorf("the abort is still there: %v", err)
	}
	east.expect(commit.Decide(z, []*attest.Certificate{west.receipt(z.ID())}), "aborted")
	for _, old := range []*commit.Transaction{x, z} {
		west.do(bob, commit.Finish(old.ID(), east.receipt(old.ID())))
	}
	w.settled()
	if west.balance("bob") != 10+30+8 || w.money() != 110 {
		t.Errorf("bob has %d", west.balance("bob"))
	}
}

// TX7: a Finish for which there is no record makes no record.
func TestTX7_AFinishWithoutARecordDoesNothing(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	west.expect(commit.Finish(x.ID(), east.forged(x.ID(), commit.StateCommitted, 0, 1)), commit.NoRecord.Error())
	west.expect(commit.Prepare(x), "prepared")
	west.expect(commit.Finish(x.ID(), east.forged(x.ID(), commit.StateAborted, 2, 3)), "aborted")
	west.expect(commit.Finish(x.ID(), east.forged(x.ID(), commit.StateCommitted, 0, 1)), "aborted")
	w.settled()
}

// TX3: these parts are refused, and the refusal is not recorded.
func TestTX3_RefusedWithoutARecord(t *testing.T) {
	w, east, west := banks(t)
	far := w.transfer(east, "alice", west, "bob", 1)
	far.Deadline = w.now + commit.MaxHold + 1
	west.expect(commit.Prepare(far), commit.TooFar.Error())
	late := w.transfer(east, "alice", west, "bob", 1)
	late.Deadline = w.now - 1
	west.expect(commit.Prepare(late), commit.Late.Error())
	unknown := w.transfer(east, "alice", west, "bob", 1)
	unknown.Coordinator, unknown.Parts[0].Group = [32]byte{1}, [32]byte{1}
	west.expect(commit.Prepare(unknown), commit.UnknownGroup.Error())
	for name, change := range map[string]func(*commit.Transaction){
		"one part":            func(x *commit.Transaction) { x.Parts = x.Parts[:1] },
		"unsorted":            func(x *commit.Transaction) { slices.Reverse(x.Parts) },
		"a group twice":       func(x *commit.Transaction) { x.Parts[1].Group = x.Parts[0].Group },
		"foreign coordinator": func(x *commit.Transaction) { x.Coordinator = [32]byte{9} },
		"no operation":        func(x *commit.Transaction) { x.Parts[1].Op = nil },
		"a large operation":   func(x *commit.Transaction) { x.Parts[1].Op = make([]byte, commit.MaxPartBytes+1) },
		"no deadline":         func(x *commit.Transaction) { x.Deadline = 0 },
		"money made": func(x *commit.Transaction) {
			x.Parts[0].Op = bank.Part(bank.Move{Account: "alice", Amount: 1, Group: west.about.ID, Other: "bob"})
		},
		"no bank's part":      func(x *commit.Transaction) { x.Parts[0].Op = kv.Part(nil, kv.Put([]byte("k"), nil)) },
		"another's operation": func(x *commit.Transaction) { x.Parts[1].Op = bank.Audit() },
	} {
		x := w.transfer(east, "alice", west, "bob", 2)
		change(x)
		west.expect(commit.Prepare(x), commit.Malformed.Error())
		if rec := west.ask(commit.ReadRecord(x.ID())); outcome(rec) != commit.NoRecord.Error() {
			t.Errorf("%s: there is a record", name)
		}
	}
	w.settled()
}

// If the state is at version 1, there are no such transactions: the operations are unknown, as before.
func TestVersion1_KnowsNoTransactions(t *testing.T) {
	for _, name := range []string{"kv", "bank"} {
		w := newWorld(t, true)
		w2 := newWorld(t, true, name, "bank")
		g := w2.groups[0]
		g.limits.FirstVersion, g.store = 1, w.store()
		g.boot(0)
		x := w2.transaction(map[*group][]byte{g: {1}, w2.groups[1]: {1}}, w2.groups[1], minute)
		for _, op := range [][]byte{commit.Prepare(x), commit.SetGroup(&w2.groups[1].about), commit.ReadRecord(x.ID()), bank.Ledgers()} {
			result := g.do(admin, op)
			if len(result) != 2 || result[1] != 2 || strings.HasPrefix(string(result), "\xc7") { // code 2 is Unknown in both
				t.Errorf("%s: %x gave %x", name, op, result)
			}
		}
	}
}

// TX1: a transaction's identifier depends on its whole content, and only its own encoding can be decoded as this
// transaction.
func TestTX1_AnyChangeIsAnotherTransaction(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 30)
	known := map[commit.TID]bool{x.ID(): true}
	for name, change := range map[string]func(*commit.Transaction){
		"coordinator": func(x *commit.Transaction) { x.Coordinator = west.about.ID },
		"deadline":    func(x *commit.Transaction) { x.Deadline++ },
		"nonce":       func(x *commit.Transaction) { x.Nonce[15] ^= 1 },
		"a group":     func(x *commit.Transaction) { x.Parts[1].Group[31] ^= 1 },
		"a part":      func(x *commit.Transaction) { x.Parts[1].Op = append(slices.Clone(x.Parts[1].Op), 0) },
	} {
		y := *x
		y.Parts = slices.Clone(x.Parts)
		change(&y)
		if known[y.ID()] {
			t.Errorf("another %s has the same identifier", name)
		}
		known[y.ID()] = true
	}
	b := x.Encode()
	for i := range b {
		changed := slices.Clone(b)
		changed[i] ^= 0x41
		if y, err := commit.DecodeTransaction(changed); err == nil && y.ID() == x.ID() {
			t.Errorf("byte %d does not count", i)
		}
		if _, err := commit.DecodeTransaction(b[:i]); err == nil {
			t.Errorf("the first %d bytes are read", i)
		}
	}
	if y, err := commit.DecodeTransaction(b); err != nil || y.ID() != x.ID() {
		t.Errorf("%v", err)
	}
}

// Whatever a client sends, the machines answer with a result that can be decoded, and never panic.
func FuzzOperation(f *testing.F) {
	w, east, west := func() (*world, *group, *group) {
		w := newWorld(f, true, "bank", "kv")
		return w, w.groups[0], w.groups[1]
	}()
	x := w.transaction(map[*group][]byte{
		east: bank.Part(bank.Move{Account: "a", Amount: 1, Group: west.about.ID, Other: "b"}), west: kv.Part(nil, kv.Put([]byte("k"), nil)),
	}, east, minute)
	c := west.forged(x.ID(), commit.StatePrepared, 0, 1)
	for _, op := range [][]byte{
		commit.SetGroup(&west.about), commit.Prepare(x), commit.Decide(x, []*attest.Certificate{c}), commit.Finish(x.ID(), c),
		commit.ReadRecord(x.ID()), commit.ReadPending(commit.TID{}, 3), commit.ReadGroups(), bank.Ledgers(),
	} {
		f.Add(op)
	}
	f.Fuzz(func(t *testing.T, op []byte) {
		w := newWorld(t, true, "bank", "kv")
		for _, g := range w.groups {
			for _, client := range [][32]byte{admin, alice} {
				result := g.do(client, op)
				if _, err := commit.DecodeOutcome(result); commit.Is(op) && errors.Is(err, commit.ErrResult) && result[1] != 0 {
					t.Errorf("%x gave %x", op, result)
				}
			}
			g.ask(op)
			g.ask(append([]byte(vouchPrefix), op...))
		}
	})
}
