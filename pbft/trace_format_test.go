package pbft

import (
	"fmt"
	"strings"
)

// message writes a message in a line: type, then v(iew), s(eq) and what the digest stands for.
func (t *trace) message(cfg *Config, m Message) string {
	kind := TypeOf(m).String()
	switch m := m.(type) {
	case *Request:
		return kind + " " + t.request(m.ID)
	case *PrePrepare:
		what := t.digest(m.Digest)
		if m.Body != nil {
			what = t.batch(m.Body)
		}
		return fmt.Sprintf("%s v%d s%d %s", kind, m.View, m.Seq, what)
	case *Prepare:
		return fmt.Sprintf("%s v%d s%d %s", kind, m.View, m.Seq, t.digest(m.Digest))
	case *Commit:
		return fmt.Sprintf("%s v%d s%d %s", kind, m.View, m.Seq, t.digest(m.Digest))
	case *Checkpoint:
		return fmt.Sprintf("%s s%d %v", kind, m.Seq, m.Digest)
	case *Suspect:
		return fmt.Sprintf("%s v%d", kind, m.View)
	case *Heartbeat:
		return fmt.Sprintf("%s v%d", kind, m.View)
	case *ViewChange:
		return fmt.Sprintf("%s of r%d to v%d, suspected by %s, %s", kind, m.Replica, m.View, suspecters(m), t.proofs(m))
	case *NewView:
		return t.newView(m)
	case *Status:
		return fmt.Sprintf("%s v%d active %v executed %d h %d lacks %v", kind, m.View, m.Active, m.Executed, m.Stable, m.Slots)
	case *Fetch:
		return fmt.Sprintf("%s s%d %s", kind, m.Seq, t.digest(m.Digest))
	case *CertifiedBody:
		if m.Cert == nil {
			return fmt.Sprintf("%s s%d %s", kind, m.Seq, t.batch(m.Body))
		}
		return fmt.Sprintf("%s s%d %s, committed in v%d", kind, m.Seq, t.batch(m.Body), m.Cert.View)
	case *StableNotice:
		return fmt.Sprintf("%s s%d %v", kind, m.Cert.Seq, m.Cert.Digest)
	case *FetchSlots:
		return fmt.Sprintf("%s from s%d", kind, m.From)
	case *Slots:
		if m.Next == m.From {
			return fmt.Sprintf("%s, none from s%d", kind, m.From)
		}
		return fmt.Sprintf("%s s%d to s%d", kind, m.From, m.Next-1)
	case *Held:
		return fmt.Sprintf("%s above s%d", kind, m.Above)
	case *HeldBy:
		return t.heldBy(kind, m)
	case *Recover:
		return fmt.Sprintf("%s until s%d", kind, m.Until)
	}
	return kind
}

func (t *trace) heldBy(kind string, m *HeldBy) string {
	if !m.Whole {
		return kind + " a replica that is not whole"
	}
	said := make([]string, len(m.Said))
	for i, s := range m.Said {
		said[i] = t.statement(&s)
	}
	out := fmt.Sprintf("%s: you said [%s]; view %d, h = %d", kind, strings.Join(said, ", "), m.View, m.Stable.Seq)
	if m.Prepared != nil {
		out += fmt.Sprintf(", prepared s%d", m.Prepared.Seq)
	}
	if m.Commit != nil {
		out += fmt.Sprintf(", committed s%d", m.Commit.Seq)
	}
	return out
}

func (t *trace) statement(s *Statement) string {
	switch s.Type {
	case TypeCheckpoint:
		return fmt.Sprintf("%s s%d", s.Type, s.Seq)
	case TypeViewChange, TypeNewView:
		return fmt.Sprintf("%s v%d", s.Type, s.View)
	default:
		return fmt.Sprintf("%s v%d s%d %s", s.Type, s.View, s.Seq, t.digest(s.Digest))
	}
}

func (t *trace) newView(m *NewView) string {
	var v, o []string
	for i := range m.ViewChanges {
		v = append(v, fmt.Sprintf("r%d", m.ViewChanges[i].Replica))
	}
	for i, p := range m.Proposals {
		o = append(o, fmt.Sprintf("s%d %s", m.proposalSeq(i), t.digest(p.Digest)))
	}
	return fmt.Sprintf("new-view v%d, V = %s, O = [%s]", m.View, strings.Join(v, " "), strings.Join(o, ", "))
}

func suspecters(m *ViewChange) string {
	var who []string
	for _, s := range m.Suspects {
		who = append(who, fmt.Sprintf("r%d", s.Replica))
	}
	return strings.Join(who, " ")
}

func (t *trace) proofs(m *ViewChange) string {
	p := make([]string, len(m.Prepared))
	for i, c := range m.Prepared {
		p[i] = fmt.Sprintf("v%d s%d %s", c.View, c.Seq, t.digest(c.Digest))
	}
	return fmt.Sprintf("h = %d, P = [%s]", m.Stable.Seq, strings.Join(p, ", "))
}

// batch writes what is in a body and remembers its name.
func (t *trace) batch(b *Body) string {
	if b.IsNull() {
		return "null"
	}
	var ops []string
	for _, r := range b.Requests {
		ops = append(ops, string(r.Ops[0]))
	}
	name := fmt.Sprintf("%v{%s}", b.Digest(), strings.Join(ops, ","))
	if t.names == nil {
		t.names = map[Digest]string{}
	}
	t.names[b.Digest()] = name
	return name
}

func (t *trace) digest(d Digest) string {
	if d == NullDigest {
		return "null"
	}
	if name := t.names[d]; name != "" {
		return name
	}
	return d.String()
}

func (t *trace) request(id RequestID) string { return fmt.Sprintf("%v#%d", id.Client, id.T) }
