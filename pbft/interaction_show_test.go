package pbft

import (
	"fmt"
	"strings"

	"tagma/pbft/msglog"
	"tagma/pbft/wire"
)

// views lists the parts of a replica's state that the command show can print.
var views = map[string]func(*interaction, *node) string{
	"inspection":  (*interaction).inspection,
	"slots":       (*interaction).slots,
	"views":       (*interaction).view,
	"checkpoints": (*interaction).checkpoints,
	"requests":    (*interaction).requests,
}

// show prints a part of the state of the running replicas, or of the replicas that the argument of names.
func (in *interaction) show() {
	of := in.ids("of")
	if of == nil {
		of = in.all()
	}
	paragraphs := make([]paragraph, len(in.nodes))
	for _, id := range of {
		n := in.nodes[id]
		text := "  down\n"
		switch {
		case n.amnesiac != nil:
			text = "  asks what it signed\n"
		case n.up:
			text = views[in.d.CmdArgs[0].Key](in, n)
		}
		paragraphs[id] = paragraph{text: text, bare: text}
	}
	in.trace.finished.WriteString(alike(paragraphs))
}

func (in *interaction) inspection(n *node) string {
	i := n.replica.Inspect()
	var b strings.Builder
	fmt.Fprintf(&b, "  view %d, active %v, timeout %v\n", i.View, i.Active, i.Timeout)
	fmt.Fprintf(&b, "  executed s%d, stable s%d %v, seen s%d, %d requests pending\n", i.Executed, i.Stable, i.StateDigest, i.Seen, i.Pending)
	for _, what := range []struct {
		is   bool
		text string
	}{
		{i.Asking, "asks what it may have forgotten"},
		{i.Silent, fmt.Sprintf("silent until s%d is stable, then votes from view %d on", i.Until, i.Since)},
		{i.LeftBehind, "left behind"},
		{i.Suspecting, "suspects the primary"},
		{i.Diverged, "diverged"},
		{i.Split > 0, fmt.Sprintf("s%d can never be stable", i.Split)},
	} {
		if what.is {
			b.WriteString("  " + what.text + "\n")
		}
	}
	return b.String()
}

// slots lists the slots above the low watermark and those below that still hold a body.
func (in *interaction) slots(n *node) string {
	var b strings.Builder
	log := n.replica.log
	for seq := log.Floor() + 1; seq <= log.Seen; seq++ {
		if s := log.Peek(seq); s != nil {
			fmt.Fprintf(&b, "  s%d%s\n", seq, strings.Join(in.slot(n.replica, s), ","))
		}
	}
	if b.Len() == 0 {
		return "  none\n"
	}
	return b.String()
}

func (in *interaction) slot(r *Replica, s *msglog.Slot) []string {
	var all []string
	add := func(is bool, format string, args ...any) {
		if is {
			all = append(all, " "+fmt.Sprintf(format, args...))
		}
	}
	add(s.Accepted, "accepted %s", in.trace.names.Digest(s.Digest))
	add(s.Waiting != nil, "one waits")
	if p := s.Prepared; p != nil {
		add(true, "prepared in v%d %s", p.View, in.trace.names.Digest(p.Digest))
	}
	if c := s.Cert; c != nil {
		add(true, "committed in v%d %s", c.View, in.trace.names.Digest(c.Digest))
	}
	add(s.Seq <= r.handed, "executed")
	add(s.Seq <= r.log.Low, "stable")
	return all
}

func (in *interaction) view(n *node) string {
	r := n.replica
	state := "active"
	if !r.active {
		state = "waits for the new view"
	}
	return fmt.Sprintf("  view %d of r%d, %s\n", r.view, r.cfg.Primary(r.view), state)
}

// checkpoints are the watermarks, the states that the store keeps, and how much of the journal is left.
func (in *interaction) checkpoints(n *node) string {
	r := n.replica
	states := make([]string, 0, len(n.saved))
	for seq := range r.handed + 1 {
		if _, kept := n.saved[seq]; kept {
			states = append(states, fmt.Sprintf("s%d", seq))
		}
	}
	lowest := wire.Seq(0)
	for seq := range n.journal.batches() {
		if seq > 0 && (lowest == 0 || seq < lowest) {
			lowest = seq
		}
	}
	journal := "the journal holds no batch"
	if lowest > 0 {
		journal = fmt.Sprintf("the journal begins at s%d", lowest)
	}
	return fmt.Sprintf("  h = %d, H = %d, stable state %v, states kept: %s; %s\n",
		r.log.Low, r.log.High(), r.checkpoints.Stable.Digest, strings.Join(states, " "), journal)
}

// requests prints what a replica holds of clients' requests.
func (in *interaction) requests(n *node) string {
	p := n.replica.pool
	return fmt.Sprintf("  %d known, %d to be ordered, %d of them in no proposal\n", len(p.ByID), p.WaitingAll(), p.Queued)
}
