package processes

import (
	"context"
	"fmt"
	"slices"

	"tagma/crypto"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/assault"
	"tagma/testnet/scenario"
)

// rogue is a client that misbehaves, asleep until the scenario wakes it.
type rogue struct {
	name string
	*assault.Dormant
}

// hire makes the malicious clients.
func (r *run) hire() (all []rogue, err error) {
	for i := range r.s.Malicious {
		m := &r.s.Malicious[i]
		if m.Client == nil {
			continue
		}
		key, err := crypto.ReadKey(r.cluster.ClientKey(*m.Client))
		if err != nil {
			return all, fmt.Errorf("client %s: %w", m.Who(), err)
		}
		all = append(all, rogue{m.Who(), assault.NewDormant(assault.Options{
			File: r.cluster.File, Key: key, Choice: m.Choice, Operation: r.operations(m.Who()),
		})})
	}
	return all, nil
}

// operations makes what a malicious client has executed, apart from what others write.
func (r *run) operations(name string) func(n uint64) []byte {
	return func(n uint64) []byte {
		if r.s.Machine == bankMachine {
			return bank.Open(fmt.Sprintf("%s/%d", name, n), 0)
		}
		return kv.Put(fmt.Appendf(nil, "%s/rogue/%d", name, n), []byte("rogue"))
	}
}

// misuse wakes a malicious client, and stops it if it has an end.
func (r *run) misuse(m *scenario.Malicious) []*act {
	g := r.rogues[slices.IndexFunc(r.rogues, func(g rogue) bool { return g.name == m.Who() })]
	turn := func(on bool) func(context.Context) error {
		return func(context.Context) error { return g.Wake(on) }
	}
	begin := &act{
		what: fmt.Sprintf("%s: %s", m.Who(), m.Choice), line: m.Line, due: m.From, fault: true, late: true,
		proof: func() bool { return g.Acts() > 0 },
	}
	begin.do = r.announced(begin, turn(true))
	if m.Until == 0 {
		return []*act{begin}
	}
	end := &act{what: fmt.Sprintf("%s: the end of %s", m.Who(), m.Choice.Name), line: m.Line, due: m.Until, ends: true}
	end.do = r.announced(end, turn(false))
	return []*act{begin, end}
}
