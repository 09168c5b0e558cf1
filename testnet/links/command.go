package links

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Verb says what a Command does.
type Verb string

// The verbs, with the fields of Command that they use.
const (
	DoPartition Verb = "partition" // Groups; none ends the partition
	DoRing      Verb = "ring"
	DoIsolate   Verb = "isolate" // Targets, Direction
	DoRejoin    Verb = "rejoin"  // Targets: the end of their isolation
	DoHeal      Verb = "heal"    // everything but rules
	DoLink      Verb = "link"    // From, To, Link
	DoHealLink  Verb = "heal-link"
	DoRule      Verb = "rule"    // Rule, whose ID is the command's if it has none
	DoEndRule   Verb = "end"     // Name: the rule's ID
	DoRelease   Verb = "release" // Name: the rule's Name
)

// Command is one change of the links as data, with JSON for another process. Durations are nanoseconds.
type Command struct {
	ID        string             `json:"id,omitempty"` // under which Fired counts the frames that the change touched
	Do        Verb               `json:"do"`
	Groups    [][]wire.ReplicaID `json:"groups,omitempty"`
	Targets   []wire.ReplicaID   `json:"targets,omitempty"`
	Direction Direction          `json:"direction,omitempty"`
	From      []wire.ReplicaID   `json:"from,omitempty"`
	To        []wire.ReplicaID   `json:"to,omitempty"`
	Link      Link               `json:"link,omitzero"`
	Rule      *Rule              `json:"rule,omitempty"`
	Name      string             `json:"name,omitempty"`
}

// Do applies a command now and returns what it lets go. A command that does not suit the cluster changes nothing.
func (p *Policy) Do(now time.Duration, c Command) ([]Delivery, error) {
	if err := c.check(p.n); err != nil {
		return nil, fmt.Errorf("links: %s: %w", c.Do, err)
	}
	switch c.Do {
	case DoPartition:
		p.Partition(c.ID, c.Groups)
	case DoRing:
		p.Ring(c.ID)
	case DoIsolate:
		p.Isolate(c.ID, c.Direction, c.Targets...)
	case DoRejoin:
		p.Rejoin(c.Targets...)
	case DoHeal:
		p.Heal()
	case DoLink:
		p.SetLink(c.ID, c.From, c.To, c.Link)
	case DoHealLink:
		p.HealLink(c.From, c.To)
	case DoRule:
		r := *c.Rule
		if r.ID == "" {
			r.ID = c.ID
		}
		p.AddRule(r)
	case DoEndRule:
		return p.EndRule(now, c.Name), nil
	case DoRelease:
		return p.Release(now, c.Name), nil
	}
	return nil, nil
}

// check reports what of a command does not suit a cluster of n replicas.
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
		if c.Direction != Both && c.Direction != In && c.Direction != Out {
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

// longest is how late a link can be: far above what a run takes, and far below what overflows.
const longest = 24 * time.Hour

// Check reports the first property that no link can have.
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
