package byzantine

import (
	"fmt"
	"slices"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// clientCatalogue is sorted by name.
var clientCatalogue = []Behaviour{
	absurdSessions, clientEquivocation, clientFlood, exhaustClient, malformedClient, partialClient,
}

// ClientBehaviours lists all behaviours of clients by name.
func ClientBehaviours() []Behaviour { return slices.Clone(clientCatalogue) }

// ParseClientChoice reads "name" or "name,parameter=value,…" of a client's behaviour. What does not exist is an
// *UnknownError.
func ParseClientChoice(text string) (Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		err = CheckClient(c, 0)
	}
	return c, err
}

// CheckClient judges a choice of a client's behaviour for a cluster of so many replicas; 0 if that is not known.
func CheckClient(c Choice, replicas int) error {
	_, err := NewClient(c, ClientConfig{Replicas: replicas}, nil)
	return err
}

// NewClient makes a malicious client.
func NewClient(c Choice, cfg ClientConfig, sign Sign) (Client, error) {
	made, err := tamper.Make(clientCatalogue, "behaviour of clients", c,
		&wire.Config{Members: make([]wire.PublicKey, cfg.Replicas), ViewTimeout: cfg.ViewTimeout})
	if err != nil {
		return nil, err
	}
	client := made.(interface {
		Client
		take(ClientConfig, Sign)
		ready() error
	})
	client.take(cfg, sign)
	if err := client.ready(); err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", c.Name, err)
	}
	return client, nil
}
