package links

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Link is how a link in one direction treats frames. The zero value delivers at once, each frame once, in order.
type Link struct {
	Delay     time.Duration `json:"delay,omitempty" toml:"delay"`
	Jitter    time.Duration `json:"jitter,omitempty" toml:"jitter"`          // added to Delay, uniformly from 0 to this
	Loss      float64       `json:"loss,omitempty" toml:"loss" range:"0..1"` // the probability of a loss
	Duplicate float64       `json:"duplicate,omitempty" toml:"duplicate" range:"0..1"`
	// The probability that later frames arrive before this one.
	Reorder   float64 `json:"reorder,omitempty" toml:"reorder" range:"0..1"`
	Bandwidth int64   `json:"bandwidth,omitempty" toml:"bandwidth" range:"0..1099511627776"` // bytes a second; 0: unlimited
}

// Frame is an encoded message on its way. Message is the decoded message, nil if it does not decode or was not decoded.
type Frame struct {
	From, To wire.ReplicaID
	Message  wire.Message
	Bytes    []byte
}

// Delivery is a frame that arrives, and how long after the call that returned it.
type Delivery struct {
	Frame
	After time.Duration
}

// Network is the name under which Fired counts the frames that the default link lost, doubled or held back.
const Network = "network"

// tie is one direction of a link between two replicas.
type tie struct{ from, to wire.ReplicaID }

// tieState has the state of one direction of a link.
type tieState struct {
	latest time.Duration // arrival of the last frame that later frames may not overtake
	busy   time.Duration // earlier frames use the bandwidth until then
}

// Policy is the state of all links.
type Policy struct {
	n      int
	base   Link
	dice   *rand.Rand
	states []tieState // by both ends
	cuts
	rules []*activeRule
	fired map[string]int
	out   []Delivery // of the last call of Pass
}

// New returns links between n replicas that all behave like base. All random choices come from dice.
func New(n int, base Link, dice *rand.Rand) *Policy {
	return &Policy{
		n: n, base: base, dice: dice, states: make([]tieState, n*n),
		cuts: newCuts(), fired: map[string]int{},
	}
}

// Pass decides what becomes of one frame that is sent now. Time counts from the beginning and never goes back. A rule acts
// first, then a partition or an isolation, then the link's properties. Later changes do not affect a frame on its way. The
// deliveries returned are valid until the next call.
func (p *Policy) Pass(now time.Duration, f Frame) []Delivery {
	if f.From == f.To {
		return []Delivery{{Frame: f}}
	}
	r := p.ruleFor(now, f)
	if r == nil {
		return p.send(now, f, 0, 1)
	}
	if r.Action == Corrupt && !p.corrupt(&f, &r.Place) {
		return p.send(now, f, 0, 1) // the frame does not have the byte that should be changed
	}
	p.fired[r.ID]++
	switch r.Action {
	case Drop:
		return nil
	case Hold:
		if r.Until > 0 {
			return p.send(now, f, r.Until-now, 1)
		}
		if len(r.held) < mostHeld {
			r.held = append(r.held, f)
		}
		return nil
	case Delay:
		return p.send(now, f, r.By, 1)
	case Duplicate:
		return p.send(now, f, 0, 2)
	default: // Corrupt: Do refuses any other action
		return p.send(now, f, 0, 1)
	}
}

// send puts copies of a frame on its link, each later by extra than without it.
func (p *Policy) send(now time.Duration, f Frame, extra time.Duration, copies int) []Delivery {
	at := tie{f.From, f.To}
	if by, cut := p.cutBy(at); cut {
		p.fired[by]++
		return nil
	}
	link, by, changed := p.linkOf(at)
	if changed {
		p.fired[by]++
	}
	chance := func(probability float64) bool {
		drawn := probability > 0 && p.dice.Float64() < probability
		if drawn && !changed {
			p.fired[by]++
		}
		return drawn
	}
	if chance(link.Loss) {
		return nil
	}
	arrival := p.arrival(now, at, link, len(f.Bytes), extra, chance(link.Reorder))
	out := append(p.out[:0], Delivery{Frame: f, After: arrival - now})
	if chance(link.Duplicate) {
		copies++
	}
	for range copies - 1 {
		out = append(out, Delivery{Frame: f, After: arrival - now + p.upTo(link.spread())})
	}
	p.out = out
	return out
}

// arrival is when a frame arrives: never before one that was sent earlier on the same link, unless one of the two is held
// back. A frame that is held back delays no later frame.
func (p *Policy) arrival(now time.Duration, at tie, link Link, size int, extra time.Duration, reorder bool) time.Duration {
	s := &p.states[int(at.from)*p.n+int(at.to)]
	leaves := now
	if link.Bandwidth > 0 {
		leaves = max(now, s.busy) + time.Duration(float64(size)/float64(link.Bandwidth)*float64(time.Second))
		s.busy = leaves
	}
	arrival := max(leaves+link.Delay+p.upTo(link.Jitter), s.latest)
	switch {
	case reorder:
		return arrival + extra + link.spread() + p.upTo(3*link.spread())
	case extra > 0:
		return arrival + extra
	default:
		s.latest = arrival
		return arrival
	}
}

// spread is the unit of the delays by which a link holds frames back and separates copies.
func (l Link) spread() time.Duration { return max(l.Delay+l.Jitter, time.Millisecond) }

// upTo draws a duration from 0 to most.
func (p *Policy) upTo(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return time.Duration(p.dice.Int64N(int64(most) + 1))
}

// corrupt flips one bit of a frame, which then counts as not decoded. It reports false if the frame does not have that
// byte.
func (p *Policy) corrupt(f *Frame, where *Place) bool {
	at, bit, ok := where.In(len(f.Bytes), p.dice)
	if !ok {
		return false
	}
	f.Bytes = slices.Clone(f.Bytes)
	f.Bytes[at] ^= 1 << bit
	f.Message = nil
	return true
}

// Fired counts by Command.ID the frames that the command's change touched. A change that is missing there touched no
// frame, so it did not happen (I18). Frames that the default link lost, doubled or held back count under Network.
func (p *Policy) Fired() map[string]int { return maps.Clone(p.fired) }

// Direction says which half of a replica's links an isolation cuts.
type Direction string

// The directions.
const (
	Both Direction = ""
	In   Direction = "in"  // it receives nothing, but others receive its frames
	Out  Direction = "out" // nobody receives its frames, but it receives others'
)

// cuts holds partitions, isolations and the links that have properties of their own, each with the ID of the command that
// made it.
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

// cutBy reports whether, and by which command, one direction between two replicas is cut.
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

// Apart lists the replicas that receive from fewer than a quorum, themselves included, until a command changes that: they
// cannot follow the others. A replica that only cannot send can follow. Rules about single messages do not count.
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
