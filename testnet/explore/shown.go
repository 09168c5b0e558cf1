package explore

import (
	"fmt"

	"tagma/pbft/wire"
)

// shown is everything that a correct replica has ever sent, over all its restarts, and what the checks need to know
// about it. The network keeps every message for ever and may deliver it at any time, so these tables are the network.
type shown struct {
	propose   [maxViews][maxSlots]value // as primary: proposals in pre-prepares and in O
	bare      [maxViews][maxSlots]bool  // the value was proposed in a pre-prepare, so its body was sent
	prepare   votes
	commit    votes
	suspects  [maxViews]bool
	change    [maxViews]int32    // view changes, as letters
	former    [maxViews]int32    // the view change of a former life, if the present life sent another one (D8.10)
	stable    [maxViews]wire.Seq // the stable checkpoint of the newest view change
	newView   [maxViews]int32    // new views that it sent as primary, as letters
	activated [maxViews]int32    // new views it entered, as letters
	executed  [maxSlots]value
	highest   wire.View // the highest view of its view changes
	based     bool      // it knows that the checkpoint at the base is stable
}

// votes holds values by view and slot.
type votes [maxViews][maxSlots]value

// votes returns the prepares or the commits.
func (s *shown) votes(kind wire.Type) *votes {
	if kind == wire.TypePrepare {
		return &s.prepare
	}
	return &s.commit
}

// note adds a broadcast message. It returns an error if a correct replica contradicts itself (I2).
func (s *shown) note(l letter, number int32) error {
	v, i := l.view, int(l.seq)-1
	switch l.kind {
	case wire.TypePrePrepare:
		s.bare[v][i] = true
		return s.once(&s.propose[v][i], l)
	case wire.TypePrepare, wire.TypeCommit:
		return s.once(&s.votes(l.kind)[v][i], l)
	case wire.TypeSuspect:
		s.suspects[v] = true
	case wire.TypeViewChange:
		return s.leaves(l, number)
	case wire.TypeNewView:
		s.propose[v] = l.order
		return onlyOne(&s.newView[v], l, number)
	default:
	}
	return nil
}

// leaves adds a view change. A second one for the same view is allowed if its stable checkpoint is at least a window
// higher: then the replica has forgotten the first one, and the second does not contradict it (D8.10).
func (s *shown) leaves(l letter, number int32) error {
	v := l.view
	s.highest = max(s.highest, v)
	if first := s.change[v]; first != 0 && first != number && s.former[v] == 0 && l.stable >= s.stable[v]+window {
		s.former[v], s.change[v] = first, 0
	}
	s.stable[v] = l.stable
	return onlyOne(&s.change[v], l, number)
}

func (s *shown) once(place *value, l letter) error {
	if *place != none && *place != l.value {
		return fmt.Errorf("I2: r%d signs %v after %v for the same place", l.by, l, *place)
	}
	if l.view < s.highest {
		return fmt.Errorf("I2: r%d signs %v after its view change to v%d", l.by, l, s.highest)
	}
	*place = l.value
	return nil
}

func onlyOne(place *int32, l letter, number int32) error {
	if *place != 0 && *place != number {
		return fmt.Errorf("I2: r%d signs %v beside another one for the view", l.by, l)
	}
	*place = number
	return nil
}
