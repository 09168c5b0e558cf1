package links

import (
	"math/rand/v2"
	"time"

	"tagma/pbft"
)

// Link is how a link in one direction treats frames. The zero value delivers at once, each frame once.
type Link struct {
	Delay     time.Duration
	Jitter    time.Duration // added to Delay, uniformly from 0 to this
	Loss      float64       // probabilities
	Duplicate float64
	Reorder   float64 // that a frame is held back behind later ones
	Bandwidth int64   // bytes a second; 0: unlimited
}

// Action is what a rule does with a message that it matches.
type Action string

// The actions.
const (
	Drop      Action = "drop"
	Delay     Action = "delay"
	Hold      Action = "hold" // until the rule ends
	Duplicate Action = "duplicate"
	Corrupt   Action = "corrupt" // a bit of the frame is turned
)

// Match says which messages a rule is about. An empty field matches everything.
type Match struct {
	Type     pbft.Type // 0: any
	View     *pbft.View
	SeqFrom  pbft.Seq // together with SeqTo; 0 and 0: any
	SeqTo    pbft.Seq
	From, To []pbft.ReplicaID
}

// Frame is an encoded message on its way. Message is what it decodes to, nil if it does not.
type Frame struct {
	From, To pbft.ReplicaID
	Message  pbft.Message
	Bytes    []byte
}

// Delivery is a frame that arrives.
type Delivery struct {
	Frame
	After time.Duration
}

// Policy is the state of all links.
type Policy struct {
	n     int
	base  Link
	dice  *rand.Rand
	links map[[2]pbft.ReplicaID]Link
}

// New returns links between n replicas that all behave like base.
func New(n int, base Link, dice *rand.Rand) *Policy {
	return &Policy{n: n, base: base, dice: dice, links: map[[2]pbft.ReplicaID]Link{}}
}

// Pass decides about one frame at a time since the beginning.
func (p *Policy) Pass(now time.Duration, f Frame) []Delivery {
	_ = now
	return []Delivery{{Frame: f, After: p.base.Delay}}
}
