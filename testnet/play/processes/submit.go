package processes

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"tagma/testnet/check"
	"tagma/testnet/scenario"
)

// submit has clients submit operations, each on its own.
func (l *load) submit(ops []scenario.Operation) error {
	var errs []error
	for _, o := range ops {
		if l.sessions[o.Client] == nil {
			errs = append(errs, fmt.Errorf("%v: client c%d is malicious and takes no operations", o, o.Client))
			continue
		}
		op, err := meant(o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l.mu.Lock()
		l.counts.Submitted++
		l.extra++
		l.flying++
		since := time.Since(l.began)
		l.mu.Unlock()
		l.workers.Go(func() { l.perform(o.Client, since, task{op: op}) })
	}
	return errors.Join(errs...)
}

// meant is an operation in the terms of histories.
func meant(o scenario.Operation) (check.Op, error) {
	op := check.Op{Kind: check.Kind(o.Words[0]), Key: o.Words[1]}
	last := o.Words[len(o.Words)-1]
	switch op.Kind {
	case check.Put:
		op.Value = last
	case check.Transfer:
		op.To = o.Words[2]
	default: // has nothing but a key, or an amount
	}
	if op.Kind == check.Open || op.Kind == check.Transfer {
		amount, err := strconv.ParseUint(last, 10, 63)
		if err != nil {
			return op, fmt.Errorf("%v: %q is no amount", o, last)
		}
		op.Amount = amount
	}
	return op, nil
}
