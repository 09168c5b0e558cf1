package cluster

import (
	"cmp"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"tagma/crypto"
	"tagma/internal/machines"
	"tagma/pbft/wire"
)

// The transports of [InitOptions]. A replica may have addresses of both; a peer uses the first one that works.
const (
	TCP  = "tcp"
	QUIC = "quic"
)

// InitOptions describe the cluster to make.
type InitOptions struct {
	Replicas  int      // 4 or more
	Hosts     []string // IP addresses or DNS names; one for all replicas, or one for each; none: 127.0.0.1
	BasePort  int      // port of the first replica of a host; each further one has the next port
	Transport string   // of the addresses: TCP or QUIC; "": TCP
	Clients   []string // names of the clients to register; the first one may take backups
	Admins    int      // administrators to register as further clients, under the names admin1, admin2, …
	Machine   string   // the replicated state machine; "": kv
	Protocol  Protocol

	// Before is the cluster with whose state this one begins, or nil. The new cluster takes over its machine,
	// protocol parameters, clients and refused requests, and begins with its state after the sequence number Seq,
	// whose root is Root.
	Before *File
	Seq    uint64
	Root   [32]byte

	// Source of the id and the keys; nil: the operating system's. Tests that must be reproducible give another one.
	Rand io.Reader
}

// Fresh is a new cluster: the file that all its replicas and clients share, and all private keys.
type Fresh struct {
	File     *File
	Replicas []*crypto.PrivateKey // by replica number
	Clients  []*crypto.PrivateKey // of the clients that were registered now, which are the last ones of File.Clients
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
	f := &File{Format: Format, Machine: cmp.Or(o.Machine, machines.KV), Protocol: o.Protocol.ofNewCluster()}
	if b := o.Before; b != nil {
		f.Machine, f.Protocol, f.Clients, f.Refused = b.Machine, b.Protocol, slices.Clone(b.Clients), slices.Clone(b.Refused)
		f.Origin = Origin{Cluster: b.ID, Seq: o.Seq, Root: o.Root}
	}
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
	register := func(c Client) error {
		key, err := crypto.Generate(random)
		if err != nil {
			return fmt.Errorf("make the key of client %q: %w", c.Name, err)
		}
		c.Key = key.Public()
		fresh.Clients, f.Clients = append(fresh.Clients, key), append(f.Clients, c)
		return nil
	}
	for i, name := range o.Clients {
		if err := register(Client{Name: name, Backup: i == 0}); err != nil {
			return nil, err
		}
	}
	for i := range o.Admins {
		if err := register(Client{Name: fmt.Sprintf("admin%d", i+1), Role: Administrator}); err != nil {
			return nil, err
		}
	}
	if err := f.validate(); err != nil {
		return nil, located("to be made", err)
	}
	return fresh, nil
}

// maxAdmins bounds how many administrators are made at once. More can be registered later.
const maxAdmins = 100

// plan gives every replica one address.
func plan(o InitOptions) ([]string, error) {
	hosts := o.Hosts
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	if len(hosts) != 1 && len(hosts) != o.Replicas {
		return nil, fmt.Errorf("%d hosts for %d replicas; give one host for all or one for each", len(hosts), o.Replicas)
	}
	if err := o.Protocol.FaultModel.CheckReplicas(o.Replicas); err != nil {
		return nil, err
	}
	if o.Admins < 0 || o.Admins > maxAdmins {
		return nil, fmt.Errorf("%d administrators; give a number from 0 to %d", o.Admins, maxAdmins)
	}
	format, known := map[string]string{"": "/tcp/%d", TCP: "/tcp/%d", QUIC: "/udp/%d/quic-v1"}[o.Transport]
	if !known {
		return nil, fmt.Errorf("transport %q is not known; use %q or %q", o.Transport, TCP, QUIC)
	}
	used := make(map[string]int)
	addresses := make([]string, o.Replicas)
	for i := range addresses {
		host, err := hostPart(hosts[i%len(hosts)])
		if err != nil {
			return nil, err
		}
		port := o.BasePort + used[host]
		used[host]++
		if port < 1 || port > 65535 {
			return nil, fmt.Errorf("port %d for replica %d is outside 1 to 65535; choose another base port", port, i)
		}
		addresses[i] = host + fmt.Sprintf(format, port)
	}
	return addresses, nil
}

// hostPart is the beginning of the address of a host, given as an IP address or a DNS name.
func hostPart(host string) (string, error) {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Is4():
		return "/ip4/" + host, nil
	case err == nil:
		return "/ip6/" + host, nil
	}
	return "/dns/" + host, checkName(host)
}

// checkName returns why a text cannot be a DNS name.
func checkName(name string) error {
	const mend = "; give an IP address or a DNS name such as a.example, and put commas without spaces between several"
	if name == "" {
		return errors.New("a host without a name" + mend)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		strange := strings.IndexFunc(part, func(r rune) bool {
			return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
		if part == "" || len(part) > 63 || len(name) > 253 || strange >= 0 || part[0] == '-' {
			return fmt.Errorf("%q is no host%s", name, mend)
		}
	}
	return nil
}

// CheckReplicas returns why a cluster cannot have so many replicas.
func (m FaultModel) CheckReplicas(n int) error {
	switch least := m.Least(); {
	case n < least && m == Byzantine && n >= CrashOnly.Least():
		return fmt.Errorf("%d replicas mask no liar; a cluster has at least %d, or %d with the fault model \"crash\"", n, least, n)
	case n < least:
		return fmt.Errorf("%d replicas cannot mask a faulty one; a cluster has at least %d", n, least)
	case n > wire.MaxMembers:
		return fmt.Errorf("%d replicas are too many; a cluster has at most %d", n, wire.MaxMembers)
	}
	return nil
}

// Masked returns a text that says how many faulty replicas a cluster of this size masks, and whether a smaller
// cluster would mask as many.
func (m FaultModel) Masked(n int) string {
	f, step, kind := m.Masks(n), 3, "faulty"
	if m == CrashOnly {
		step, kind = 2, "crashed and no lying ones"
	}
	text := fmt.Sprintf("masks %d %s", f, kind)
	if least := step*f + 1; n > least {
		text += fmt.Sprintf(" as %d would (%d mask %d)", least, least+step, f+1)
	}
	return text
}
