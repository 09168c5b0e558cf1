package cluster

import "tagma/network"

// Members lists the replicas by number with their addresses, as the network wants them.
func (f *File) Members() []network.Member {
	members := make([]network.Member, len(f.Replicas))
	for i, r := range f.Replicas {
		members[i] = network.Member{Key: r.Key, Addrs: r.Addresses}
	}
	return members
}

// Greeting is what both ends of a link say first: the cluster's id and the fingerprint. Ends that differ refuse each
// other at once instead of talking past each other.
func (f *File) Greeting() []byte {
	print := f.Fingerprint()
	return append(append(make([]byte, 0, len(f.ID)+len(print)), f.ID[:]...), print[:]...)
}
