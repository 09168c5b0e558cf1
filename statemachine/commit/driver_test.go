package commit_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/internal/driver"
	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// host carries out the actions of some drivers in virtual time. An action may be slow, or may be lost before or after
// its effect. A driver may die.
type host struct {
	*world
	rng     *rand.Rand
	loss    float64
	drivers []*driven
	due     []event // ascending by time
}

type driven struct {
	*driver.Driver
	txn  *commit.Transaction
	dead bool
	last int64 // when its last action began or ended
}

type event struct {
	at   int64
	what func()
}

var errLost = errors.New("no answer")

func (h *host) at(after int64, what func()) {
	e := event{h.now + after, what}
	i, _ := slices.BinarySearchFunc(h.due, e.at+1, func(x event, at int64) int { return int(min(max(x.at-at, -1), 1)) })
	h.due = slices.Insert(h.due, i, e)
}

func (h *host) start(x *commit.Transaction, resolve bool) *driven {
	var groups []commit.Group
	for _, g := range h.groups {
		groups = append(groups, g.about)
	}
	d, err := driver.New(driver.Config{Transaction: x, Groups: groups, Random: h.rng, Resolve: resolve})
	h.must(err)
	run := &driven{Driver: d, txn: x}
	h.drivers = append(h.drivers, run)
	h.carryOut(run, d.Begin(h.now))
	return run
}

func (h *host) carryOut(d *driven, actions []driver.Action) {
	if len(actions) > 0 || d.last == 0 {
		d.last = h.now
	}
	for _, a := range actions {
		g := h.groups[a.Group[0]-0x10]
		before, after := h.rng.Float64() < h.loss, h.rng.Float64() < h.loss
		h.at(1+h.rng.Int64N(50e6), func() { // arrives
			var result []byte
			var c *attest.Certificate
			err := error(nil)
			switch {
			case before:
				err = errLost
			case a.Do == driver.Execute:
				result = g.do(alice, a.Op)
			case a.Do == driver.Read:
				result = g.ask(a.Op)
			default:
				if c = g.receipt(d.TID()); c == nil {
					err = errors.New("nobody vouches for anything")
				}
			}
			if after {
				result, c, err = nil, nil, errLost
			}
			h.at(1+h.rng.Int64N(50e6), func() { // the answer
				switch {
				case d.dead:
				case a.Do == driver.Attest:
					h.carryOut(d, d.Attested(h.now, a.Group, c, err))
				default:
					h.carryOut(d, d.Executed(h.now, a.Group, result, err))
				}
			})
		})
	}
	if at := d.Wake(); at > 0 {
		h.at(max(at-h.now, 0), func() {
			if !d.dead {
				h.carryOut(d, d.Tick(h.now))
			}
		})
	}
}

// run lets time pass until nothing is due any more.
func (h *host) run() {
	for len(h.due) > 0 {
		e := h.due[0]
		h.due = h.due[1:]
		h.now = max(h.now, e.at)
		e.what()
	}
}

func newHost(t testing.TB, seed uint64, machines ...string) *host {
	return &host{world: newWorld(t, true, machines...), rng: rand.New(rand.NewPCG(seed, 55))}
}

// One driver without faults commits, and nothing remains locked or held.
func TestDriver_CommitsAndReleases(t *testing.T) {
	h := newHost(t, 1, "bank", "bank", "kv")
	h.groups[0].open("alice", 100)
	h.groups[1].open("bob", 10)
	x := h.transfer(h.groups[0], "alice", h.groups[1], "bob", 30)
	x.Parts = append(x.Parts, commit.Part{Group: h.groups[2].about.ID, Op: kv.Part(nil, kv.Put([]byte("paid"), []byte("30")))})
	d := h.start(x, false)
	h.run()
	o := d.Outcome()
	if !d.Ended() || o.State != commit.StateCommitted || o.Decision == nil || len(o.Open) != 0 || o.Why != "" {
		t.Errorf("%+v", o)
	}
	if h.groups[1].balance("bob") != 40 || h.groups[2].get("paid") != "30" || d.last > x.Deadline {
		t.Errorf("%d, %q", h.groups[1].balance("bob"), h.groups[2].get("paid"))
	}
	h.settled()
}

// If a group refuses, the outcome names the group and its reason, and is known before the deadline.
func TestDriver_SaysWhoRefusedAndWhy(t *testing.T) {
	h := newHost(t, 1, "bank", "bank")
	h.groups[0].open("alice", 100)
	h.groups[1].open("bob", 10)
	for amount, account := range map[uint64]string{30: "nobody", 101: "bob"} {
		x := h.transfer(h.groups[0], "alice", h.groups[1], account, amount)
		d := h.start(x, false)
		h.run()
		o := d.Outcome()
		want := map[uint64]commit.Outcome{
			30:  {Cause: commit.CauseRefused, Group: h.groups[1].about.ID, Why: bank.NoRecipient.Error()},
			101: {Cause: commit.CauseOwnPart, Group: h.groups[0].about.ID, Why: bank.Insufficient.Error()},
		}[amount]
		if !d.Ended() || o.State != commit.StateAborted || o.Cause != want.Cause || o.Group != want.Group || o.Why != want.Why || d.last > x.Deadline {
			t.Errorf("%+v", o)
		}
	}
	h.settled()
}

// TX10: drivers die at any moment, messages are lost, and other drivers resolve. Every outcome that a driver reports is
// the one that the coordinator recorded, all groups agree, and at the end nothing is held.
func TestTX10_DriversDieAndOthersResolve(t *testing.T) {
	commits, aborts := 0, 0
	for seed := range uint64(400) {
		h := newHost(t, seed, "bank", "kv", "bank")
		h.loss = h.rng.Float64() * 0.3
		for _, g := range h.groups {
			if g.about.Machine == "bank" {
				g.open("alice", 100)
			}
			g.offset = h.rng.Int64N(2*minute) - minute
		}
		minted := h.money()
		for range 8 {
			from, to := h.groups[0], h.groups[2]
			if h.rng.IntN(2) == 0 {
				from, to = to, from
			}
			x := h.transfer(from, "alice", to, "alice", 1+h.rng.Uint64N(60))
			if h.rng.IntN(2) == 0 {
				key := []byte{'a' + byte(h.rng.IntN(2))}
				x.Parts = slices.Insert(x.Parts, 1, commit.Part{Group: h.groups[1].about.ID, Op: kv.Part(nil, kv.Put(key, x.Nonce[:]))})
			}
			x.Coordinator = x.Parts[h.rng.IntN(len(x.Parts))].Group
			x.Deadline = h.now + int64(5e9) + h.rng.Int64N(2*minute)
			d := h.start(x, false)
			if h.rng.IntN(2) == 0 {
				h.at(h.rng.Int64N(500e6), func() { d.dead = true })
				h.at(h.rng.Int64N(int64(5e9)), func() { h.start(x, true) })
			}
			h.at(h.rng.Int64N(int64(2e9)), func() {}) // time between two transactions
		}
		h.run()
		for i, d := range h.drivers {
			o := d.Outcome()
			want := h.groups[d.txn.Coordinator[0]-0x10].statement(d.TID())
			if !d.dead && !d.Ended() {
				t.Errorf("seed %d: driver %d did not end: %+v", seed, i, o)
			}
			if o.State == commit.StateNone {
				continue
			}
			if o.State == commit.StateCommitted {
				commits++
			} else {
				aborts++
			}
			machine := h.groups[d.txn.Coordinator[0]-0x10].about.Machine
			if string(want) != string(commit.Statement(machine, d.TID(), o.State)) {
				t.Errorf("seed %d: driver %d says %v, the record is %x", seed, i, o.State, want)
			}
		}
		h.settled()
		if m := h.money(); m != minted {
			t.Errorf("seed %d: %d was minted, there is %d", seed, minted, m)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d commits, %d aborts", commits, aborts)
	if commits < 500 || aborts < 300 {
		t.Errorf("%d commits and %d aborts test too little", commits, aborts)
	}
}
