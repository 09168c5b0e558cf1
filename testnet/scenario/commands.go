package scenario

import (
	"fmt"

	"tagma/testnet/links"
)

// ID names an event for links.Policy.Fired. The repetitions of one line share it.
func (e *Event) ID() string { return fmt.Sprintf("%s, line %d", e.Do, e.Line) }

// ID names a rule for links.Policy.Fired.
func (r *Rule) ID() string { return fmt.Sprintf("rule, line %d", r.Line) }

// Commands are what an event does to the links, nil if it does something else.
func (e *Event) Commands() []links.Command {
	c := links.Command{ID: e.ID()}
	switch e.Do {
	case Partition:
		c.Do, c.Groups = links.DoPartition, e.Groups
		if e.Ring {
			c.Do = links.DoRing
		}
	case Isolate:
		c.Do, c.Targets, c.Direction = links.DoIsolate, e.Targets, e.Direction
	case Heal:
		c.Do = links.DoHeal
		if len(e.Targets) > 0 {
			c.Do, c.Targets = links.DoRejoin, e.Targets
		}
	case ChangeLink:
		c.Do, c.From, c.To, c.Link = links.DoLink, e.From, e.To, e.Link
		if e.Heal {
			c.Do = links.DoHealLink
		}
	case Release:
		c.Do, c.Name = links.DoRelease, e.Name
	default:
		return nil
	}
	return []links.Command{c}
}

// Command begins the rule. It is given when the rule begins, at r.At; its end by time is in it.
func (r *Rule) Command() links.Command {
	return links.Command{ID: r.ID(), Do: links.DoRule, Rule: &links.Rule{
		ID: r.ID(), Name: r.UntilRelease, Match: r.Match, Action: r.Action, By: r.By, Until: r.UntilTime,
	}}
}

// TouchesFrames reports whether the event happened only if Fired counts frames under its ID (I18).
func (e *Event) TouchesFrames() bool {
	return (e.Do == Partition || e.Do == Isolate || e.Do == ChangeLink) && !e.Undoes && !e.Heal
}
