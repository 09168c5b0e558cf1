package cluster

import (
	"fmt"

	"tagma/pbft/wire"
)

// Config is the protocol's configuration of replica self: defaults filled in, everything checked.
func (f *File) Config(self int) (wire.Config, error) {
	if err := f.validate(); err != nil {
		return wire.Config{}, located("in memory", err)
	}
	if self < 0 || self >= len(f.Replicas) {
		return wire.Config{}, fmt.Errorf("replica %d is not in the cluster file, which has 0 to %d", self, len(f.Replicas)-1)
	}
	cfg := f.config(wire.ReplicaID(self))
	cfg.Client = f.admits()
	return cfg, nil
}

func (f *File) config(self wire.ReplicaID) wire.Config {
	cfg := f.Protocol.core().WithDefaults()
	cfg.Cluster, cfg.Epoch, cfg.Self = wire.Digest(f.ID), f.Epoch, self
	for _, r := range f.Replicas {
		cfg.Members = append(cfg.Members, r.Key.Public())
	}
	return cfg
}

// admits reports which keys may send requests: the registered ones (C1).
func (f *File) admits() func(wire.PublicKey) bool {
	registered := make(map[wire.PublicKey]bool, len(f.Clients))
	for _, c := range f.Clients {
		registered[c.Key.Public()] = true
	}
	return func(k wire.PublicKey) bool { return registered[k] }
}

// Replica finds the member with a public key, so that a home knows from its key alone which replica it is.
func (f *File) Replica(key [32]byte) (id int, found bool) {
	for i, r := range f.Replicas {
		if r.Key == key {
			return i, true
		}
	}
	return 0, false
}

// ClientName finds the name under which a client key is registered.
func (f *File) ClientName(key [32]byte) (name string, found bool) {
	for _, c := range f.Clients {
		if c.Key == key {
			return c.Name, true
		}
	}
	return "", false
}
