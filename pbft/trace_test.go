package pbft

import (
	"fmt"
	"slices"
	"strings"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// trace records what happens in a cluster, round by round. In each round, every replica receives the messages that were
// on the wire when the round began. Replicas that did the same share a paragraph. A nil trace records nothing.
type trace struct {
	names    wire.Names       // names of batches, by digest; a name lists what is in the batch
	verbose  bool             // show status messages and heartbeats too
	only     []wire.ReplicaID // show only these replicas; nil: all
	entries  [][]entry        // of the current round, by replica
	finished strings.Builder
}

// entry is one input of a replica and what the replica did because of it.
type entry struct {
	from    []string // the senders of the input; several if each sent the same and it changed nothing
	what    string   // the input; empty if only time passed
	effects []string
	hidden  bool // the input is periodic, and is shown only if it had an effect
}

func newTrace(replicas int) *trace {
	return &trace{names: wire.Names{}, entries: make([][]entry, replicas)}
}

// say writes a line of the test harness itself.
func (t *trace) say(n *node, format string, args ...any) {
	if t != nil {
		t.begin(n, entry{what: fmt.Sprintf(format, args...)})
	}
}

func (t *trace) begin(n *node, e entry) { t.entries[n.id] = append(t.entries[n.id], e) }

func (t *trace) event(n *node, ev port.Event) {
	if t == nil {
		return
	}
	switch e := ev.(type) {
	case port.Received:
		if e.From.Loopback {
			return
		}
		from := fmt.Sprintf("r%d", e.From.Replica)
		if e.From.Client {
			from = "client"
		}
		m := e.Msg.Message()
		t.begin(n, entry{from: []string{from}, what: t.message(m), hidden: t.hides(m)})
	case port.Snapshotted:
		t.did(n, "has snapshot %d with digest %v", e.Seq, e.Digest)
	case port.Transferred:
		t.say(n, "has the state at %d, from others", e.Cert.Seq)
	case port.BadNewView:
		t.say(n, "hears that the new view %d fails its check", e.View)
	case port.Tick, port.Executed, port.Starving:
	}
}

// did records what a replica did because of its last input.
func (t *trace) did(n *node, format string, args ...any) {
	if len(t.entries[n.id]) == 0 {
		t.begin(n, entry{})
	}
	last := &t.entries[n.id][len(t.entries[n.id])-1]
	last.effects = append(last.effects, fmt.Sprintf(format, args...))
}

func (t *trace) effect(n *node, e port.Effect) {
	if t == nil {
		return
	}
	switch e := e.(type) {
	case port.Persist:
		t.did(n, "persist %s", t.record(e.Record))
	case port.Note:
		t.did(n, "note %s", t.record(e.Record))
	case port.Broadcast:
		if !t.hides(e.Msg) {
			t.did(n, "broadcast %s", t.message(e.Msg))
		}
	case port.Send:
		if !t.hides(e.Msg) {
			t.did(n, "send r%d %s", e.To, t.message(e.Msg))
		}
	case port.Respond:
		t.did(n, "respond %s", t.message(e.Reply))
	case port.Execute:
		t.did(n, "execute s%d %s", e.Seq, t.batch(e.Body))
	case port.Snapshot:
		t.did(n, "snapshot s%d", e.Seq)
	case port.Truncate:
		t.did(n, "truncate the journal up to s%d, discard states below s%d", e.Below, e.Discard)
	case port.Offer:
		t.did(n, "offer the state at s%d", e.Cert.Seq)
	case port.Accuse:
		t.did(n, "accuse r%d of %s: %s, and %s", e.Evidence.Replica, e.Evidence.Kind,
			t.message(e.Evidence.First), t.message(e.Evidence.Second))
	case port.Transfer:
		t.did(n, "transfer to the state at s%d or a newer one", e.Target.Seq)
	case port.Resume:
		t.did(n, "resume at s%d", e.Seq)
	case port.Forgot:
		t.did(n, "forgot %s, which r%d has", t.names.Statement(&e.Said), e.Witness)
	case port.Entered:
		t.did(n, "enter view %d", e.View)
	case port.Diverged:
		t.did(n, "diverge at s%d: own %v, stable %v", e.Cert.Seq, e.Own, e.Cert.Digest)
	case port.Split:
		t.did(n, "split at s%d: %d digests", e.Seq, len(statesIn(e)))
	case port.Dropped:
		if !t.hides(e.Msg) {
			t.did(n, "drop: %s", e.Why)
		}
	}
}

func (t *trace) refused(n *node, p *packet, err error) {
	if t != nil {
		t.begin(n, entry{from: []string{fmt.Sprintf("r%d", p.from)}, what: fmt.Sprintf("%s, refused: %v", wire.TypeOf(p.msg), err)})
	}
}

// hides reports whether a message is left out, because it is sent periodically.
func (t *trace) hides(m wire.Message) bool {
	switch m.(type) {
	case *wire.Status, *wire.Heartbeat:
		return !t.verbose
	}
	return false
}

// message returns a message as a line of text. Batches in it are named by their content.
func (t *trace) message(m wire.Message) string {
	switch m := m.(type) {
	case *wire.PrePrepare:
		if m.Body != nil {
			t.batch(m.Body)
		}
	case *wire.CertifiedBody:
		t.batch(m.Body)
	}
	return t.names.Message(m)
}

func (t *trace) record(r wire.Record) string {
	switch r := r.(type) {
	case *wire.Fetched:
		t.batch(r.Body)
	case *wire.Certified:
		t.batch(r.Body)
	}
	return t.names.Record(r)
}

// batch returns the content of a body as its name, and remembers it. Bodies with the same operations are distinguished
// by a number.
func (t *trace) batch(b *wire.Body) string {
	d := b.Digest()
	if b.IsNull() || t.names[d] != "" {
		return t.names.Digest(d)
	}
	var ops []string
	for _, r := range b.Requests {
		ops = append(ops, string(r.Ops[0]))
	}
	name, again := "{"+strings.Join(ops, " ")+"}", 1
	for _, taken := range t.names {
		if taken == name || strings.HasPrefix(taken, name+"#") {
			again++
		}
	}
	if again > 1 {
		name = fmt.Sprintf("%s#%d", name, again)
	}
	t.names[d] = name
	return name
}

// endRound writes the paragraphs of a round. It reports whether there were any.
func (t *trace) endRound(title string) bool {
	paragraphs := make([]paragraph, len(t.entries))
	for i, entries := range t.entries {
		if id := wire.ReplicaID(i); t.only == nil || slices.Contains(t.only, id) {
			paragraphs[i] = t.paragraph(id, entries)
		}
	}
	clear(t.entries)
	text := alike(paragraphs)
	if text != "" && title != "" {
		t.finished.WriteString(title + "\n")
	}
	t.finished.WriteString(text)
	return text != ""
}

// forget drops what was recorded in the current round so far.
func (t *trace) forget() { clear(t.entries) }

// paragraph is what one replica did. It has two forms: as it is, and without the numbers of the replica and of the
// senders.
type paragraph struct{ text, bare string }

func (t *trace) paragraph(id wire.ReplicaID, entries []entry) paragraph {
	var p paragraph
	self := fmt.Sprintf("r%d", id)
	for _, e := range merged(entries) {
		bare := func(s string) string {
			for _, name := range append(e.from, self) {
				s = strings.ReplaceAll(s+" ", name+" ", "r ")
				s = strings.TrimSuffix(s, " ")
			}
			return s
		}
		switch {
		case len(e.from) > 0:
			p.text += fmt.Sprintf("  <- %s %s\n", strings.Join(e.from, " "), e.what)
			p.bare += fmt.Sprintf("%d <- %s\n", len(e.from), bare(e.what))
		case e.what != "":
			p.text += "  " + e.what + "\n"
			p.bare += bare(e.what) + "\n"
		}
		for _, s := range e.effects {
			p.text += "    " + s + "\n"
			p.bare += "    " + bare(s) + "\n"
		}
	}
	return p
}

// merged leaves out hidden entries. It joins consecutive equal inputs of several replicas that changed nothing.
func merged(entries []entry) []entry {
	var list []entry
	for _, e := range entries {
		if len(e.effects) == 0 && e.hidden {
			continue
		}
		if len(e.effects) == 1 && strings.HasPrefix(e.effects[0], "drop: ") {
			e.what, e.effects = e.what+" ("+e.effects[0]+")", nil
		}
		if k := len(list); k > 0 && e.from != nil && list[k-1].what == e.what && len(list[k-1].effects)+len(e.effects) == 0 {
			list[k-1].from = slices.Concat(list[k-1].from, e.from)
			continue
		}
		list = append(list, e)
	}
	return list
}

// alike writes the paragraphs of all replicas. If several replicas did the same, only the first paragraph is written,
// for all of them.
func alike(paragraphs []paragraph) string {
	var b strings.Builder
	written := map[string]bool{"": true}
	for id, p := range paragraphs {
		if written[p.bare] {
			continue
		}
		written[p.bare] = true
		head := fmt.Sprintf("r%d", id)
		var others []string
		for other := id + 1; other < len(paragraphs); other++ {
			if paragraphs[other].bare == p.bare {
				others = append(others, fmt.Sprintf("r%d", other))
			}
		}
		if others != nil {
			head += " (and the same: " + strings.Join(others, " ") + ")"
		}
		b.WriteString(head + "\n" + p.text)
	}
	return b.String()
}

// take returns what was recorded since the last call. Clients are given by their numbers.
func (t *trace) take() string {
	text := t.finished.String()
	t.finished.Reset()
	for i := range 4 {
		text = strings.ReplaceAll(text, testKey("client", i).String()+"/", fmt.Sprintf("c%d/", i))
	}
	return text
}
