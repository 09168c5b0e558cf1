package inspect

import (
	"fmt"
	"strings"

	"tagma/internal/terminal"
	"tagma/pbft/wire"
)

// Record is one record of a journal, as it is printed.
type Record struct {
	Segment string     `json:"segment"`
	Kind    string     `json:"record"`
	Type    string     `json:"type,omitempty"` // of the message in it
	View    *wire.View `json:"view,omitempty"`
	Seq     *wire.Seq  `json:"seq,omitempty"`
	Digest  string     `json:"digest,omitempty"` // full, hex
	Note    string     `json:"note,omitempty"`
	Bytes   int        `json:"bytes"`

	Requests []Request `json:"requests,omitempty"` // of the batch, in order

	text string // as wire.FormatRecord writes it
}

// Request names a request of a batch.
type Request struct {
	Request string       `json:"request"` // digest, hex
	Client  string       `json:"client"`  // key, hex
	Session wire.Session `json:"session"`
	Number  uint64       `json:"number"`
}

// describe decodes a record.
func describe(data []byte) (Record, error) {
	record, err := wire.DecodeRecord(data)
	if err != nil {
		return Record{}, err
	}
	e := Record{Bytes: len(data), text: wire.FormatRecord(record)}
	switch r := record.(type) {
	case *wire.Head:
		e.Kind, e.View = "head", &r.View
		e.Note = fmt.Sprintf("replica %d, epoch %d, cluster %s, %s", r.Self, r.Epoch, r.Cluster, activity(r.Active))
		if r.Life != (wire.Life{}) {
			e.Note += ", life " + r.Life.String()
		}
	case *wire.Sent:
		e.Kind = "sent"
		e.statement(r.Msg)
	case *wire.Accepted:
		e.Kind = "accepted"
		e.statement(r.PrePrepare)
	case *wire.Fetched:
		digest := r.Body.Digest()
		e.Kind, e.Type = "fetched", "body"
		e.body(r.Body)
		e.at(nil, &r.Seq, &digest)
	case *wire.Prepared:
		e.Kind, e.Type = "prepared", "certificate"
		e.at(&r.Cert.View, &r.Cert.Seq, &r.Cert.Digest)
	case *wire.Certified:
		e.Kind, e.Type = "certified", "certificate"
		e.body(r.Body)
		e.at(&r.Cert.View, &r.Cert.Seq, &r.Cert.Digest)
	case *wire.Committed:
		e.Kind, e.Type = "committed", "certificate"
		e.at(&r.Cert.View, &r.Cert.Seq, &r.Cert.Digest)
	case *wire.Stable:
		e.Kind, e.Type = "stable", "certificate"
		e.at(nil, &r.Cert.Seq, &r.Cert.Digest)
	case *wire.Activated:
		e.Kind = "activated"
		e.statement(r.NewView)
	case *wire.Recovering:
		e.Kind = "recovering"
		e.at(&r.View, &r.Until, nil)
		e.Note = "silent until that sequence number, votes from that view, life " + r.Life.String()
	case *wire.Installed:
		e.Kind, e.Type, e.Note = "installed", "certificate", "a state that others gave"
		e.at(nil, &r.Cert.Seq, &r.Cert.Digest)
	case *wire.Void:
		e.Kind, e.Note = "void", "own states that were given up"
		if r.Wrong {
			e.Note = "own states that were given up; the present one is wrong"
		}
		e.at(nil, &r.Until, nil)
	case *wire.Witness:
		e.Kind, e.Type = "witness", r.Said.Type.String()
		e.at(&r.Said.View, &r.Said.Seq, nil)
		e.Note = fmt.Sprintf("said by replica %d", r.Replica)
	case *wire.Early:
		e.Kind, e.Note = "early", "votes may leave before they are durable"
	case *wire.Clean:
		e.Kind, e.Note = "clean", "nothing that was signed is missing up to here"
	}
	return e, nil
}

// statement describes a signed message. Only durable ones occur.
func (e *Record) statement(m wire.Message) {
	e.Type = wire.TypeOf(m).String()
	switch m := m.(type) {
	case *wire.PrePrepare:
		e.at(&m.View, &m.Seq, &m.Digest)
		if m.Body != nil {
			e.body(m.Body)
		}
	case *wire.Prepare:
		e.at(&m.View, &m.Seq, &m.Digest)
	case *wire.Commit:
		e.at(&m.View, &m.Seq, &m.Digest)
	case *wire.Checkpoint:
		e.at(nil, &m.Seq, &m.Digest)
	case *wire.ViewChange:
		e.at(&m.View, nil, nil)
		e.Note = fmt.Sprintf("stable %d, %d prepared above it", m.Stable.Seq, len(m.Prepared))
	case *wire.NewView:
		e.at(&m.View, nil, nil)
		e.Note = fmt.Sprintf("%d view changes, %d proposals", len(m.ViewChanges), len(m.Proposals))
	default:
		e.Note = "unexpected here"
	}
}

func (e *Record) at(view *wire.View, seq *wire.Seq, digest *wire.Digest) {
	e.View, e.Seq = view, seq
	if digest != nil {
		e.Digest = fmt.Sprintf("%x", digest[:])
	}
}

// line is the record in words, for people.
func (e *Record) line() string {
	return strings.TrimRight(fmt.Sprintf("%-48s %6d B  %s", e.text, e.Bytes, e.Note), " ")
}

func activity(active bool) string {
	if active {
		return "active"
	}
	return "changing views"
}

// body tells what a batch consists of.
func (e *Record) body(b *wire.Body) {
	if b.IsNull() {
		e.Note = "null request"
		return
	}
	e.Note = terminal.Count(len(b.Requests), "request")
	for _, r := range b.Requests {
		digest := r.Digest()
		e.Requests = append(e.Requests, Request{
			Request: fmt.Sprintf("%x", digest[:]), Client: fmt.Sprintf("%x", r.ID.Client[:]), Session: r.ID.Session, Number: r.ID.T,
		})
	}
}
