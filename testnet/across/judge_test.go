package across

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/internal/machines"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
)

// over is a workload that came to its end: a transfer between two banks that committed, and two transactions of a store
// and a bank's neighbour that each wrote what the other one compared, one after the other.
func over(t *testing.T) *Load {
	t.Helper()
	groups := []Group{
		{Group: commit.Group{ID: [32]byte{1}, Name: "east", Machine: machines.Bank}},
		{Group: commit.Group{ID: [32]byte{2}, Name: "west", Machine: machines.Bank}},
		{Group: commit.Group{ID: [32]byte{3}, Name: "north", Machine: machines.KV}},
		{Group: commit.Group{ID: [32]byte{4}, Name: "south", Machine: machines.KV}},
	}
	l := New(Options{Accounts: 2, Fortune: 100}, nil, groups)
	l.random = nil // nothing is drawn
	add := func(value string, reads []read, parts map[int][]byte) *Made {
		m := &Made{value: value, reads: reads, T: &commit.Transaction{Deadline: int64(time.Hour), Nonce: [16]byte{byte(len(l.made))}}}
		for i := range groups {
			if parts[i] != nil {
				m.parts = append(m.parts, i)
				m.T.Parts = append(m.T.Parts, commit.Part{Group: groups[i].ID, Op: parts[i]})
			}
		}
		m.T.Coordinator = groups[m.parts[0]].ID
		l.made, l.byTID[m.T.ID()] = append(l.made, m), m
		return m
	}
	put := func(value, key string) []byte { return kv.Part(nil, kv.Put([]byte(key), []byte(value))) }
	add("t0", nil, map[int][]byte{0: []byte("pays"), 1: []byte("is paid")})
	add("t1", nil, map[int][]byte{2: put("t1", "x0"), 3: put("t1", "x0")})
	add("t2", []read{{2, "x0", "t1"}}, map[int][]byte{2: put("t2", "x1"), 3: put("t2", "x0")})
	for _, m := range l.made {
		for _, g := range m.parts {
			l.logs[g].facts[m.T.ID()] = commit.StateCommitted
			l.logs[g].applied = append(l.logs[g].applied, m.T.ID())
			if g >= 2 {
				for _, key := range l.writes(m, g) {
					l.logs[g].held[key] = append(l.logs[g].held[key], m.value)
				}
			}
		}
	}
	l.settled = true
	for i := range groups {
		r := Reading{}
		if i < 2 {
			sum := []uint64{170, 230}[i]
			other := ledger(groups[1-i].ID, uint64(30*(1-i)), uint64(30*i))
			r.Ledgers, r.Audit = bank.LedgersResult{Supply: sum, Ledgers: []bank.Ledger{other}}, bank.AuditResult{Supply: sum, Sum: sum}
		}
		l.final = append(l.final, r)
	}
	return l
}

// ledger is what a bank exchanged with another one.
func ledger(group [32]byte, sent, received uint64) bank.Ledger {
	return bank.Ledger{Group: group, Sent: sent, Received: received}
}

func verdict(l *Load) check.Result { return l.Judge()[0] }

func TestI20_EveryBreakIsNoticed(t *testing.T) {
	if r := verdict(over(t)); !r.Held || r.Checked < 3 {
		t.Fatalf("nothing is broken: %+v", r)
	}
	tid := func(l *Load, n int) commit.TID { return l.made[n].T.ID() }
	for want, breaks := range map[string]func(l *Load){
		"is committed at east and aborted at west": func(l *Load) { l.logs[1].facts[tid(l, 0)] = commit.StateAborted },
		"is committed at east and refused at west": func(l *Load) { l.logs[1].facts[tid(l, 0)] = commit.StateRefused },
		"at west it is prepared":                   func(l *Load) { l.logs[1].facts[tid(l, 0)] = commit.StatePrepared },
		"at west it is none":                       func(l *Load) { delete(l.logs[1].facts, tid(l, 0)) },
		"is not decided":                           func(l *Load) { delete(l.logs[0].facts, tid(l, 0)); delete(l.logs[1].facts, tid(l, 0)) },
		"did not come to an end":                   func(l *Load) { l.settled = false },
		"holds 1 transactions":                     func(l *Load) { l.final[2].Open = 1 },
		"2 locks":                                  func(l *Load) { l.final[3].Locks = 2 },
		"room for 5":                               func(l *Load) { l.final[1].Ledgers.Reserved = 5 },
		"holds back 5":                             func(l *Load) { l.final[0].Ledgers.Ledgers[0].Held = 5 },
		"200 was minted":                           func(l *Load) { l.opt.Fortune = 50 },
		"the balances sum up to 171":               func(l *Load) { l.final[0].Audit.Sum++ },
		"one bank sent 31":                         func(l *Load) { l.final[0].Ledgers.Ledgers[0].Sent++ },
		"the end cannot be read":                   func(l *Load) { l.trouble = "broken" },
		"went by a value that north never held":    func(l *Load) { l.made[2].reads[0].value = "nobody's" },
		"have no order: t1 before t2 before t1":    func(l *Load) { slices.Reverse(l.logs[3].held["x0"]) },
	} {
		l := over(t)
		breaks(l)
		if r := verdict(l); r.Held || !strings.Contains(r.Why, want) {
			t.Errorf("%s: %+v", want, r)
		}
	}
}

// What a group executes is judged at once: a record that is final never changes, and no group contradicts another one.
func TestI20_AChangedRecordIsNoticedAtOnce(t *testing.T) {
	l := over(t)
	m := l.made[0]
	outcome := func(kind byte, s commit.State) []byte {
		return append([]byte{0xc7, 0, kind, byte(s), 0}, bytes.Repeat([]byte{0}, 33)...)
	}
	prepare := commit.Prepare(m.T)
	if o, err := commit.DecodeOutcome(outcome(2, commit.StatePrepared)); err != nil || o.State != commit.StatePrepared {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, c := range []struct {
		before, now commit.State
		want        string
	}{
		{commit.StateNone, commit.StatePrepared, ""},
		{commit.StatePrepared, commit.StatePrepared, ""},
		{commit.StatePrepared, commit.StateCommitted, ""},
		{commit.StatePrepared, commit.StateAborted, "is committed at east and aborted at west"},
		{commit.StateCommitted, commit.StateAborted, "was committed at west, and is aborted"},
		{commit.StateRefused, commit.StatePrepared, "was refused at west, and is prepared"},
		{commit.StateAborted, commit.StateCommitted, "was aborted at west, and is committed"},
	} {
		l.logs[1].facts[m.T.ID()] = c.before
		got := l.Executed(1, prepare, outcome(2, c.now))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("from %v to %v: %q, want %q", c.before, c.now, got, c.want)
		}
	}
}
