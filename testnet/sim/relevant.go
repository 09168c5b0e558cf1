package sim

import (
	"regexp"
	"slices"
	"strconv"

	"tagma/pbft"
	"tagma/testnet/links"
)

// placeOf finds the sequence numbers that a violation speaks of.
var placeOf = regexp.MustCompile(`(?:\bn=|\bseq(?:uence number)? ?=?|\bnumber |\bat )(\d+)\b`)

// About returns the last lines of the trace, at most so many, that concern a violation: what its replica did, what anybody
// said and did about the sequence numbers that it names, and what happened to the cluster. How turns were taken, and signs
// of life, are left out.
func (w *World) About(v *Violation, lines int) []string {
	var places []pbft.Seq
	for _, found := range placeOf.FindAllStringSubmatch(v.What, 4) {
		if n, err := strconv.ParseUint(found[1], 10, 63); err == nil {
			places = append(places, pbft.Seq(n))
		}
	}
	var out []string
	t := &w.trace
	for back := 1; back <= len(t.lines) && len(out) < lines; back++ {
		l := &t.lines[(t.next-back+len(t.lines))%len(t.lines)]
		if l.what != 0 && l.concerns(v.Replica, places) {
			out = append(out, l.String())
		}
	}
	slices.Reverse(out)
	return out
}

// concerns reports whether a line has to do with a replica, or one of these sequence numbers.
func (l *line) concerns(id pbft.ReplicaID, places []pbft.Seq) bool {
	about := len(places) == 0
	for _, n := range places {
		m := links.Match{SeqFrom: n, SeqTo: n}
		about = about || l.msg != nil && m.Covers(links.Frame{Message: l.msg}) || l.msg == nil && l.a == uint64(n)
	}
	switch l.what {
	case crashed, stopped, started, paused, resumed, entered, faulted, diverged, accused:
		return true
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
func sign(m pbft.Message) bool {
	switch m.(type) {
	case *pbft.Status, *pbft.Heartbeat:
		return true
	default:
		return false
	}
}
