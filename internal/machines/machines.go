// Package machines knows which state machines a program has, by the names in cluster files. It holds only this list:
// each machine has its own package.
package machines

import (
	"fmt"
	"strings"
	"time"

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
	// New makes a machine that keeps this history, see CheckHistory. It is called for every replica, and again whenever a
	// replica starts a new instance.
	New func(History) statemachine.Machine
}

// History says how much of its past a key-value machine keeps in its state. Zero fields do not count, and the shortest of
// the others does; without any it keeps none.
type History struct {
	Batches   int           // sequence numbers
	Revisions int           // from version 2 of the state on, like the fields below
	Age       time.Duration // by agreed time
	All       bool          // until somebody compacts
}

// Set is the list of a program's machines. A cluster file may name a machine that is not in it.
type Set []Machine

// Shipped are the machines of cmd/tagma.
var Shipped = Set{
	{KV, func(h History) statemachine.Machine { return KeyValue(h) }},
	{Bank, func(History) statemachine.Machine { return bank.Machine{} }},
}

// KeyValue is the key-value machine with a history.
func KeyValue(h History) kv.Machine {
	return kv.Machine{History: uint64(h.Batches), Keep: kv.Keep{Revisions: uint64(h.Revisions), Age: h.Age, All: h.All}}
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

// New makes the machine of this name with this history.
func (s Set) New(name string, history History) (statemachine.Machine, error) {
	if err := s.Check(name); err != nil {
		return nil, err
	}
	if _, err := CheckHistory(name, history); err != nil {
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
	return statemachine.FirstVersion(m.New(History{}))
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

// CheckHistory returns why a machine cannot have a history, and the setting of cluster files that says so. Every machine
// can have none.
func CheckHistory(name string, h History) (setting string, err error) {
	all := 0
	if h.All {
		all = 1
	}
	for _, s := range []struct {
		setting string
		value   int64
	}{{"history", int64(h.Batches)}, {"history_revisions", int64(h.Revisions)}, {"history_age", int64(h.Age)}, {"history_all", int64(all)}} {
		switch {
		case s.value < 0:
			return s.setting, fmt.Errorf("%d is negative; leave it out for no history", s.value)
		case s.value > 0 && name != KV:
			return s.setting, fmt.Errorf("the machine %s keeps no history of this kind; leave it out", name)
		}
	}
	return "", nil
}
