package wire

import (
	"fmt"
)

// Description says what a message or a record contains, in the same terms for all types, for programs that show it and
// need not know the types.
type Description struct {
	Kind   string  // kind of a record; empty for a message
	Type   string  // type of the message, or of the message in a record
	View   *View   // the view that it is about; nil: none
	Seq    *Seq    // the sequence number that it is about; nil: none
	Digest *Digest // digest of the batch or the state that it is about; nil: none
	Batch  *Body   // the batch that it contains
	// Request is the client's request: the one in the message, or the one that the message answers; nil: there is none.
	Request *RequestID
	Note    string // what else an operator wants to know about a record

	of any // the message or the record
}

// Text is one line, as by Format or FormatRecord.
func (d *Description) Text() string {
	if r, is := d.of.(Record); is {
		return FormatRecord(r)
	}
	m, _ := d.of.(Message)
	return Format(m)
}

// Describe describes a message.
func Describe(m Message) Description {
	d := Description{Type: TypeOf(m).String(), of: m}
	switch m := m.(type) {
	case *PrePrepare:
		d.View, d.Seq, d.Digest, d.Batch = &m.View, &m.Seq, &m.Digest, m.Body
	case *Prepare:
		d.View, d.Seq, d.Digest = &m.View, &m.Seq, &m.Digest
	case *Commit:
		d.View, d.Seq, d.Digest = &m.View, &m.Seq, &m.Digest
	case *Checkpoint:
		d.Seq, d.Digest = &m.Seq, &m.Digest
	case *Suspect:
		d.View = &m.View
	case *Heartbeat:
		d.View = &m.View
	case *ViewChange:
		d.View = &m.View
	case *NewView:
		d.View = &m.View
	case *Request:
		d.Request = &m.ID
	case *Reply:
		d.View, d.Seq, d.Request = &m.View, &m.Seq, &m.ID
	case *Status:
		d.View = &m.View
	case *Fetch:
		d.Seq, d.Digest = &m.Seq, &m.Digest
	case *CertifiedBody:
		d.Seq = &m.Seq
	case *StableNotice:
		d.Seq, d.Digest = &m.Cert.Seq, &m.Cert.Digest
	case *HeldBy:
		d.View = &m.View
	case *FetchState:
		d.Seq = &m.Seq
	case *Data:
		d.Seq = &m.Seq
	default: // others are not about a place in the order
	}
	return d
}

// ReadRecord describes an encoded record.
func ReadRecord(data []byte) (Description, error) {
	rec, err := DecodeRecord(data)
	if err != nil {
		return Description{}, err
	}
	d := Description{Type: "certificate"}
	switch r := rec.(type) {
	case *Head:
		d = Description{Kind: "head", View: &r.View, Note: r.owner()}
	case *Sent:
		d = said("sent", r.Msg)
	case *Accepted:
		d = said("accepted", r.PrePrepare)
	case *Activated:
		d = said("activated", r.NewView)
	case *Fetched:
		d = Description{Kind: "fetched", Type: "body", Seq: &r.Seq, Digest: new(r.Body.Digest()), Batch: r.Body}
	case *Prepared:
		d.Kind, d.View, d.Seq, d.Digest = "prepared", &r.Cert.View, &r.Cert.Seq, &r.Cert.Digest
	case *Certified:
		d.Kind, d.View, d.Seq, d.Digest, d.Batch = "certified", &r.Cert.View, &r.Cert.Seq, &r.Cert.Digest, r.Body
	case *Committed:
		d.Kind, d.View, d.Seq, d.Digest = "committed", &r.Cert.View, &r.Cert.Seq, &r.Cert.Digest
	case *Stable:
		d.Kind, d.Seq, d.Digest = "stable", &r.Cert.Seq, &r.Cert.Digest
	case *Installed:
		d.Kind, d.Seq, d.Digest, d.Note = "installed", &r.Cert.Seq, &r.Cert.Digest, "a state that others gave"
	case *Recovering:
		d = Description{
			Kind: "recovering", View: &r.View, Seq: &r.Until,
			Note: "silent until that sequence number, votes from that view, life " + r.Life.String(),
		}
	case *Void:
		d = Description{Kind: "void", Seq: &r.Until, Note: "own states that were given up"}
		if r.Wrong {
			d.Note += "; the present one is wrong"
		}
	case *Witness:
		d = Description{
			Kind: "witness", Type: r.Said.Type.String(), View: &r.Said.View, Seq: &r.Said.Seq, Note: fmt.Sprintf("said by replica %d", r.Replica),
		}
	case *Early:
		d = Description{Kind: "early", Note: "votes may leave before they are durable"}
	case *Clean:
		d = Description{Kind: "clean", Note: "nothing that was signed is missing up to here"}
	}
	d.of = rec
	if d.Batch != nil {
		d.Note = d.Batch.size()
	}
	return d, nil
}

// said describes a record that holds a message. Only durable types occur.
func said(kind string, m Message) Description {
	d := Describe(m)
	d.Kind = kind
	switch m := m.(type) {
	case *PrePrepare, *Prepare, *Commit, *Checkpoint:
	case *ViewChange:
		d.Note = fmt.Sprintf("stable %d, %d prepared above it", m.Stable.Seq, len(m.Prepared))
	case *NewView:
		d.Note = fmt.Sprintf("%d view changes, %d proposals", len(m.ViewChanges), len(m.Proposals))
	default:
		d.Note = "unexpected here"
	}
	return d
}

// owner says to which replica a journal belongs.
func (h *Head) owner() string {
	activity := "changing views"
	if h.Active {
		activity = "active"
	}
	text := fmt.Sprintf("replica %d, epoch %d, cluster %s, %s", h.Self, h.Epoch, h.Cluster, activity)
	if h.Life != (Life{}) {
		text += ", life " + h.Life.String()
	}
	return text
}

// size returns a text with the number of requests of a batch.
func (b *Body) size() string {
	switch n := len(b.Requests); {
	case b.IsNull():
		return "null request"
	case n == 1:
		return "1 request"
	default:
		return fmt.Sprintf("%d requests", n)
	}
}

// About returns a short text that says in which respect the two statements contradict each other.
func (e Evidence) About() string {
	first, second := Describe(e.First), Describe(e.Second)
	text := first.Type
	if first.View != nil {
		text += fmt.Sprintf(" view %d", *first.View)
	}
	if first.Seq != nil {
		text += fmt.Sprintf(" seq %d", *first.Seq)
	}
	if first.Digest == nil || second.Digest == nil {
		return text + ": two different ones"
	}
	return fmt.Sprintf("%s: digests %x and %x", text, first.Digest[:6], second.Digest[:6])
}
