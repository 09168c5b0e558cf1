// Package link attacks a cluster over real links, below the level of messages: with malformed frames, thousands of streams,
// and peers that never read. It also hosts the malicious clients of package client on such links.
//
// An attacker has a replica's key, a client's, or one that nobody knows. It uses libp2p directly, so that the network
// package does not keep it to the rules. It counts what it did and what was done to it, and judges nothing.
package link
