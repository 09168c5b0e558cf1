package swarm

import (
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/machines"
	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/sim"
)

// Setting holds the values that plans are drawn from.
type Setting struct {
	sizes     []int
	intervals []wire.Seq // K
	windows   []wire.Seq // L as a multiple of K
	batches   []int
	timeouts  []time.Duration // T
	// wide: rare things are drawn, too. These are parameters of behaviours, malicious clients, faults of single
	// messages, real signatures and unusual workloads.
	wide bool
	// crash: replicas fail only by crashing (F1). So there are no attackers, and no disks that lose durable data.
	crash bool
	// groups: clusters of a plan over several of them, which must serve in the end.
	groups bool
}

// Narrow is the setting of `sim`, Wide that of `sim --swarm`. Small values are drawn more often, because a run then reaches
// its limits soon.
var (
	Narrow = &Setting{
		sizes: []int{4, 4, 4, 5, 6, 7, 10}, intervals: []wire.Seq{2, 4, 16}, windows: []wire.Seq{2, 3, 4}, batches: []int{1, 4, 64},
		timeouts: []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second},
	}
	Wide = &Setting{
		sizes: []int{4, 4, 4, 4, 5, 6, 7, 7, 10, 13}, intervals: []wire.Seq{1, 2, 2, 4, 4, 8, 16, 64}, windows: []wire.Seq{2, 2, 3, 4, 8},
		batches:  []int{1, 1, 2, 4, 16, 256},
		timeouts: []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second},
		wide:     true,
	}
)

// Crashing is a setting in which replicas fail only by crashing.
func (s Setting) Crashing() *Setting {
	s.crash, s.sizes = true, []int{3, 3, 3, 3, 4, 5, 5, 6, 7, 9}
	return &s
}

// Draw makes a plan from a seed: sizes, parameters, workload, faults and attackers, within what f allows. Replicas > 0
// fixes their number. About half of the plans heal, and must converge then; in the others faults go on to the end.
func (s *Setting) Draw(seed uint64, replicas int) *sim.Plan {
	p := &sim.Plan{Seed: seed, Crash: s.crash}
	d := &drawing{rand.New(rand.NewPCG(seed, 0x7377_6172_6d)), p, s}
	p.Replicas, p.Machine = pick(d, s.sizes...), pick(d, machines.KV, machines.KV, machines.Bank)
	p.Real, p.SegmentBytes = s.wide && d.one(40), pick(d, int64(8<<10), 16<<10, 64<<10, 256<<10)
	if replicas > 0 {
		p.Replicas = replicas
	}
	d.parameters()
	d.machines()
	d.workload()
	f := p.Masks()
	order := d.members(p.Replicas)
	bad := order[:d.IntN(f+1)]
	if d.one(2) { // at least half of the plans have as many faulty replicas as f allows
		bad = order[:f]
	}
	if s.crash {
		bad = nil
	}
	d.attackers(bad)
	if s.wide && !s.crash && d.one(4) { // most plans have no malicious clients
		d.rogue()
	}
	capLoad(p)
	for range d.IntN(7) {
		d.fault()
	}
	if p.Heal > 0 && len(bad) < f && d.one(2) {
		d.cut(order[len(bad):][:1+d.IntN(f-len(bad))])
	}
	d.clients()
	d.durability(order[len(bad)+len(p.Cut):])
	d.spoilt()
	d.Rand = rand.New(rand.NewPCG(seed, 0x7061_7374))
	if p.Machine == machines.KV && d.one(3) {
		p.History = 1 + d.IntN(100)
	}
	slices.SortStableFunc(p.Faults, func(a, b sim.Fault) int { return int(a.At - b.At) })
	return p
}

// capLoad reduces the load of a plan that must converge to what its cluster can order in time. This is necessary because
// even a slow replica admits up to 64 requests (C6), and suspects a primary that does not order them within T.
func capLoad(p *sim.Plan) {
	if p.Heal == 0 {
		return
	}
	hop, sync := p.Base.Delay+p.Base.Jitter, p.Sync+p.SyncJitter
	// The time until all checkpoints of a window are stable, with one or two ticks.
	window := 5*hop + 5*sync + 40*time.Millisecond
	inTime := int(float64(p.LogWindow) / 2 * float64(p.MaxBatch) * float64(p.ViewTimeout/2) / float64(window))
	l := &p.Workload
	if inTime < 200 {
		p.Rogues = nil
		if l.Rate > 0 {
			l.Rate, l.Think = 0, 100*time.Millisecond
		}
	}
	for l.Rate == 0 && l.Outstanding > 1 && p.Clients*l.Outstanding > inTime {
		l.Outstanding--
	}
	for l.Rate == 0 && p.Clients > 1 && p.Clients*l.Outstanding > inTime {
		p.Clients--
	}
}

// drawing draws the parts of a plan.
type drawing struct {
	*rand.Rand
	p *sim.Plan
	s *Setting
}

func pick[T any](d *drawing, from ...T) T { return from[d.IntN(len(from))] }

// one returns true with a probability of 1/in.
func (d *drawing) one(in int) bool { return d.IntN(in) == 0 }

func (d *drawing) upTo(most time.Duration) time.Duration {
	return time.Duration(d.Int64N(int64(most) + 1))
}

// members draws k replicas, in any order.
func (d *drawing) members(k int) (ids []wire.ReplicaID) {
	for _, i := range d.Perm(d.p.Replicas)[:k] {
		ids = append(ids, wire.ReplicaID(i))
	}
	return ids
}

// some draws one replica or more, ascending.
func (d *drawing) some() []wire.ReplicaID {
	ids := d.members(1 + d.IntN(d.p.Replicas-1))
	slices.Sort(ids)
	return ids
}

// clients draws the options of the clients' sessions, and which clients are killed. It uses a generator of its own.
func (d *drawing) clients() {
	d.Rand = rand.New(rand.NewPCG(d.p.Seed, 0x636c_6965_6e74))
	l := &d.p.Workload
	if d.one(3) {
		l.Semantics = pick(d, append(session.SemanticsNames(), sim.MixedSemantics, sim.MixedSemantics)...)
	}
	if d.one(6) {
		l.Patience = 20*time.Millisecond + d.upTo(4*d.p.ViewTimeout)
	}
	if d.one(3) {
		l.InFlight, l.Pack = 1+d.IntN(3), d.IntN(4)
	}
	l.NoHedging = d.one(4)
	if p := d.p; p.Sessions > 0 || d.one(8) { // programs that share a key displace each other's sessions
		p.Sessions, l.SharedKey = max(p.Sessions, 1), d.one(2)
		if d.one(4) { // unacknowledged replies fill the replicas' cache
			p.ReplyBytes = 100 + d.IntN(1000)
		}
		if d.one(2) { // clocks of several machines, which are set forward and back
			l.Skew = time.Second + d.upTo(24*time.Hour)
		}
	}
	if d.one(2) {
		return
	}
	for range 1 + d.IntN(3) {
		f := sim.Fault{Do: sim.ClientKill, Client: d.IntN(d.p.Clients), Calls: d.IntN(20)}
		f.Moment = pick(d, sim.BeforeSend, sim.AfterFirstSend)
		f.At, f.Until = d.span()
		d.p.Faults = append(d.p.Faults, f)
	}
}

// parameters draws K, L, batches and timeouts.
func (d *drawing) parameters() {
	p, s := d.p, d.s
	p.CheckpointInterval = pick(d, s.intervals...)
	p.LogWindow = p.CheckpointInterval * pick(d, s.windows...)
	p.MaxBatch, p.ViewTimeout = pick(d, s.batches...), pick(d, s.timeouts...)
	p.MaxViewTimeout = p.ViewTimeout * pick(d, time.Duration(4), 8, 8, 16)
	p.Duration = 8*p.ViewTimeout + d.upTo(12*p.ViewTimeout)
	if d.one(2) || s.groups {
		p.Heal = p.Duration * 2 / 3
	}
}

// machines draws links and disks. Delays are a small part of the view timeout, because liveness is not guaranteed if a
// view timeout is shorter than a few round trips. Links lose frames only in plans that need not converge.
func (d *drawing) machines() {
	p := d.p
	far := p.ViewTimeout / 20
	p.Base = links.Link{Delay: 50*time.Microsecond + d.upTo(far), Jitter: d.upTo(far)}
	if d.one(4) {
		p.Base.Duplicate, p.Base.Reorder = 0.1*d.Float64(), 0.1*d.Float64()
		if p.Heal == 0 {
			p.Base.Loss = 0.1 * d.Float64()
		}
	}
	p.Sync, p.SyncJitter = 50*time.Microsecond+d.upTo(far/10), d.upTo(far/4)
}

func (d *drawing) workload() {
	p, l := d.p, &d.p.Workload
	l.Kind, l.Until = sim.Bank, p.Duration
	if p.Machine == machines.KV {
		l.Kind = pick(d, sim.Puts, sim.Mixed, sim.Registers, sim.Registers)
	}
	p.Clients = 1 + d.IntN(6)
	// A larger cluster costs more for each operation: n² messages.
	work := 60 * time.Millisecond * time.Duration(p.Clients*p.Replicas*p.Replicas) / 64
	l.Think, l.Outstanding = work/2+d.upTo(work), 1+d.IntN(3)
	if !d.s.wide {
		return
	}
	if d.one(4) {
		l.Rate, l.Think = 2+d.Float64()*60*16/float64(p.Replicas*p.Replicas), 0
	}
	if d.one(4) {
		l.Operations = 1 + d.IntN(60)
	}
	if d.one(8) {
		l.ValueBytes = 1 + d.IntN(2000)
	}
	if d.one(4) { // replicas hold few sessions, and clients often open new ones
		p.Sessions, l.Churn = 1+d.IntN(3), 1+d.IntN(20)
	}
}
