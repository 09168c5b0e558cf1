package commit_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// schedule is a random run. Drivers die after any step, lie, and send receipts again or for another transaction. There
// are f liars in each group. Clocks differ, ordinary operations happen in between, and replicas restart.
type schedule struct {
	*world
	rng       *rand.Rand
	txns      []*commit.Transaction
	pool      []*attest.Certificate // whatever anybody ever signed
	histories map[string][]string   // by group and key: its values in order
	written   map[string]string     // by value: who wrote it
	ops       int
}

var keys = []string{"a", "b", "c"}

func newSchedule(t *testing.T, seed uint64) *schedule {
	rng := rand.New(rand.NewPCG(seed, 14))
	machines := make([]string, 2+rng.IntN(2))
	for i := range machines {
		machines[i] = []string{"kv", "bank"}[rng.IntN(2)]
	}
	s := &schedule{world: newWorld(t, true, machines...), rng: rng, histories: map[string][]string{}, written: map[string]string{}}
	skew := []int64{1, minute, 20 * minute}[rng.IntN(3)]
	for _, g := range s.groups {
		g.offset = rng.Int64N(skew) - skew/2
		if g.about.Machine == "bank" {
			g.open("x", 100)
			g.open("y", 50)
		}
	}
	s.look("")
	return s
}

// look records which keys have new values.
func (s *schedule) look(who string) {
	for _, g := range s.groups {
		if g.about.Machine != "kv" {
			continue
		}
		for _, k := range keys {
			id := g.about.Name + k
			h := s.histories[id]
			if v := g.get(k); len(h) == 0 || h[len(h)-1] != v {
				s.histories[id] = append(h, v)
				s.written[v] = who
			}
		}
	}
}

// create makes a transaction over some groups. It compares keys with their present values.
func (s *schedule) create() {
	n := len(s.groups)
	var members []*group
	for _, i := range s.rng.Perm(n)[:2+s.rng.IntN(n-1)] {
		members = append(members, s.groups[i])
	}
	parts, moves := map[*group][]byte{}, map[*group][]bank.Move{}
	for i, from := range members {
		for j, to := range members {
			if i == j || from.about.Machine != "bank" || to.about.Machine != "bank" || s.rng.IntN(3) == 0 {
				continue
			}
			amount := 1 + s.rng.Uint64N(70)
			payer, payee := []string{"x", "y"}[s.rng.IntN(2)], []string{"x", "y", "nobody"}[s.rng.IntN(40)/19]
			moves[from] = append(moves[from], bank.Move{Account: payer, Amount: amount, Group: to.about.ID, Other: payee})
			moves[to] = append(moves[to], bank.Move{Credit: true, Account: payee, Amount: amount, Group: from.about.ID, Other: payer})
		}
	}
	id := fmt.Sprintf("t%d", len(s.txns))
	for _, g := range members {
		if g.about.Machine == "bank" {
			if len(moves[g]) == 0 {
				return
			}
			parts[g] = bank.Part(moves[g]...)
			continue
		}
		var compares []kv.Compare
		var ops [][]byte
		for _, k := range keys {
			if s.rng.IntN(3) == 0 {
				now := g.get(k)
				if now == "" {
					compares = append(compares, kv.Version([]byte(k), kv.Equal, 0))
				} else {
					compares = append(compares, kv.Value([]byte(k), kv.Equal, []byte(now)))
				}
			}
			if s.rng.IntN(4) == 0 {
				ops = append(ops, kv.Put([]byte(k), []byte(id+g.about.Name+k)))
			}
		}
		if len(compares)+len(ops) == 0 {
			compares = []kv.Compare{kv.Version([]byte("none"), kv.Equal, 0)}
		}
		parts[g] = kv.Part(compares, ops...)
	}
	x := s.transaction(parts, members[s.rng.IntN(len(members))], 2*minute+s.rng.Int64N(3*minute))
	if s.rng.IntN(10) == 0 {
		x.Deadline += s.rng.Int64N(20*minute) - 10*minute
	}
	s.txns = append(s.txns, x)
}

// step makes one random step of the run.
func (s *schedule) step() {
	g := s.groups[s.rng.IntN(len(s.groups))]
	who := [32]byte{byte(s.rng.IntN(5))}
	if len(s.txns) == 0 || s.rng.IntN(12) == 0 {
		s.create()
		return
	}
	x := s.txns[len(s.txns)-1-min(s.rng.IntN(4), len(s.txns)-1)*s.rng.IntN(2)]
	if s.rng.IntN(12) == 0 {
		x = s.txns[s.rng.IntN(len(s.txns))]
	}
	tid := x.ID()
	if s.rng.IntN(2) == 0 {
		s.drive(x)
		return
	}
	switch s.rng.IntN(16) {
	case 0, 1, 2, 3:
		g.do(who, commit.Prepare(x))
	case 4, 5, 6:
		if c := g.receipt(tid); c != nil {
			s.pool = append(s.pool, c)
		}
	case 7, 8, 9:
		g.do(who, commit.Decide(x, s.receipts(x)))
		s.look("")
	case 10, 11, 12:
		if len(s.pool) > 0 {
			c := s.pool[len(s.pool)-1-s.rng.IntN(min(len(s.pool), 6))]
			if mine, fact, ok := commit.FactOf(s.about(c), c); ok && s.rng.IntN(4) > 0 && fact >= commit.StateCommitted {
				tid = mine
			}
			g.do(who, commit.Finish(tid, c))
			s.look("")
		}
	case 13:
		s.lie(g, x)
	case 14:
		s.ordinary(g)
	case 15:
		s.now += s.rng.Int64N(20 * second)
		if s.rng.IntN(8) == 0 {
			g.restart()
		}
	}
}

// drive does the next step that a correct driver would do.
func (s *schedule) drive(x *commit.Transaction) {
	coordinator := s.groups[x.Coordinator[0]-0x10]
	if decision := coordinator.receipt(x.ID()); decision != nil {
		for _, p := range x.Parts {
			if g := s.groups[p.Group[0]-0x10]; g != coordinator {
				g.do(alice, commit.Finish(x.ID(), decision))
			}
		}
		s.look("")
		return
	}
	var receipts []*attest.Certificate
	for _, p := range x.Parts {
		g := s.groups[p.Group[0]-0x10]
		if g == coordinator {
			continue
		}
		c := g.receipt(x.ID())
		if c == nil {
			g.do(alice, commit.Prepare(x))
			return
		}
		receipts = append(receipts, c)
	}
	coordinator.do(alice, commit.Decide(x, receipts))
	s.look("")
}

func (s *schedule) about(c *attest.Certificate) *commit.Group {
	for _, g := range s.groups {
		if g.about.ID == c.Cluster {
			return &g.about
		}
	}
	return &commit.Group{}
}

// receipts returns the receipts that a driver shows: mostly those that it collected, sometimes any others.
func (s *schedule) receipts(x *commit.Transaction) (all []*attest.Certificate) {
	if s.rng.IntN(4) == 0 && len(s.pool) > 0 {
		for range s.rng.IntN(4) {
			all = append(all, s.pool[s.rng.IntN(len(s.pool))])
		}
		return all
	}
	for _, g := range s.groups {
		if g.about.ID == x.Coordinator || s.rng.IntN(10) == 0 {
			continue
		}
		if c := g.receipt(x.ID()); c != nil {
			all = append(all, c)
		}
	}
	return all
}

// lie makes the f liars of a group sign a false fact. Their signatures are used alone, or together with what correct
// replicas signed about other transactions. In each group replica 2 is the liar.
func (s *schedule) lie(g *group, x *commit.Transaction) {
	fact := commit.State(1 + s.rng.IntN(4))
	c := g.forged(x.ID(), fact, 2)
	if honest := g.receipt(x.ID()); honest != nil && s.rng.IntN(2) == 0 {
		c.Signatures = append(honest.Signatures[:1:1], c.Signatures...)
	} else if s.rng.IntN(2) == 0 {
		c.Signatures = append(c.Signatures, c.Signatures[0])
		c.Signatures[1].Replica = 3
	}
	s.pool = append(s.pool, c)
}

func (s *schedule) ordinary(g *group) {
	if g.about.Machine == "bank" {
		from, to := "x", "y"
		if s.rng.IntN(2) == 0 {
			from, to = to, from
		}
		g.do(bob, bank.Transfer(from, to, 1+s.rng.Uint64N(60)))
		return
	}
	s.ops++
	value := fmt.Sprintf("o%d", s.ops)
	if s.rng.IntN(4) == 0 { // it compares one key and writes another one
		k := keys[s.rng.IntN(len(keys))]
		g.do(bob, kv.Txn([]kv.Compare{kv.Value([]byte(k), kv.Equal, []byte(g.get(k)))}, [][]byte{kv.Put([]byte(keys[s.rng.IntN(len(keys))]), []byte(value))}, nil))
	} else {
		_ = g.put(keys[s.rng.IntN(len(keys))], value) // may be locked
	}
	s.look("")
}

// end lets every deadline pass. Then some client completes every transaction.
func (s *schedule) end() (commits, aborts int) {
	s.now += 2 * 3600 * second / 3
	for _, x := range s.txns {
		switch s.carry(x) {
		case commit.StateCommitted:
			commits++
		case commit.StateAborted:
			aborts++
		default:
			s.t.Errorf("transaction %v did not end", x.ID())
		}
		s.look("")
	}
	return commits, aborts
}

// atomic checks three things: each transaction's values are in all groups or in none; nothing is held; and no money was
// made or lost.
func (s *schedule) atomic(minted uint64) {
	s.settled()
	if m := s.money(); m != minted {
		s.t.Errorf("%d was minted, there is %d", minted, m)
	}
	for i, x := range s.txns {
		for _, p := range x.Parts {
			g := s.groups[p.Group[0]-0x10]
			want := s.groups[x.Coordinator[0]-0x10].statement(x.ID())
			committed := string(want) == string(commit.Statement(s.about(&attest.Certificate{Cluster: x.Coordinator}).Machine, x.ID(), commit.StateCommitted))
			if g.about.Machine != "kv" {
				continue
			}
			for _, k := range keys {
				v := fmt.Sprintf("t%d%s%s", i, g.about.Name, k)
				_, applied := s.written[v]
				if writes := containsPut(p.Op, k, v); writes && applied != committed || !writes && applied {
					s.t.Errorf("transaction t%d: committed %t, and %s has its value of %s: %t", i, committed, g.about.Name, k, applied)
				}
			}
		}
	}
}

func containsPut(part []byte, key, value string) bool {
	return contains(part, string(kv.Put([]byte(key), []byte(value))))
}

// TX1 to TX10: thousands of random runs are atomic and serializable, keep the sum of money, and leave nothing locked.
func TestTX_RandomSchedules(t *testing.T) {
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 300
	}
	commits, aborts := 0, 0
	for seed := range seeds {
		s := newSchedule(t, seed)
		minted := s.money()
		for range 150 + s.rng.IntN(150) {
			s.step()
		}
		c, a := s.end()
		commits, aborts = commits+c, aborts+a
		s.atomic(minted)
		s.serializable()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d seeds, %d commits, %d aborts", seeds, commits, aborts)
	if 10*commits < 2*(commits+aborts) || 10*aborts < 2*(commits+aborts) {
		t.Errorf("%d commits and %d aborts: the schedules do not test enough", commits, aborts)
	}
}
