package commit_test

import (
	"errors"
	"math"
	"testing"

	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// TX4, TX9: a participant never releases locks because of its own clock.
func TestTX4_AParticipantDoesNotTimeOutAlone(t *testing.T) {
	w := newWorld(t, false, "kv", "kv")
	a, b := w.groups[0], w.groups[1]
	x := w.transaction(map[*group][]byte{
		a: kv.Part(nil, kv.Put([]byte("k"), []byte("1"))), b: kv.Part(nil, kv.Put([]byte("k"), []byte("1"))),
	}, a, minute)
	b.expect(commit.Prepare(x), "prepared")
	a.expect(commit.Decide(x, []*attest.Certificate{b.receipt(x.ID())}), "committed")
	b.offset += 2 * commit.MaxHold
	var l *commit.Locked
	if err := b.put("k", "2"); !errors.As(err, &l) || l.TID != x.ID() || l.Coordinator != a.about.ID || l.Deadline != x.Deadline {
		t.Errorf("a put long after the deadline: %v", err)
	}
	b.expect(commit.Prepare(x), "prepared")
	b.expect(commit.Finish(x.ID(), a.receipt(x.ID())), "committed")
	if b.get("k") != "1" {
		t.Errorf("k is %q", b.get("k"))
	}
	w.must(b.put("k", "2"))
}

// TX3: a client cannot take all places of open transactions for itself.
func TestTX3_LockSquattingIsBounded(t *testing.T) {
	w := newWorld(t, true, "bank", "bank")
	east, west := w.groups[0], w.groups[1]
	east.open("alice", 1e6)
	west.open("bob", 10)
	n := 0
	for range commit.MaxOpenClient + 1 {
		if outcome(west.do(alice, commit.Prepare(w.transfer(east, "alice", west, "bob", 1)))) == "prepared" {
			n++
		}
	}
	if n != commit.MaxOpenClient {
		t.Errorf("%d were prepared", n)
	}
	if got := outcome(west.do(bob, commit.Prepare(w.transfer(east, "alice", west, "bob", 1)))); got != "prepared" {
		t.Errorf("another client: %s", got)
	}
	// A client that needs the keys can end the transactions after the deadline.
	p := west.pending()
	if p.Open != uint64(n)+1 || len(p.Records) != commit.MaxPending || !p.More {
		t.Fatalf("%d open, %d listed, more %t", p.Open, len(p.Records), p.More)
	}
	w.now += 2 * minute
	for west.pending().Open > 0 {
		for _, r := range west.pending().Records {
			rec, err := commit.DecodeRecord(west.ask(commit.ReadRecord(r.TID)))
			w.must(err)
			if w.carry(rec.Transaction) != commit.StateAborted {
				t.Fatal("not aborted")
			}
		}
	}
	w.settled()
}

// TX4: if the debits of two transfers together exceed the balance, only one of them is prepared. A held amount cannot be
// spent meanwhile.
func TestTX4_OverdraftByTwoPrepares(t *testing.T) {
	w, east, west := banks(t)
	pay := func(amount uint64) *commit.Transaction {
		x := w.transfer(east, "alice", west, "bob", amount)
		x.Coordinator = west.about.ID // so the payer prepares
		return x
	}
	x, y := pay(60), pay(60)
	east.open("carol", 0)
	east.expect(commit.Prepare(x), "prepared")
	o, err := commit.DecodeOutcome(east.do(alice, commit.Prepare(y)))
	if err != nil || o.State != commit.StateRefused || o.Why != bank.Held.Error() {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := bank.DecodeTransfer(east.do(alice, bank.Transfer("alice", "carol", 41))); !errors.Is(err, bank.Held) {
		t.Errorf("the held amount was spent: %v", err)
	}
	if east.balance("alice") != 100 { // reads see the old value
		t.Errorf("alice has %d", east.balance("alice"))
	}
	if _, err := bank.DecodeTransfer(east.do(alice, bank.Transfer("alice", "carol", 40))); err != nil {
		t.Error(err)
	}
	for _, z := range []*commit.Transaction{x, y} {
		w.carry(z)
	}
	if east.balance("alice") != 0 || west.balance("bob") != 70 || w.money() != 110 {
		t.Errorf("%d and %d", east.balance("alice"), west.balance("bob"))
	}
	w.settled()
}

// TX4: a credit reserves room. So a group that only receives amounts prepares like any other.
func TestTX4_CreditsReserveRoom(t *testing.T) {
	w := newWorld(t, false, "bank", "bank")
	east, west := w.groups[0], w.groups[1]
	east.open("alice", math.MaxUint64)
	west.open("bob", 10)
	x, y := w.transfer(east, "alice", west, "bob", math.MaxUint64-20), w.transfer(east, "alice", west, "bob", 11)
	west.expect(commit.Prepare(w.transfer(east, "alice", west, "nobody", 1)), "refused")
	west.expect(commit.Prepare(x), "prepared")
	west.expect(commit.Prepare(y), "refused")
	if _, err := bank.DecodeOpen(west.do(bob, bank.Open("carol", 11))); !errors.Is(err, bank.Overflow) {
		t.Errorf("the reserved room was used: %v", err)
	}
	west.open("dave", 10)
	if w.carry(x) != commit.StateCommitted || w.carry(y) != commit.StateAborted {
		t.Error("wrong outcomes")
	}
	if west.balance("bob") != math.MaxUint64-10 {
		t.Errorf("bob has %d", west.balance("bob"))
	}
	w.settled()
}

// TX4: because compared keys are locked, two transactions cannot both commit if each compares a key that the other one
// changes.
func TestTX4_NoWriteSkew(t *testing.T) {
	w := newWorld(t, false, "kv", "kv")
	a, b := w.groups[0], w.groups[1]
	w.must(a.put("doctor1", "on"))
	w.must(b.put("doctor2", "on"))
	on := func(k string) []kv.Compare { return []kv.Compare{kv.Value([]byte(k), kv.Equal, []byte("on"))} }
	off := func(k string) []byte { return kv.Put([]byte(k), []byte("off")) }
	x := w.transaction(map[*group][]byte{a: kv.Part(nil, off("doctor1")), b: kv.Part(on("doctor2"))}, a, minute)
	y := w.transaction(map[*group][]byte{a: kv.Part(on("doctor1")), b: kv.Part(nil, off("doctor2"))}, b, minute)
	b.expect(commit.Prepare(x), "prepared")
	a.expect(commit.Prepare(y), "prepared")
	// Two drivers each need the other's keys; nobody waits.
	a.expect(commit.Decide(x, []*attest.Certificate{b.receipt(x.ID())}), "held")
	b.expect(commit.Decide(y, []*attest.Certificate{a.receipt(y.ID())}), "held")
	w.now = x.Deadline + 1
	w.carry(x)
	w.carry(y)
	if a.get("doctor1") == "off" && b.get("doctor2") == "off" {
		t.Error("both left")
	}
	w.settled()
}

// TX4: ordinary operations cannot change locked keys: puts, deletes, transactions and reverts. Reads see the old value.
func TestTX4_OrdinaryWritesMeetTheLock(t *testing.T) {
	w := newWorld(t, false, "kv", "kv")
	a, b := w.groups[0], w.groups[1]
	for _, k := range []string{"read", "write", "free", "z"} {
		w.must(b.put(k, "old"))
	}
	at := b.service.Executed()
	w.must(b.put("write", "older"))
	x := w.transaction(map[*group][]byte{
		a: kv.Part(nil, kv.Put([]byte("k"), []byte("1"))),
		b: kv.Part([]kv.Compare{kv.Value([]byte("read"), kv.Equal, []byte("old"))}, kv.Put([]byte("write"), []byte("new")), kv.Delete([]byte("new"))),
	}, a, minute)
	b.expect(commit.Prepare(x), "prepared")
	key := func(k string) []byte { return []byte(k) }
	on := func(k string) []kv.Compare { return []kv.Compare{kv.Version(key(k), kv.Greater, 0)} }
	for name, c := range map[string]struct {
		op     []byte
		locked bool
	}{
		"put":                      {kv.Put(key("write"), nil), true},
		"put a compared key":       {kv.Put(key("read"), nil), true},
		"put a key to be deleted":  {kv.Put(key("new"), nil), true},
		"put another":              {kv.Put(key("free"), key("old")), false},
		"delete":                   {kv.Delete(key("read")), true},
		"delete a range":           {kv.DeleteRange(key("r"), key("s")), true},
		"delete all":               {kv.DeleteRange(nil, nil), true},
		"delete beside":            {kv.DeleteRange(key("x"), nil), false},
		"transaction":              {kv.Txn(nil, [][]byte{kv.Put(key("write"), nil)}, nil), true},
		"the other list":           {kv.Txn(on("free"), [][]byte{kv.Put(key("q"), nil)}, [][]byte{kv.Put(key("write"), nil)}), false},
		"compare what changes":     {kv.Txn(on("write"), [][]byte{kv.Put(key("q"), nil)}, nil), true},
		"compare what is compared": {kv.Txn(on("read"), [][]byte{kv.Put(key("q"), nil)}, nil), false},
		"compare and read":         {kv.Txn(on("write"), [][]byte{kv.Get(key("write"))}, nil), false},
		"get":                      {kv.Get(key("write")), false},
		"range":                    {kv.Range(nil, nil, 0), false},
		"revert":                   {kv.Revert(key("w"), at), true},
		"revert beside":            {kv.Revert(key("q"), at), false},
	} {
		if l, locked := commit.AsLocked(b.do(bob, c.op)); locked != c.locked || locked && l.TID != x.ID() {
			t.Errorf("%s: locked %t, want %t", name, locked, c.locked)
		}
	}
	rec, err := commit.DecodeRecord(b.ask(commit.ReadRecord(x.ID())))
	if err != nil || len(rec.Locks) != 3 || string(rec.Locks[0]) != "new" || rec.Since != w.now {
		t.Errorf("%+v, %v", rec, err)
	}
	if b.get("write") != "older" {
		t.Errorf("write is %q", b.get("write"))
	}
	w.carry(x)
	if b.get("write") != "new" || a.get("k") != "1" {
		t.Errorf("write is %q, k is %q", b.get("write"), a.get("k"))
	}
	w.settled()
}

// TX9: clocks that differ by ten minutes affect how long a transaction can commit, but never whether it is atomic.
func TestTX9_ClocksTenMinutesApart(t *testing.T) {
	for _, offset := range []int64{-10 * minute, 10 * minute} {
		for _, ahead := range []int{0, 1} {
			w, east, west := banks(t)
			w.groups[ahead].offset = offset
			x := w.transfer(east, "alice", west, "bob", 30)
			west.do(alice, commit.Prepare(x))
			w.carry(x)
			w.now += 20 * minute
			w.carry(x)
			paid := 100 - east.balance("alice")
			if west.balance("bob") != 10+paid || w.money() != 110 {
				t.Errorf("%d was paid, and bob has %d", paid, west.balance("bob"))
			}
			w.settled()
		}
	}
}
