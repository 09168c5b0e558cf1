package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// fingerprintDomain separates this hash from every other one in the system.
const fingerprintDomain = "tagma/cluster/1"

// Fingerprint is a hash over everything in the file that changes what replicas do: id, epoch, machine, keys, clients
// and protocol parameters with their defaults. Addresses, names and the order of clients are left out: they may be
// edited on one replica after the other.
func (f *File) Fingerprint() [32]byte {
	var b []byte
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	text := func(s string) { number(int64(len(s))); b = append(b, s...) }
	keys := func(ks []Key) {
		number(int64(len(ks)))
		for _, k := range ks {
			b = append(b, k[:]...)
		}
	}
	text(fingerprintDomain)
	b = append(b, f.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, f.Epoch)
	text(f.Machine)
	replicas := make([]Key, len(f.Replicas))
	for i, r := range f.Replicas {
		replicas[i] = r.Key
	}
	keys(replicas)
	clients := make([]Key, len(f.Clients))
	for i, c := range f.Clients {
		clients[i] = c.Key
	}
	slices.SortFunc(clients, func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
	keys(clients)
	for _, s := range f.Protocol.WithDefaults().settings() {
		text(s.name)
		number(s.value)
	}
	return sha256.Sum256(b)
}
