package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/machines"
	"tagma/pbft"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
	"tagma/testnet/sim/disk"
)

// Draw makes a plan from a seed: sizes, parameters, workload, faults and attackers, within what f allows. Replicas > 0
// fixes their number. Every other plan heals, and must converge.
func Draw(seed uint64, replicas int) *Plan {
	d := drawing{chance(seed, 7)}
	p := &Plan{
		Seed: seed, Replicas: replicas, Machine: pick(d, machines.KV, machines.KV, machines.Bank),
		ViewTimeout: pick(d, 200*time.Millisecond, 500*time.Millisecond, time.Second),
		MaxBatch:    pick(d, 1, 4, 64), SegmentBytes: pick(d, int64(16<<10), 64<<10),
		Base: links.Link{Delay: d.upTo(20*time.Millisecond) + 100*time.Microsecond, Jitter: d.upTo(20 * time.Millisecond)},
		Sync: 100*time.Microsecond + d.upTo(2*time.Millisecond), SyncJitter: d.upTo(5 * time.Millisecond),
		Clients: 1 + d.IntN(6), Duration: 6*time.Second + d.upTo(6*time.Second),
	}
	if p.Replicas == 0 {
		p.Replicas = pick(d, 4, 4, 4, 5, 6, 7, 10)
	}
	p.MaxViewTimeout = 8 * p.ViewTimeout
	p.CheckpointInterval = pick(d, pbft.Seq(2), 4, 16)
	p.LogWindow = p.CheckpointInterval * pick(d, pbft.Seq(2), 3, 4)
	d.workload(p)
	f := (p.Replicas - 1) / 3
	if d.IntN(2) == 0 {
		p.Heal = p.Duration / 2
		p.Workload.Until = p.Duration
	}
	bad := d.Perm(p.Replicas)[:d.IntN(f+1)]
	for _, id := range bad {
		d.faulty(p, pbft.ReplicaID(id))
	}
	for range d.IntN(8) {
		p.Faults = append(p.Faults, d.fault(p))
	}
	if p.Heal > 0 && len(bad) < f && d.IntN(3) == 0 {
		d.cut(p, bad)
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	return p
}

// drawing is chance that draws parts of plans.
type drawing struct{ *rand.Rand }

func pick[T any](d drawing, from ...T) T { return from[d.IntN(len(from))] }

func (d drawing) upTo(most time.Duration) time.Duration {
	return time.Duration(d.Int64N(int64(most) + 1))
}

func (d drawing) workload(p *Plan) {
	p.Workload = Workload{Kind: Bank, Think: d.upTo(200 * time.Millisecond), Outstanding: 1 + d.IntN(3)}
	if p.Machine == machines.KV {
		p.Workload.Kind = pick(d, Puts, Mixed, Registers, Registers)
	}
}

// faulty makes a replica malicious, or its disk bad.
func (d drawing) faulty(p *Plan, id pbft.ReplicaID) {
	switch d.IntN(10) {
	case 8, 9:
		p.Forgetful = append(p.Forgetful, id)
		p.Faults = append(p.Faults, d.forgets(p, id))
	case 0:
		p.Twins = append(p.Twins, Twin{Replica: id, Peers: d.some(p.Replicas)})
	case 1, 2:
		p.Damaged = append(p.Damaged, id)
		at, until := d.span(p)
		p.Faults = append(p.Faults, Fault{
			Do: pick(d, BitRot, TornTail, LyingSync, IOError, DiskFull), At: at, Until: until, Replica: id, Calls: d.IntN(50),
			Loss: pick(d, disk.Losses()...),
		})
	default:
		all := byzantine.Catalogue()
		m := Malice{Replica: id, Behaviour: all[d.IntN(len(all))].Name}
		if d.IntN(2) == 0 {
			m.From, m.Until = d.span(p)
		}
		p.Malicious = append(p.Malicious, m)
	}
}

// forgets draws a way to lose what was signed.
func (d drawing) forgets(p *Plan, id pbft.ReplicaID) Fault {
	f := Fault{Replica: id, Do: pick(d, Wiped, Wiped, WipedAgain, Unmounted, RolledBack, StateLost, BitRot), Loss: pick(d, disk.Losses()...)}
	f.At, f.Until = d.span(p)
	if f.Do == Unmounted {
		f.Calls = d.IntN(3000)
	}
	return f
}

// some draws about half of the replicas.
func (d drawing) some(n int) (ids []pbft.ReplicaID) {
	for id := range n {
		if d.IntN(2) == 0 {
			ids = append(ids, pbft.ReplicaID(id))
		}
	}
	return ids
}

// span draws when a fault begins and ends.
func (d drawing) span(p *Plan) (at, until time.Duration) {
	end := p.Duration
	if p.Heal > 0 {
		end = p.Heal
	}
	at = d.upTo(end * 3 / 4)
	return at, at + 1 + d.upTo(end-at-1)
}

// fault draws one of those that any replica may suffer.
func (d drawing) fault(p *Plan) Fault {
	f := Fault{Replica: pbft.ReplicaID(d.IntN(p.Replicas)), Loss: pick(d, disk.Losses()...)}
	f.At, f.Until = d.span(p)
	switch d.IntN(10) {
	case 0, 1:
		f.Do = CrashNow
	case 2:
		f.Do, f.Calls = CrashCalls, 1+d.IntN(200)
	case 3, 4:
		f.Do, f.Moment = CrashType, pick(d, BeforeDurable, BeforeSend, AfterFirstSend)
		f.Type = pick(d, pbft.TypePrePrepare, pbft.TypePrepare, pbft.TypeCommit, pbft.TypeCheckpoint, pbft.TypeSuspect,
			pbft.TypeViewChange, pbft.TypeNewView, pbft.TypeStatus, pbft.TypeReply)
	case 5:
		f.Do = CrashAll
	case 6:
		f.Do = Pausing
	case 7:
		f.Do, f.By, f.Until = ClockSkew, d.upTo(2*time.Hour)-time.Hour, 0
	default:
		d.network(p, &f)
	}
	return f
}

// network draws a fault of links.
func (d drawing) network(p *Plan, f *Fault) {
	f.Do = Network
	all := make([]pbft.ReplicaID, p.Replicas)
	for i := range all {
		all[i] = pbft.ReplicaID(i)
	}
	switch d.IntN(5) {
	case 0:
		f.Links, f.Undo = &links.Command{Do: links.DoPartition, Groups: [][]pbft.ReplicaID{d.some(p.Replicas)}}, &links.Command{Do: links.DoPartition}
	case 1:
		f.Links, f.Undo = &links.Command{Do: links.DoRing}, &links.Command{Do: links.DoPartition}
	case 2:
		targets := []pbft.ReplicaID{f.Replica}
		f.Links = &links.Command{Do: links.DoIsolate, Targets: targets, Direction: pick(d, links.Both, links.In, links.Out)}
		f.Undo = &links.Command{Do: links.DoRejoin, Targets: targets}
	case 3:
		l := links.Link{Delay: d.upTo(2 * p.ViewTimeout), Jitter: d.upTo(p.ViewTimeout)}
		f.Links = &links.Command{Do: links.DoLink, From: d.some(p.Replicas), To: d.some(p.Replicas), Link: l}
		f.Undo = &links.Command{Do: links.DoHealLink, From: all, To: all}
	default:
		l := p.Base
		l.Loss, l.Duplicate, l.Reorder = 0.4*d.Float64(), 0.3*d.Float64(), 0.3*d.Float64()
		f.Links = &links.Command{Do: links.DoLink, From: all, To: all, Link: l}
		f.Undo = &links.Command{Do: links.DoHealLink, From: all, To: all}
	}
}

// cut draws links that are dead in one direction for ever: to or from as many replicas as may fail besides.
func (d drawing) cut(p *Plan, bad []int) {
	var well []pbft.ReplicaID
	for id := range p.Replicas {
		if !slices.Contains(bad, id) {
			well = append(well, pbft.ReplicaID(id))
		}
	}
	p.Cut = []pbft.ReplicaID{well[d.IntN(len(well))]}
	p.Faults = append(p.Faults, Fault{
		Do: Network, At: d.upTo(p.Heal),
		Links: &links.Command{Do: links.DoIsolate, Targets: p.Cut, Direction: pick(d, links.In, links.Out)},
	})
}
