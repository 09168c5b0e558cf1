// Package machines knows the state machines that a cluster file can name. It holds nothing but the list: what a machine
// does is its own package's.
package machines

import (
	"fmt"

	"tagma/internal/cluster"
	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// ByName returns the machine that cluster.toml calls name.
func ByName(name string) (statemachine.Machine, error) {
	switch name {
	case cluster.MachineKV:
		return kv.Machine{}, nil
	case cluster.MachineBank:
		return bank.Machine{}, nil
	}
	return nil, fmt.Errorf("there is no state machine %q; use %q or %q", name, cluster.MachineKV, cluster.MachineBank)
}
