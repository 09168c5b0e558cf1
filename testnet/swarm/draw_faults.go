package swarm

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/testnet/links"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// span draws when a fault begins and ends: before the healing, in a run that heals.
func (d drawing) span(p *sim.Plan) (at, until time.Duration) {
	end := p.Duration
	if p.Heal > 0 {
		end = p.Heal
	}
	at = d.upTo(end * 3 / 4)
	return at, at + 1 + d.upTo(min(end-at-1, 6*p.ViewTimeout))
}

// fault draws one of those that correct replicas may suffer; flapping links are many.
func (d drawing) fault(p *sim.Plan) []sim.Fault {
	f := sim.Fault{Replica: pbft.ReplicaID(d.IntN(p.Replicas)), Loss: pick(d, disk.Losses()...)}
	f.At, f.Until = d.span(p)
	switch d.IntN(12) {
	case 0, 1:
		f.Do = sim.CrashNow
	case 2:
		f.Do, f.Calls = sim.CrashCalls, 1+d.IntN(200)
	case 3, 4:
		f.Do, f.Moment = sim.CrashType, pick(d, sim.BeforeDurable, sim.BeforeSend, sim.AfterFirstSend)
		f.Type = d.kind(pbft.TypeReply)
	case 5:
		f.Do = sim.CrashAll
	case 6:
		f.Do = sim.Pausing
	case 7:
		f.Do, f.By, f.Until = sim.ClockSkew, d.upTo(2*time.Hour)-time.Hour, 0
		if d.one(2) {
			f.By /= 1800 // about the tolerance
		}
	case 8:
		return d.flapping(p, f)
	default:
		d.network(p, &f)
	}
	return []sim.Fault{f}
}

// kind draws a type of message that replicas send.
func (d drawing) kind(more ...pbft.Type) pbft.Type {
	return pick(d, append(more, pbft.TypePrePrepare, pbft.TypePrepare, pbft.TypeCommit, pbft.TypeCheckpoint, pbft.TypeSuspect,
		pbft.TypeViewChange, pbft.TypeNewView, pbft.TypeStatus)...)
}

// network draws a fault of links: of all that crosses them, or of the messages of one round.
func (d drawing) network(p *sim.Plan, f *sim.Fault) {
	f.Do = sim.Network
	all := make([]pbft.ReplicaID, p.Replicas)
	for i := range all {
		all[i] = pbft.ReplicaID(i)
	}
	switch d.IntN(6) {
	case 0:
		groups := [][]pbft.ReplicaID{d.some(p.Replicas)}
		if d.one(2) {
			order := d.members(p.Replicas, p.Replicas)
			groups = [][]pbft.ReplicaID{order[:p.Replicas/3], order[p.Replicas/3 : 2*p.Replicas/3]}
		}
		f.Links, f.Undo = &links.Command{Do: links.DoPartition, Groups: groups}, &links.Command{Do: links.DoPartition}
	case 1:
		f.Links, f.Undo = &links.Command{Do: links.DoRing}, &links.Command{Do: links.DoPartition}
	case 2:
		d.isolate(f)
	case 3: // of some links, in one direction
		l := links.Link{Delay: d.upTo(3 * p.ViewTimeout), Jitter: d.upTo(p.ViewTimeout), Loss: pick(d, 0, 0.3, 1)}
		f.Links = &links.Command{Do: links.DoLink, From: d.some(p.Replicas), To: d.some(p.Replicas), Link: l}
		f.Undo = &links.Command{Do: links.DoHealLink, From: all, To: all}
	case 4:
		l := p.Base
		l.Loss, l.Duplicate, l.Reorder = 0.5*d.Float64(), 0.3*d.Float64(), 0.3*d.Float64()
		if d.one(4) {
			l.Bandwidth = int64(20_000 + d.IntN(200_000))
		}
		f.Links = &links.Command{Do: links.DoLink, From: all, To: all, Link: l}
		f.Undo = &links.Command{Do: links.DoHealLink, From: all, To: all}
	default:
		d.rule(p, f)
	}
}

// isolate cuts a replica off, in one direction or both.
func (d drawing) isolate(f *sim.Fault) {
	targets := []pbft.ReplicaID{f.Replica}
	f.Do = sim.Network
	f.Links = &links.Command{Do: links.DoIsolate, Targets: targets, Direction: pick(d, links.Both, links.In, links.Out)}
	f.Undo = &links.Command{Do: links.DoRejoin, Targets: targets}
}

// flapping links of a replica come and go.
func (d drawing) flapping(p *sim.Plan, f sim.Fault) (all []sim.Fault) {
	period := p.ViewTimeout/8 + d.upTo(p.ViewTimeout)
	d.isolate(&f)
	for at, end := f.At, f.Until; at < end && len(all) < 12; at += 2 * period {
		one := f
		one.At, one.Until = at, min(at+period, end)
		all = append(all, one)
	}
	return all
}

// rule draws a fault of one round: of the messages of a type, in a view or about some sequence numbers, of some replicas
// to some.
func (d drawing) rule(p *sim.Plan, f *sim.Fault) {
	name := fmt.Sprintf("rule at %d", f.At)
	r := &links.Rule{
		ID: name, Name: name, Action: pick(d, links.Drop, links.Drop, links.Hold, links.Delay, links.Duplicate, links.Corrupt),
		By:    1 + d.upTo(2*p.ViewTimeout),
		Match: links.Match{Type: d.kind(), From: d.some(p.Replicas), To: d.some(p.Replicas)},
	}
	if d.one(3) {
		v := pbft.View(d.IntN(4))
		r.Match.View = &v
	}
	if d.one(3) {
		r.Match.SeqFrom = pbft.Seq(1 + d.IntN(40))
		r.Match.SeqTo = r.Match.SeqFrom + pbft.Seq(d.IntN(10))
	}
	f.Links = &links.Command{ID: name, Do: links.DoRule, Rule: r}
	f.Undo = &links.Command{Do: links.DoEndRule, Name: name}
}

// cut draws links that are dead in one direction for ever, of replicas that count as faulty with the others.
func (d drawing) cut(p *sim.Plan, ids []pbft.ReplicaID) {
	p.Cut = slices.Sorted(slices.Values(ids))
	for _, id := range p.Cut {
		p.Faults = append(p.Faults, sim.Fault{
			Do: sim.Network, At: d.upTo(p.Heal), Replica: id,
			Links: &links.Command{Do: links.DoIsolate, Targets: []pbft.ReplicaID{id}, Direction: pick(d, links.In, links.Out)},
		})
	}
}
