package swarm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// span draws when a fault begins and ends. If faults end in this run, it ends before that time.
func (d *drawing) span() (at, until time.Duration) {
	end := d.p.Duration
	if d.p.Heal > 0 {
		end = d.p.Heal
	}
	at = d.upTo(end * 3 / 4)
	return at, at + 1 + d.upTo(min(end-at-1, 6*d.p.ViewTimeout))
}

// fault draws a fault that may happen to correct replicas. For flapping links it draws many faults.
func (d *drawing) fault() {
	f := sim.Fault{Replica: wire.ReplicaID(d.IntN(d.p.Replicas)), Loss: pick(d, disk.Losses()...)}
	f.At, f.Until = d.span()
	switch d.IntN(12) {
	case 0, 1:
		f.Do = sim.CrashNow
	case 2:
		f.Do, f.Calls = sim.CrashCalls, 1+d.IntN(200)
	case 3, 4:
		f.Do, f.Moment = sim.CrashType, pick(d, sim.BeforeDurable, sim.BeforeSend, sim.AfterFirstSend)
		f.Type = d.kind(wire.TypeReply)
	case 5:
		f.Do = sim.CrashAll
	case 6:
		f.Do = sim.Pausing
	case 7:
		f.Do, f.By, f.Until = sim.ClockSkew, d.upTo(2*time.Hour)-time.Hour, 0
		if d.one(2) {
			f.By /= 1800 // so that the jump is about as large as the tolerance
		}
	case 8:
		d.flapping(f)
		return
	default:
		d.network(&f)
	}
	d.p.Faults = append(d.p.Faults, f)
}

// durability draws whether votes are sent before they are durable (D8.14). It uses a generator of its own. In two of
// three such plans no more than f replicas are faulty or stop uncleanly: the crashes of all other able replicas become
// clean stops.
func (d *drawing) durability(able []wire.ReplicaID) {
	d.Rand = rand.New(rand.NewPCG(d.p.Seed, 0x6f70_7469_6d))
	p := d.p
	if d.s.crash || !d.one(3) {
		return
	}
	p.Optimistic, p.WriteDelay = true, d.upTo(p.ViewTimeout/4)
	if d.one(3) {
		return
	}
	f := (p.Replicas - 1) / 3
	unclean := able[:max(0, f-(p.Replicas-len(able)))]
	for i := range p.Faults {
		switch fault := &p.Faults[i]; fault.Do {
		case sim.CrashNow, sim.CrashCalls, sim.CrashType:
			if !slices.Contains(unclean, fault.Replica) {
				*fault = sim.Fault{Do: sim.CleanStop, At: fault.At, Until: fault.Until, Replica: fault.Replica}
			}
		case sim.CrashAll:
			*fault = sim.Fault{Do: sim.CleanStop, At: fault.At, Until: fault.Until, Replica: fault.Replica}
			if len(unclean) > 0 {
				*fault = sim.Fault{Do: sim.CrashNow, At: fault.At, Until: fault.Until, Replica: unclean[0], Loss: pick(d, disk.Losses()...)}
			}
		default: // such a fault stops no replica
		}
	}
}

// kind draws a type of message that replicas send.
func (d *drawing) kind(more ...wire.Type) wire.Type {
	return pick(d, append(more, wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeSuspect,
		wire.TypeViewChange, wire.TypeNewView, wire.TypeStatus)...)
}

// network draws a fault of links: either one for all frames, or a rule for some messages.
func (d *drawing) network(f *sim.Fault) {
	n := d.p.Replicas
	of := func(c, undo links.Command) { f.Do, f.Links, f.Undo = sim.Network, &c, &undo }
	ways := 5
	if d.s.wide {
		ways = 6
	}
	switch d.IntN(ways) {
	case 0:
		groups := [][]wire.ReplicaID{d.some()}
		if d.one(2) {
			order := d.members(n)
			groups = [][]wire.ReplicaID{order[:n/3], order[n/3 : 2*n/3]}
		}
		of(links.Command{Do: links.DoPartition, Groups: groups}, links.Command{Do: links.DoPartition})
	case 1:
		of(links.Command{Do: links.DoRing}, links.Command{Do: links.DoPartition})
	case 2:
		d.isolate(f)
	case 3: // some links, in one direction
		l := links.Link{Delay: d.upTo(3 * d.p.ViewTimeout), Jitter: d.upTo(d.p.ViewTimeout), Loss: pick(d, 0, 0.3, 1)}
		of(links.Command{Do: links.DoLink, From: d.some(), To: d.some(), Link: l}, d.healed())
	case 4:
		l, all := d.p.Base, d.all()
		l.Loss, l.Duplicate, l.Reorder = 0.5*d.Float64(), 0.3*d.Float64(), 0.3*d.Float64()
		if d.one(4) {
			l.Bandwidth = int64(20_000 + d.IntN(200_000))
		}
		of(links.Command{Do: links.DoLink, From: all, To: all, Link: l}, d.healed())
	default:
		r := d.rule(f.At)
		of(links.Command{ID: r.ID, Do: links.DoRule, Rule: r}, links.Command{Do: links.DoEndRule, Name: r.Name})
	}
}

func (d *drawing) all() (ids []wire.ReplicaID) {
	for id := range wire.ReplicaID(d.p.Replicas) {
		ids = append(ids, id)
	}
	return ids
}

// healed returns the command that heals all links.
func (d *drawing) healed() links.Command {
	return links.Command{Do: links.DoHealLink, From: d.all(), To: d.all()}
}

// isolate cuts a replica off, in one direction or both.
func (d *drawing) isolate(f *sim.Fault) {
	targets := []wire.ReplicaID{f.Replica}
	f.Do = sim.Network
	f.Links = &links.Command{Do: links.DoIsolate, Targets: targets, Direction: pick(d, links.Both, links.In, links.Out)}
	f.Undo = &links.Command{Do: links.DoRejoin, Targets: targets}
}

// flapping draws links of a replica that fail and heal repeatedly.
func (d *drawing) flapping(f sim.Fault) {
	period := d.p.ViewTimeout/8 + d.upTo(d.p.ViewTimeout)
	d.isolate(&f)
	for times, at, end := 0, f.At, f.Until; at < end && times < 12; times, at = times+1, at+2*period {
		f.At, f.Until = at, min(at+period, end)
		d.p.Faults = append(d.p.Faults, f)
	}
}

// rule draws a rule for the messages of one type that some replicas send to some, perhaps only in one view or about some
// sequence numbers.
func (d *drawing) rule(at time.Duration) *links.Rule {
	name := fmt.Sprintf("rule at %d", at)
	r := &links.Rule{
		ID: name, Name: name, Action: pick(d, links.Drop, links.Drop, links.Hold, links.Delay, links.Duplicate, links.Corrupt),
		By:    1 + d.upTo(2*d.p.ViewTimeout),
		Match: links.Match{Types: links.Types{d.kind()}, From: d.some(), To: d.some()},
	}
	if d.one(3) {
		v := wire.View(d.IntN(4))
		r.Match.View = &v
	}
	if d.one(3) {
		r.Match.SeqFrom = wire.Seq(1 + d.IntN(40))
		r.Match.SeqTo = r.Match.SeqFrom + wire.Seq(d.IntN(10))
	}
	return r
}

// cut cuts off replicas in one direction for ever. They count as faulty.
func (d *drawing) cut(ids []wire.ReplicaID) {
	d.p.Cut = slices.Sorted(slices.Values(ids))
	for _, id := range d.p.Cut {
		d.p.Faults = append(d.p.Faults, sim.Fault{
			Do: sim.Network, At: d.upTo(d.p.Heal), Replica: id,
			Links: &links.Command{Do: links.DoIsolate, Targets: []wire.ReplicaID{id}, Direction: pick(d, links.In, links.Out)},
		})
	}
}
