package links

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Verb says what a Command does.
type Verb string

// The verbs, with the fields of Command that they use.
const (
	DoPartition Verb = "partition" // Groups: nothing passes between them; replaces the partition before; no Groups: ends it
	DoRing      Verb = "ring"      // a partition in which every replica is connected only with its two neighbours
	DoIsolate   Verb = "isolate"   // Targets, Direction: each target is cut off from all other replicas
	DoRejoin    Verb = "rejoin"    // Targets: their isolation ends
	DoHeal      Verb = "heal"      // all partitions, isolations and properties of links end; rules stay
	DoLink      Verb = "link"      // From, To: the links from each to each get the properties of Link
	DoHealLink  Verb = "heal-link" // From, To: these links get the default properties back
	DoRule      Verb = "rule"      // Rule: it begins; if it has no ID, it gets the command's
	DoEndRule   Verb = "end"       // Name: the rule with this ID ends
	DoRelease   Verb = "release"   // Name: all rules with this name end
)

// Command is one change of the links as data, with JSON for another process. Durations are nanoseconds.
type Command struct {
	ID        string             `json:"id,omitempty"` // under which Fired counts the frames that the change touched
	Do        Verb               `json:"do"`
	Groups    [][]wire.ReplicaID `json:"groups,omitempty" toml:"groups"`
	Targets   []wire.ReplicaID   `json:"targets,omitempty" toml:"targets"`
	Direction Direction          `json:"direction,omitempty" toml:"direction"`
	From      []wire.ReplicaID   `json:"from,omitempty" toml:"from"`
	To        []wire.ReplicaID   `json:"to,omitempty" toml:"to"`
	Link      Link               `json:"link,omitzero" toml:",inline"`
	Rule      *Rule              `json:"rule,omitempty"`
	Name      string             `json:"name,omitempty" toml:"name"`
}

// Do applies a command now. It returns the frames that the command releases, in the order in which they were sent; the
// present properties of the links decide when they arrive. A command that is invalid for the cluster changes nothing.
func (p *Policy) Do(now time.Duration, c Command) ([]Delivery, error) {
	if err := c.check(p.n); err != nil {
		return nil, fmt.Errorf("links: %s: %w", c.Do, err)
	}
	switch c.Do {
	case DoPartition: // replicas in no group are one more group
		group := make([]int, p.n)
		for g, members := range c.Groups {
			for _, m := range members {
				group[m] = g + 1
			}
		}
		p.part(c.ID, func(from, to int) bool { return group[from] != group[to] })
	case DoRing:
		p.part(c.ID, func(from, to int) bool { return (from+1)%p.n != to && (to+1)%p.n != from })
	case DoIsolate:
		for _, r := range c.Targets {
			if c.Direction != Out {
				p.deaf[r] = c.ID
			}
			if c.Direction != In {
				p.muted[r] = c.ID
			}
		}
	case DoRejoin:
		for _, r := range c.Targets {
			delete(p.deaf, r)
			delete(p.muted, r)
		}
	case DoHeal:
		p.cuts = newCuts()
	case DoLink:
		for _, from := range c.From {
			for _, to := range c.To {
				p.links[tie{from, to}] = changedLink{c.Link, c.ID}
			}
		}
	case DoHealLink:
		maps.DeleteFunc(p.links, func(at tie, _ changedLink) bool {
			return slices.Contains(c.From, at.from) && slices.Contains(c.To, at.to)
		})
	case DoRule:
		r := activeRule{Rule: *c.Rule}
		r.ID = cmp.Or(r.ID, c.ID)
		p.rules = append(p.rules, &r)
	case DoEndRule:
		return p.end(now, func(r *activeRule) bool { return r.ID == c.Name }), nil
	case DoRelease:
		return p.end(now, func(r *activeRule) bool { return r.Name == c.Name }), nil
	}
	return nil, nil
}

// check returns an error if a command does not suit a cluster of n replicas.
func (c *Command) check(n int) error {
	members := slices.Concat(c.Targets, c.From, c.To)
	seen := make(map[wire.ReplicaID]bool)
	for _, m := range slices.Concat(c.Groups...) {
		if seen[m] {
			return fmt.Errorf("replica %d is in two groups", m)
		}
		seen[m] = true
		members = append(members, m)
	}
	for _, m := range members {
		if int(m) >= n {
			return fmt.Errorf("there is no replica %d; there are 0 to %d", m, n-1)
		}
	}
	switch c.Do {
	case DoPartition, DoRing, DoRejoin, DoHeal, DoHealLink, DoEndRule, DoRelease:
		return nil
	case DoIsolate:
		if !slices.Contains([]Direction{Both, In, Out}, c.Direction) {
			return fmt.Errorf("there is no direction %q", c.Direction)
		}
		return nil
	case DoLink:
		return c.Link.Check()
	case DoRule:
		if c.Rule == nil || !slices.Contains(Actions(), c.Rule.Action) {
			return fmt.Errorf("it has no rule with an action")
		}
		return nil
	default:
		return fmt.Errorf("there is no such command")
	}
}

// longest bounds a link's delay and its jitter: far above the time of a run, and far below an overflow.
const longest = 24 * time.Hour

// Check returns an error for the first property that no link can have.
func (l Link) Check() error {
	for _, p := range []struct {
		name string
		of   float64
	}{{"loss", l.Loss}, {"duplicate", l.Duplicate}, {"reorder", l.Reorder}} {
		if !(p.of >= 0 && p.of <= 1) {
			return fmt.Errorf("%s = %v is no probability; write a number from 0 to 1", p.name, p.of)
		}
	}
	switch {
	case l.Delay < 0 || l.Delay > longest:
		return fmt.Errorf("delay = %v; write a time from 0 to %v", l.Delay, longest)
	case l.Jitter < 0 || l.Jitter > longest:
		return fmt.Errorf("jitter = %v; write a time from 0 to %v", l.Jitter, longest)
	case l.Bandwidth < 0:
		return fmt.Errorf("bandwidth = %d is negative; write bytes a second, 0 for no limit", l.Bandwidth)
	}
	return nil
}
