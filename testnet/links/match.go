package links

import (
	"slices"

	"tagma/pbft"
)

// Match says which messages something is about. An empty field matches everything.
type Match struct {
	Type    pbft.Type        `json:"type,omitempty"` // 0: any
	View    *pbft.View       `json:"view,omitempty"`
	SeqFrom pbft.Seq         `json:"seq_from,omitempty"` // together with SeqTo; 0 and 0: any
	SeqTo   pbft.Seq         `json:"seq_to,omitempty"`
	From    []pbft.ReplicaID `json:"from,omitempty"`
	To      []pbft.ReplicaID `json:"to,omitempty"`
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
	if f.Message == nil || m.Type != 0 && pbft.TypeOf(f.Message) != m.Type {
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
func ViewOf(m pbft.Message) (v pbft.View, has bool) {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return m.View, true
	case *pbft.Prepare:
		return m.View, true
	case *pbft.Commit:
		return m.View, true
	case *pbft.Suspect:
		return m.View, true
	case *pbft.ViewChange:
		return m.View, true
	case *pbft.NewView:
		return m.View, true
	case *pbft.Heartbeat:
		return m.View, true
	case *pbft.Status:
		return m.View, true
	case *pbft.CertifiedBody:
		if m.Cert != nil {
			return m.Cert.View, true
		}
		return 0, false
	default: // is about no view
		return 0, false
	}
}

func (m *Match) coversSeq(message pbft.Message) bool {
	in := func(s pbft.Seq) bool { return s >= m.SeqFrom && s <= m.SeqTo }
	switch message := message.(type) {
	case *pbft.PrePrepare:
		return in(message.Seq)
	case *pbft.Prepare:
		return in(message.Seq)
	case *pbft.Commit:
		return in(message.Seq)
	case *pbft.Checkpoint:
		return in(message.Seq)
	case *pbft.CertifiedBody:
		return in(message.Seq)
	case *pbft.Fetch:
		return in(message.Seq)
	case *pbft.StableNotice:
		return in(message.Cert.Seq)
	case *pbft.ViewChange:
		return slices.ContainsFunc(message.Prepared, func(c pbft.PreparedCert) bool { return in(c.Seq) })
	case *pbft.NewView:
		first := pbft.Seq(1)
		for i := range message.ViewChanges {
			first = max(first, message.ViewChanges[i].Stable.Seq+1)
		}
		return len(message.Proposals) > 0 && first <= m.SeqTo && first+pbft.Seq(len(message.Proposals)) > m.SeqFrom
	default: // is about no sequence number
		return false
	}
}
