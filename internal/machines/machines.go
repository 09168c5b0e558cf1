// Package machines knows the state machines that a cluster file can name. It holds nothing but the list: what a machine
// does is its own package's.
package machines

import (
	"fmt"
	"strings"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// The names that a cluster file uses.
const (
	KV   = "kv"
	Bank = "bank"
)

// Names lists them.
func Names() []string { return []string{KV, Bank} }

// ByName returns the machine that a cluster file calls name.
func ByName(name string) (statemachine.Machine, error) {
	switch name {
	case KV:
		return kv.Machine{}, nil
	case Bank:
		return bank.Machine{}, nil
	}
	return nil, fmt.Errorf("there is no state machine %q; use \"%s\"", name, strings.Join(Names(), `" or "`))
}
