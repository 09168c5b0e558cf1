package across

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/machines"
	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// Options say which transactions there are. The zero value is no workload; WithDefaults fills in the rest.
type Options struct {
	Seed     uint64
	Count    int           // transactions
	Drivers  int           // programs that drive them, each one after the other
	Accounts int           // accounts of each bank, and keys of each store
	Fortune  uint64        // what each account has at the beginning
	Deadline time.Duration // of a transaction, from its beginning
	Die      float64       // share of transactions whose driver dies after a step
	Lie      float64       // share of transactions whose driver lies
	GiveUp   time.Duration // after so long a driver gives a transaction up that has not ended
	Lies     []string      // what drivers that lie do, by name; none: anything
	DieAt    int           // the step at which drivers die; 0: any
	Clash    float64       // share of transactions that ask for too much, or go by a value that is not there
	Think    time.Duration // of a driver between two transactions, on average
	Resolve  time.Duration // how often somebody looks for what others left; 0: only at the end
	Intrude  time.Duration // how often somebody else uses the same keys and accounts, without a transaction; 0: never
	// Read: nobody tells Executed, so what became of the transactions is read from the groups at the end.
	Read bool
	Skew time.Duration // by how much the groups' clocks differ at most: nobody resolves before that
}

// WithDefaults fills in what is zero.
func (o Options) WithDefaults() Options {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	set(&o.Drivers, 3)
	set(&o.Accounts, 3)
	if o.Fortune == 0 {
		o.Fortune = 100
	}
	if o.Deadline == 0 {
		o.Deadline = 10 * time.Second
	}
	if o.GiveUp == 0 {
		o.GiveUp = 3 * time.Second
	}
	return o
}

// Load is the workload while it runs.
type Load struct {
	opt     Options
	host    Host
	groups  []Group
	random  *rand.Rand
	admin   Program
	planned int // transactions that drivers began to make
	made    []*Made
	byTID   map[commit.TID]*Made
	seen    [][]byte                    // operations that drivers sent, for those who replay
	old     map[int]*attest.Certificate // by group: the last receipt that anybody collected there
	logs    []log                       // by group
	// intruded are the puts beside the transactions, by operation.
	intruded map[string]read

	under    map[*carrying]bool // transactions that are being settled
	begun    bool               // the groups know each other, and the accounts are there
	running  int                // drivers that have transactions to make
	calm     bool               // no more faults come
	settling bool               // the end is being settled
	settled  bool
	ends     time.Duration // when all was decided at the latest
	final    []Reading     // by group, at the end
	trouble  string        // why the end cannot be settled; "": nothing is wrong
	sent     [shapes]int
	died     int // drivers that were killed
}

// Made is a transaction of the workload.
type Made struct {
	T     *commit.Transaction
	Shape Shape
	parts []int // groups, by part
	first int   // the coordinator's part
	reads []read
	value string // what it writes, in every store
	ended bool   // a driver has carried it to its end
}

// read is a compare in a transaction's part.
type read struct {
	group      int
	key, value string // "": the key is absent
}

// Shape says what the driver of a transaction does.
type Shape int

// The shapes.
const (
	Honest  Shape = iota
	Dies          // after a step
	Early         // decides without all receipts, and again
	Forges        // shows receipts of liars alone, of others, repeated ones
	Splits        // shows the decision to one group, and a forged one to the others
	Squats        // prepares, and never comes back
	Replays       // sends everything again that anybody ever sent
	Races         // decides twice at once: with all receipts, and without any
	shapes
)

func (s Shape) String() string {
	return [...]string{"honest", "dies", "early", "forge", "split", "squat", "replay", "race"}[s]
}

// New makes a workload. Nothing happens before Begin.
func New(o Options, host Host, groups []Group) *Load {
	o = o.WithDefaults()
	l := &Load{
		opt: o, host: host, groups: groups, random: rand.New(rand.NewPCG(o.Seed, 0x6163_726f_7373)),
		byTID: map[commit.TID]*Made{}, old: map[int]*attest.Certificate{}, logs: make([]log, len(groups)),
		intruded: map[string]read{}, under: map[*carrying]bool{},
	}
	for i := range l.logs {
		l.logs[i] = log{facts: map[commit.TID]commit.State{}, held: map[string][]string{}}
	}
	return l
}

// Begin registers the groups with each other, opens accounts, and starts the drivers after that.
func (l *Load) Begin() {
	l.admin = l.host.Join()
	open := 0
	for i := range l.groups {
		var ops [][]byte
		for k := range l.groups {
			if k != i {
				ops = append(ops, commit.SetGroup(&l.groups[k].Group))
			}
		}
		for a := range l.opt.Accounts {
			if l.groups[i].Machine == machines.Bank {
				ops = append(ops, bank.Open(name(a), l.opt.Fortune))
			}
		}
		for _, op := range ops {
			open++
			l.insist(l.admin, i, op, func([]byte) {
				if open--; open == 0 {
					l.begun = true
					l.drive()
				}
			})
		}
	}
}

// insist does an operation again and again until its result is known.
func (l *Load) insist(p Program, group int, op []byte, done func(result []byte)) {
	p.Do(group, op, func(result []byte) {
		if result == nil {
			l.host.After(retry, func() { l.insist(p, group, op, done) })
			return
		}
		done(result)
	})
}

func name(i int) string { return fmt.Sprintf("x%d", i) }

// drive starts the drivers, and whoever resolves what they leave.
func (l *Load) drive() {
	for range l.opt.Drivers {
		l.running++
		d := &driver{Load: l, p: l.host.Join()}
		l.host.After(l.think(), d.next)
	}
	if l.opt.Intrude > 0 {
		i := &intruder{Load: l, p: l.host.Join()}
		l.host.After(l.opt.Intrude, i.next)
	}
	if l.opt.Resolve > 0 {
		r := &resolver{Load: l, p: l.host.Join()}
		l.host.After(l.opt.Resolve, r.look)
	}
}

func (l *Load) think() time.Duration {
	return l.opt.Think/2 + time.Duration(l.random.Int64N(int64(l.opt.Think)+1))
}

func (l *Load) likely(share float64) bool { return l.random.Float64() < share }

// next makes the next transaction, once the driver has read the keys that it compares. Done is called with nil if there are
// enough.
func (l *Load) next(p Program, done func(*Made)) {
	if l.planned >= l.opt.Count {
		done(nil)
		return
	}
	m := &Made{value: fmt.Sprintf("t%d", l.planned)}
	l.planned++
	switch r := l.random.Float64(); {
	case r < l.opt.Die:
		m.Shape = Dies
	case r < l.opt.Die+l.opt.Lie:
		m.Shape = l.lies()
	}
	banks, stores := l.choose()
	clash := l.likely(l.opt.Clash)
	parts := map[int][]byte{}
	for i, moves := range l.moves(banks, clash && len(stores) == 0) {
		parts[i] = bank.Part(moves...)
	}
	for _, i := range stores {
		m.reads = append(m.reads, read{group: i, key: name(l.random.IntN(l.opt.Accounts))})
	}
	l.look(p, m, 0, func() {
		for n := range m.reads {
			r := &m.reads[n]
			if clash && n == 0 {
				r.value = "never"
			}
			parts[r.group] = l.put(m, r)
		}
		l.assemble(m, parts)
		done(m)
	})
}

// lies draws what a driver that lies does.
func (l *Load) lies() Shape {
	if len(l.opt.Lies) == 0 {
		return Early + Shape(l.random.IntN(int(shapes-Early)))
	}
	return Early + Shape(slices.Index(Lies(), l.opt.Lies[l.random.IntN(len(l.opt.Lies))]))
}

// Lies are the names of what drivers that lie do.
func Lies() (names []string) {
	for s := Early; s < shapes; s++ {
		names = append(names, s.String())
	}
	return names
}

// look reads the keys that a transaction compares, one after the other. What cannot be read counts as absent.
func (l *Load) look(p Program, m *Made, n int, done func()) {
	if n == len(m.reads) {
		done()
		return
	}
	r := &m.reads[n]
	p.Do(r.group, kv.Get([]byte(r.key)), func(result []byte) {
		if got, err := kv.DecodeGet(result); result != nil && err == nil && got.Pair != nil {
			r.value = string(got.Pair.Value)
		}
		l.look(p, m, n+1, done)
	})
}

// assemble makes a transaction of its parts.
func (l *Load) assemble(m *Made, parts map[int][]byte) {
	m.T = &commit.Transaction{Deadline: l.host.Wall().Add(l.opt.Deadline).UnixNano()}
	for i := range m.T.Nonce {
		m.T.Nonce[i] = byte(l.random.Uint32())
	}
	for _, i := range slices.SortedFunc(maps.Keys(parts), func(a, b int) int { return bytes.Compare(l.groups[a].ID[:], l.groups[b].ID[:]) }) {
		m.parts = append(m.parts, i)
		m.T.Parts = append(m.T.Parts, commit.Part{Group: l.groups[i].ID, Op: parts[i]})
	}
	m.first = l.random.IntN(len(m.parts))
	m.T.Coordinator = m.T.Parts[m.first].Group
	l.made = append(l.made, m)
	l.byTID[m.T.ID()] = m
	l.sent[m.Shape]++
}

// choose draws the groups of a transaction: two or more, and no bank alone, since money goes from one to another.
func (l *Load) choose() (banks, stores []int) {
	for len(banks)+len(stores) < 2 {
		banks, stores = nil, nil
		for _, i := range l.random.Perm(len(l.groups)) {
			switch take := l.random.IntN(3) > 0; {
			case !take:
			case l.groups[i].Machine == machines.Bank:
				banks = append(banks, i)
			default:
				stores = append(stores, i)
			}
		}
		if len(banks) == 1 {
			banks = nil
		}
	}
	return banks, stores
}

// moves has the first bank pay each of the others, or with a clash much more than anybody has.
func (l *Load) moves(banks []int, clash bool) map[int][]bank.Move {
	moves := map[int][]bank.Move{}
	for _, to := range banks[min(1, len(banks)):] {
		from := banks[0]
		amount, payer, payee := 1+l.random.Uint64N(l.opt.Fortune/3+1), name(l.random.IntN(l.opt.Accounts)), name(l.random.IntN(l.opt.Accounts))
		if clash {
			amount += 1 << 40
		}
		moves[from] = append(moves[from], bank.Move{Account: payer, Amount: amount, Group: l.groups[to].ID, Other: payee})
		moves[to] = append(moves[to], bank.Move{Credit: true, Account: payee, Amount: amount, Group: l.groups[from].ID, Other: payer})
	}
	return moves
}

// put is a part that writes one key, if another one still has the value that was read.
func (l *Load) put(m *Made, r *read) []byte {
	c := kv.Value([]byte(r.key), kv.Equal, []byte(r.value))
	if r.value == "" {
		c = kv.Version([]byte(r.key), kv.Equal, 0)
	}
	return kv.Part([]kv.Compare{c}, kv.Put([]byte(name(l.random.IntN(l.opt.Accounts))), []byte(m.value)))
}
