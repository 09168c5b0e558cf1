package sim

import (
	"regexp"
	"slices"
	"strconv"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// placeOf matches the sequence numbers in the text of a violation.
var placeOf = regexp.MustCompile(`(?:\bn=|\bs|\bseq(?:uence number)? ?=?|\bnumber |\bat )(\d+)\b`)

// About returns the last events of the run in words, at most so many, that concern a violation: what its replica did,
// what any replica sent and did about the sequence numbers that it names, and the faults. Messages that are repeated
// without news are left out.
func (w *World) About(v *Violation, lines int) []string {
	var places []wire.Seq
	for _, found := range placeOf.FindAllStringSubmatch(v.What, 4) {
		if n, err := strconv.ParseUint(found[1], 10, 63); err == nil {
			places = append(places, wire.Seq(n))
		}
	}
	turns := w.tape.last(lines/2, turning)
	rest := w.tape.last(lines-len(turns), func(e trace.Event) bool { return !turning(e) && concerns(e, v.Replica, places) })
	return w.tape.lines(slices.Concat(turns, rest))
}

// lines converts events to text, in their order.
func (t *tape) lines(back []int) []string {
	slices.SortFunc(back, func(a, b int) int { return b - a })
	out := make([]string, len(back))
	for i, n := range back {
		out[i] = trace.Text(t.back(n), 0)
	}
	return out
}

// turning reports whether an event may explain anything after it, even much later.
func turning(e trace.Event) bool {
	switch e := e.(type) {
	case *trace.Process, *trace.Fault, *trace.Diverged, *trace.Split, *trace.Evidence, *trace.Forgot:
		return true
	case *trace.View:
		return e.Step == trace.Entered
	default:
		return false
	}
}

// concerns reports whether an event is about a replica, or about one of these sequence numbers.
func concerns(e trace.Event, id wire.ReplicaID, places []wire.Seq) bool {
	m := trace.About(e)
	about := len(places) == 0
	for _, n := range places {
		match := links.Match{SeqFrom: n, SeqTo: n}
		about = about || m != nil && match.Covers(links.Frame{Message: m}) || m == nil && seqOf(e) == n
	}
	if !about || sign(m) {
		return false
	}
	switch e := e.(type) {
	case *trace.Dropped, *trace.Request, *trace.Synced, *trace.Executed:
		return false
	case *trace.Sent:
		return e.To != trace.None
	default:
		return trace.Of(e).Replica == int(id)
	}
}

func seqOf(e trace.Event) wire.Seq {
	switch e := e.(type) {
	case *trace.Phase:
		return e.Seq
	case *trace.Checkpoint:
		return e.Seq
	case *trace.Transfer:
		return e.Seq
	default:
		return 0
	}
}

// sign reports whether a message is sent again and again and says nothing new, such as a heartbeat.
func sign(m wire.Message) bool {
	switch m.(type) {
	case *wire.Status, *wire.Heartbeat:
		return true
	default:
		return false
	}
}
