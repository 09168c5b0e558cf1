package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"tagma/internal/machines"
	"tagma/internal/strict"
	"tagma/testnet/check"
	"tagma/testnet/history"
)

// Operation is an operation of a client, written like "c0:1 put k a": client c0, its request 1.
type Operation struct {
	Client int
	T      uint64 // number of the request; 0: the client's next one
	Words  []string
}

func (o Operation) String() string {
	number := ""
	if o.T > 0 {
		number = strconv.FormatUint(o.T, 10)
	}
	return fmt.Sprintf("c%d:%s %s", o.Client, number, strings.Join(o.Words, " "))
}

// parseOperation reads "c0:1 put k a" or "c0: put k a", of a client of the workload.
func (s *Scenario) parseOperation(v any) (o Operation, err error) {
	text, ok := v.(string)
	if !ok {
		return o, strict.ErrKind
	}
	who, what, ok := strings.Cut(text, " ")
	client, number, colon := strings.Cut(who, ":")
	digits, c := strings.CutPrefix(client, "c")
	if o.Client, err = strconv.Atoi(digits); !ok || !colon || !c || err != nil || o.Client < 0 {
		return o, fmt.Errorf("%q begins with no client; write it like \"c0:1 put k a\"", text)
	}
	if number != "" {
		if o.T, err = strconv.ParseUint(number, 10, 63); err != nil || o.T == 0 {
			return o, fmt.Errorf("%q: requests of a client are numbered from 1", text)
		}
	}
	o.Words = strings.Fields(what)
	if o.Encode(s.Machine) == nil {
		return o, fmt.Errorf("%q is no operation of the %s machine; there is %s", text, s.Machine, verbs[s.Machine])
	}
	if o.Client >= s.Workload.Clients {
		return o, fmt.Errorf("there is no client c%d; there are c0 to c%d", o.Client, s.Workload.Clients-1)
	}
	return o, nil
}

var verbs = map[string]string{
	machines.KV:   "put KEY VALUE, get KEY, delete KEY",
	machines.Bank: "open ACCOUNT AMOUNT, transfer FROM TO AMOUNT, balance ACCOUNT",
}

// Op is the operation in the terms of histories, false if the machine has no such operation.
func (o Operation) Op(machine string) (op check.Op, ok bool) {
	w, words, of := o.Words, 2, machines.KV
	if len(w) < words {
		return op, false
	}
	op = check.Op{Kind: check.Kind(w[0]), Key: w[1]}
	last := w[len(w)-1]
	var err error
	switch op.Kind {
	case check.Get, check.Delete:
	case check.Put:
		words, op.Value = 3, last
	case check.Balance:
		of = machines.Bank
	case check.Open:
		words, of = 3, machines.Bank
		op.Amount, err = strconv.ParseUint(last, 10, 63)
	case check.Transfer:
		words, of, op.To = 4, machines.Bank, w[min(2, len(w)-1)]
		op.Amount, err = strconv.ParseUint(last, 10, 63)
	default:
		return op, false
	}
	return op, machine == of && len(w) == words && err == nil
}

// Encode is the operation as the machine takes it, nil if the machine has no such operation.
func (o Operation) Encode(machine string) []byte {
	op, ok := o.Op(machine)
	if !ok {
		return nil
	}
	return history.Encode(&op)
}
