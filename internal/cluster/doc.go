// Package cluster owns cluster.toml: what all replicas and clients of a cluster must agree on before they exchange a
// byte. It reads, checks, writes and fingerprints that file, and derives from it the protocol's configuration and the
// network's members.
//
// It opens no connection, keeps none of the private keys that Init returns, and does not know a replica's own home
// (listen addresses, directories, log level), which is local and may differ between replicas.
package cluster
