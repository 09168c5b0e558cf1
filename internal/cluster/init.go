package cluster

import (
	"cmp"
	cryptorand "crypto/rand"
	"fmt"
	"io"
	"net/netip"

	"tagma/crypto"
	"tagma/internal/machines"
)

// The transports of [InitOptions]. A replica may have addresses of both; the first that works is dialled.
const (
	TCP  = "tcp"
	QUIC = "quic"
)

// InitOptions says what cluster to make.
type InitOptions struct {
	Replicas  int      // 4 or more
	Hosts     []string // IP addresses or DNS names: one for all replicas, or one each; none: 127.0.0.1
	BasePort  int      // the first replica of a host has this port, the second one the next, …
	Transport string   // of the addresses: TCP or QUIC; "": TCP
	Clients   []string // names of the clients to register
	Machine   string   // the replicated state machine; "": kv
	Protocol  Protocol

	Rand io.Reader // where id and keys come from; nil: the operating system. Reproducible tests give another one.
}

// Fresh is a new cluster: the file that all share, and everybody's private key.
type Fresh struct {
	File     *File
	Replicas []*crypto.PrivateKey // by replica number
	Clients  []*crypto.PrivateKey // in the order of File.Clients
}

// Init makes a cluster in memory, with a random id and new keys.
func Init(o InitOptions) (*Fresh, error) {
	addresses, err := plan(o)
	if err != nil {
		return nil, err
	}
	random := o.Rand
	if random == nil {
		random = cryptorand.Reader
	}
	f := &File{Format: Format, Machine: cmp.Or(o.Machine, machines.KV), Protocol: o.Protocol}
	if _, err := io.ReadFull(random, f.ID[:]); err != nil {
		return nil, fmt.Errorf("choose a cluster id: %w", err)
	}
	fresh := &Fresh{File: f}
	for i, a := range addresses {
		key, err := crypto.Generate(random)
		if err != nil {
			return nil, fmt.Errorf("make the key of replica %d: %w", i, err)
		}
		fresh.Replicas = append(fresh.Replicas, key)
		f.Replicas = append(f.Replicas, Replica{ID: i, Key: key.Public(), Addresses: []string{a}})
	}
	for _, name := range o.Clients {
		key, err := crypto.Generate(random)
		if err != nil {
			return nil, fmt.Errorf("make the key of client %q: %w", name, err)
		}
		fresh.Clients = append(fresh.Clients, key)
		f.Clients = append(f.Clients, Client{Name: name, Key: key.Public()})
	}
	if err := f.validate(); err != nil {
		return nil, located("to be made", err)
	}
	return fresh, nil
}

// plan gives every replica one address.
func plan(o InitOptions) ([]string, error) {
	hosts := o.Hosts
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	if len(hosts) != 1 && len(hosts) != o.Replicas {
		return nil, fmt.Errorf("%d hosts for %d replicas; give one host for all or one for each", len(hosts), o.Replicas)
	}
	if o.Replicas < 4 {
		return nil, fmt.Errorf("%d replicas cannot mask a faulty one; a cluster has at least 4", o.Replicas)
	}
	format, known := map[string]string{"": "/tcp/%d", TCP: "/tcp/%d", QUIC: "/udp/%d/quic-v1"}[o.Transport]
	if !known {
		return nil, fmt.Errorf("transport %q is not known; use %q or %q", o.Transport, TCP, QUIC)
	}
	used := make(map[string]int)
	addresses := make([]string, o.Replicas)
	for i := range addresses {
		host := hosts[i%len(hosts)]
		port := o.BasePort + used[host]
		used[host]++
		if port < 1 || port > 65535 {
			return nil, fmt.Errorf("port %d for replica %d is outside 1 to 65535; choose another base port", port, i)
		}
		addresses[i] = hostPart(host) + fmt.Sprintf(format, port)
	}
	return addresses, nil
}

func hostPart(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "/dns/" + host
	case ip.Is4():
		return "/ip4/" + host
	default:
		return "/ip6/" + host
	}
}
