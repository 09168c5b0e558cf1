// Package machines knows which state machines a program has, by the names in cluster files. It holds only this list:
// each machine has its own package.
package machines

import (
	"fmt"
	"strings"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// The names of the machines that ship with Tagma.
const (
	KV   = kv.MachineName
	Bank = bank.MachineName
)

// Machine is a state machine that a program offers, under the name that cluster files use.
type Machine struct {
	Name string
	// New makes a machine that keeps a history of this many sequence numbers, see CheckHistory. It is called for
	// every replica, and again whenever a replica starts a new instance.
	New func(history int) statemachine.Machine
}

// Set is the list of a program's machines. A cluster file may name a machine that is not in it.
type Set []Machine

// Shipped are the machines of cmd/tagma.
var Shipped = Set{
	{KV, func(history int) statemachine.Machine { return kv.Machine{History: uint64(history)} }},
	{Bank, func(int) statemachine.Machine { return bank.Machine{} }},
}

// Names lists the names of the machines.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, m := range s {
		names[i] = m.Name
	}
	return names
}

// Check returns an error that names the existing machines if the named one is missing.
func (s Set) Check(name string) error {
	if s.find(name) != nil {
		return nil
	}
	return fmt.Errorf("there is no state machine %q in this program; use \"%s\"", name, strings.Join(s.Names(), `" or "`))
}

// New makes the machine of this name, with a history of this many sequence numbers.
func (s Set) New(name string, history int) (statemachine.Machine, error) {
	if err := s.Check(name); err != nil {
		return nil, err
	}
	if err := CheckHistory(name, history); err != nil {
		return nil, err
	}
	return s.find(name).New(history), nil
}

// FirstVersion is the version of the state with which a new cluster of this machine begins; 0 if the machine has no
// versions.
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

// nameBytes bounds the length of a name.
const nameBytes = 64

// CheckName returns why a machine cannot have this name in a cluster file. The program need not have the machine:
// clients and tools work without it.
func CheckName(name string) error {
	odd := strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
	if name == "" || len(name) > nameBytes || odd >= 0 {
		return fmt.Errorf("%q is no name of a machine; use 1 to %d letters, digits, dots, dashes and underscores", name, nameBytes)
	}
	return nil
}

// CheckHistory returns why this machine cannot keep a history of so many sequence numbers, or nil if it can. 0 stands
// for no history, which every machine allows.
func CheckHistory(name string, history int) error {
	switch {
	case history < 0:
		return fmt.Errorf("%d is negative; leave it out for no history", history)
	case history > 0 && name != KV:
		return fmt.Errorf("the machine %s keeps no history of this kind; leave it out", name)
	}
	return nil
}
