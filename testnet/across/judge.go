package across

import (
	"fmt"

	"tagma/internal/machines"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
	"tagma/testnet/report"
)

// log is what a group executed, as far as transactions are concerned.
type log struct {
	facts   map[commit.TID]commit.State // the last record of each transaction, by the results
	applied []commit.TID                // committed ones, in the order in which they took effect here
	held    map[string][]string         // by key of a store: its values, in order
}

// Executed takes an operation that a group executed, with its result, in the order of execution. It says what is broken by
// that: a record that is final changed, or a promise was broken (TX1, TX3, TX6, TX7).
func (l *Load) Executed(group int, op, result []byte) (broken string) {
	tid, is := commit.TIDOf(op)
	if !is {
		l.ordinary(group, op, result)
		return ""
	}
	o, err := commit.DecodeOutcome(result)
	if err != nil {
		return ""
	}
	g := &l.logs[group]
	before := g.facts[tid]
	if before == o.State {
		return ""
	}
	if before == commit.StateCommitted || before == commit.StateAborted || before == commit.StateRefused ||
		o.State == commit.StateNone || o.State == commit.StatePrepared && before != commit.StateNone {
		return fmt.Sprintf("transaction %v was %v at %s, and is %v", tid, before, l.groups[group].Name, o.State)
	}
	if g.facts[tid] = o.State; o.State == commit.StateCommitted {
		g.applied = append(g.applied, tid)
		if m := l.byTID[tid]; m != nil && l.groups[group].Machine == machines.KV {
			for _, key := range l.writes(m, group) {
				g.held[key] = append(g.held[key], m.value)
			}
		}
	}
	return l.apart(tid)
}

// ordinary notes what an operation beside the transactions wrote.
func (l *Load) ordinary(group int, op, result []byte) {
	w, known := l.intruded[string(op)]
	if !known || w.group != group {
		return
	}
	if _, err := kv.DecodePut(result); err == nil {
		l.logs[group].held[w.key] = append(l.logs[group].held[w.key], w.value)
	}
}

// apart says whether groups disagree about a transaction (I20): committed in one, and aborted or refused in another.
func (l *Load) apart(tid commit.TID) string {
	committed, not := -1, -1
	for i := range l.logs {
		switch l.logs[i].facts[tid] {
		case commit.StateCommitted:
			committed = i
		case commit.StateAborted, commit.StateRefused:
			not = i
		case commit.StateNone, commit.StatePrepared:
		}
	}
	if committed >= 0 && not >= 0 {
		return fmt.Sprintf("transaction %v is committed at %s and %v at %s", tid, l.groups[committed].Name,
			l.logs[not].facts[tid], l.groups[not].Name)
	}
	return ""
}

// Counts are what became of the transactions.
type Counts struct {
	Made      int `json:"made"`
	Committed int `json:"committed"`
	Aborted   int `json:"aborted"`
	Died      int `json:"drivers_died"`
	Lied      int `json:"drivers_lied"`
}

// Counts returns them, by the coordinators' records.
func (l *Load) Counts() Counts {
	c := Counts{Made: len(l.made), Died: l.died}
	for s := Early; s < shapes; s++ {
		c.Lied += l.sent[s]
	}
	for _, m := range l.made {
		switch l.logs[m.parts[m.first]].facts[m.T.ID()] {
		case commit.StateCommitted:
			c.Committed++
		case commit.StateAborted:
			c.Aborted++
		default:
		}
	}
	return c
}

// Report is what became of the transactions, in the form of a report.
func (l *Load) Report() report.Transactions {
	c, s := l.Counts(), l.Sums()
	t := report.Transactions{Made: c.Made, Committed: c.Committed, Aborted: c.Aborted, Died: c.Died, Lied: c.Lied, Minted: s.Minted}
	for i := range l.groups {
		if i < len(l.final) {
			t.Open, t.Locks = t.Open+l.final[i].Open, t.Locks+l.final[i].Locks
		}
		if l.groups[i].Machine == machines.Bank {
			t.Sums = append(t.Sums, report.Sum{Cluster: l.groups[i].Name, Money: s.Banks[i]})
		}
	}
	return t
}

// Judge judges the whole run, once it is Done: what every group executed, and what it says at the end.
func (l *Load) Judge() []check.Result {
	return []check.Result{l.outcomes()}
}

// outcomes judges I20: one outcome for each transaction, one order, nothing held at the end, money conserved.
func (l *Load) outcomes() check.Result {
	r := check.Result{ID: "I20", Held: true}
	fail := func(format string, args ...any) {
		if r.Held {
			r.Held, r.Why = false, fmt.Sprintf(format, args...)
		}
	}
	if l.trouble != "" {
		fail("the end cannot be read: %s", l.trouble)
	}
	if !l.settled {
		fail("the transactions did not come to an end")
		return r
	}
	for _, m := range l.made {
		r.Checked++
		tid := m.T.ID()
		if broken := l.apart(tid); broken != "" {
			fail("%s", broken)
		}
		decision := l.logs[m.parts[m.first]].facts[tid]
		if decision != commit.StateCommitted && decision != commit.StateAborted {
			fail("transaction %v (its driver %v) is not decided after its deadline", tid, m.Shape)
		}
		for _, g := range m.parts {
			state := l.logs[g].facts[tid]
			if state == commit.StatePrepared || decision == commit.StateCommitted && state != commit.StateCommitted {
				fail("transaction %v (its driver %v) is %v, and at %s it is %v", tid, m.Shape, decision, l.groups[g].Name, state)
			}
		}
	}
	for i := range l.final {
		if f := &l.final[i]; f.Open > 0 || f.Locks > 0 || f.Ledgers.Reserved > 0 {
			fail("%s holds %d transactions, %d locks and room for %d after every deadline", l.groups[i].Name, f.Open, f.Locks, f.Ledgers.Reserved)
		}
	}
	l.money(fail)
	l.order(&r.Checked, fail)
	return r
}

// Sums are the sums of money.
type Sums struct {
	Minted uint64   `json:"minted"`
	There  uint64   `json:"there"`
	Banks  []uint64 `json:"banks"` // by group; 0 for a store
}

// Sums returns them, as the groups say at the end.
func (l *Load) Sums() (s Sums) {
	for i := range l.groups {
		s.Banks = append(s.Banks, 0)
		if l.groups[i].Machine == machines.Bank {
			s.Minted += l.opt.Fortune * uint64(l.opt.Accounts)
			if i < len(l.final) {
				s.Banks[i] = l.final[i].Audit.Sum
				s.There += l.final[i].Audit.Sum
			}
		}
	}
	return s
}

// money judges that no money was made or lost: in each bank, between each two, and over all of them.
func (l *Load) money(fail func(string, ...any)) {
	ledgers := map[[32]byte]bank.LedgersResult{}
	for i := range l.final {
		f := &l.final[i]
		if l.groups[i].Machine != machines.Bank {
			continue
		}
		ledgers[l.groups[i].ID] = f.Ledgers
		if f.Audit.Sum != f.Audit.Supply || f.Audit.Supply != f.Ledgers.Supply {
			fail("%s: the balances sum up to %d, and there should be %d", l.groups[i].Name, f.Audit.Sum, f.Audit.Supply)
		}
		for _, x := range f.Ledgers.Ledgers {
			if x.Held > 0 {
				fail("%s holds back %d after every deadline", l.groups[i].Name, x.Held)
			}
		}
	}
	for _, f := range bank.CrossAudit(ledgers, ledgers) {
		if f.Sent != f.Received {
			fail("one bank sent %d, and the other one received %d", f.Sent, f.Received)
		}
	}
	if s := l.Sums(); s.Minted != s.There {
		fail("%d was minted, and there is %d", s.Minted, s.There)
	}
}

// String says how far the workload is.
func (l *Load) String() string {
	switch {
	case !l.begun:
		return "the groups are being registered"
	case l.running > 0:
		return fmt.Sprintf("%d of %d transactions are made, %d drivers go on", len(l.made), l.opt.Count, l.running)
	case !l.settling:
		return "the drivers are done, and the end is waited for"
	case !l.settled:
		why := "the end is being settled"
		for c := range l.under {
			if o := c.core.Outcome(); !c.over && o.Last != nil {
				why += fmt.Sprintf("; %v is %v: %v", c.core.TID(), o.State, o.Last)
			}
		}
		return why
	default:
		return "settled"
	}
}
