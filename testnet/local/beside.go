package local

import (
	"fmt"
	"path/filepath"
	"sync"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/node"
	"tagma/testnet/assault"
	"tagma/testnet/byzantine"
)

// beside is what a malicious replica's process does over links of its own, with the replica's key, beside an honest core:
// some behaviours are not about messages.
type beside struct {
	file   *cluster.File
	key    *crypto.PrivateKey
	choice byzantine.Choice

	mu       sync.Mutex
	attacker *assault.Attacker // nil while it sleeps
	past     int               // what it did when it was awake before
}

// newBeside returns nil for a behaviour that is about messages alone.
func newBeside(home *node.Home, c byzantine.Choice) (*beside, error) {
	if !assault.OnLinks(c) {
		return nil, nil
	}
	key, err := crypto.ReadKey(filepath.Join(home.Dir, node.KeyFile))
	if err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return &beside{file: home.Cluster, key: key, choice: c}, nil
}

// wake begins or ends the attack. It may be called on nil.
func (b *beside) wake(on bool) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if on == (b.attacker != nil) {
		return nil
	}
	if on {
		a, err := assault.Start(assault.Options{File: b.file, Key: b.key, Choice: b.choice})
		b.attacker = a
		return err
	}
	told, err := b.attacker.Stop()
	b.past += acts(told)
	b.attacker = nil
	return err
}

// lies counts what was done to others so far. It may be called on nil.
func (b *beside) lies() int {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.attacker == nil {
		return b.past
	}
	return b.past + acts(b.attacker.Told())
}

// acts sums up an attack: frames, and streams that were got or tried for.
func acts(t assault.Tally) int { return int(t.Frames + t.Streams + t.Refused) }
