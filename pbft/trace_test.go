package pbft

import (
	"fmt"
	"strings"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// trace writes down what happens in a cluster, one line an event or effect. A nil trace writes nothing.
type trace struct {
	lines  strings.Builder
	names  wire.Names      // batch digests by what is in them
	at     int64           // milliseconds of the last time stamp
	status bool            // show status messages too
	only   *wire.ReplicaID // show this replica alone; nil: all
}

func (t *trace) line(n *node, format string, args ...any) {
	if t.only != nil && *t.only != n.id {
		return
	}
	if ms := n.c.now.Milliseconds(); ms != t.at {
		t.at = ms
		fmt.Fprintf(&t.lines, "@%dms\n", ms)
	}
	fmt.Fprintf(&t.lines, "r%d %s\n", n.id, fmt.Sprintf(format, args...))
}

// say writes a line of the harness's own.
func (t *trace) say(n *node, format string, args ...any) {
	if t != nil && len(n.c.nodes) > int(n.id) {
		t.line(n, format, args...)
	}
}

// comment writes a line of narration between events.
func (t *trace) comment(format string, args ...any) {
	if t != nil {
		fmt.Fprintf(&t.lines, "\n# %s\n", fmt.Sprintf(format, args...))
	}
}

func (t *trace) event(n *node, ev port.Event) {
	if t == nil {
		return
	}
	switch e := ev.(type) {
	case port.Received:
		if e.From.Loopback || t.hides(e.Msg.Message()) {
			return
		}
		from := fmt.Sprintf("r%d", e.From.Replica)
		if e.From.Client {
			from = "client"
		}
		t.line(n, "← %s %s", from, t.message(e.Msg.Message()))
	case port.Snapshotted:
		t.line(n, "has snapshot %d with digest %v", e.Seq, e.Digest)
	case port.Transferred:
		t.line(n, "has the state at %d, from others", e.Cert.Seq)
	case port.Tick, port.Executed, port.Starving:
	}
}

func (t *trace) effect(n *node, e port.Effect) {
	if t == nil {
		return
	}
	switch e := e.(type) {
	case port.Persist:
		t.line(n, "  persist %s", t.record(e.Record))
	case port.Note:
		t.line(n, "  note %s", t.record(e.Record))
	case port.Broadcast:
		if !t.hides(e.Msg) {
			t.line(n, "  broadcast %s", t.message(e.Msg))
		}
	case port.Send:
		if !t.hides(e.Msg) {
			t.line(n, "  send to r%d %s", e.To, t.message(e.Msg))
		}
	case port.Respond:
		t.line(n, "  respond %v executed at %d", e.Reply.ID, e.Reply.Seq)
	case port.Execute:
		t.line(n, "  execute %d %s", e.Seq, t.batch(e.Body))
	case port.Snapshot:
		t.line(n, "  snapshot %d", e.Seq)
	case port.Truncate:
		t.line(n, "  truncate journal at %d, discard states below %d", e.Below, e.Discard)
	case port.Accuse:
		t.line(n, "  accuse r%d of %s: %s, and %s", e.Evidence.Replica, e.Evidence.Kind,
			t.message(e.Evidence.First), t.message(e.Evidence.Second))
	case port.Transfer:
		t.line(n, "  transfer to the state at %d or a newer one", e.Target.Seq)
	case port.Resume:
		t.line(n, "  resume at %d", e.Seq)
	case port.Forgot:
		t.line(n, "  forgot %s, which r%d has", t.names.Statement(&e.Said), e.Witness)
	case port.Entered:
		t.line(n, "  enters view %d", e.View)
	case port.Diverged:
		t.line(n, "  diverged at %d: own %v, stable %v", e.Seq, e.Own, e.Stable)
	case port.Dropped:
		if !t.hides(e.Msg) {
			t.line(n, "  drop: %s", e.Why)
		}
	}
}

func (t *trace) lost(p *packet) {
	_ = p // what a filter keeps off the wire is part of a scenario's story, told in its comments
}

func (t *trace) refused(p *packet, err error) {
	if t != nil {
		fmt.Fprintf(&t.lines, "r%d ← r%d refused: %v\n", p.to, p.from, err)
	}
}

// hides reports whether a message is left out: the periodic ones would drown the story.
func (t *trace) hides(m wire.Message) bool {
	switch m.(type) {
	case *wire.Status, *wire.Heartbeat:
		return !t.status
	}
	return false
}
