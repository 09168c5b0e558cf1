// Package link attacks a cluster over real links, from below its messages: with frames that are none, streams by the
// thousand, readers that never read. It also hosts the malicious clients of package client on such links.
//
// An attacker has a key of its own, a replica's or a client's or one that nobody knows, and speaks libp2p itself, so that
// nothing of the network package keeps it honest. It counts what it did and what was done to it, and judges nothing.
package link
