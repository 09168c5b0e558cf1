package kvtext

import (
	"fmt"
	"io"

	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

// Outcome is the result of a transaction. Its JSON is what `tagma txn --json` prints.
type Outcome struct {
	Succeeded bool     `json:"succeeded"` // all compares held
	Revision  uint64   `json:"revision"`  // revision of the store after the transaction
	Seq       uint64   `json:"seq"`       // sequence number of the batch that executed it
	Results   []Result `json:"results"`   // results of the executed operations, in order
}

// Result is the result of one operation: pairs for a read, the number of deleted keys for a delete.
type Result struct {
	Operation string  `json:"operation"`
	Pairs     *[]Pair `json:"pairs,omitempty"`
	More      bool    `json:"more,omitempty"` // the range has more pairs than the limits allowed
	Deleted   *uint64 `json:"deleted,omitempty"`
}

// Outcome decodes the cluster's result of the transaction's operation; seq is the sequence number of its batch.
func (t *Txn) Outcome(output []byte, seq uint64) (*Outcome, error) {
	r, err := kv.DecodeTxn(output)
	if err != nil {
		return nil, err
	}
	executed := t.orElse
	if r.Succeeded {
		executed = t.then
	}
	if len(r.Results) != len(executed) {
		return nil, fmt.Errorf("%d results of %d operations: %w", len(r.Results), len(executed), kv.ErrResult)
	}
	out := &Outcome{Succeeded: r.Succeeded, Revision: r.Revision, Seq: seq, Results: []Result{}}
	for i, op := range executed {
		one, err := op.result(r.Results[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.verb, err)
		}
		out.Results = append(out.Results, one)
	}
	return out, nil
}

func (op *operation) result(result []byte) (Result, error) {
	out := Result{Operation: op.verb}
	switch op.verb {
	case "put":
		_, err := kv.DecodePut(result)
		return out, err
	case "get":
		got, err := kv.DecodeGet(result)
		pairs := []Pair{}
		if got.Pair != nil {
			pairs = append(pairs, PairOf(got.Pair))
		}
		out.Pairs = &pairs
		return out, err
	case "prefix", "range":
		got, err := kv.DecodeRange(result)
		pairs := []Pair{}
		for i := range got.Pairs {
			pairs = append(pairs, PairOf(&got.Pairs[i]))
		}
		out.Pairs, out.More = &pairs, got.More
		return out, err
	}
	gone, err := kv.DecodeDeleteRange(result)
	out.Deleted = &gone.Deleted
	return out, err
}

// Print writes the outcome for people: one line for the transaction, and one or more for each operation.
func (o *Outcome) Print(w io.Writer) error {
	verdict := "failed"
	if o.Succeeded {
		verdict = "succeeded"
	}
	if err := terminal.Say(w, "%s rev %d\n", verdict, o.Revision); err != nil {
		return err
	}
	for i := range o.Results {
		if err := o.Results[i].print(w); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) print(w io.Writer) error {
	switch {
	case r.Deleted != nil:
		return terminal.Say(w, "deleted %d\n", *r.Deleted)
	case r.Pairs == nil:
		return terminal.Say(w, "OK\n")
	}
	for i := range *r.Pairs {
		if err := (*r.Pairs)[i].Print(w); err != nil {
			return err
		}
	}
	if r.More {
		return terminal.Say(w, "(more)\n")
	}
	return nil
}

// Pair is a key with everything that the machine stores about it. PairOf makes one.
type Pair struct {
	Line
	CreateRevision uint64 `json:"create_revision"`
	ModRevision    uint64 `json:"mod_revision"`
	Version        uint64 `json:"version"`

	key, value []byte
}

// PairOf makes a Pair of a pair from the machine.
func PairOf(p *kv.KeyValue) Pair {
	return Pair{
		Line: LineOf(p.Key, p.Value), CreateRevision: p.CreateRevision, ModRevision: p.ModRevision, Version: p.Version,
		key: p.Key, value: p.Value,
	}
}

// Print writes KEY<TAB>VALUE, byte for byte.
func (p *Pair) Print(w io.Writer) error { return terminal.Say(w, "%s\t%s\n", p.key, p.value) }
