package sim

import (
	"fmt"

	"tagma/pbft"
)

// describe is a message in a few words.
func describe(m pbft.Message) string {
	if m == nil {
		return "what cannot be read"
	}
	text := pbft.TypeOf(m).String()
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return text + place(m.View, m.Seq, m.Digest)
	case *pbft.Prepare:
		return text + place(m.View, m.Seq, m.Digest)
	case *pbft.Commit:
		return text + place(m.View, m.Seq, m.Digest)
	case *pbft.Checkpoint:
		return fmt.Sprintf("%s n=%d %v", text, m.Seq, m.Digest)
	case *pbft.Suspect:
		return fmt.Sprintf("%s v=%d", text, m.View)
	case *pbft.ViewChange:
		return fmt.Sprintf("%s v=%d h=%d P=%s", text, m.View, m.Stable.Seq, prepared(m.Prepared))
	case *pbft.NewView:
		return fmt.Sprintf("%s v=%d with %d proposals", text, m.View, len(m.Proposals))
	case *pbft.Heartbeat:
		return fmt.Sprintf("%s v=%d", text, m.View)
	case *pbft.Status:
		return fmt.Sprintf("%s v=%d active=%t executed=%d h=%d", text, m.View, m.Active, m.Executed, m.Stable)
	case *pbft.Request:
		return fmt.Sprintf("%s %v/%d/%d", text, m.ID.Client, m.ID.Session, m.ID.T)
	case *pbft.Reply:
		return fmt.Sprintf("%s %v/%d/%d outcome=%d n=%d", text, m.ID.Client, m.ID.Session, m.ID.T, m.Outcome, m.Seq)
	case *pbft.CertifiedBody:
		return fmt.Sprintf("%s n=%d certificate=%t", text, m.Seq, m.Cert != nil)
	case *pbft.Fetch:
		return fmt.Sprintf("%s n=%d %v", text, m.Seq, m.Digest)
	case *pbft.StableNotice:
		return fmt.Sprintf("%s n=%d", text, m.Cert.Seq)
	default:
		return text
	}
}

func place(v pbft.View, n pbft.Seq, d pbft.Digest) string {
	return fmt.Sprintf(" v=%d n=%d %v", v, n, d)
}

func prepared(certs []pbft.PreparedCert) string {
	text := "["
	for i, c := range certs {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprintf("%d@%d", c.Seq, c.View)
	}
	return text + "]"
}
