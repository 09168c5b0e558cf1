package bank_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/memstore"
)

// model is the bank as a map.
type model struct {
	balances map[string]uint64
	entries  map[string]uint64
	supply   uint64
}

func (m *model) open(name string, amount uint64) error {
	switch _, exists := m.balances[name]; {
	case exists:
		return bank.AccountExists
	case m.supply+amount < m.supply:
		return bank.Overflow
	}
	m.balances[name], m.entries[name] = amount, 1
	m.supply += amount
	return nil
}

func (m *model) transfer(from, to string, amount uint64) error {
	left, payer := m.balances[from]
	_, recipient := m.balances[to]
	switch {
	case amount == 0:
		return bank.ZeroAmount
	case from == to:
		return bank.SameAccount
	case !payer:
		return bank.NoAccount
	case !recipient:
		return bank.NoRecipient
	case left < amount:
		return bank.Insufficient
	}
	m.balances[from] -= amount
	m.balances[to] += amount
	m.entries[from]++
	m.entries[to]++
	return nil
}

// step executes one random operation on the machine and on the model, and compares the results.
func (m *model) step(t *testing.T, h *house, random *rand.Rand) {
	t.Helper()
	name := func() string { return fmt.Sprintf("account%d", random.IntN(6)) }
	from, to, amount := name(), name(), uint64(random.IntN(50))
	if random.IntN(20) == 0 {
		amount = math.MaxUint64 - uint64(random.IntN(100))
	}
	var got, want error
	if random.IntN(4) == 0 {
		want = m.open(from, amount)
		_, got = bank.DecodeOpen(h.do(bank.Open(from, amount), false))
	} else {
		want = m.transfer(from, to, amount)
		_, got = bank.DecodeTransfer(h.do(bank.Transfer(from, to, amount), false))
	}
	if !errors.Is(got, want) {
		t.Fatalf("%s to %s, %d: %v, want %v", from, to, amount, got, want)
	}
}

// At every moment the sum of all balances equals the supply, and every balance equals the model's.
func TestInvariant_TheSumOfBalancesIsTheSupply(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		h, m := newHouse(t), &model{balances: map[string]uint64{}, entries: map[string]uint64{}}
		for range 60 {
			m.step(t, h, random)
			a, err := bank.DecodeAudit(h.do(bank.Audit(), true))
			if err != nil || a.Sum != a.Supply || a.Supply != m.supply || a.Accounts != uint64(len(m.balances)) {
				t.Fatalf("seed %d: %+v, %v; want supply %d in %d accounts", seed, a, err, m.supply, len(m.balances))
			}
		}
		for name, balance := range m.balances {
			r, err := bank.DecodeBalance(h.do(bank.Balance(name), true))
			if err != nil || r.Balance != balance || r.Entries != m.entries[name] {
				t.Errorf("seed %d: %s: %+v, %v; want %d and %d entries", seed, name, r, err, balance, m.entries[name])
			}
			checkHistory(t, h, name, balance)
		}
	}
}

// checkHistory adds a history up.
func checkHistory(t *testing.T, h *house, name string, want uint64) {
	t.Helper()
	r, err := bank.DecodeHistory(h.do(bank.History(name, 0, 0), true))
	if err != nil {
		t.Fatal(err)
	}
	balance := uint64(0)
	for i, e := range r.Entries {
		if e.Kind == bank.Sent {
			balance -= e.Amount
		} else {
			balance += e.Amount
		}
		if e.Balance != balance || e.Number != uint64(i+1) {
			t.Errorf("%s, entry %d: %+v, want a balance of %d", name, i, e, balance)
		}
	}
	if balance != want {
		t.Errorf("the history of %s adds up to %d, its balance is %d", name, balance, want)
	}
}

// The same operations give the same root.
func TestDeterminism_TwoBanksHaveOneRoot(t *testing.T) {
	roots := map[[32]byte]bool{}
	for range 2 {
		s, err := statemachine.New(bank.Machine{}, memstore.New(), statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		h, random := &house{t, s}, rand.New(rand.NewPCG(7, 7))
		m := &model{balances: map[string]uint64{}, entries: map[string]uint64{}}
		for range 100 {
			m.step(t, h, random)
		}
		root, err := s.Checkpoint(s.Executed())
		if err != nil {
			t.Fatal(err)
		}
		roots[root] = true
	}
	if len(roots) != 1 {
		t.Error("two runs of the same operations differ")
	}
}

// FuzzOperation: whatever a client sends, the machine answers with a result that decodes, never panics, and the sum of
// balances stays the supply.
func FuzzOperation(f *testing.F) {
	for _, op := range [][]byte{
		bank.Open("new", 1), bank.Open("b", math.MaxUint64), bank.Transfer("a", "b", 5), bank.Balance("a"),
		bank.History("a", 0, 0), bank.History("a", 2, 1), bank.Audit(),
	} {
		f.Add(op)
	}
	f.Fuzz(func(t *testing.T, op []byte) {
		h := newHouse(t)
		h.ObservePanics(func(p statemachine.Panic) { t.Errorf("operation %x panicked: %v", op, p.Value) })
		h.do(bank.Open("a", 10), false)
		h.do(bank.Open("b", 0), false)
		for _, readOnly := range []bool{true, false, false} {
			result := h.do(op, readOnly)
			if w := word(result); w == fmt.Sprintf("decode a result of the bank: %v", bank.ErrResult) {
				t.Errorf("operation %x gave the undecodable result %x", op, result)
			}
		}
		if a, err := bank.DecodeAudit(h.do(bank.Audit(), true)); err != nil || a.Sum != a.Supply {
			t.Errorf("after %x: %+v, %v", op, a, err)
		}
	})
}
