// Package cluster owns cluster.toml: what all replicas and clients of one cluster agree on before they exchange a
// byte. It reads, checks, writes and fingerprints that file, and derives from it the protocol's configuration and the
// network's members.
//
// It opens no connection, holds no private key beyond the ones Init hands out, and knows nothing of a replica's own
// home (listen addresses, directories, log level): that is local and may differ.
package cluster
