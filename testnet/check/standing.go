package check

import (
	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Standing checks the state of a correct replica after a step: its watermark and view only rise and have certificates
// (I6, I7), and it has executed the batches that it says it has executed (I8).
func (m *Monitor) Standing(id wire.ReplicaID, at port.Position) {
	o := m.of(id)
	if o == nil {
		return
	}
	m.checked(i6)
	switch {
	case at.Stable < o.stable:
		m.fail(i6, id, "the low watermark of replica %d falls from %d to %d", id, o.stable, at.Stable)
	case at.Stable > o.now.certified:
		m.fail(i6, id, "the low watermark of replica %d is %d, and only %d is proven stable", id, at.Stable, o.now.certified)
	}
	o.stable, o.looked = at.Stable, true
	if h := o.highest; h > at.Stable+m.cfg.LogWindow {
		m.fail(i6, id, "replica %d accepted a pre-prepare for %d, above its high watermark %d", id, h, at.Stable+m.cfg.LogWindow)
	}
	o.highest = 0
	m.checked(i7)
	switch {
	case at.View < o.now.left:
		m.fail(i7, id, "replica %d is in view %d after it asked for view %d", id, at.View, o.now.left)
	case at.Active && at.View > o.sure && o.of(place{kind: kindActivated, view: at.View}) == nil:
		m.fail(i7, id, "replica %d is active in view %d without a new view", id, at.View)
	case at.Active:
		o.sure = at.View
	}
	if m.breaks(i8, at.Executed != o.handed) {
		m.fail(i8, id, "replica %d counts %d batches as executed, and handed over %d", id, at.Executed, o.handed)
	}
}

// Holds checks how much a correct replica holds in memory (I14). If Standing was called since the replica's start, it
// also checks that the accepted pre-prepares are within the window above the watermark of that call (I6).
func (m *Monitor) Holds(id wire.ReplicaID, f port.Footprint) {
	o := m.of(id)
	if o == nil {
		return
	}
	b := pbft.Bounds(m.cfg)
	if m.breaks(i14, f.Slots > b.Slots || f.Bodies > b.Bodies || f.Requests > b.Requests || f.Queues > b.Queues) {
		m.fail(i14, id, "replica %d holds %+v, and the bounds are %+v", id, f, b)
	}
	if o.looked && m.breaks(i6, f.Highest > o.stable+b.Highest) {
		m.fail(i6, id, "replica %d accepted a pre-prepare for %d, above its high watermark %d", id, f.Highest, o.stable+b.Highest)
	}
}
