package inspect

import (
	"fmt"
	"strings"

	"tagma/pbft/wire"
)

// Record is one record of a journal, as it is printed.
type Record struct {
	Segment string     `json:"segment"`
	Kind    string     `json:"record"`
	Type    string     `json:"type,omitempty"` // of the message in it
	View    *wire.View `json:"view,omitempty"`
	Seq     *wire.Seq  `json:"seq,omitempty"`
	Digest  string     `json:"digest,omitempty"` // in full, as hex
	Note    string     `json:"note,omitempty"`
	Bytes   int        `json:"bytes"`

	Requests []Request `json:"requests,omitempty"` // of the batch, in order

	text string // as wire.ReadRecord returns it
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
	d, err := wire.ReadRecord(data)
	if err != nil {
		return Record{}, err
	}
	e := Record{Kind: d.Kind, Type: d.Type, View: d.View, Seq: d.Seq, Note: d.Note, Bytes: len(data), text: d.Text()}
	if d.Digest != nil {
		e.Digest = fmt.Sprintf("%x", d.Digest[:])
	}
	if d.Batch != nil {
		for _, r := range d.Batch.Requests {
			digest := r.Digest()
			e.Requests = append(e.Requests, Request{
				Request: fmt.Sprintf("%x", digest[:]), Client: fmt.Sprintf("%x", r.ID.Client[:]), Session: r.ID.Session, Number: r.ID.T,
			})
		}
	}
	return e, nil
}

// line describes the record in words, for people.
func (e *Record) line() string {
	return strings.TrimRight(fmt.Sprintf("%-48s %6d B  %s", e.text, e.Bytes, e.Note), " ")
}
