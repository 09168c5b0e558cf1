// Package machines knows which state machines a program has, by the names that cluster files use. It holds nothing but the
// list: what a machine does is its own package's.
package machines

import (
	"fmt"
	"strings"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// The names of the machines that ship.
const (
	KV   = kv.MachineName
	Bank = bank.MachineName
)

// Machine is a machine that a program has.
type Machine struct {
	Name string
	// New makes one with so many sequence numbers of history, see CheckHistory. Every replica, and every instance of one
	// that starts anew, has a machine of its own.
	New func(history int) statemachine.Machine
}

// Set is what a program has, in the order in which it is listed. A cluster file may name a machine that is not in it.
type Set []Machine

// Shipped are those of cmd/tagma.
var Shipped = Set{
	{KV, func(history int) statemachine.Machine { return kv.Machine{History: uint64(history)} }},
	{Bank, func(int) statemachine.Machine { return bank.Machine{} }},
}

// Names lists them.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, m := range s {
		names[i] = m.Name
	}
	return names
}

// Check reports that a machine is missing, and which there are.
func (s Set) Check(name string) error {
	if s.find(name) != nil {
		return nil
	}
	return fmt.Errorf("there is no state machine %q in this program; use \"%s\"", name, strings.Join(s.Names(), `" or "`))
}

// New makes the machine that a cluster file calls name, with so many sequence numbers of history.
func (s Set) New(name string, history int) (statemachine.Machine, error) {
	if err := s.Check(name); err != nil {
		return nil, err
	}
	if err := CheckHistory(name, history); err != nil {
		return nil, err
	}
	return s.find(name).New(history), nil
}

// FirstVersion is the version of the state with which a new cluster of a machine begins; 0 if that has none.
func (s Set) FirstVersion(name string) int {
	m := s.find(name)
	if m == nil {
		return 0
	}
	return statemachine.FirstVersion(m.New(0))
}

func (s Set) find(name string) *Machine {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// nameBytes bounds a name.
const nameBytes = 64

// CheckName reports why a cluster file cannot call a machine so. It may be one that this program does not have: clients
// and tools need none.
func CheckName(name string) error {
	odd := strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
	if name == "" || len(name) > nameBytes || odd >= 0 {
		return fmt.Errorf("%q is no name of a machine; use 1 to %d letters, digits, dots, dashes and underscores", name, nameBytes)
	}
	return nil
}

// CheckHistory reports why a machine cannot have so many sequence numbers of history. Every one can have none, 0.
func CheckHistory(name string, history int) error {
	switch {
	case history < 0:
		return fmt.Errorf("%d is negative; leave it out for no history", history)
	case history > 0 && name != KV:
		return fmt.Errorf("the machine %s keeps no history of this kind; leave it out", name)
	}
	return nil
}
