package links

import (
	"time"

	"tagma/pbft/wire"
)

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

// Actions lists them.
func Actions() []Action { return []Action{Drop, Delay, Hold, Duplicate, Corrupt} }

// Rule treats single messages. Of several rules that match a message the one that was added first acts.
type Rule struct {
	ID     string        `json:"id,omitempty"`   // for Fired
	Name   string        `json:"name,omitempty"` // under which it is released; several rules may share one
	Match  Match         `json:"match"`
	Action Action        `json:"action"`
	By     time.Duration `json:"by,omitempty"` // of Delay
	// Until is the time at which the rule ends; 0: never, or with a release of its name. What it holds goes on its way
	// then, over links as they were when it was sent.
	Until time.Duration `json:"until,omitempty"`
}

// mostHeld bounds what a rule keeps, in frames: what is sent again and again must not fill the memory. Later ones are
// dropped, as by a full buffer.
const mostHeld = 1 << 16

type activeRule struct {
	Rule
	held []Frame
}

func (r *activeRule) hold(f Frame) {
	if len(r.held) < mostHeld {
		r.held = append(r.held, f)
	}
}

// AddRule makes a rule hold from now on.
func (p *Policy) AddRule(r Rule) { p.rules = append(p.rules, &activeRule{Rule: r}) }

// Release ends all rules of a name and returns what they held, in the order in which it was sent, over the links as they
// are now.
func (p *Policy) Release(now time.Duration, name string) []Delivery {
	return p.end(now, func(r *activeRule) bool { return r.Name == name })
}

// EndRule ends the rules with an ID, like Release.
func (p *Policy) EndRule(now time.Duration, id string) []Delivery {
	return p.end(now, func(r *activeRule) bool { return r.ID == id })
}

func (p *Policy) end(now time.Duration, ends func(*activeRule) bool) (out []Delivery) {
	var kept []*activeRule
	for _, r := range p.rules {
		if !ends(r) {
			kept = append(kept, r)
			continue
		}
		for _, f := range r.held {
			out = append(out, p.send(now, f, 0, 1)...)
		}
	}
	p.rules = kept
	return out
}

func (p *Policy) ruleFor(now time.Duration, f Frame) *activeRule {
	for _, r := range p.rules {
		if (r.Until == 0 || now < r.Until) && r.Match.Covers(f) {
			return r
		}
	}
	return nil
}

// Forget drops what rules hold from or to a replica: a crash loses what was in its buffers.
func (p *Policy) Forget(id wire.ReplicaID) {
	for _, r := range p.rules {
		var kept []Frame
		for _, f := range r.held {
			if f.From != id && f.To != id {
				kept = append(kept, f)
			}
		}
		r.held = kept
	}
}
