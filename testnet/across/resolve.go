package across

import (
	"fmt"
	"time"

	"tagma/internal/machines"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// resolver looks for transactions that others left, and carries them to their end, as any client may.
type resolver struct {
	*Load
	p Program
}

// look looks through the groups, one after the other, again and again until the drivers are done. What they leave then is
// settled at the end.
func (r *resolver) look() {
	if r.Driven() {
		return
	}
	r.from(0, func() { r.host.After(r.opt.Resolve, r.look) })
}

func (r *resolver) from(group int, done func()) {
	if group == len(r.groups) {
		done()
		return
	}
	r.p.Do(group, commit.ReadPending(commit.TID{}, 0), func(result []byte) {
		p, err := commit.DecodePending(result)
		if result == nil || err != nil {
			r.from(group+1, done)
			return
		}
		r.records(group, p.Records, func() { r.from(group+1, done) })
	})
}

// records carries each of a group's open transactions.
func (r *resolver) records(group int, open []commit.Record, done func()) {
	if len(open) == 0 {
		done()
		return
	}
	r.p.Do(group, commit.ReadRecord(open[0].TID), func(result []byte) {
		record, err := commit.DecodeRecord(result)
		if result == nil || err != nil || record.Transaction == nil {
			r.records(group, open[1:], done)
			return
		}
		d := &driver{Load: r.Load, p: r.p}
		d.carry(record.Transaction, true, func() { r.records(group, open[1:], done) })
	})
}

// Reading is what a group says at the end.
type Reading struct {
	Open, Locks uint64
	Ledgers     bank.LedgersResult
	Audit       bank.AuditResult
}

// Done reports whether the workload is over: every transaction was driven, and the end was settled.
func (l *Load) Done() bool { return l.settled }

// Driven reports whether all drivers are done.
func (l *Load) Driven() bool { return l.begun && l.running == 0 }

// Calm tells that no more faults come, so that the end can be settled as soon as the drivers are done.
func (l *Load) Calm() {
	if l.calm {
		return
	}
	l.calm = true
	l.await()
}

// await waits until the drivers are done, and every deadline has passed on every clock.
func (l *Load) await() {
	if !l.Driven() {
		l.host.After(retry, l.await)
		return
	}
	last := int64(0)
	for _, m := range l.made {
		last = max(last, m.T.Deadline)
	}
	late := time.Duration(max(0, last-l.host.Wall().UnixNano()))
	l.host.Elapse(late+l.opt.Skew+time.Second, func() {
		l.settling = true
		l.ends = l.host.Now()
		l.all(len(l.made), l.settle, func() { l.all(len(l.made), l.records, func() { l.read(0) }) })
	})
}

// atOnce is how many transactions are settled at once.
const atOnce = 8

// all does something for each of n transactions, several at once, and calls done at the end.
func (l *Load) all(n int, each func(n int, done func()), done func()) {
	next, left := 0, n
	if n == 0 {
		done()
		return
	}
	var one func()
	one = func() {
		if next == n {
			return
		}
		next++
		each(next-1, func() {
			if left--; left == 0 {
				done()
				return
			}
			one()
		})
	}
	for range min(atOnce, n) {
		one()
	}
}

// settle carries a transaction to its end, unless its driver did. After its deadline that takes nothing that only its driver
// knew.
func (l *Load) settle(n int, done func()) {
	if m := l.made[n]; !m.ended {
		d := &driver{Load: l, p: l.admin}
		d.carry(m.T, true, done)
		return
	}
	l.host.After(0, done)
}

// records reads what became of a transaction in each of its groups, if nobody told.
func (l *Load) records(n int, done func()) {
	if !l.opt.Read {
		l.host.After(0, done)
		return
	}
	m := l.made[n]
	tid := m.T.ID()
	l.all(len(m.parts), func(part int, done func()) {
		l.insist(l.admin, m.parts[part], commit.ReadRecord(tid), func(result []byte) {
			if r, err := commit.DecodeRecord(result); err == nil {
				l.logs[m.parts[part]].facts[tid] = r.State
			}
			done()
		})
	}, done)
}

// read reads what every group says at the end.
func (l *Load) read(group int) {
	if group == len(l.groups) {
		l.settled = true
		return
	}
	r := Reading{}
	l.insist(l.admin, group, commit.ReadPending(commit.TID{}, 0), func(result []byte) {
		p, err := commit.DecodePending(result)
		if r.Open, r.Locks = p.Open, p.Locks; err != nil {
			l.trouble = err.Error()
		}
		if l.groups[group].Machine != machines.Bank {
			l.final = append(l.final, r)
			l.read(group + 1)
			return
		}
		l.insist(l.admin, group, bank.Ledgers(), func(result []byte) {
			if r.Ledgers, err = bank.DecodeLedgers(result); err != nil {
				l.trouble = err.Error()
			}
			l.insist(l.admin, group, bank.Audit(), func(result []byte) {
				if r.Audit, err = bank.DecodeAudit(result); err != nil {
					l.trouble = err.Error()
				}
				l.final = append(l.final, r)
				l.read(group + 1)
			})
		})
	})
}

// intruder uses the keys and accounts of the transactions without one.
type intruder struct {
	*Load
	p Program
	n int
}

func (i *intruder) next() {
	if i.Driven() {
		return
	}
	group := i.random.IntN(len(i.groups))
	op := bank.Transfer(name(i.random.IntN(i.opt.Accounts)), name(i.random.IntN(i.opt.Accounts)), 1+i.random.Uint64N(20))
	if i.groups[group].Machine == machines.KV {
		i.n++
		w := read{group, name(i.random.IntN(i.opt.Accounts)), fmt.Sprintf("o%d", i.n)}
		op = kv.Put([]byte(w.key), []byte(w.value))
		i.intruded[string(op)] = w
	}
	i.p.Do(group, op, func([]byte) { i.host.After(i.opt.Intrude, i.next) })
}
