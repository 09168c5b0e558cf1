package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"tagma/internal/machines"
	"tagma/internal/strict"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
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

// Encode is the operation as the machine takes it, nil if the machine has no such operation.
func (o Operation) Encode(machine string) []byte {
	w := o.Words
	if len(w) == 0 {
		return nil
	}
	is := func(verb string, words int) bool { return w[0] == verb && len(w) == words+1 }
	amount, err := strconv.ParseUint(w[len(w)-1], 10, 63)
	switch {
	case machine == machines.KV && is("put", 2):
		return kv.Put([]byte(w[1]), []byte(w[2]))
	case machine == machines.KV && is("get", 1):
		return kv.Get([]byte(w[1]))
	case machine == machines.KV && is("delete", 1):
		return kv.Delete([]byte(w[1]))
	case machine == machines.Bank && is("open", 2) && err == nil:
		return bank.Open(w[1], amount)
	case machine == machines.Bank && is("balance", 1):
		return bank.Balance(w[1])
	case machine == machines.Bank && is("transfer", 3) && err == nil:
		return bank.Transfer(w[1], w[2], amount)
	default:
		return nil
	}
}
