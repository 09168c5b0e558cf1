package pbft

import (
	"fmt"
	"strings"

	"tagma/pbft/wire"
)

// message writes a message in a line, and names the batches that it brings by what is in them.
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

// batch writes what is in a body and remembers its name.
func (t *trace) batch(b *wire.Body) string {
	var ops []string
	for _, r := range b.Requests {
		ops = append(ops, string(r.Ops[0]))
	}
	if t.names == nil {
		t.names = wire.Names{}
	}
	t.names[b.Digest()] = fmt.Sprintf("%v{%s}", b.Digest(), strings.Join(ops, ","))
	return t.names.Digest(b.Digest())
}
