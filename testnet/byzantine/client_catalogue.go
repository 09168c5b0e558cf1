package byzantine

import (
	"fmt"

	"tagma/pbft"
)

// ClientBehaviour is one way for a client to misbehave.
type ClientBehaviour struct {
	Name       string
	Summary    string // one line
	Bound      string // what the cluster keeps up in spite of it, beside safety
	Parameters []Parameter

	build func(values, ClientConfig, Sign) (Client, error)
}

// clientCatalogue is sorted by name.
var clientCatalogue = []ClientBehaviour{
	absurdSessions, clientEquivocation, clientFlood, exhaustClient, malformedClient, partialClient,
}

// ClientBehaviours lists all behaviours of clients by name.
func ClientBehaviours() []ClientBehaviour { return append([]ClientBehaviour(nil), clientCatalogue...) }

// ParseClientChoice reads "name" or "name,parameter=value,…" of a client's behaviour. What does not exist is an
// *UnknownError.
func ParseClientChoice(text string) (Choice, error) {
	c, err := SplitChoice(text)
	if err == nil {
		err = CheckClient(c, 0)
	}
	return c, err
}

// CheckClient judges a choice of a client's behaviour for a cluster of so many replicas; 0 if that is not known.
func CheckClient(c Choice, replicas int) error {
	_, err := NewClient(c, ClientConfig{Replicas: replicas, ViewTimeout: pbft.DefaultViewTimeout}, nil)
	return err
}

// NewClient makes a malicious client.
func NewClient(c Choice, cfg ClientConfig, sign Sign) (Client, error) {
	var names []string
	for _, b := range clientCatalogue {
		if b.Name != c.Name {
			names = append(names, b.Name)
			continue
		}
		v, err := fill(c, b.Parameters)
		if err != nil {
			return nil, err
		}
		client, err := b.build(v, cfg, sign)
		if err != nil {
			return nil, fmt.Errorf("behaviour %s: %w", b.Name, err)
		}
		return client, nil
	}
	return nil, &UnknownError{What: "behaviour of clients", Name: c.Name, Known: names}
}

// protocol is what values are read with: the cluster's T and size, the latter only if it is known.
func (c *ClientConfig) protocol() *pbft.Config {
	return &pbft.Config{Members: make([]pbft.PublicKey, c.Replicas), ViewTimeout: c.ViewTimeout}
}
