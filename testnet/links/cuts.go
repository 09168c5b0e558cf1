package links

import (
	"maps"
	"slices"

	"tagma/pbft/wire"
)

// Direction says which half of a replica's links an isolation cuts.
type Direction string

// The directions.
const (
	Both Direction = ""
	In   Direction = "in"  // it hears nothing and is heard
	Out  Direction = "out" // it is not heard and hears
)

// cuts is what keeps replicas apart, and which links have properties of their own. Each is remembered with the id of the
// command that made it so.
type cuts struct {
	partition   string
	parted      map[tie]bool
	deaf, muted []cut
	links       map[tie]changedLink
}

type cut struct {
	on bool
	by string
}

type changedLink struct {
	Link
	by string
}

func newCuts(n int) cuts {
	return cuts{
		parted: map[tie]bool{}, links: map[tie]changedLink{},
		deaf: make([]cut, n), muted: make([]cut, n),
	}
}

// cutBy reports whether and by which command two replicas are cut off in one direction.
func (c *cuts) cutBy(at tie) (by string, is bool) {
	switch {
	case c.parted[at]:
		return c.partition, true
	case c.muted[at.from].on:
		return c.muted[at.from].by, true
	case c.deaf[at.to].on:
		return c.deaf[at.to].by, true
	default:
		return "", false
	}
}

// Apart lists the replicas that hear fewer than a quorum, themselves included, and will as long as nothing changes: they
// cannot follow. Whoever is only not heard can. Rules about single messages do not count.
func (p *Policy) Apart(quorum int) (ids []wire.ReplicaID) {
	for to := range wire.ReplicaID(p.n) {
		hears := 1
		for from := range wire.ReplicaID(p.n) {
			_, cut := p.cutBy(tie{from, to})
			if link, _, _ := p.linkOf(tie{from, to}); from != to && !cut && link.Loss < 1 {
				hears++
			}
		}
		if hears < quorum {
			ids = append(ids, to)
		}
	}
	return ids
}

func (p *Policy) linkOf(at tie) (link Link, by string, changed bool) {
	if l, has := p.links[at]; has {
		return l.Link, l.by, true
	}
	return p.base, Network, false
}

// Partition lets only members of one group talk to each other. Replicas in no group are one more group. It replaces the
// partition before; without groups there is none.
func (p *Policy) Partition(id string, groups [][]wire.ReplicaID) {
	group := make([]int, p.n)
	for g, members := range groups {
		for _, m := range members {
			group[m] = g + 1
		}
	}
	p.part(id, func(from, to int) bool { return group[from] != group[to] })
}

// Ring lets every replica talk to its two neighbours alone. It replaces the partition before.
func (p *Policy) Ring(id string) {
	p.part(id, func(from, to int) bool { return (from+1)%p.n != to && (to+1)%p.n != from })
}

func (p *Policy) part(id string, apart func(from, to int) bool) {
	p.partition = id
	clear(p.parted)
	for from := range p.n {
		for to := range p.n {
			if from != to && apart(from, to) {
				p.parted[tie{wire.ReplicaID(from), wire.ReplicaID(to)}] = true
			}
		}
	}
}

// Isolate cuts each of the replicas off from all others.
func (p *Policy) Isolate(id string, direction Direction, ids ...wire.ReplicaID) {
	for _, r := range ids {
		if direction != Out {
			p.deaf[r] = cut{true, id}
		}
		if direction != In {
			p.muted[r] = cut{true, id}
		}
	}
}

// Rejoin ends the isolation of the replicas.
func (p *Policy) Rejoin(ids ...wire.ReplicaID) {
	for _, r := range ids {
		p.deaf[r], p.muted[r] = cut{}, cut{}
	}
}

// Heal ends the partition and every isolation, and gives every link the default properties. Rules stay.
func (p *Policy) Heal() { p.cuts = newCuts(p.n) }

// SetLink gives the links from each of some replicas to each of others properties of their own.
func (p *Policy) SetLink(id string, from, to []wire.ReplicaID, l Link) {
	for _, f := range from {
		for _, t := range to {
			if f != t {
				p.links[tie{f, t}] = changedLink{l, id}
			}
		}
	}
}

// HealLink gives the links from each of some replicas to each of others the default properties again.
func (p *Policy) HealLink(from, to []wire.ReplicaID) {
	maps.DeleteFunc(p.links, func(at tie, _ changedLink) bool {
		return slices.Contains(from, at.from) && slices.Contains(to, at.to)
	})
}
