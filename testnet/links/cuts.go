package links

import (
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
	parted      map[tie]string
	muted, deaf map[wire.ReplicaID]string
	links       map[tie]changedLink
}

type changedLink struct {
	Link
	by string
}

func newCuts() cuts {
	return cuts{map[tie]string{}, map[wire.ReplicaID]string{}, map[wire.ReplicaID]string{}, map[tie]changedLink{}}
}

func (p *Policy) part(id string, apart func(from, to int) bool) {
	clear(p.parted)
	for from := range p.n {
		for to := range p.n {
			if from != to && apart(from, to) {
				p.parted[tie{wire.ReplicaID(from), wire.ReplicaID(to)}] = id
			}
		}
	}
}

// cutBy reports whether and by which command two replicas are cut off in one direction.
func (c *cuts) cutBy(at tie) (by string, is bool) {
	if by, is = c.parted[at]; is {
		return by, true
	}
	if by, is = c.muted[at.from]; is {
		return by, true
	}
	by, is = c.deaf[at.to]
	return by, is
}

func (p *Policy) linkOf(at tie) (link Link, by string, changed bool) {
	if l, has := p.links[at]; has {
		return l.Link, l.by, true
	}
	return p.base, Network, false
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
