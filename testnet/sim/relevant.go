package sim

import (
	"regexp"
	"slices"
	"strconv"

	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// placeOf finds the sequence numbers that a violation speaks of.
var placeOf = regexp.MustCompile(`(?:\bn=|\bseq(?:uence number)? ?=?|\bnumber |\bat )(\d+)\b`)

// About returns the last lines of the trace, at most so many, that concern a violation: what its replica did, what anybody
// said and did about the sequence numbers that it names, and what happened to the cluster. How turns were taken, and signs
// of life, are left out.
func (w *World) About(v *Violation, lines int) []string {
	var places []wire.Seq
	for _, found := range placeOf.FindAllStringSubmatch(v.What, 4) {
		if n, err := strconv.ParseUint(found[1], 10, 63); err == nil {
			places = append(places, wire.Seq(n))
		}
	}
	turns := w.trace.last(lines/2, (*line).turning)
	rest := w.trace.last(lines-len(turns), func(l *line) bool { return !l.turning() && l.concerns(v.Replica, places) })
	kept := slices.Concat(turns, rest)
	slices.SortFunc(kept, func(a, b int) int { return b - a })
	out := make([]string, len(kept))
	for i, back := range kept {
		out[i] = w.trace.line(back).String()
	}
	return out
}

// last finds the last lines of a kind: how far each lies behind the end.
func (t *trace) last(most int, is func(*line) bool) (found []int) {
	for back := 1; back <= len(t.lines) && len(found) < most; back++ {
		if l := t.line(back); l.what != 0 && is(l) {
			found = append(found, back)
		}
	}
	return found
}

func (t *trace) line(back int) *line { return &t.lines[(t.next-back+len(t.lines))%len(t.lines)] }

// turning reports whether a line tells of what may explain anything that follows, however long after it.
func (l *line) turning() bool {
	switch l.what {
	case crashed, stopped, started, paused, resumed, entered, faulted, diverged, accused:
		return true
	default:
		return false
	}
}

// concerns reports whether another line has to do with a replica, or one of these sequence numbers.
func (l *line) concerns(id wire.ReplicaID, places []wire.Seq) bool {
	about := len(places) == 0
	for _, n := range places {
		m := links.Match{SeqFrom: n, SeqTo: n}
		about = about || l.msg != nil && m.Covers(links.Frame{Message: l.msg}) || l.msg == nil && l.a == uint64(n)
	}
	switch l.what {
	case turned, dropped, delivered, responded, asked, accepted:
		return false
	case received:
		return about && l.who == int(id) && !sign(l.msg)
	case sent:
		return about && !sign(l.msg)
	default:
		return about && l.who == int(id)
	}
}

// sign reports whether a message is one of those that are said again and again, and say nothing new.
func sign(m wire.Message) bool {
	switch m.(type) {
	case *wire.Status, *wire.Heartbeat:
		return true
	default:
		return false
	}
}
