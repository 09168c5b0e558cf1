package flood

import (
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	"tagma/crypto"
	"tagma/internal/node"
	"tagma/statemachine/kv"
	"tagma/testnet/assault"
	"tagma/testnet/byzantine"
)

// Who attacks.
const (
	AsClient   = "client"   // with a registered key of its own
	AsReplica  = "replica"  // with the key of a backup, beside that replica
	AsOutsider = "outsider" // with a key that nobody knows
)

// backup is the replica whose key an attacker has: the last one, a backup while no view changes.
const backup = replicas - 1

// Assault is a misbehaviour to measure beside the floods, or instead of them.
type Assault struct {
	As     string
	Choice byzantine.Choice
}

// Check says what is wrong with an assault.
func (a *Assault) Check() error {
	switch {
	case a.As == AsClient:
		return byzantine.CheckClient(a.Choice, replicas)
	case a.As != AsReplica && a.As != AsOutsider:
		return &byzantine.UnknownError{What: "attacker", Name: a.As, Known: []string{AsClient, AsReplica, AsOutsider}}
	case !assault.OnLinks(a.Choice):
		return fmt.Errorf("a %s can attack links only: with exhaust or malformed, not %q", a.As, a.Choice.Name)
	}
	return byzantine.Check(a.Choice, replicas)
}

// Told is what one assault did.
type Told struct {
	As        string        `json:"as"`
	Behaviour string        `json:"behaviour"`
	Tally     assault.Tally `json:"tally"`
}

// assaults begins those that were asked for.
func (r *run) assaults() (*siege, error) {
	s := &siege{}
	for i, wanted := range r.Assaults {
		key, err := r.keyOf(wanted.As, 1+r.Honest+r.Valid+r.Invalid+i)
		if err != nil {
			return s, err
		}
		a, err := assault.Start(assault.Options{
			File: r.cluster.File, Key: key, Choice: wanted.Choice,
			Operation: func(n uint64) []byte { return kv.Put(fmt.Appendf(nil, "attack/%d/%d", i, n), make([]byte, valueBytes)) },
		})
		if err != nil {
			return s, err
		}
		s.attackers = append(s.attackers, a)
		s.told = append(s.told, Told{As: wanted.As, Behaviour: wanted.Choice.Name})
	}
	return s, nil
}

func (r *run) keyOf(as string, client int) (*crypto.PrivateKey, error) {
	switch as {
	case AsReplica:
		return crypto.ReadKey(filepath.Join(r.cluster.Home(backup), node.KeyFile))
	case AsOutsider:
		return crypto.Generate(cryptorand.Reader)
	default:
		return crypto.ReadKey(r.cluster.ClientKey(client))
	}
}

// siege is all assaults together.
type siege struct {
	attackers []*assault.Attacker
	told      []Told
}

// end stops them and tells what they were.
func (s *siege) end() ([]Told, error) {
	var errs []error
	for i, a := range s.attackers {
		tally, err := a.Stop()
		s.told[i].Tally = tally
		errs = append(errs, err)
	}
	s.attackers = nil
	return s.told, errors.Join(errs...)
}
