package wire

import (
	"fmt"
	"strings"
)

// Names are names to print for batches. A batch without a name is printed as its digest.
type Names map[Digest]string

// Format describes a message in one line: its type and what it is about, with v(iew), s(equence number) and r(eplica)
// before the numbers. Everything that shows messages to people uses this form.
func Format(m Message) string { return Names(nil).Message(m) }

// FormatRecord describes a record of the journal in one line, in the terms of Format.
func FormatRecord(r Record) string { return Names(nil).Record(r) }

// Message is Format with names for batches.
func (n Names) Message(m Message) string {
	kind := TypeOf(m).String()
	switch m := m.(type) {
	case nil:
		return "no message"
	case *Request:
		return kind + " " + m.ID.String()
	case *PrePrepare:
		return kind + n.place(m.View, m.Seq, m.Digest)
	case *Prepare:
		return kind + n.place(m.View, m.Seq, m.Digest)
	case *Commit:
		return kind + n.place(m.View, m.Seq, m.Digest)
	case *Checkpoint:
		return fmt.Sprintf("%s s%d %v", kind, m.Seq, m.Digest)
	case *Suspect:
		return fmt.Sprintf("%s v%d", kind, m.View)
	case *Heartbeat:
		return fmt.Sprintf("%s v%d", kind, m.View)
	case *ViewChange:
		return kind + n.viewChange(m)
	case *NewView:
		return kind + n.newView(m)
	case *Status:
		return kind + m.line()
	default:
		return kind + n.transferred(m)
	}
}

// transferred returns what Format prints after the type of a message that is not part of ordering. It is empty if the
// type says everything.
func (n Names) transferred(m Message) string {
	switch m := m.(type) {
	case *Reply:
		return fmt.Sprintf(" %v %v at s%d", m.ID, m.Outcome, m.Seq)
	case *Attach:
		return fmt.Sprintf(" session %d", m.Session)
	case *Attached:
		return fmt.Sprintf(" session %d, the highest is %d, the floor %d", m.Session, m.Highest, m.Floor)
	case *Query:
		return fmt.Sprintf(" at s%d", m.At)
	case *QueryReply:
		return fmt.Sprintf(" at s%d", m.At)
	case *Attest:
		if m.What == VouchedReply {
			return fmt.Sprintf(" the reply to request %d of session %d", m.T, m.Session)
		}
		return ""
	case *Prove:
		return fmt.Sprintf(" from s%d", m.From)
	case *Proof:
		return fmt.Sprintf(" at s%d", m.Stable)
	case *Attestation:
		return fmt.Sprintf(" of %d bytes", len(m.Statement))
	case *Fetch:
		return fmt.Sprintf(" s%d %s", m.Seq, n.Digest(m.Digest))
	case *CertifiedBody:
		return fmt.Sprintf(" s%d %s", m.Seq, n.Digest(m.Body.Digest())) + committedIn(m.Cert)
	case *StableNotice:
		return fmt.Sprintf(" s%d %v", m.Cert.Seq, m.Cert.Digest)
	case *FetchSlots:
		return fmt.Sprintf(" from s%d", m.From)
	case *Slots:
		if m.Next == m.From {
			return fmt.Sprintf(", none from s%d", m.From)
		}
		return fmt.Sprintf(" s%d to s%d", m.From, m.Next-1)
	case *FetchState:
		return fmt.Sprintf(" s%d", m.Seq)
	case *Data:
		return fmt.Sprintf(" s%d, %d bytes", m.Seq, len(m.Answer)) + offered(m.Offer)
	case *Held:
		return fmt.Sprintf(" above s%d", m.Above)
	case *HeldBy:
		return n.heldBy(m)
	case *Recover:
		return fmt.Sprintf(" until s%d", m.Until)
	case *Watch:
		return fmt.Sprintf(" %d after revision %d", m.ID, m.After)
	case *Changes:
		return fmt.Sprintf(" of %d, %d up to revision %d", m.ID, len(m.Items), m.Upto)
	case *Progress:
		return fmt.Sprintf(" of %d watches up to revision %d", len(m.IDs), m.Upto)
	default:
		return ""
	}
}

func (m *Status) line() string {
	active := "inactive"
	if m.Active {
		active = "active"
	}
	lacks := make([]string, len(m.Slots))
	for i, s := range m.Slots {
		lacks[i] = fmt.Sprintf("s%d", s.Seq)
		for bit, what := range [...]string{"proposal", "prepares", "commits"} {
			if s.Lacks&(1<<bit) != 0 {
				lacks[i] += " " + what
			}
		}
	}
	return fmt.Sprintf(" v%d %s executed %d h %d lacks [%s]", m.View, active, m.Executed, m.Stable, strings.Join(lacks, ", "))
}

func committedIn(cert *CommitCert) string {
	if cert == nil {
		return ""
	}
	return fmt.Sprintf(", committed in v%d", cert.View)
}

func offered(cert *StableCert) string {
	if cert == nil {
		return ""
	}
	return fmt.Sprintf(", serves s%d", cert.Seq)
}

func (n Names) viewChange(m *ViewChange) string {
	who := make([]string, len(m.Suspects))
	for i := range m.Suspects {
		who[i] = fmt.Sprintf("r%d", m.Suspects[i].Replica)
	}
	shown := make([]string, len(m.Prepared))
	for i := range m.Prepared {
		c := &m.Prepared[i]
		shown[i] = strings.TrimPrefix(n.place(c.View, c.Seq, c.Digest), " ")
	}
	return fmt.Sprintf(" of r%d to v%d, suspected by %s, h = %d, P = [%s]",
		m.Replica, m.View, strings.Join(who, " "), m.Stable.Seq, strings.Join(shown, ", "))
}

func (n Names) newView(m *NewView) string {
	v, o := make([]string, len(m.ViewChanges)), make([]string, len(m.Proposals))
	for i := range m.ViewChanges {
		v[i] = fmt.Sprintf("r%d", m.ViewChanges[i].Replica)
	}
	for i, p := range m.Proposals {
		o[i] = fmt.Sprintf("s%d %s", m.ProposalSeq(i), n.Digest(p.Digest))
	}
	return fmt.Sprintf(" v%d, V = %s, O = [%s]", m.View, strings.Join(v, " "), strings.Join(o, ", "))
}

func (n Names) heldBy(m *HeldBy) string {
	if !m.Whole {
		return " a replica that is not whole"
	}
	said := make([]string, len(m.Said))
	for i := range m.Said {
		said[i] = n.Statement(&m.Said[i])
	}
	out := fmt.Sprintf(": you said [%s]; view %d, h = %d", strings.Join(said, ", "), m.View, m.Stable.Seq)
	if m.Prepared != nil {
		out += fmt.Sprintf(", prepared s%d", m.Prepared.Seq)
	}
	if m.Commit != nil {
		out += fmt.Sprintf(", committed s%d", m.Commit.Seq)
	}
	return out
}

// Statement describes the statement under a signature, like Message describes the message with that statement.
func (n Names) Statement(s *Statement) string {
	switch s.Type {
	case TypeCheckpoint:
		return fmt.Sprintf("%s s%d", s.Type, s.Seq)
	case TypeViewChange, TypeNewView:
		return fmt.Sprintf("%s v%d", s.Type, s.View)
	default:
		return s.Type.String() + n.place(s.View, s.Seq, s.Digest)
	}
}

// Record is FormatRecord with names for batches.
func (n Names) Record(r Record) string {
	switch r := r.(type) {
	case *Accepted:
		return "accepted" + n.place(r.PrePrepare.View, r.PrePrepare.Seq, r.PrePrepare.Digest)
	case *Fetched:
		return fmt.Sprintf("fetched s%d %s", r.Seq, n.Digest(r.Body.Digest()))
	case *Prepared:
		return "prepared" + n.place(r.Cert.View, r.Cert.Seq, r.Cert.Digest)
	case *Certified:
		return "certified" + n.place(r.Cert.View, r.Cert.Seq, r.Cert.Digest)
	case *Committed:
		return "committed" + n.place(r.Cert.View, r.Cert.Seq, r.Cert.Digest)
	case *Stable:
		return fmt.Sprintf("stable s%d %v", r.Cert.Seq, r.Cert.Digest)
	case *Activated:
		return fmt.Sprintf("activated v%d", r.NewView.View)
	case *Sent:
		return "sent " + n.Message(r.Msg)
	case *Head:
		return "head"
	case *Recovering:
		return fmt.Sprintf("recovering: silent below s%d, never in a view below v%d", r.Until, r.View)
	case *Installed:
		return fmt.Sprintf("installed s%d %v", r.Cert.Seq, r.Cert.Digest)
	case *Void:
		return fmt.Sprintf("void up to s%d, wrong %v", r.Until, r.Wrong)
	case *Witness:
		return fmt.Sprintf("witness of r%d: %s", r.Replica, n.Statement(&r.Said))
	case *Early:
		return "early: votes may leave before they are durable"
	case *Clean:
		return "clean: nothing is missing"
	}
	return "no record"
}

// Name returns how a batch is printed that has no other name: as "null", or as its digest.
func (d Digest) Name() string { return Names(nil).Digest(d) }

// Digest returns how a batch is printed.
func (n Names) Digest(d Digest) string {
	if d == NullDigest {
		return "null"
	}
	if name := n[d]; name != "" {
		return name
	}
	return d.String()
}

func (n Names) place(v View, s Seq, d Digest) string {
	return fmt.Sprintf(" v%d s%d %s", v, s, n.Digest(d))
}

// String writes the client, its session and the request's number in it.
func (id RequestID) String() string { return fmt.Sprintf("%v/%d/%d", id.Client, id.Session, id.T) }

// String names the outcome.
func (o Outcome) String() string {
	names := [...]string{
		OutcomeExecuted: "executed", OutcomeConflict: "conflict", OutcomeExpired: "expired", OutcomeBusy: "busy", OutcomeRefused: "refused",
	}
	if int(o) < len(names) && names[o] != "" {
		return names[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}
