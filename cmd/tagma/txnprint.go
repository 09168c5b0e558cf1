package main

import (
	"fmt"
	"io"

	"tagma/client"
	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

// txnOutcome is what `tagma txn` prints as JSON.
type txnOutcome struct {
	Succeeded bool            `json:"succeeded"` // all compares held
	Revision  uint64          `json:"revision"`  // of the store, after it
	Seq       uint64          `json:"seq"`       // of the batch it was executed in
	Results   []txnOpsOutcome `json:"results"`   // of the operations that were executed, in order
}

// txnOpsOutcome is one operation's result: of a read its pairs, of a delete how many keys it deleted.
type txnOpsOutcome struct {
	Operation string  `json:"operation"`
	Pairs     *[]pair `json:"pairs,omitempty"`
	More      bool    `json:"more,omitempty"` // the range holds more than the limits let through
	Deleted   *uint64 `json:"deleted,omitempty"`
}

func (t *txnText) outcome(result *client.Result) (*txnOutcome, error) {
	r, err := kv.DecodeTxn(result.Output())
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
	out := &txnOutcome{Succeeded: r.Succeeded, Revision: r.Revision, Seq: result.Seq, Results: []txnOpsOutcome{}}
	for i, op := range executed {
		one, err := op.outcome(r.Results[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.verb, err)
		}
		out.Results = append(out.Results, one)
	}
	return out, nil
}

func (op *txnOp) outcome(result []byte) (txnOpsOutcome, error) {
	out := txnOpsOutcome{Operation: op.verb}
	switch op.verb {
	case "put":
		_, err := kv.DecodePut(result)
		return out, err
	case "get":
		got, err := kv.DecodeGet(result)
		pairs := []pair{}
		if got.Pair != nil {
			pairs = append(pairs, pairOf(got.Pair))
		}
		out.Pairs = &pairs
		return out, err
	case "prefix", "range":
		got, err := kv.DecodeRange(result)
		pairs := []pair{}
		for i := range got.Pairs {
			pairs = append(pairs, pairOf(&got.Pairs[i]))
		}
		out.Pairs, out.More = &pairs, got.More
		return out, err
	}
	gone, err := kv.DecodeDeleteRange(result)
	out.Deleted = &gone.Deleted
	return out, err
}

func (o *txnOutcome) print(w io.Writer) error {
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

func (o *txnOpsOutcome) print(w io.Writer) error {
	switch {
	case o.Deleted != nil:
		return terminal.Say(w, "deleted %d\n", *o.Deleted)
	case o.Pairs == nil:
		return terminal.Say(w, "OK\n")
	}
	for _, p := range *o.Pairs {
		if err := terminal.Say(w, "%s\t%s\n", p.key, p.value); err != nil {
			return err
		}
	}
	if o.More {
		return terminal.Say(w, "(more)\n")
	}
	return nil
}
