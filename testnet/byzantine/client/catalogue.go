package client

import (
	"fmt"
	"slices"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// catalogue is sorted by name.
var catalogue = []tamper.Behaviour{
	absurdSessions, clientEquivocation, clientFlood, exhaustClient, malformedClient, partialClient,
}

// Catalogue lists all behaviours of clients by name.
func Catalogue() []tamper.Behaviour { return slices.Clone(catalogue) }

// New makes a malicious client.
func New(c tamper.Choice, cfg Config, sign tamper.Sign) (Client, error) {
	made, err := tamper.Make(catalogue, "behaviour of clients", c,
		&wire.Config{Members: make([]wire.PublicKey, cfg.Replicas), ViewTimeout: cfg.ViewTimeout})
	if err != nil {
		return nil, err
	}
	client := made.(interface {
		Client
		take(Config, tamper.Sign)
		ready() error
	})
	client.take(cfg, sign)
	if err := client.ready(); err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return client, nil
}
