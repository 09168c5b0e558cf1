package pbft

import (
	"fmt"
	"strings"
)

// message writes a message in a line, and names the batches that it brings by what is in them.
func (t *trace) message(m Message) string {
	switch m := m.(type) {
	case *PrePrepare:
		if m.Body != nil {
			t.batch(m.Body)
		}
	case *CertifiedBody:
		t.batch(m.Body)
	}
	return t.names.Message(m)
}

func (t *trace) record(r Record) string {
	switch r := r.(type) {
	case *Fetched:
		t.batch(r.Body)
	case *Certified:
		t.batch(r.Body)
	}
	return t.names.Record(r)
}

// batch writes what is in a body and remembers its name.
func (t *trace) batch(b *Body) string {
	var ops []string
	for _, r := range b.Requests {
		ops = append(ops, string(r.Ops[0]))
	}
	if t.names == nil {
		t.names = Names{}
	}
	t.names[b.Digest()] = fmt.Sprintf("%v{%s}", b.Digest(), strings.Join(ops, ","))
	return t.names.Digest(b.Digest())
}
