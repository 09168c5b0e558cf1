package flood

import (
	"fmt"

	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/scenario"
)

// Who attacks.
const (
	AsClient   = "client"               // with a registered key of its own
	AsReplica  = scenario.KeyOfBackup   // with the key of a backup, beside that replica
	AsOutsider = scenario.KeyOfOutsider // with a key that nobody knows
)

const replicas = 4

// Assault is a misbehaviour to measure beside the floods, or instead of them.
type Assault struct {
	As     string
	Choice byzantine.Choice
}

// Check says what is wrong with an link.
func (a *Assault) Check() error {
	switch {
	case a.As == AsClient:
		return byzantine.CheckClient(a.Choice, replicas)
	case a.As != AsReplica && a.As != AsOutsider:
		return &byzantine.UnknownError{What: "attacker", Name: a.As, Known: []string{AsClient, AsReplica, AsOutsider}}
	case !link.OnLinks(a.Choice):
		return fmt.Errorf("a %s can attack links only: with exhaust or malformed, not %q", a.As, a.Choice.Name)
	}
	return byzantine.Check(a.Choice, replicas)
}
