package links

import (
	"slices"

	"tagma/pbft/wire"
)

// Match says which messages something is about. An empty field matches everything.
type Match struct {
	Type    wire.Type        `json:"type,omitempty"` // 0: any
	View    *wire.View       `json:"view,omitempty"`
	SeqFrom wire.Seq         `json:"seq_from,omitempty"` // together with SeqTo; 0 and 0: any
	SeqTo   wire.Seq         `json:"seq_to,omitempty"`
	From    []wire.ReplicaID `json:"from,omitempty"`
	To      []wire.ReplicaID `json:"to,omitempty"`
}

// Covers reports whether a frame is meant. A view matches a message that names one, and a view-change by the view it
// asks for. A sequence number matches a message about one; a view-change is about every one that it shows prepared, a
// new-view about every one that it proposes for.
func (m *Match) Covers(f Frame) bool {
	if len(m.From) > 0 && !slices.Contains(m.From, f.From) || len(m.To) > 0 && !slices.Contains(m.To, f.To) {
		return false
	}
	if m.Type == 0 && m.View == nil && m.SeqTo == 0 {
		return true
	}
	if f.Message == nil || m.Type != 0 && wire.TypeOf(f.Message) != m.Type {
		return false
	}
	if m.View != nil {
		if v, has := ViewOf(f.Message); !has || v != *m.View {
			return false
		}
	}
	return m.SeqTo == 0 || m.coversSeq(f.Message)
}

// ViewOf is the view that a message between replicas names.
func ViewOf(m wire.Message) (v wire.View, has bool) {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return m.View, true
	case *wire.Prepare:
		return m.View, true
	case *wire.Commit:
		return m.View, true
	case *wire.Suspect:
		return m.View, true
	case *wire.ViewChange:
		return m.View, true
	case *wire.NewView:
		return m.View, true
	case *wire.Heartbeat:
		return m.View, true
	case *wire.Status:
		return m.View, true
	case *wire.CertifiedBody:
		if m.Cert != nil {
			return m.Cert.View, true
		}
		return 0, false
	default: // is about no view
		return 0, false
	}
}

func (m *Match) coversSeq(message wire.Message) bool {
	in := func(s wire.Seq) bool { return s >= m.SeqFrom && s <= m.SeqTo }
	switch message := message.(type) {
	case *wire.PrePrepare:
		return in(message.Seq)
	case *wire.Prepare:
		return in(message.Seq)
	case *wire.Commit:
		return in(message.Seq)
	case *wire.Checkpoint:
		return in(message.Seq)
	case *wire.CertifiedBody:
		return in(message.Seq)
	case *wire.Fetch:
		return in(message.Seq)
	case *wire.StableNotice:
		return in(message.Cert.Seq)
	case *wire.ViewChange:
		return slices.ContainsFunc(message.Prepared, func(c wire.PreparedCert) bool { return in(c.Seq) })
	case *wire.NewView:
		first := wire.Seq(1)
		for i := range message.ViewChanges {
			first = max(first, message.ViewChanges[i].Stable.Seq+1)
		}
		return len(message.Proposals) > 0 && first <= m.SeqTo && first+wire.Seq(len(message.Proposals)) > m.SeqFrom
	default: // is about no sequence number
		return false
	}
}
