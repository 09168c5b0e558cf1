package cluster

import (
	"fmt"
	"math"
	"strings"

	"tagma/crypto"
	"tagma/internal/machines"
	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Limits of what a file may set.
const (
	maxWindow   = 4096
	maxSessions = 4096
	maxRefused  = 1024
	// maxResultBytes leaves a quarter of a client's frame for what surrounds the results.
	maxResultBytes = network.DefaultMaxClientFrame / 4 * 3
)

// validate returns the first thing that is missing, out of range, or contradicts another one.
func (f *File) validate() *Error {
	switch {
	case f.Format != Format:
		return refuse("format", "is %d; this program reads format %d only", f.Format, Format)
	case f.ID == Key{}:
		return refuse("id", "is missing or zero; copy it from another replica's file")
	}
	if err := machines.CheckName(f.Machine); err != nil {
		return refuse("machine", "%v", err)
	}
	if err := f.validateOrigin(); err != nil {
		return err
	}
	owners := make(map[Key]string)
	if err := f.validateReplicas(owners); err != nil {
		return err
	}
	if err := f.validateClients(owners); err != nil {
		return err
	}
	if err := f.validateRefused(); err != nil {
		return err
	}
	if setting, err := machines.CheckHistory(f.Machine, f.Protocol.Kept()); err != nil {
		return refuse("protocol."+setting, "%v", err)
	}
	return f.validateProtocol()
}

func (f *File) validateRefused() *Error {
	if n := len(f.Refused); n > maxRefused {
		return refuse("refused_requests", "%d given; a cluster refuses at most %d", n, maxRefused)
	}
	sorted := f.sortedRefused()
	for i, digest := range sorted {
		if i > 0 && digest == sorted[i-1] {
			return refuse("refused_requests", "%s is there twice; remove one", digest)
		}
	}
	return nil
}

func (f *File) validateOrigin() *Error {
	switch o := &f.Origin; {
	case *o == (Origin{}): // it began empty
	case o.Seq == 0 || o.Cluster == (Key{}) || o.Root == (Key{}):
		return refuse("origin", "is incomplete; copy it, with cluster, seq and root, from another replica's file")
	case o.Cluster == f.ID:
		return refuse("origin.cluster", "is this cluster's own id; a restored cluster has one of its own, which tagma restore draws")
	}
	return nil
}

func (f *File) validateReplicas(owners map[Key]string) *Error {
	if n, least := len(f.Replicas), f.Protocol.FaultModel.Least(); n < least || n > wire.MaxMembers {
		return refuse("replica", "%d given; a cluster has %d to %d, each in a [[replica]] table", n, least, wire.MaxMembers)
	}
	addresses := make(map[string]int)
	for i, r := range f.Replicas {
		if r.ID != i {
			return refuse("replica.id", "replica %d is missing, or an id is there twice; number the %d replicas from 0 to %d",
				i, len(f.Replicas), len(f.Replicas)-1)
		}
		at := fmt.Sprintf("replica[%d]", i)
		if err := claimKey(owners, at+".key", fmt.Sprintf("replica %d", i), r.Key); err != nil {
			return err
		}
		if len(r.Addresses) == 0 {
			return refuse(at+".addresses", "is empty; list where the others reach it, such as /ip4/10.0.0.1/tcp/7000")
		}
		for j, a := range r.Addresses {
			at := fmt.Sprintf("%s.addresses[%d]", at, j)
			if err := checkAddress(a); err != nil {
				return refuse(at, "%v", err)
			}
			if other, taken := addresses[a]; taken {
				return refuse(at, "%s is listed for replica %d already; each needs one of its own", a, other)
			}
			addresses[a] = i
		}
	}
	return nil
}

func (f *File) validateClients(owners map[Key]string) *Error {
	names := make(map[string]int)
	for i, c := range f.Clients {
		at := fmt.Sprintf("client[%d]", i)
		if c.Name == "" {
			return refuse(at+".name", "is empty; give the client a name")
		}
		if other, taken := names[c.Name]; taken {
			return refuse(at+".name", "%q is the name of client[%d] already; choose another one", c.Name, other)
		}
		names[c.Name] = i
		if err := claimKey(owners, at+".key", fmt.Sprintf("client %q", c.Name), c.Key); err != nil {
			return err
		}
	}
	return nil
}

// claimKey checks a public key and that nobody else has it. If a replica and a client had the same key, messages of one
// could be taken for messages of the other.
func claimKey(owners map[Key]string, at, owner string, k Key) *Error {
	if k == (Key{}) {
		return refuse(at, "is missing; put the public key there, which the command `keys show` prints")
	}
	if err := crypto.CheckPublic(k); err != nil {
		return refuse(at, "%v", err)
	}
	if other, taken := owners[k]; taken {
		return refuse(at, "is also the key of %s; each needs one of its own", other)
	}
	owners[k] = owner
	return nil
}

func (f *File) validateProtocol() *Error {
	for _, s := range f.Protocol.settings() {
		if s.value < 0 {
			return refuse("protocol."+s.name, "must not be negative; leave it out for the default")
		}
	}
	p := f.Protocol.WithDefaults()
	switch {
	case p.Window > maxWindow:
		return refuse("protocol.window", "%d is above the limit of %d", p.Window, maxWindow)
	case p.Sessions > maxSessions:
		return refuse("protocol.sessions", "%d is above the limit of %d", p.Sessions, maxSessions)
	case p.Rules > statemachine.NewestRules:
		return refuse("protocol.rules", "%d is above %d, the newest that this version knows; update it", p.Rules, statemachine.NewestRules)
	case p.FirstVersion > math.MaxInt32:
		return refuse("protocol.first_version", "%d is above the limit of %d", p.FirstVersion, math.MaxInt32)
	case p.Durability > Optimistic:
		return refuse("protocol.durability", "%d is not known; use %d or %d", p.Durability, Pessimistic, Optimistic)
	case p.FaultModel > CrashOnly:
		return refuse("protocol.fault_model", "%d is not known; use %d or %d", p.FaultModel, Byzantine, CrashOnly)
	case p.MaxOps > maxResultBytes/16:
		return refuse("protocol.max_ops", "%d is above the limit of %d", p.MaxOps, maxResultBytes/16)
	case p.MaxResultBytes > maxResultBytes:
		return refuse("protocol.max_result_bytes", "%d is above the limit of %d, which fits a client's frame", p.MaxResultBytes, maxResultBytes)
	}
	cfg := f.config(0)
	if err := cfg.Validate(); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		return refuse("protocol."+key, "%s", problem)
	}
	return nil
}
