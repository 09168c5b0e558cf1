package local

import (
	"fmt"
	"path/filepath"

	"tagma/crypto"
	"tagma/internal/node"
	"tagma/testnet/assault"
	"tagma/testnet/byzantine"
)

// beside returns what a malicious replica's process does over links of its own, with the replica's key, beside an honest
// core: some behaviours are not about messages. It is nil for the others.
func beside(home *node.Home, c byzantine.Choice) (*assault.Dormant, error) {
	if !assault.OnLinks(c) {
		return nil, nil
	}
	key, err := crypto.ReadKey(filepath.Join(home.Dir, node.KeyFile))
	if err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return assault.NewDormant(assault.Options{File: home.Cluster, Key: key, Choice: c}), nil
}
