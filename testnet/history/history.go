// Package history writes clients' histories: it converts operations of the models in package check to operations of the
// machines, and results of the machines to results of the models.
//
// It also knows which operations of a machine cost much, for malicious clients. It owns this translation for every
// engine, so that a history of a simulation and one of processes are judged alike. It must not judge anything itself.
package history

import (
	"bytes"
	"errors"
	"fmt"

	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
)

// Encode returns the operation in its machine's encoding. An unknown kind is a mistake of the caller, and panics.
func Encode(op *check.Op) []byte {
	key := []byte(op.Key)
	switch op.Kind {
	case check.Put:
		return kv.Put(key, []byte(op.Value))
	case check.Get:
		return kv.Get(key)
	case check.Delete:
		return kv.Delete(key)
	case check.Txn:
		return kv.Txn(conditions(op.If), encodeAll(op.Then), encodeAll(op.Else))
	case check.Revert:
		return kv.Revert(key, op.Amount)
	case check.Open:
		return bank.Open(op.Key, op.Amount)
	case check.Transfer:
		return bank.Transfer(op.Key, op.To, op.Amount)
	case check.Balance:
		return bank.Balance(op.Key)
	case check.Audit:
		return bank.Audit()
	default:
		panic(fmt.Sprintf("history: no such operation: %q", op.Kind))
	}
}

// ReadOnly reports whether an operation changes nothing, whatever the state.
func ReadOnly(op *check.Op) bool {
	switch op.Kind {
	case check.Get, check.Balance, check.Audit:
		return true
	default:
		return false
	}
}

func conditions(all []check.Cond) []kv.Compare {
	compares := make([]kv.Compare, len(all))
	for i, c := range all {
		if compares[i] = kv.Value([]byte(c.Key), kv.Equal, []byte(c.Value)); c.Absent {
			compares[i] = kv.Version([]byte(c.Key), kv.Equal, 0)
		}
	}
	return compares
}

func encodeAll(ops []check.Op) [][]byte {
	all := make([][]byte, len(ops))
	for i := range ops {
		all[i] = Encode(&ops[i])
	}
	return all
}

// Decode converts the result of an operation. It returns an error if no model has such a result: then the machine
// failed, or refused what it should not refuse.
func Decode(op *check.Op, result []byte) (check.Out, error) {
	switch op.Kind {
	case check.Put:
		_, err := kv.DecodePut(result)
		return check.Out{}, err
	case check.Get:
		got, err := kv.DecodeGet(result)
		if err != nil || got.Pair == nil {
			return check.Out{}, err
		}
		return check.Out{Found: true, Value: string(bytes.Clone(got.Pair.Value)), Version: got.Pair.Version}, nil
	case check.Delete:
		got, err := kv.DecodeDeleteRange(result)
		return check.Out{Found: got.Deleted > 0}, err
	case check.Txn:
		return decodeTxn(op, result)
	case check.Revert:
		got, err := kv.DecodeRevert(result)
		return check.Out{Found: got.Deleted > 0}, err
	case check.Open:
		got, err := bank.DecodeOpen(result)
		return refused(check.Out{Balance: got.Balance}, err)
	case check.Transfer:
		got, err := bank.DecodeTransfer(result)
		return refused(check.Out{Balance: got.From, Other: got.To}, err)
	case check.Balance:
		got, err := bank.DecodeBalance(result)
		return refused(check.Out{Balance: got.Balance}, err)
	case check.Audit:
		got, err := bank.DecodeAudit(result)
		if err == nil && got.Sum != got.Supply {
			err = fmt.Errorf("the bank minted %d and holds %d", got.Supply, got.Sum)
		}
		return check.Out{Balance: got.Sum, Other: got.Accounts}, err
	default:
		return check.Out{}, fmt.Errorf("no such operation: %q", op.Kind)
	}
}

func decodeTxn(op *check.Op, result []byte) (check.Out, error) {
	got, err := kv.DecodeTxn(result)
	if err != nil {
		return check.Out{}, err
	}
	out, branch := check.Out{Held: got.Succeeded}, op.Else
	if got.Succeeded {
		branch = op.Then
	}
	if len(branch) != len(got.Results) {
		return out, fmt.Errorf("a transaction of %d operations has %d results", len(branch), len(got.Results))
	}
	for i := range branch {
		one, err := Decode(&branch[i], got.Results[i])
		if err != nil {
			return out, fmt.Errorf("operation %d of a transaction: %w", i, err)
		}
		out.Outs = append(out.Outs, one)
	}
	return out, nil
}

// refused converts a refusal of the bank that its model has, too.
func refused(out check.Out, err error) (check.Out, error) {
	var code bank.Code
	if !errors.As(err, &code) {
		return out, err
	}
	switch code {
	case bank.AccountExists:
		return check.Out{Refused: check.AccountExists}, nil
	case bank.NoAccount:
		return check.Out{Refused: check.NoAccount}, nil
	case bank.NoRecipient:
		return check.Out{Refused: check.NoRecipient}, nil
	case bank.Insufficient:
		return check.Out{Refused: check.Insufficient}, nil
	default:
		return out, err
	}
}
